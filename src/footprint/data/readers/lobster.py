"""LOBSTER reader: one zip is one session.

A level-n file is a window: the book is not empty at the first message, and orders outside the window are not named.
So a session carries both: the messages order by order (ADD, CANCEL, FILL), and after each of them the changes of the
window as LEVEL events, from which `book.replay.views` makes the book. A level that leaves the window is removed.
Times are exchange times; the file does not say when anything was received.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.files.compressed import head
from footprint.data.readers.lobster_events import order_events, session_events
from footprint.data.readers.lobster_file import MEMBER, LobsterDay, MessageType, member_names, read_day
from footprint.data.readers.us_equities import us_equity
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag
from footprint.market.instruments import US_EQUITY_HOURS


class LobsterReader:
    """One session a zip."""

    name = "lobster"

    def recognise(self, path: Path) -> bool:
        """True for a zip whose members are named as LOBSTER names them."""
        return MEMBER.fullmatch(head(path).name) is not None or any(map(MEMBER.fullmatch, member_names(path)))

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; of several files of one day only the one with most levels is used."""
        used = _with_most_levels(paths)
        return [_audit(path, used[_symbol_and_day(path)]) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session per symbol and day, in order of them, from the file with most levels.

        Raises:
            DataRefused: the file is refused.
        """
        for _, path in sorted(_with_most_levels(paths).items()):
            yield _session(read_day(path))


def messages(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The messages order by order and the book after each.

    Returns:
        EVENT_DTYPE of shape (n,), one event a message (hidden executions and crosses are TRADE), and the book rows,
        int64 of shape (n, 4 * levels) as in `LobsterDay`.

    Raises:
        DataRefused: the file is refused.
    """
    day = read_day(path)
    return order_events(day), day.book


def _session(day: LobsterDay) -> Session:
    events = session_events(day)
    types = np.bincount(day.message[:, 1], minlength=MessageType.HALT + 1)
    counts = {"messages": len(day.message), "events": len(events)}
    counts |= {f"{kind.name.lower()}_messages": int(types[kind]) for kind in MessageType if types[kind]}
    counts["trades"] = int(types[[MessageType.EXECUTION, MessageType.HIDDEN_EXECUTION, MessageType.CROSS]].sum())
    opened, closed = US_EQUITY_HOURS.on(day.day)
    instrument = us_equity(day.symbol, "NASDAQ")
    return Session(instrument, day.day, events, opened, closed, LobsterReader.name, counts, (day.path,))


def _symbol_and_day(path: Path) -> tuple[str, ...]:
    return next(((m["symbol"], m["day"]) for m in map(MEMBER.fullmatch, member_names(path)) if m), (path.name,))


def _levels(path: Path) -> int:
    return next((int(m["n"]) for m in map(MEMBER.fullmatch, member_names(path)) if m), 0)


def _with_most_levels(paths: Sequence[Path]) -> dict[tuple[str, ...], Path]:
    """The deepest file of each symbol and day."""
    return {_symbol_and_day(path): path for path in sorted(paths, key=_levels)}


def _audit(path: Path, used: Path) -> FileVerdict:
    try:
        day = read_day(path)
    except DataRefused as error:
        name = head(path).name
        match = MEMBER.fullmatch(name)
        return FileVerdict(path, LobsterReader.name, match["symbol"] if match else "", (Finding.of_refusal(error),))
    session = _session(day)
    kind, order_id = day.message[:, 1], day.message[:, 2]
    findings = [
        Finding("no_receive_time", "exchange time only: latency cannot be measured", voids=(Analysis.LATENCY,)),
    ]
    if used != path:
        findings.append(Finding("superseded", f"not used: {used.name} holds the same day with at least as many levels"))
    named = np.isin(kind, (MessageType.PARTIAL_CANCEL, MessageType.DELETE, MessageType.EXECUTION))
    unborn = named & ~np.isin(order_id, order_id[kind == MessageType.NEW])
    if unborn.any():
        text = f"{unborn.sum()} of {named.sum()} cancels and fills name orders that were never added: "
        findings.append(Finding("no_snapshot", text + "the book is not empty at the first message", int(unborn.sum())))
    if (kind == MessageType.HALT).any():
        findings.append(Finding("halt", "trading halts or resumes", int((kind == MessageType.HALT).sum())))
    last = session.events["flags"] & EventFlag.LAST != 0
    book = views(session.events, BookKind.LEVELS)[last]
    findings += book_findings(
        book, session.events["row"][last], "book", (Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)
    )
    return FileVerdict(path, LobsterReader.name, day.symbol, tuple(findings), session.counts)
