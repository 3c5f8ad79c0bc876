"""What a store gives back is what the readers gave, to the bit; the same files again change nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import footprint
from footprint.data import formats
from footprint.data.history import open_history
from footprint.data.session import Session
from scorecard.bar import Bar, Limit
from scorecard.sources import shared_data

_COMMAND = "python -m scorecard --only store_identity"
_FOLDERS = ("lobster", "b3_ticks", "binance_raw", "databento_mbo", "b3_orders_2015", "taq_xxx_2018", "tardis_csv")

_DIFFERENT = Bar(
    3, "store: sessions that differ from those of the readers", "sessions", Limit(at_most=0), None, _COMMAND
)
_CHANGED = Bar(3, "store: versions written by ingesting the same again", "versions", Limit(at_most=0), None, _COMMAND)
BARS = (_DIFFERENT, _CHANGED)


def measure() -> list[Bar]:
    folders = [shared_data(folder) for folder in _FOLDERS]
    with tempfile.TemporaryDirectory() as folder:
        history = open_history(Path(folder, "store"))
        _ingest(folders, history)
        before = history.version()
        different = read = 0
        for session in _sessions(folders):
            instrument = session.instrument
            again = footprint.read(Path(folder, "store"), instrument.symbol, venue=instrument.venue)
            different += not any(_same(session, stored) for stored in again)
            read += 1
        _ingest(folders, history)
        written = history.version() - before
    note = f"readers of {', '.join(_FOLDERS)}"
    return [_DIFFERENT.measured(different, n=read, note=note), _CHANGED.measured(written, n=read)]


def _sessions(folders: list[Path]):
    for folder in folders:
        yield from formats.sessions([folder])


def _ingest(folders: list[Path], history) -> None:
    with history.writing() as writer:
        for session in _sessions(folders):
            writer.put(session)


def _same(one: Session, other: Session) -> bool:
    return (
        one.instrument == other.instrument
        and (one.day, one.open_ns, one.close_ns) == (other.day, other.open_ns, other.close_ns)
        and np.array_equal(one.events, other.events)
        and one.extra.keys() == other.extra.keys()
        and all(np.array_equal(one.extra[name], other.extra[name]) for name in one.extra)
    )
