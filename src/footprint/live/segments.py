"""Events on disk while they come: numpy files of bounded size, each whole or absent.

    events/<symbol>/units.json      {"symbol": ..., "venue": ..., "price_units_per_one": ..., "size_units_per_one": ...}
    events/<symbol>/000001.npy      EVENT_DTYPE, in order; `row` is the row of the recording's raw frame

The name of a symbol is percent-encoded, so that XBT/USD is no path. A price is `price_ticks / price_units_per_one`:
the tick of an instrument is known only when all of its prices are, so `read_segments` leaves them as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

import numpy as np

from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE

FOLDER = "events"
UNITS_FILE = "units.json"
PARTIAL = ".partial"


class Units(NamedTuple):
    """What one tick and one lot of a segment are: 1 / price_units_per_one and 1 / size_units_per_one."""

    price_units_per_one: int
    size_units_per_one: int


class EventSegments:
    """Gathers events by symbol and writes a segment when enough of them wait.

    Args:
        folder: where `events/` is made.
        units: the units of a symbol, asked for when its first segment is written.
        segment_events: how many events of a symbol make a segment.
    """

    def __init__(self, folder: Path, venue: str, units: Callable[[str], tuple[int, int]], segment_events: int) -> None:
        self._folder, self._venue, self._units, self._segment_events = folder / FOLDER, venue, units, segment_events
        self._waiting: dict[str, list[np.ndarray]] = {}
        self._counts: dict[str, int] = {}
        self._segments: dict[str, int] = {}

    def append(self, symbol: str, events: np.ndarray) -> None:
        """Take events of one symbol (EVENT_DTYPE)."""
        self._waiting.setdefault(symbol, []).append(events)
        self._counts[symbol] = self._counts.get(symbol, 0) + len(events)
        if self._counts[symbol] >= self._segment_events:
            self._write(symbol)

    def flush(self) -> None:
        """Write what waits, as segments of any length."""
        for symbol in sorted(self._waiting):
            self._write(symbol)

    def _write(self, symbol: str) -> None:
        folder = self._folder / quote(symbol, safe="")
        if symbol not in self._segments:
            folder.mkdir(parents=True, exist_ok=True)
            units = Units(*self._units(symbol))
            text = json.dumps({"symbol": symbol, "venue": self._venue, **units._asdict()})
            replace_with(folder / UNITS_FILE, text.encode())
            self._segments[symbol] = 0
        number = self._segments[symbol] + 1
        target = folder / f"{number:06d}.npy"
        partial = target.with_name(target.name + PARTIAL)
        with partial.open("wb") as file:
            np.save(file, np.concatenate(self._waiting.pop(symbol), dtype=EVENT_DTYPE), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
        self._segments[symbol] = number
        self._counts[symbol] = 0


def replace_with(path: Path, content: bytes) -> None:
    """Write a small file whole or not at all."""
    partial = path.with_name(path.name + PARTIAL)
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def recorded_symbols(folder: Path) -> list[str]:
    """The symbols whose events a recording holds, sorted."""
    return sorted(unquote(units.parent.name) for units in (folder / FOLDER).glob(f"*/{UNITS_FILE}"))


def read_segments(folder: Path, symbol: str) -> tuple[Units, np.ndarray]:
    """All events of one symbol in order, as they were written.

    Raises:
        DataRefused: a segment is missing or is no array of EVENT_DTYPE.
    """
    mine = folder / FOLDER / quote(symbol, safe="")
    units = _read_units(mine / UNITS_FILE)
    paths = sorted(mine.glob("*.npy"))
    for number, path in enumerate(paths, start=1):
        if path.name != f"{number:06d}.npy":
            raise DataRefused("segment missing", path=path, found=path.name, allowed=f"{number:06d}.npy")
    parts = [_read_segment(path) for path in paths]
    return units, np.concatenate(parts, dtype=EVENT_DTYPE) if parts else np.zeros(0, EVENT_DTYPE)


def _read_units(path: Path) -> Units:
    try:
        found = json.loads(path.read_text())
        units = Units(int(found["price_units_per_one"]), int(found["size_units_per_one"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataRefused("no units", path=path, found=error, allowed="units.json of a recording") from None
    if min(units) < 1:
        raise DataRefused("units not positive", path=path, found=units, allowed="whole numbers of at least 1")
    return units


def _read_segment(path: Path) -> np.ndarray:
    try:
        events = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataRefused("not a segment", path=path, found=error, allowed="a numpy file of events") from None
    if events.dtype != EVENT_DTYPE or events.ndim != 1:
        raise DataRefused("not a segment", path=path, found=events.dtype, allowed="one column of EVENT_DTYPE")
    return np.asarray(events)
