"""Databento DBN reader: MBO, MBP-1, MBP-10, TBBO, BBO and trades; definitions give tick, multiplier and symbol.

A session is one instrument of one publisher on one UTC day: the vendor cuts its files, its symbol mappings and its
snapshots at UTC midnight, and regular hours of US equities never cross it. Records are in order of receipt (ts_recv),
which is the event time; ts_event is the exchange time.

Every file is read twice: a survey checks all of it and counts the events of each session, then sessions are written
into arrays of their size, as many at once as fit MAX_HELD_EVENTS. So memory does not grow with the file.

A snapshot replaces the book: where the source does not clear it first, a CLEAR is put before its first record. Of
several schemas of one instrument and day the deepest is used, of files of one schema those that do not overlap.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from footprint.book.orders import OrderBook
from footprint.book.replay import BookKind, views
from footprint.data.book_findings import ManyBooks
from footprint.data.files.compressed import head
from footprint.data.files.unpacked import Unpacked, changed
from footprint.data.readers.databento_definition import Definition, DefinitionBook, read_definitions
from footprint.data.readers.databento_file import (
    DEFINITION,
    MAGIC,
    PRICE_UNITS,
    SCHEMAS,
    DbnHeader,
    read_header,
    record_blocks,
)
from footprint.data.readers.databento_kernels import Stat, write_levels, write_orders
from footprint.data.readers.databento_survey import (
    Part,
    Survey,
    Windows,
    block_slots,
    levels_of,
    orders_of,
    survey,
)
from footprint.data.readers.held import SLACK_EVENTS, held_together
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, EventFlag, EventKind
from footprint.market.instruments import ALWAYS_OPEN, US_EQUITY_HOURS, AssetClass, Instrument

_NAME = re.compile(r".+\.dbn(\.zst)?")
_US_EQUITIES = frozenset(
    (
        "XNAS", "XBOS", "XPSX", "BATS", "BATY", "EDGA", "EDGX", "XNYS", "ARCX", "XASE", "XCHI", "XCIS", "MEMX",
        "EPRL", "IEXG", "DBEQ", "EQUS",
    )
)  # fmt: skip
_AUCTION_WITHOUT_SIDE = frozenset({"GLBX"})  # CME names no aggressor in its auctions and implied matches only
_MARKETS = {"GLBX": "cme"}
_OPTIONS = ("C", "P", "T")  # instrument classes: call, put, spread of options
# what ticks are: 1, 2, 2.5 or 5 times a power of ten, or a negative power of two (treasuries); at least 5e-7
_TICKS = sorted(
    [int(digit * 10**power) for digit in (1, 2, 2.5, 5) for power in range(3, 13) if digit * 10**power >= 500]
    + [PRICE_UNITS // 2**power for power in range(3, 10)],
    reverse=True,
)
_DEFAULT_TICK = PRICE_UNITS // 100
MAX_UNKNOWN_SHARE = 0.05  # beyond this the file lacks the book it starts from
_ALL_BUT_LATENCY = tuple(a for a in Analysis if a is not Analysis.LATENCY)
_LIMITS = {
    "mbp-10": Finding("ten_levels", "ten price levels a side, no orders", voids=(Analysis.QUEUE,)),
    "mbp-1": Finding("top_of_book", "best prices only", voids=(Analysis.DEPTH, Analysis.QUEUE)),
    "tbbo": Finding("quotes_at_prints", "best prices at prints only", voids=(Analysis.DEPTH, Analysis.QUEUE)),
    "trades": Finding(
        "no_quotes", "no quotes: mids are unknown",
        voids=(Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST),
    ),
    "bbo-1s": Finding("sampled", "best prices once a second, no prints", voids=tuple(Analysis)),
    "bbo-1m": Finding("sampled", "best prices once a minute, no prints", voids=tuple(Analysis)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    """One session to be: its parts in order of time, all of one schema."""

    symbol: str
    venue: str
    parts: tuple[Part, ...]
    definition: Definition | None

    @property
    def day(self) -> date:
        return self.parts[0].day

    @property
    def events(self) -> int:
        return sum(int(part.stats[Stat.EVENTS]) for part in self.parts)

    def total(self, stat: Stat) -> int:
        return sum(int(part.stats[stat]) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Folder:
    """All files of one call: what each holds, and which sessions they make.

    Attributes:
        errors: why files are refused.
        superseded: by path, the files whose sessions are used instead.
    """

    content: Unpacked
    headers: Mapping[Path, DbnHeader]
    surveys: Mapping[Path, Survey]
    definitions: Mapping[Path, list[Definition]]
    errors: Mapping[Path, DataRefused]
    plans: tuple[_Plan, ...]
    superseded: Mapping[Path, frozenset[str]]


class DatabentoReader:
    """One session per publisher, instrument and UTC day."""

    name = "databento"

    def recognise(self, path: Path) -> bool:
        """True when the content begins as DBN or the name ends so: a damaged beginning is for the audit."""
        return head(path).content.startswith(MAGIC) or _NAME.fullmatch(path.name) is not None

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        folder = _survey_all(paths)
        findings: dict[Path, list[Finding]] = {path: [] for path in paths}
        books = {path: ManyBooks((Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)) for path in paths}
        for session, plan in _sessions(folder):
            seen = _session_findings(session, plan)
            for path in session.paths:
                findings[path] += seen
                _add_book(session, books[path])
        return [_verdict(path, folder, _merged(findings[path]) + books[path].findings()) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of symbol and day.

        Raises:
            DataRefused: a file is refused.
        """
        folder = _survey_all(paths)
        for error in folder.errors.values():
            raise error
        return (session for session, _ in _sessions(folder))


def _survey_all(paths: Sequence[Path]) -> _Folder:
    content = Unpacked()
    headers: dict[Path, DbnHeader] = {}
    surveys: dict[Path, Survey] = {}
    definitions: dict[Path, list[Definition]] = {}
    errors: dict[Path, DataRefused] = {}
    for path in paths:
        try:
            headers[path] = header = read_header(path, content)
            if header.schema == DEFINITION:
                definitions[path] = read_definitions(header, content)
            elif header.schema in SCHEMAS:
                surveys[path] = survey(header, content)
        except DataRefused as error:
            errors[path] = error
    book = DefinitionBook([d for held in definitions.values() for d in held])
    plans, superseded = _plans(surveys, book)
    kept = []
    for plan in plans:
        try:
            _tick_of(plan)
            kept.append(plan)
        except DataRefused as error:
            errors.setdefault(plan.parts[0].path, error)
    return _Folder(content, headers, surveys, definitions, errors, tuple(kept), superseded)


def _plans(
    surveys: Mapping[Path, Survey], definitions: DefinitionBook
) -> tuple[list[_Plan], dict[Path, frozenset[str]]]:
    """Sessions in order of symbol and day, and by path the names of files used in its stead."""
    held: dict[tuple[str, str, date, int], list[Part]] = {}
    known: dict[tuple[str, str, date, int], Definition | None] = {}
    for found in surveys.values():
        dataset = found.header.dataset.partition(".")[0].upper()
        publishers = {part.publisher_id for part in found.parts}
        for part in found.parts:
            definition = definitions.at(found.header.dataset, part.instrument_id, int(part.stats[Stat.LAST_NS]))
            symbol = found.header.symbol_on(part.instrument_id, part.day)
            symbol = symbol or (definition.symbol if definition else "") or str(part.instrument_id)
            venue = dataset if len(publishers) == 1 else f"{dataset}-{part.publisher_id}"
            key = (symbol.upper(), venue, part.day, part.instrument_id)
            held.setdefault(key, []).append(part)
            known[key] = definition
    plans, superseded = [], dict.fromkeys(surveys, frozenset[str]())
    names = [key[:3] for key in held]
    for key, parts in sorted(held.items(), key=lambda item: (item[0][0], item[0][2], item[0][1], item[0][3])):
        used = _used(parts, surveys)
        for part in parts:
            if not any(part is other for other in used):
                superseded[part.path] |= {other.path.name for other in used}
        # two ids under one symbol on one day would look like one instrument
        symbol = key[0] if names.count(key[:3]) == 1 else f"{key[0]}#{key[3]}"
        plans.append(_Plan(symbol, key[1], tuple(used), known[key]))
    return plans, superseded


def _used(parts: Sequence[Part], surveys: Mapping[Path, Survey]) -> list[Part]:
    """The parts of the deepest schema that follow each other without overlap."""
    depth = max(surveys[part.path].schema.depth for part in parts)
    deepest = [part for part in parts if surveys[part.path].schema.depth == depth]
    used: list[Part] = []
    for part in sorted(deepest, key=lambda p: (p.stats[Stat.FIRST_NS], -p.stats[Stat.EVENTS], str(p.path))):
        if not used or part.stats[Stat.FIRST_NS] > used[-1].stats[Stat.LAST_NS]:
            used.append(part)
    return used


def _tick_of(plan: _Plan) -> int:
    """The tick in 1e-9 units: that of the definition when all prices are multiples of it, else the coarsest usual one.

    Raises:
        DataRefused: the prices share no grid.
    """
    divisor = math.gcd(*(int(part.stats[Stat.DIVISOR]) for part in plan.parts))
    defined = plan.definition.tick if plan.definition else 0
    if defined and divisor % defined == 0:
        return defined
    if divisor == 0:
        return _DEFAULT_TICK
    shared = math.gcd(divisor, defined)
    tick = next((tick for tick in _TICKS if shared % tick == 0), None)
    if tick is None:
        worst = min(plan.parts, key=lambda part: part.stats[Stat.DIVISOR])
        raise DataRefused(
            "price off every grid",
            path=worst.path,
            row=int(worst.stats[Stat.DIVISOR_ROW]),
            field="price",
            found=f"a common divisor of {shared}e-9",
            allowed=f"at least {_TICKS[-1]}e-9, the finest tick",
        )
    return tick


def _sessions(folder: _Folder) -> Iterator[tuple[Session, _Plan]]:
    """Sessions of whole files, written group by group."""
    for group in held_together(folder.plans):
        for plan, events in zip(group, _written(group, folder), strict=True):
            if len(events):
                yield _session(plan, events, folder), plan


def _written(group: Sequence[_Plan], folder: _Folder) -> list[np.ndarray]:
    """The events of each session of the group, views of one array."""
    events = np.empty(sum(plan.events for plan in group) + SLACK_EVENTS, EVENT_DTYPE)
    places: dict[Path, list[tuple[int, int, int]]] = {}  # slot, first place, tick
    arrays: list[np.ndarray] = []
    first = 0
    for plan in group:
        arrays.append(events[first : first + plan.events])
        for part in plan.parts:
            places.setdefault(part.path, []).append((part.slot, first, _tick_of(plan)))
            first += int(part.stats[Stat.EVENTS])
    for path, wanted in places.items():
        _write_file(folder.surveys[path], wanted, events, folder.content)
    for array in filter(len, arrays):
        array["flags"][-1] |= EventFlag.LAST  # a file may end in the middle of a message
    return arrays


def _write_file(found: Survey, wanted: Sequence[tuple[int, int, int]], events: np.ndarray, content: Unpacked) -> None:
    header, schema, slots = found.header, found.schema, len(found.parts)
    cursors, ticks = np.full(slots, -1), np.ones(slots, np.int64)
    for slot, first, tick in wanted:
        cursors[slot], ticks[slot] = first, tick
    starts, in_snapshot = cursors.copy(), np.zeros(slots, np.int64)
    windows = Windows(schema.levels)
    windows.reach(slots)
    auctions = header.dataset.partition(".")[0] in _AUCTION_WITHOUT_SIDE
    for block in record_blocks(header, content):
        where = block_slots(block, schema, found.slot_of, header.path)
        if len(found.slot_of) > slots:
            raise changed(header.path)
        if schema.name == "mbo":
            write_orders(
                orders_of(block), block.row, where, cursors, starts, in_snapshot, ticks, auctions, events
            )  # fmt: skip
        else:
            prints, prices, sizes = levels_of(block, schema.levels)
            write_levels(
                prints, prices, sizes, block.row, where, cursors, starts, windows.prices, windows.sizes, ticks,
                auctions, schema.sampled, schema.filtered, events,
            )  # fmt: skip


def _session(plan: _Plan, events: np.ndarray, folder: _Folder) -> Session:
    equity = plan.venue.partition("-")[0] in _US_EQUITIES
    first_ns = int(plan.parts[0].stats[Stat.FIRST_NS])
    last_ns = int(plan.parts[-1].stats[Stat.LAST_NS])
    opened, closed = US_EQUITY_HOURS.on(plan.day) if equity else (first_ns, last_ns)
    counts = {"records": plan.total(Stat.RECORDS), "events": len(events)}
    counts |= {
        name: plan.total(stat)
        for name, stat in {
            "adds": Stat.ADDS,
            "cancels": Stat.CANCELS,
            "modifies": Stat.MODIFIES,
            "trades": Stat.TRADES,
            "fills": Stat.FILLS,
            "clears": Stat.CLEARS,
            "snapshot_records": Stat.SNAPSHOT,
            "no_action_dropped": Stat.NOTHING,
            "zero_size_trades_dropped": Stat.EMPTY_TRADES,
        }.items()
        if plan.total(stat)
    }
    paths = tuple(dict.fromkeys(part.path for part in plan.parts))
    instrument = _instrument(plan, equity)
    return Session(instrument, plan.day, events, opened, closed, DatabentoReader.name, counts, paths)


def _instrument(plan: _Plan, equity: bool) -> Instrument:
    tick, definition = _tick_of(plan), plan.definition
    venue = plan.venue.partition("-")[0]
    defined = definition.tick if definition else 0
    return Instrument(
        symbol=plan.symbol,
        venue=plan.venue,
        market="us" if equity else _MARKETS.get(venue, venue.lower()),
        asset_class=_asset_class(plan, equity),
        currency=(definition.currency if definition else "") or "USD",
        tick_size=tick / PRICE_UNITS,
        lot_size=1.0,
        hours=US_EQUITY_HOURS if equity else ALWAYS_OPEN,
        quote_increment_ticks=max(defined // tick, 1),
        multiplier=definition.multiplier if definition else 1.0,
    )


def _asset_class(plan: _Plan, equity: bool) -> AssetClass:
    if equity:
        return AssetClass.EQUITY
    option = plan.venue.startswith("OPRA") or (plan.definition is not None and plan.definition.kind in _OPTIONS)
    return AssetClass.OPTION if option else AssetClass.FUTURE


def _session_findings(session: Session, plan: _Plan) -> list[Finding]:
    name = f"{plan.symbol} {plan.day}"
    findings = []
    events = session.events
    kinds = _kinds(events)
    if plan.venue.endswith(f"-{plan.parts[0].publisher_id}"):
        text = f"{name}: the file mixes publishers, each is a venue of its own: {plan.venue}"
        findings.append(Finding("several_publishers", text))
    if not kinds[EventKind.TRADE]:
        void = (Analysis.FORECAST, Analysis.LAW, Analysis.SIGNED_TRADES)
        findings.append(Finding("no_trades", f"{name}: no prints", voids=void))
    if kinds[EventKind.ADD] and plan.total(Stat.SNAPSHOT) == plan.total(Stat.RECORDS):
        findings.append(Finding("snapshot_only", f"{name}: nothing but a snapshot of the book"))
    findings += _clock_findings(plan, name) + _price_findings(plan, name)
    if plan.total(Stat.MAYBE_BAD_BOOK):
        bad = plan.total(Stat.MAYBE_BAD_BOOK)
        text = f"{name}: {bad} records flagged as coming after a gap that was not recovered"
        findings.append(Finding("gap", text, bad, voids=(Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE)))
    if plan.total(Stat.AGGREGATED):
        text = f"{name}: {plan.total(Stat.AGGREGATED)} records are price levels, not orders"
        void = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE)
        findings.append(Finding("aggregated_levels", text, plan.total(Stat.AGGREGATED), voids=void))
    if plan.total(Stat.NO_SIDE_TRADES):
        text = f"{name}: {plan.total(Stat.NO_SIDE_TRADES)} of {kinds[EventKind.TRADE]} prints name no aggressor"
        findings.append(Finding("no_aggressor", text, plan.total(Stat.NO_SIDE_TRADES)))
    return findings + _order_findings(events, kinds, name)


def _clock_findings(plan: _Plan, name: str) -> list[Finding]:
    findings = []
    if plan.total(Stat.BAD_RECEIVE_TIME):
        bad = plan.total(Stat.BAD_RECEIVE_TIME)
        text = f"{name}: {bad} records outside snapshots carry a receive time that the source calls inaccurate"
        findings.append(Finding("bad_receive_time", text, bad, voids=(Analysis.LATENCY,)))
    if plan.total(Stat.EARLY):
        early = plan.total(Stat.EARLY)
        text = f"{name}: {early} records received before they happened (kept as they are)"
        findings.append(Finding("receive_before_exchange", text, early, voids=(Analysis.LATENCY,)))
    return findings


def _price_findings(plan: _Plan, name: str) -> list[Finding]:
    findings = []
    tick, defined = _tick_of(plan), plan.definition.tick if plan.definition else 0
    if not defined:
        text = f"{name}: no definition with a tick: {tick / PRICE_UNITS:g} is the coarsest usual tick of all prices"
        findings.append(Finding("no_definition", text))
    elif tick != defined:
        text = f"{name}: prices off the defined tick {defined / PRICE_UNITS:g}: {tick / PRICE_UNITS:g} is used"
        findings.append(Finding("off_tick", text))
    if plan.total(Stat.NOT_POSITIVE):
        text = f"{name}: {plan.total(Stat.NOT_POSITIVE)} prices of 0 or below: a book here holds positive prices only"
        findings.append(Finding("price_not_positive", text, plan.total(Stat.NOT_POSITIVE), voids=_ALL_BUT_LATENCY))
    return findings


def _has_orders(kinds: np.ndarray) -> bool:
    """Whether the book is that of the orders; a record of the top of the book makes it one of quotes."""
    return bool(kinds[[EventKind.ADD, EventKind.CANCEL, EventKind.MODIFY]].any()) and not kinds[EventKind.QUOTE]


def _order_findings(events: np.ndarray, kinds: np.ndarray, name: str) -> list[Finding]:
    """Orders that nobody added, or that came twice."""
    if not _has_orders(kinds):
        return []
    findings = []
    book = OrderBook()
    book.apply(events)
    named = int(kinds[[EventKind.CANCEL, EventKind.MODIFY]].sum())
    if book.unknown_ids:
        text = f"{name}: {book.unknown_ids} of {named} cancels and changes name orders that were never added"
        void = (Analysis.BOOK, Analysis.DEPTH) if book.unknown_ids > MAX_UNKNOWN_SHARE * named else ()
        findings.append(Finding("unknown_orders", text, book.unknown_ids, voids=(*void, Analysis.QUEUE)))
    if book.duplicate_ids:
        text = f"{name}: {book.duplicate_ids} orders added twice: the first one stays"
        findings.append(Finding("duplicate_orders", text, book.duplicate_ids, voids=(Analysis.QUEUE,)))
    return findings


def _add_book(session: Session, books: ManyBooks) -> None:
    events = session.events
    kinds = _kinds(events)
    orders = _has_orders(kinds)
    if orders or kinds[EventKind.QUOTE] or kinds[EventKind.LEVEL]:
        last = events["flags"] & EventFlag.LAST != 0
        seen = views(events, BookKind.ORDERS if orders else BookKind.LEVELS)[last]
        books.add(seen, events["row"][last], f"{session.instrument.symbol} {session.day}")


def _kinds(events: np.ndarray) -> np.ndarray:
    """Events of each kind, int64 by EventKind."""
    return np.bincount(events["kind"], minlength=len(EventKind) + 1)


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """One finding a code: the text of the first, the counts and voids of all."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    merged = []
    for code, each in by_code.items():
        others = f" (and {len(each) - 1} other sessions)" if len(each) > 1 else ""
        voids = tuple(a for a in Analysis if any(a in finding.voids for finding in each))
        merged.append(Finding(code, each[0].text + others, sum(finding.count for finding in each), voids=voids))
    return merged


def _verdict(path: Path, folder: _Folder, findings: list[Finding]) -> FileVerdict:
    error = folder.errors.get(path)
    if error is not None:
        return FileVerdict(path, DatabentoReader.name, "", (Finding.of_refusal(error),))
    if path in folder.definitions:
        held = folder.definitions[path]
        text = f"{len(held)} definitions and no events: they name and scale the instruments of other files"
        symbols = ",".join(sorted({d.symbol.upper() for d in held if d.symbol}))
        counts = {"definitions": len(held)}
        found = Finding("no_events", text, voids=tuple(Analysis))
        return FileVerdict(path, DatabentoReader.name, symbols, (found,), counts)
    header = folder.headers[path]
    if path not in folder.surveys:
        schema = header.schema or "several"
        text = f"schema {schema}: holds no events that are read, known: {', '.join(SCHEMAS)}, {DEFINITION}"
        found = Finding("no_events", text, voids=tuple(Analysis))
        symbols = ",".join(sorted({s.upper() for spans in header.symbols.values() for _, _, s in spans}))
        return FileVerdict(path, DatabentoReader.name, symbols, (found,))
    return _event_verdict(path, folder, findings)


def _event_verdict(path: Path, folder: _Folder, findings: list[Finding]) -> FileVerdict:
    found = folder.surveys[path]
    findings = list(findings)
    if found.schema.name in _LIMITS:
        findings.insert(0, _LIMITS[found.schema.name])
    if not found.parts:
        findings.append(Finding("no_events", "not one record", voids=tuple(Analysis)))
    if folder.superseded[path]:
        better = ", ".join(sorted(folder.superseded[path]))
        findings.append(Finding("superseded", f"not used, or in part: {better} holds the same or more"))
    if found.other_records:
        kinds = ", ".join(f"{count} of type {kind}" for kind, count in sorted(found.other_records.items()))
        text = f"records of other types are passed over: {kinds}"
        findings.append(Finding("other_records", text, found.other_records.total()))
    plans = [plan for plan in folder.plans if any(part.path == path for part in plan.parts)]
    counts = {
        "records": sum(int(part.stats[Stat.RECORDS]) for part in found.parts),
        "events": sum(int(part.stats[Stat.EVENTS]) for part in found.parts),
        "trades": sum(int(part.stats[Stat.TRADES]) for part in found.parts),
    }
    symbols = sorted({plan.symbol for plan in plans} or _symbols(found))
    return FileVerdict(path, DatabentoReader.name, ",".join(symbols), tuple(findings), counts)


def _symbols(found: Survey) -> set[str]:
    named = {found.header.symbol_on(part.instrument_id, part.day) or str(part.instrument_id) for part in found.parts}
    return {symbol.upper() for symbol in named}
