"""The contract of a reader, as a check that anyone can run on their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from footprint.data.session import EXTRA_COLUMNS, Reader, Session
from footprint.data.tables import Table, TableReader
from footprint.data.verdict import Verdict
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind, event_time_ns

_KINDS = tuple(map(int, EventKind))
_SIDED = (EventKind.ADD, EventKind.LEVEL, EventKind.QUOTE)


def check_reader(
    reader: Reader | TableReader, paths: Sequence[Path], *, recognised: bool = True
) -> list[Session] | list[Table]:
    """Check what a reader makes of clean files.

    Args:
        paths: files that the reader must accept (perhaps with limits).
        recognised: whether it must recognise them; a reader that is always named together with its files need not.

    Returns:
        What was in them.

    Raises:
        AssertionError: the contract is broken; the text says which part.
    """
    for path in paths:
        _require(reader.recognise(path) == recognised, f"{path} is {'not ' if recognised else ''}recognised")
    verdicts = reader.audit(paths)
    _require([v.path for v in verdicts] == list(paths), "one verdict a file, in the order of the files")
    for verdict in verdicts:
        reasons = "; ".join(f.text for f in verdict.findings)
        _require(verdict.source == reader.name, f"a verdict names {verdict.source!r}, not {reader.name!r}")
        _require(verdict.verdict is not Verdict.REFUSED, f"refused: {reasons}")
        _require("\n" not in reasons, f"more than one line: {reasons!r}")
    if isinstance(reader, TableReader):
        tables = list(reader.tables(paths))
        _require(bool(tables), "no table")
        _require(all(t.source == reader.name for t in tables), "a table names its reader")
        _require(_equal(tables, list(reader.tables(paths))), "reading twice gives two answers")
        for table in tables:
            order = table.frame.select("known_at_ns", "symbol")
            _require(order.equals(order.sort("known_at_ns", "symbol")), "rows sorted by known_at_ns and symbol")
        return tables
    sessions = list(reader.sessions(paths))
    _require(bool(sessions), "no session")
    for session in sessions:
        _check_session(session, reader.name, paths)
    again = list(reader.sessions(paths))
    same = len(again) == len(sessions) and all(
        a.instrument == b.instrument and np.array_equal(a.events, b.events)
        for a, b in zip(sessions, again, strict=True)
    )
    _require(same, "reading twice gives two answers")
    keys = [(s.instrument.symbol, s.open_ns) for s in sessions]
    _require(keys == sorted(keys), "sessions in order of (symbol, time)")
    held = {s.instrument.symbol for s in sessions}
    named = {symbol for v in verdicts for symbol in v.symbols}
    _require(held <= named, f"verdicts name {sorted(named)}, sessions hold {sorted(held)}")
    return sessions


def _check_session(session: Session, source: str, paths: Sequence[Path]) -> None:
    events, name = session.events, f"{session.instrument.symbol} {session.day}"
    _require(events.dtype == EVENT_DTYPE and events.ndim == 1, f"{name}: events are not EVENT_DTYPE")
    _require(len(events) > 0, f"{name}: a session without events")
    _require(session.source == source, f"{name}: source {session.source!r}")
    _require(set(session.paths) <= set(paths) and bool(session.paths), f"{name}: paths {session.paths}")
    _require(session.instrument.tick_size > 0 and session.instrument.lot_size > 0, f"{name}: tick or lot not positive")
    _require(session.open_ns <= session.close_ns, f"{name}: closes before it opens")
    time_ns = event_time_ns(events)
    known = time_ns[time_ns != UNKNOWN_TIME]
    _require(bool((np.diff(known) >= 0).all()), f"{name}: time goes back")
    for clock in ("exchange_time_ns", "receive_time_ns"):
        times = events[clock]
        _require(bool(((times == UNKNOWN_TIME) | (times > 0)).all()), f"{name}: {clock} out of range")
    _require(bool(np.isin(events["kind"], _KINDS).all()), f"{name}: an unknown kind")
    _require(bool((np.abs(events["side"]) <= 1).all()), f"{name}: a side other than -1, 0, 1")
    sided = np.isin(events["kind"], _SIDED)
    _require(bool((events["side"][sided] != 0).all()), f"{name}: a book event without a side")
    _require(bool((events["flags"] & EventFlag.LAST).any()), f"{name}: no message ends")
    _require(bool(events["flags"][-1] & EventFlag.LAST), f"{name}: the last message does not end")
    prints = events["kind"] == EventKind.TRADE
    _require(bool((events["size_lots"][prints] > 0).all()), f"{name}: a print without a size")
    signed = prints & (events["flags"] & EventFlag.SIDE_GIVEN != 0)
    _require(bool((events["side"][signed] != 0).all()), f"{name}: a side given that is 0")
    unknown = events["flags"] & EventFlag.SIZE_UNKNOWN != 0
    _require(bool(((events["size_lots"] >= 0) | unknown).all()), f"{name}: a negative size")
    _require(bool((events["row"] >= 1).all()), f"{name}: rows are counted from 1")
    _require(set(session.extra) <= set(EXTRA_COLUMNS), f"{name}: unknown extra columns {sorted(session.extra)}")
    _require(all(len(c) == len(events) for c in session.extra.values()), f"{name}: an extra column of another length")
    _require(all(int(c) >= 0 for c in session.counts.values()), f"{name}: a negative count")


def _equal(first: list[Table], second: list[Table]) -> bool:
    return len(first) == len(second) and all(a.frame.equals(b.frame) for a, b in zip(first, second, strict=True))


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)
