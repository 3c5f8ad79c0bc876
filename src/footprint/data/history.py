"""The history store: checked sessions and tables kept for later, found by symbol and time, never changed unseen.

A session is stored whole or not at all, under the hash of its content; what is stored and what the readers give are
the same to the bit. `HistoryStore` is what an engine has to offer, `open_history` makes one from an address.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np

from footprint.data.session import Session
from footprint.data.tables import Table, TableKind
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import UsageError
from footprint.market.events import EVENT_DTYPE, event_time_ns
from footprint.market.instruments import Instrument

SCHEMA_VERSION = 1
_HASH_DIGITS = 32
_ENGINE = "footprint.adapters.deltalake_history"  # by name: a later stage, and a library that only the store needs


class Stored(Enum):
    """What became of something that was put into a store."""

    NEW = "stored"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"


class OtherContent(UsageError):
    """The store holds something else for the same symbol, venue and time; nothing was written."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What a store knows of a session without reading its events.

    Attributes:
        session_id: hash of the content (`content_hash`).
        events: number of events.
        first_ns, last_ns: event time of the first and last event; the open, twice, when there is none.
        extra: names of the extra columns.
        findings: what the audit of its files saw.
    """

    session_id: str
    instrument: Instrument
    day: date
    open_ns: int
    close_ns: int
    source: str
    events: int
    first_ns: int
    last_ns: int
    extra: tuple[str, ...]
    counts: Mapping[str, int]
    paths: tuple[Path, ...]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, session: Session, session_id: str, findings: Sequence[Finding]) -> StoredSession:
        """Everything of a session but the events."""
        times = event_time_ns(session.events[[0, -1]]) if len(session.events) else (session.open_ns, session.open_ns)
        return cls(
            session_id,
            session.instrument,
            session.day,
            session.open_ns,
            session.close_ns,
            session.source,
            len(session.events),
            int(times[0]),
            int(times[1]),
            tuple(session.extra),
            session.counts,
            session.paths,
            tuple(findings),
        )

    def session(self, events: np.ndarray, extra: Mapping[str, np.ndarray]) -> Session:
        """The session again, with its events."""
        return Session(
            self.instrument, self.day, events, self.open_ns, self.close_ns, self.source, self.counts, self.paths, extra
        )

    def same_time(self, session: Session) -> bool:
        """True when both are the same instrument on the same venue and their hours overlap."""
        mine, other = self.instrument, session.instrument
        overlap = self.open_ns < max(session.close_ns, session.open_ns + 1) and session.open_ns < max(
            self.close_ns, self.open_ns + 1
        )
        return (mine.symbol, mine.venue) == (other.symbol, other.venue) and overlap

    def within(self, start_ns: int | None, end_ns: int | None) -> bool:
        """True when an event may lie in [start_ns, end_ns)."""
        return (start_ns is None or self.last_ns >= start_ns) and (end_ns is None or self.first_ns < end_ns)


class HistoryWriter(Protocol):
    """The one writer of a store."""

    def put(self, session: Session, findings: Sequence[Finding] = (), *, replace: bool = False) -> Stored:
        """Store one session. The same content again changes nothing.

        Args:
            findings: what the audit of its files saw; kept beside it.
            replace: let it take the place of other content of the same symbol, venue and time.

        Raises:
            OtherContent: there is such content, and `replace` is False.
        """
        ...

    def put_table(self, table: Table, *, replace: bool = False) -> Stored:
        """Store one table, with the same rules; the same file name, a shared symbol and time make it the same."""
        ...


class HistoryStore(Protocol):
    """An engine that keeps sessions and tables.

    A writer that is killed at any point leaves what was there before or what it wrote last, never a part.
    """

    url: str

    def writing(self) -> AbstractContextManager[HistoryWriter]:
        """The writer; what a killed one left behind is removed first.

        Raises:
            UsageError: another process is writing, or a newer release wrote the store.
        """
        ...

    def version(self) -> int:
        """The version that a reader of sessions gets now.

        Raises:
            UsageError: there is no store.
        """
        ...

    def stored(self, version: int | str | None = None) -> tuple[StoredSession, ...]:
        """All sessions of a version, in order of (symbol, venue, time), without their events.

        Args:
            version: its number, or the time as of which to look (ISO 8601 with a zone); the newest when None.

        Raises:
            UsageError: no store or no such version.
        """
        ...

    def sessions(
        self,
        symbol: str | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        venue: str | None = None,
        version: int | str | None = None,
    ) -> Iterator[Session]:
        """Sessions with their events in [start_ns, end_ns), one in memory at a time, in the order of `stored`.

        Raises:
            UsageError: no store, no such version, or nothing of that symbol and venue.
            DataRefused: what is stored is damaged.
        """
        ...

    def tables(self, kind: TableKind, version: int | str | None = None) -> Iterator[Table]:
        """Stored tables of one kind, in the order of their first rows; nothing when there is none.

        Args:
            version: of the tables of that kind.
        """
        ...


def open_history(url: str | Path) -> HistoryStore:
    """The store in a folder or at an object-store address (s3://, gs://, az://); it need not exist yet.

    Raises:
        UsageError: the library behind it is not installed.
    """
    try:
        return import_module(_ENGINE).DeltaHistory(str(url))
    except ImportError as error:
        raise UsageError(f"a history store needs {error.name}, allowed: pip install 'footprint[store]'") from error


def is_history(path: str | Path) -> bool:
    """True when a local folder holds a history store."""
    return Path(path, "sessions", "_delta_log").is_dir()


def columns(session: Session) -> dict[str, np.ndarray]:
    """The fields of the events, then the extra columns: contiguous arrays of shape (n,) by name."""
    fields = {name: np.ascontiguousarray(session.events[name]) for name in EVENT_DTYPE.names or ()}
    return fields | {name: np.ascontiguousarray(values, np.int64) for name, values in session.extra.items()}


def content_hash(session: Session, values: Mapping[str, np.ndarray]) -> str:
    """SHA-256, cut to 128 bits, of everything that a session is but its counts and file names, as hex.

    Args:
        values: `columns(session)`.
    """
    instrument = asdict(session.instrument) | {"asset_class": session.instrument.asset_class.value}
    head = {
        "instrument": instrument,
        "day": session.day.isoformat(),
        "open_close_ns": (session.open_ns, session.close_ns),
        "source": session.source,
        "columns": [(name, column.dtype.str) for name, column in values.items()],
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for column in values.values():
        digest.update(column.data)
    return digest.hexdigest()[:_HASH_DIGITS]


def between(session: Session, start_ns: int | None, end_ns: int | None) -> Session:
    """The session with its events of [start_ns, end_ns) by event time; hours and counts stay those of the whole."""
    if start_ns is None and end_ns is None:
        return session
    times = event_time_ns(session.events)
    first = 0 if start_ns is None else int(np.searchsorted(times, start_ns))
    last = len(times) if end_ns is None else int(np.searchsorted(times, end_ns))
    part = slice(first, max(first, last))
    return replace(session, events=session.events[part], extra={n: v[part] for n, v in session.extra.items()})


def findings_of(paths: Iterable[Path], verdicts: Sequence[FileVerdict]) -> tuple[Finding, ...]:
    """What the audit saw in these files, each once."""
    wanted = set(paths)
    return tuple(dict.fromkeys(f for v in verdicts if v.path in wanted for f in v.findings))
