"""How fast the books are, beside their peers: one process, CPU time, runs of all systems in turn, medians.

Ours is timed from the columns of the stream to the final book: its codes are translated, ids are found through their
hash table, the book is made and grows. After every run, outside the clock, the final book must equal the one that the
generator of the stream keeps. A row of the result is a time per row of the feed; a peer that takes fewer rows than the
feed has is charged for the stream all the same, by the rows of the feed.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from footprint.app import book_peers
from footprint.app.book_stream import (
    ADDED,
    BUY,
    CANCEL,
    DELETED,
    FILLED,
    GROWING,
    LIMIT,
    MARKET,
    PRINTED,
    REDUCED,
    SELL,
    SET,
    STEADY,
    TRADED,
    Columns,
    Mix,
    OrderFlow,
    Stream,
    make_stream,
)
from footprint.app.console import stdout_console
from footprint.app.progress import NullProgress, ProgressDisplay
from footprint.book import id_table
from footprint.book.compiled import kernel
from footprint.book.matching import EntryKind, MatchingEngine
from footprint.book.orders import OrderBook
from footprint.book.price_levels import PriceLevelBook
from footprint.errors import FootprintError
from footprint.market.events import EventKind

if TYPE_CHECKING:
    from rich.table import Table

OURS = "footprint"
HINT = "peers not installed: make install-bench, then .venv-bench/bin/footprint benchmark books"

MIXES: Mapping[str, Mix] = {
    "itch-2k": STEADY,
    "itch-20k": replace(STEADY, resting=20_000, distance_ticks=30.0),
    "itch-200k": replace(STEADY, resting=200_000, distance_ticks=200.0, prefill=200_000),
    "m70": GROWING,
}
STEPS = 200_000
MATCHING_STEPS = {"itch-2k": 200_000, "m70": 1_000_000}  # some 2,000 and 376,000 orders rest in the end
SLOPE_STEPS = (200_000, 400_000, 800_000, 1_500_000, 3_000_000)
_STARTS = 5
_PIECE = 1 << 14

_Run = Callable[[], float]  # one timed run; CPU time, ns


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result.

    Attributes:
        case: what is done on which stream.
        system: whose code does it.
        ns_per_row: CPU time, median.
        ratio: this time over ours.
        ratio_halved: the same for one book where the system keeps two, else None.
        rows: of the feed.
    """

    case: str
    system: str
    ns_per_row: float
    ratio: float
    ratio_halved: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is no time per row.

    Attributes:
        queue_length_ratio: order feed, time per row at 914 orders a level (m70) over that at 40 (itch-2k).
        slope: of the logarithm of the order feed's time against that of its rows, from 0.2 to 3 million steps.
        start_s: a new process, from its start to the end of the first call of a compiled book, wall time, median.
    """

    queue_length_ratio: float
    slope: float
    start_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run of the benchmark."""

    rows: list[Row]
    figures: Figures
    missing_peers: list[str]


def run(repeats: int, as_json: bool, progress: ProgressDisplay | None = None) -> None:
    """Measure and print."""
    report = measure(repeats, progress or NullProgress())
    if as_json:
        print(json.dumps({**asdict(report), "repeats": repeats}, indent=1))
        return
    console = stdout_console()
    for table in _tables(report):
        console.print(table)
    if report.missing_peers:
        console.print(f"{', '.join(report.missing_peers)}: {HINT}")


def measure(repeats: int, progress: ProgressDisplay) -> Report:
    """Run every case.

    Raises:
        FootprintError: a final book differs from the generator's.
    """
    rows: list[Row] = []
    for name, mix in MIXES.items():
        with progress.step(f"{name}: making the stream"):
            stream = make_stream(mix, STEPS)
        with progress.step(f"{name}: order by order"):
            rows += _timed(f"L3 {name}", _order_systems(stream), len(stream.orders.kind), repeats)
        with progress.step(f"{name}: price levels"):
            rows += _timed(f"L2 {name}", _level_systems(stream), len(stream.levels.kind), repeats)
    for name, steps in MATCHING_STEPS.items():
        with progress.step(f"{name}: matching"):
            stream = make_stream(MIXES[name], steps)
            systems = {OURS: lambda stream=stream: match(stream)}
            case = f"matching {name}, {stream.live_orders:,} resting in the end"
            rows += _timed(case, systems, len(stream.entry.kind), repeats)
    with progress.step("cost against rows"):
        slope = _slope(repeats)
    with progress.step("start of a new process"):
        start_s = _start_s()
    figures = Figures(_ns(rows, "L3 m70") / _ns(rows, "L3 itch-2k"), slope, start_s)
    return Report(rows, figures, [name for name in book_peers.PEERS if not book_peers.installed(name)])


def replay_orders(stream: Stream) -> float:
    """The order feed to its final book; CPU time, ns."""
    start_ns = time.process_time_ns()
    book = OrderBook()
    for columns in _pieces(stream.orders, _ORDER_KINDS):
        book.apply_columns(*columns)
    spent_ns = time.process_time_ns() - start_ns
    _check_orders(book, stream)
    return spent_ns


def replay_levels(stream: Stream) -> float:
    """The level feed to its final book; CPU time, ns."""
    start_ns = time.process_time_ns()
    book = PriceLevelBook()
    for columns in _pieces(stream.levels, _LEVEL_KINDS):
        book.apply_columns(*columns)
    spent_ns = time.process_time_ns() - start_ns
    _check(_held(book), stream.book)
    return spent_ns


def match(stream: Stream) -> float:
    """The order entry through the matching engine to its final book and all fills; CPU time, ns."""
    start_ns = time.process_time_ns()
    engine = MatchingEngine()
    parts = [engine.submit(*columns) for columns in _pieces(stream.entry, _ENTRY_KINDS)]
    spent_ns = time.process_time_ns() - start_ns
    _check_orders(engine.book, stream)
    fills, filled = np.concatenate(parts), stream.orders.kind == FILLED
    assert stream.orders.order_id is not None
    _check(fills["maker_id"].astype(np.int64), stream.orders.order_id[filled])
    _check(fills["size_lots"], stream.orders.size_lots[filled])
    return spent_ns


def _pieces(feed: Columns, kinds: np.ndarray) -> Iterator[list[np.ndarray]]:
    """The columns that a book takes, its kinds for the codes of the stream, in pieces that stay in the cache."""
    for start in range(0, len(feed.kind), _PIECE):
        part = slice(start, start + _PIECE)
        columns = [_recoded(feed.kind[part], kinds), 1 - 2 * feed.side[part]]
        yield columns + [c[part] for c in (feed.price_ticks, feed.size_lots, feed.order_id) if c is not None]


def map_ids(stream: Stream) -> float:
    """What the ids alone take of `replay_orders`: the same searches, entries and removals; CPU time, ns."""
    feed = stream.orders
    assert feed.order_id is not None
    known = np.zeros(int(feed.order_id.max()) + 1, _KNOWN_DTYPE)  # the slot of an id is the id
    known["id"] = np.arange(len(known))
    table, progress = id_table.make_table(_FIRST_IDS), np.zeros(2, np.int64)
    start_ns = time.process_time_ns()
    while not _map_ids(feed.kind, feed.order_id, progress, table, known):
        table = id_table.enlarged(table)
    spent_ns = time.process_time_ns() - start_ns
    _check(np.array([np.count_nonzero(table)]), np.array([stream.live_orders]))
    return spent_ns


_FIRST_IDS = 1 << 12  # what the table of a new book has room for
_KNOWN_DTYPE = np.dtype([("id", np.uint64)])
_ROW, _LIVE = range(2)


@kernel
def _map_ids(kind, order_id, progress, table, known) -> bool:  # type: ignore[no-untyped-def]
    for i in range(progress[_ROW], len(kind)):
        progress[_ROW] = i
        if kind[i] == FILLED or kind[i] == TRADED:
            continue
        number = np.uint64(order_id[i])
        at = id_table.seek(table, known, number)
        if kind[i] == ADDED:
            if not id_table.has_room(table, progress[_LIVE]):
                return False
            id_table.enter(table, at, number, order_id[i])
            progress[_LIVE] += 1
        elif kind[i] == DELETED:
            id_table.remove(table, at)
            progress[_LIVE] -= 1
    return True


def _order_systems(stream: Stream) -> dict[str, _Run]:
    systems: dict[str, _Run] = {
        OURS: lambda: replay_orders(stream),
        f"{OURS}, ids alone": lambda: map_ids(stream),
    }
    if book_peers.installed("hftbacktest"):
        systems["hftbacktest L3, ROI vector"] = book_peers.hftbacktest_run(stream.orders, dense=True)
        systems["hftbacktest L3, hash map"] = book_peers.hftbacktest_run(stream.orders, dense=False)
    if book_peers.installed("nautilus_trader"):
        systems["nautilus OrderBook L3, 1,000 a call"] = book_peers.nautilus_run(stream.orders)
    return systems


def _level_systems(stream: Stream) -> dict[str, _Run]:
    systems: dict[str, _Run] = {OURS: lambda: replay_levels(stream)}
    if book_peers.installed("hftbacktest"):
        systems["hftbacktest L2, ROI vector"] = book_peers.hftbacktest_run(stream.levels, dense=True)
        systems["hftbacktest L2, hash map"] = book_peers.hftbacktest_run(stream.levels, dense=False)
    if book_peers.installed("nautilus_trader"):
        systems["nautilus OrderBook L2, 1,000 a call"] = book_peers.nautilus_run(stream.levels)
    return systems


def _timed(case: str, systems: Mapping[str, _Run], rows: int, repeats: int) -> list[Row]:
    """One row a system, ours first; the first run of each, which compiles or warms up, does not count."""
    spent: dict[str, list[float]] = {name: [] for name in systems}
    for number in range(repeats + 1):
        for name, system in systems.items():
            spent_ns = system()
            if number:
                spent[name].append(spent_ns / rows)
    medians = {name: statistics.median(times) for name, times in spent.items()}
    return [_row(case, name, median, medians[OURS], rows) for name, median in medians.items()]


def _row(case: str, system: str, ns_per_row: float, ours: float, rows: int) -> Row:
    ratio = ns_per_row / ours
    return Row(case, system, ns_per_row, ratio, ratio / 2 if system.startswith("hftbacktest") else None, rows)


def _ns(rows: list[Row], case: str) -> float:
    return next(row.ns_per_row for row in rows if (row.case, row.system) == (case, OURS))


def _slope(repeats: int) -> float:
    """Of log cost against log rows, least squares."""
    flow, done, rows, costs = OrderFlow(STEADY), 0, [], []
    for steps in SLOPE_STEPS:
        flow.run(steps - done)
        done, stream = steps, flow.stream()
        rows.append(len(stream.orders.kind))
        replay_orders(stream)  # the first run meets cold memory, as in `_timed`
        costs.append(statistics.median(replay_orders(stream) for _ in range(repeats)))
    return float(np.polyfit(np.log(rows), np.log(costs), 1)[0])


_FIRST_CALL = """
import numpy as np
from footprint.book.orders import OrderBook
from footprint.market.events import EventKind, empty_events
events = empty_events(1_000)
events["kind"], events["side"], events["size_lots"] = EventKind.ADD, 1, 1
events["price_ticks"] = events["order_id"] = np.arange(1, 1_001)
book = OrderBook()
book.apply(events)
assert book.live_orders == 1_000
"""


def _start_s() -> float:
    """Median over processes, after one that fills the cache of compiled code."""
    spent_s = []
    for _ in range(_STARTS + 1):
        start_s = time.perf_counter()
        subprocess.run([sys.executable, "-c", _FIRST_CALL], check=True)
        spent_s.append(time.perf_counter() - start_s)
    return statistics.median(spent_s[1:])


_ORDER_KINDS = np.zeros(5, np.uint8)
_ORDER_KINDS[[ADDED, DELETED, REDUCED]] = EventKind.ADD, EventKind.DELETE, EventKind.MODIFY
_ORDER_KINDS[[FILLED, TRADED]] = EventKind.FILL_NOTICE, EventKind.TRADE
_LEVEL_KINDS = np.zeros(2, np.uint8)
_LEVEL_KINDS[[SET, PRINTED]] = EventKind.LEVEL, EventKind.TRADE
_ENTRY_KINDS = np.zeros(3, np.uint8)
_ENTRY_KINDS[[LIMIT, CANCEL, MARKET]] = EntryKind.LIMIT, EntryKind.CANCEL, EntryKind.MARKET


@njit(cache=True)
def _recoded(codes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """The kinds that codes stand for, uint8."""
    recoded = np.empty(len(codes), np.uint8)
    for i in range(len(codes)):
        recoded[i] = kinds[codes[i]]
    return recoded


def _check_orders(book: OrderBook, stream: Stream) -> None:
    counts = np.array([book.live_orders, book.unknown_ids, book.duplicate_ids])
    _check(counts, np.array([stream.live_orders, 0, 0]))
    _check(_held(book), stream.book)


def _held(book: OrderBook | PriceLevelBook) -> np.ndarray:
    """As `Stream.book`."""
    everything = 1 << 30
    bids, asks = book.levels(+1, everything)[::-1], book.levels(-1, everything)
    sides = np.repeat([BUY, SELL], [len(bids), len(asks)])
    return np.column_stack((sides, np.concatenate((bids, asks))))


def _check(found: np.ndarray, expected: np.ndarray) -> None:
    if not np.array_equal(found, expected):
        raise FootprintError("the final book differs from the generator's")


def _tables(report: Report) -> Iterator[Table]:
    from rich.table import Table

    table = Table("case", "system", "ns a row", "million a second", "times ours", "one book of two", "rows")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in report.rows:
        halved = "" if row.ratio_halved is None else f"{row.ratio_halved:.1f}"
        figures = (f"{row.ns_per_row:,.1f}", f"{1e3 / row.ns_per_row:.1f}", f"{row.ratio:.2f}", halved, f"{row.rows:,}")
        table.add_row(row.case, row.system, *figures)
    yield table
    others = Table("figure", "value")
    others.add_row("L3: time per row at 914 orders a level over that at 40", f"{report.figures.queue_length_ratio:.2f}")
    others.add_row("L3: log-log slope of time against rows, 0.2 to 3 million", f"{report.figures.slope:.3f}")
    others.add_row("start of a process to the end of its first call, s", f"{report.figures.start_s:.2f}")
    yield others
