"""One instrument, one contiguous run of trading: the unit that readers yield and memory is bounded by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from footprint.data.verdict import FileVerdict
from footprint.market.instruments import Instrument

EXTRA_COLUMNS = ("buyer_member", "seller_member")  # broker numbers of the two sides, where a venue publishes them


@dataclass(frozen=True, slots=True)
class Session:
    """Events of one instrument on one local day (or one joined chain of a venue that never closes).

    Attributes:
        events: EVENT_DTYPE array in order of arrival (`event_time_ns` never decreases).
        open_ns, close_ns: regular hours of that day, ns UTC; for a continuous venue the span of the data.
        source: name of the reader ("lobster", "lean", "databento", ...).
        counts: what was read and what was dropped, by reason ("trades", "off_exchange_dropped", ...).
        paths: the files it came from.
        extra: what the format knows of each event beyond EVENT_DTYPE, int64 arrays of shape (n,) by name; 0 where it
            does not apply. Names: EXTRA_COLUMNS.
    """

    instrument: Instrument
    day: date
    events: np.ndarray
    open_ns: int
    close_ns: int
    source: str
    counts: Mapping[str, int] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)


@runtime_checkable
class Reader(Protocol):
    """One file format.

    `recognise` looks at names and first bytes only. `audit` reads everything and never raises for what is in a file: it
    puts it in the verdict. `sessions` raises `DataRefused` for a refused file before it yields anything from it, and
    holds one session in memory at a time.
    """

    @property
    def name(self) -> str:
        """Name of the format, as in `FORMAT:PATH`."""
        ...

    def recognise(self, path: Path) -> bool:
        """True when the file is of this format."""
        ...

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; consecutive files of one symbol joined by update id are judged as one chain."""
        ...

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of (symbol, time)."""
        ...
