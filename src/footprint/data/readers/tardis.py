"""Tardis csv files: the types of one exchange, symbol and UTC day are one session, merged by local time.

At equal local times prints come first, then best quotes, then the book: the state after a print cannot be known before
it. Of several books of one day the incremental one is used, else the deepest snapshots; the others are audited only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import clock_findings
from footprint.data.files.decimals import ScaledEvents, on_one_scale, quote_increment
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.readers.tardis_events import file_events
from footprint.data.readers.tardis_file import TardisFile, TardisKind, is_tardis, peek, read_rows
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding, counted
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind

SOURCE = "tardis"

_ORDER = (TardisKind.TRADES, TardisKind.QUOTES, TardisKind.INCREMENTAL, TardisKind.SNAPSHOTS)
_BOOKS = (TardisKind.INCREMENTAL, TardisKind.SNAPSHOTS)


class _Key(NamedTuple):
    symbol: str
    exchange: str
    day: date | None


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One file that was read."""

    file: TardisFile
    scaled: ScaledEvents
    counts: Counter[str]
    findings: list[Finding]


class TardisReader:
    """One session per exchange, symbol and day, out of up to four types of file."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True when the first line starts with exchange,symbol,timestamp,local_timestamp."""
        return is_tardis(path)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; files of one session share the findings on the whole and the name of the chain."""
        groups, errors = _groups(paths)
        verdicts = [FileVerdict(path, SOURCE, "", (Finding.of_refusal(error),)) for path, error in errors.items()]
        for key, files in groups.items():
            verdicts += _audit(key, files)
        order = {path: place for place, path in enumerate(paths)}
        return sorted(verdicts, key=lambda verdict: order[verdict.path])

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session per (symbol, exchange, day), in order of (symbol, time).

        Raises:
            DataRefused: a file is refused.
        """
        groups, errors = _groups(paths)
        for error in errors.values():
            raise error
        for key, files in sorted(groups.items(), key=lambda group: (group[0].symbol, _first_us(group[1]))):
            parts = _used([_read(file) for file in files])
            _refuse_overlap(parts)
            if parts:
                yield _session(key, parts)


def _groups(paths: Sequence[Path]) -> tuple[dict[_Key, list[TardisFile]], dict[Path, DataRefused]]:
    """Files by session, and why others do not say where they belong."""
    groups: dict[_Key, list[TardisFile]] = {}
    errors = {}
    for path in paths:
        try:
            file = peek(path)
        except DataRefused as error:
            errors[path] = error
            continue
        groups.setdefault(_Key(file.symbol, file.exchange, file.day), []).append(file)
    return groups, errors


def _first_us(files: Sequence[TardisFile]) -> int:
    return min((file.first_us for file in files if not file.empty), default=0)


def _read(file: TardisFile) -> _Part:
    rows = read_rows(file)
    scaled, counts = file_events(file, rows)
    return _Part(file, scaled, counts, _file_findings(file, scaled.events, counts))


def _used(parts: list[_Part]) -> list[_Part]:
    """Without the books that a better one stands for, in the order of `_ORDER` and of time."""
    depths = [part for part in parts if part.file.kind in _BOOKS and not part.file.empty]
    if depths:
        best = max(map(_depth, depths))
        parts = [part for part in parts if part.file.kind not in _BOOKS or _depth(part) == best]
    return sorted((p for p in parts if len(p.scaled.events)), key=lambda p: (_ORDER.index(p.file.kind), _first_ns(p)))


def _depth(part: _Part) -> tuple[bool, int]:
    return part.file.kind is TardisKind.INCREMENTAL, part.file.levels


def _first_ns(part: _Part) -> int:
    return int(part.scaled.events["receive_time_ns"][0])


def _refuse_overlap(parts: Sequence[_Part]) -> None:
    """Two files of one type must follow each other in time."""
    for before, after in pairwise(parts):
        last_ns = int(before.scaled.events["receive_time_ns"][-1])
        if before.file.kind is after.file.kind and _first_ns(after) < last_ns:
            raise DataRefused(
                f"second {after.file.kind.value} file of one day",
                path=after.file.path,
                field="local_timestamp",
                found=_first_ns(after) // 1000,
                allowed=f"not before {last_ns // 1000}, the end of {before.file.path.name}",
            )


def _session(key: _Key, parts: Sequence[_Part]) -> Session:
    """The events of all parts in order of local time; the sort is stable, so ties keep the order of the parts."""
    arrays, tick_size, lot_size = on_one_scale([part.scaled for part in parts], parts[0].file.path)
    events = np.concatenate(arrays)
    events = events[np.argsort(events["receive_time_ns"], kind="stable")]
    first_ns, last_ns = int(events["receive_time_ns"][0]), int(events["receive_time_ns"][-1])
    counts = sum((part.counts for part in parts), Counter()) + Counter(events=len(events))
    priced = events["price_ticks"][events["kind"] != EventKind.CLEAR]
    return Session(
        instrument=crypto_instrument(key.symbol, key.exchange, tick_size, lot_size, quote_increment(priced)),
        day=key.day or date.min,
        events=events,
        open_ns=first_ns,
        close_ns=last_ns,
        source=SOURCE,
        counts=dict(counts),
        paths=tuple(part.file.path for part in parts),
    )


def _audit(key: _Key, files: Sequence[TardisFile]) -> list[FileVerdict]:
    parts, errors = [], {}
    for file in files:
        try:
            parts.append(_read(file))
        except DataRefused as error:
            errors[file.path] = error
    used, shared = _used(parts), []
    try:
        _refuse_overlap(used)
        if used and not errors:
            shared = _shared_findings(_session(key, used), used)
    except DataRefused as error:
        errors |= {part.file.path: error for part in used if error.path in (part.file.path, None)}
    chain = f"{key.exchange} {key.symbol} {key.day}"
    verdicts = []
    for file in files:
        part = next((part for part in parts if part.file == file), None)
        if part is None or file.path in errors:
            refusal = Finding.of_refusal(errors[file.path])
            verdicts.append(FileVerdict(file.path, SOURCE, key.symbol, (refusal,), {}, chain))
            continue
        findings = [*part.findings, *_superseded(part, used), *shared]
        verdicts.append(FileVerdict(file.path, SOURCE, key.symbol, tuple(findings), dict(part.counts), chain))
    return verdicts


def _superseded(part: _Part, used: Sequence[_Part]) -> list[Finding]:
    if part in used or not len(part.scaled.events):
        return []
    better = next(p.file.path.name for p in used if p.file.kind in _BOOKS)
    return [Finding("superseded", f"not used: {better} holds a deeper book of the same day")]


def _file_findings(file: TardisFile, events: np.ndarray, counts: Counter[str]) -> list[Finding]:
    if not len(events):
        return [Finding("no_rows", f"a header without rows of {file.kind.value} that count", voids=_void_without(file))]
    findings = clock_findings(events)
    for code, name, text, voids in _COUNTED:
        if counts[name]:
            findings.append(Finding(code, f"{counts[name]} {text}", counts[name], voids=voids))
    return findings


_COUNTED: tuple[tuple[str, str, str, tuple[Analysis, ...]], ...] = (
    ("zero_size_dropped", "zero_size_dropped", "prints of size 0 were dropped", ()),
    ("unsigned", "unsigned", "prints without a known aggressor", (Analysis.SIGNED_TRADES,)),
    ("trade_gap", "trade_gaps", "jumps in the trade ids: prints are missing", (Analysis.LAW,)),
    ("repeated_trade_id", "repeated_trade_ids", "prints repeat the id of the print before", ()),
    ("empty_quote_side", "empty_quote_sides", "quotes without a price on one side", ()),
)


def _void_without(file: TardisFile) -> tuple[Analysis, ...]:
    if file.kind is TardisKind.TRADES:
        return (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
    return (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE)


def _shared_findings(session: Session, parts: Sequence[_Part]) -> list[Finding]:
    """What is true of the session as a whole."""
    events = session.events
    levels = events[np.isin(events["kind"], (EventKind.LEVEL, EventKind.CLEAR))]
    quotes = events[events["kind"] == EventKind.QUOTE]
    findings = [Finding("price_levels", "no order ids: queue positions are unknown", voids=(Analysis.QUEUE,))]
    if not (events["kind"] == EventKind.TRADE).any():
        voids = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
        findings.append(Finding("no_trades", "no trades of this symbol and day", voids=voids))
    if not len(levels):
        findings.append(Finding("no_depth", "no book beyond the best quotes", voids=(Analysis.BOOK, Analysis.DEPTH)))
    if not len(levels) and not len(quotes):
        findings.append(Finding("no_mid", "neither quotes nor a book: mids are unknown", voids=(Analysis.FORECAST,)))
    findings += [finding for part in parts if part.file.kind in _BOOKS for finding in _depth_findings(part)]
    replayed: tuple[tuple[np.ndarray, str, tuple[Analysis, ...]], ...] = (
        (levels, "price-level book", (Analysis.BOOK, Analysis.DEPTH)),
        (quotes, "best quotes", (Analysis.BOOK, Analysis.FORECAST)),
    )
    for held, name, about in replayed:
        if len(held):
            last = held["flags"] & EventFlag.LAST != 0
            findings += book_findings(views(held, BookKind.LEVELS)[last], held["row"][last], name, about)
    return findings


def _depth_findings(part: _Part) -> list[Finding]:
    counts, file = part.counts, part.file
    if file.kind is TardisKind.SNAPSHOTS:
        text = f"snapshots only: {counts['snapshots']} pictures of {file.levels} levels a side; what happened between "
        text += f"two of them and depth below level {file.levels} are unknown"
        return [Finding("snapshots_only", text, counts["snapshots"])]
    events = part.scaled.events
    if not (events["flags"] & EventFlag.SNAPSHOT == 0).any():
        text = (
            counted(counts["snapshots"], "snapshots and no change between them: ")
            + "the book stands still from each to the next"
        )
        still = (Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)
        return [Finding("snapshots_only", text, counts["snapshots"], voids=still)]
    if not counts["snapshots"]:
        text = "no snapshot: levels that do not change are unknown"
        return [Finding("no_snapshot", text, voids=(Analysis.BOOK, Analysis.DEPTH))]
    if not events["flags"][0] & EventFlag.SNAPSHOT:
        changes = int(np.argmax(events["flags"] & EventFlag.SNAPSHOT != 0))
        text = f"row {events['row'][0]}: {changes} changes come before the first snapshot: the book is partial until it"
        return [Finding("late_snapshot", text, changes)]
    return []
