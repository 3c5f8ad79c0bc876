"""Any csv or Parquet file through a written mapping (`mapping.py`): events, or a table.

One row of the file may make several events: quotes and levels first, then orders, then the print, in the order in which
an observer could have seen them. A message, which ends with LAST, is a row; levels and orders of one time (and one
sequence number, where the mapping names it) are one message. Without `hours` all of a symbol is one session, else one a
local day. What a mapping leaves out makes nothing worse than it is: the file is read, and a finding says which analyses
are void.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from footprint.book.replay import views
from footprint.book.view import SIZE_UNKNOWN
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import clock_findings
from footprint.data.files.refusals import verdict_or_refusal
from footprint.data.readers import mapping
from footprint.data.readers.mapping import KINDS, Document, RowsSpec, load_mapping
from footprint.data.readers.mapping_values import Cells, read_cells, sides, times_ns
from footprint.data.readers.table_files import TableFiles
from footprint.data.session import EXTRA_COLUMNS, Session
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind, empty_events, event_time_ns
from footprint.market.instruments import Instrument
from footprint.units import NS_PER_SECOND

_ORDER_KINDS = {
    "add": EventKind.ADD,
    "modify": EventKind.MODIFY,
    "cancel": EventKind.CANCEL,
    "delete": EventKind.DELETE,
    "fill": EventKind.FILL,
    "trade": EventKind.TRADE,
    "clear": EventKind.CLEAR,
}
_TABLES = {"bars": TableKind.BAR, "order_table": TableKind.ORDER, "fill_table": TableKind.FILL}
_VOID_WHEN_CROSSED = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST)


@dataclass(frozen=True, slots=True)
class MappedReader:
    """Events of files that a mapping describes; recognises nothing by itself."""

    mapping_path: Path
    name: str = "mapped"

    def recognise(self, path: Path) -> bool:
        """False: a mapping is named together with the file that it is for."""
        return False

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file.

        Raises:
            UsageError: the mapping cannot be used.
        """
        document = load_mapping(self.mapping_path)
        return [verdict_or_refusal(path, self.name, lambda p: _verdict(p, document, self.name)) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of (symbol, time); the files are held together, for any may have any symbol.

        Raises:
            DataRefused: a file is refused.
            UsageError: the mapping cannot be used.
        """
        document = load_mapping(self.mapping_path)
        found = [session for path in paths for session in _read_file(path, document, self.name)[0]]
        yield from sorted(found, key=lambda session: (session.instrument.symbol, session.open_ns))


@dataclass(frozen=True, slots=True)
class MappedTableReader(TableFiles):
    """Tables of files that a mapping describes; recognises nothing by itself."""

    mapping_path: Path
    name: str = "mapped"

    def recognise(self, path: Path) -> bool:
        """False: a mapping is named together with the file that it is for."""
        return False

    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """One table a file.

        Raises:
            DataRefused: the file is refused.
            UsageError: the mapping cannot be used.
        """
        document = load_mapping(self.mapping_path)
        return [_read_table(path, document, self.name)], _missing(document)


def mapped_reader(mapping_path: Path) -> MappedReader | MappedTableReader:
    """The reader for a mapping: of events, or of a table.

    Raises:
        UsageError: the mapping cannot be used.
    """
    document = load_mapping(mapping_path)
    return MappedTableReader(mapping_path) if document.table else MappedReader(mapping_path)


def _verdict(path: Path, document: Document, source: str) -> FileVerdict:
    sessions, counts, findings = _read_file(path, document, source)
    symbols = ",".join(sorted({session.instrument.symbol for session in sessions}))
    return FileVerdict(path, source, symbols, tuple(findings), counts)


# ---- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """Events of one kind; `place` is the 0-based row of the file of each, never decreasing."""

    events: np.ndarray
    place: np.ndarray
    members: dict[str, np.ndarray]


def _read_file(path: Path, document: Document, source: str) -> tuple[list[Session], dict[str, int], list[Finding]]:
    cells = read_cells(path, document)
    clocks = _clocks(cells, document)
    symbols = _symbols(cells, document)
    counts: dict[str, int] = {"rows": len(cells.frame)}
    made = [_MAKERS[rows.kind](cells, rows, document, counts) for rows in document.rows]
    if any("sequence" in rows.columns for rows in document.rows):
        for rows, part in zip(document.rows, made, strict=True):
            if "sequence" not in rows.columns:
                part.events["sequence"] = 0  # the row would be mixed with the numbers of the source
    events, place, members = _together(made, [rows.kind for rows in document.rows], cells)
    events["exchange_time_ns"], events["receive_time_ns"] = (clock[place] for clock in clocks)
    disorder = _disorder(events, place, cells, document)
    sessions = []
    for symbol in np.unique(symbols[place]):
        mine = np.flatnonzero(symbols[place] == symbol)
        if disorder:
            mine = mine[np.argsort(event_time_ns(events[mine]), kind="stable")]
        sessions += _sessions(
            str(symbol), events[mine], {k: v[mine] for k, v in members.items()}, document, source, path
        )
    counts |= {"events": len(events), "unsorted": disorder}
    return sessions, counts, _findings(events, sessions, document, counts)


def _clocks(cells: Cells, document: Document) -> tuple[np.ndarray, np.ndarray]:
    unknown = np.full(len(cells.frame), UNKNOWN_TIME, np.int64)
    exchange = times_ns(cells, document.time) if document.time else unknown
    received = times_ns(cells, document.receive_time) if document.receive_time else unknown
    return exchange, received


def _symbols(cells: Cells, document: Document) -> np.ndarray:
    spec = document.instrument
    if spec.symbol_column is None:
        return np.full(len(cells.frame), spec.symbol)
    named = cells.column(spec.symbol_column)
    cells.refuse(named.is_null(), spec.symbol_column, "missing value", "a symbol")
    cells.refuse(named.cast(pl.String).str.contains(","), spec.symbol_column, "not a symbol", "a name without a comma")
    return named.cast(pl.String).str.strip_chars().str.to_uppercase().to_numpy().astype(str)


def _chosen(cells: Cells, rows: RowsSpec, counts: dict[str, int]) -> np.ndarray:
    """Rows of this kind, bool of shape (n,)."""
    chosen = np.ones(len(cells.frame), bool)
    for column, values in rows.where:
        chosen &= cells.words(column).is_in(list(values)).to_numpy()
    counts[f"{rows.kind}_rows"] = int(chosen.sum())
    return chosen


def _sides(cells: Cells, rows: RowsSpec, chosen: np.ndarray, counts: dict[str, int]) -> np.ndarray:
    """Side of each row, 0 unknown; rows to drop are taken out of `chosen`."""
    spec = rows.side
    if spec is None:
        return np.zeros(len(chosen), np.int8)
    side, unnamed = sides(cells, spec)
    if spec.other == "refuse":
        allowed = f"{', '.join(spec.buy)} to buy, {', '.join(spec.sell)} to sell"
        cells.refuse(unnamed & chosen, spec.column, "unknown side", allowed)
    if spec.other == "drop":
        counts[f"{rows.kind}_without_side_dropped"] = int((unnamed & chosen).sum())
        chosen &= ~unnamed
    return side


def _prices(cells: Cells, column: mapping.Column, document: Document, chosen: np.ndarray) -> np.ndarray:
    """Ticks, 0 where the cell is empty."""
    spec = document.instrument
    ticks = cells.multiples(column, spec.tick, spec.price_unit, optional=True)
    cells.refuse(chosen & (ticks < 0), column, "negative price", "0 or more")
    return ticks


def _sizes(cells: Cells, column: mapping.Column, document: Document, chosen: np.ndarray) -> np.ndarray:
    """Lots, 0 where the cell is empty."""
    spec = document.instrument
    lots = cells.multiples(column, spec.lot, spec.size_unit, optional=True)
    cells.refuse(chosen & (lots < 0), column, "negative size", "0 or more")
    return lots


def _base(cells: Cells, rows: RowsSpec, place: np.ndarray) -> np.ndarray:
    events = empty_events(len(place))
    events["row"] = place + cells.first_row
    named = rows.columns.get("sequence")
    events["sequence"] = cells.integers(named, place) if named is not None else events["row"]
    return events


def _members(cells: Cells, rows: RowsSpec, place: np.ndarray) -> dict[str, np.ndarray]:
    return {name: cells.integers(rows.columns[name], place) for name in EXTRA_COLUMNS if name in rows.columns}


def _trades(cells: Cells, rows: RowsSpec, document: Document, counts: dict[str, int]) -> _Made:
    chosen = _chosen(cells, rows, counts)
    side = _sides(cells, rows, chosen, counts)
    price_column, size_column = rows.columns["price"], rows.columns["size"]
    price, size = _prices(cells, price_column, document, chosen), _sizes(cells, size_column, document, chosen)
    for column in (price_column, size_column):
        missing = cells.column(column).is_null().to_numpy()
        cells.refuse(chosen & missing, column, "trade without a value", "a number")
    counts["zero_size_dropped"] = int((chosen & (size == 0)).sum())
    chosen = chosen & (size > 0)
    cells.refuse(chosen & (price == 0), price_column, "price not positive", "more than 0")
    place = np.flatnonzero(chosen)
    events = _base(cells, rows, place)
    resting = rows.side is not None and rows.side.resting
    events["kind"] = EventKind.TRADE
    events["side"] = -side[place] if resting else side[place]
    events["flags"] = np.where(side[place] != 0, EventFlag.SIDE_GIVEN, 0)
    events["price_ticks"], events["size_lots"] = price[place], size[place]
    if "order_id" in rows.columns:
        events["order_id"] = cells.identities(rows.columns["order_id"], place)
    counts["trades"] = len(place)
    return _Made(events, place, _members(cells, rows, place))


def _quotes(cells: Cells, rows: RowsSpec, document: Document, counts: dict[str, int]) -> _Made:
    """A QUOTE for each side that changed since the row of this kind before, per symbol."""
    chosen = _chosen(cells, rows, counts)
    place = np.flatnonzero(chosen)
    symbols = _symbols(cells, document)[place]
    by_symbol = np.argsort(symbols, kind="stable")
    first = np.append(True, symbols[by_symbol][1:] != symbols[by_symbol][:-1])[: len(place)]
    parts = []
    for side, name in ((-1, "ask"), (1, "bid")):
        price = _prices(cells, rows.columns[name], document, chosen)[place]
        sized = f"{name}_size" in rows.columns
        size = (
            _sizes(cells, rows.columns[f"{name}_size"], document, chosen)[place]
            if sized
            else np.full(len(place), SIZE_UNKNOWN)
        )
        empty = (price == 0) | (size == 0)
        price, size = np.where(empty, 0, price), np.where(empty, 0, size)
        changed = np.zeros(len(place), bool)
        ordered_price, ordered_size = price[by_symbol], size[by_symbol]
        differs = (np.diff(ordered_price, prepend=-1) != 0) | (np.diff(ordered_size, prepend=-1) != 0)
        changed[by_symbol] = first | differs
        events = _base(cells, rows, place[changed])
        events["kind"], events["side"] = EventKind.QUOTE, side
        events["price_ticks"], events["size_lots"] = price[changed], size[changed]
        events["flags"] = 0 if sized else EventFlag.SIZE_UNKNOWN
        parts.append((events, place[changed]))
    events = np.concatenate([events for events, _ in parts])
    places = np.concatenate([place for _, place in parts])
    order = np.argsort(places, kind="stable")
    counts["quotes"] = len(events)
    return _Made(events[order], places[order], {})


def _levels(cells: Cells, rows: RowsSpec, document: Document, counts: dict[str, int]) -> _Made:
    chosen = _chosen(cells, rows, counts)
    side = _sides(cells, rows, chosen, counts)
    price = _prices(cells, rows.columns["price"], document, chosen)
    size = _sizes(cells, rows.columns["size"], document, chosen)
    cells.refuse(chosen & (price == 0), rows.columns["price"], "price not positive", "more than 0")
    place = np.flatnonzero(chosen)
    events = _base(cells, rows, place)
    events["kind"], events["side"] = EventKind.LEVEL, side[place]
    events["price_ticks"], events["size_lots"] = price[place], size[place]
    counts["levels"] = len(place)
    return _Made(events, place, {})


def _orders(cells: Cells, rows: RowsSpec, document: Document, counts: dict[str, int]) -> _Made:
    chosen = _chosen(cells, rows, counts)
    side = _sides(cells, rows, chosen, counts)
    words = cells.words(rows.columns["event"])
    kinds = {value: int(_ORDER_KINDS[word]) for value, word in rows.events.items()}
    kind = words.replace_strict(kinds, default=0, return_dtype=pl.Int64).to_numpy()
    cells.refuse(chosen & (kind == 0), rows.columns["event"], "unknown event", ", ".join(kinds))
    price = _prices(cells, rows.columns["price"], document, chosen)
    size = _sizes(cells, rows.columns["size"], document, chosen)
    priced = np.isin(kind, (EventKind.ADD, EventKind.MODIFY, EventKind.TRADE))
    cells.refuse(chosen & priced & (price == 0), rows.columns["price"], "price not positive", "more than 0")
    sized = np.isin(kind, (EventKind.ADD, EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL, EventKind.TRADE))
    cells.refuse(chosen & sized & (size == 0), rows.columns["size"], "size not positive", "more than 0")
    place = np.flatnonzero(chosen)
    events = _base(cells, rows, place)
    trade = kind[place] == EventKind.TRADE
    events["kind"] = kind[place]
    # a print carries its aggressor's side, every other event that of the resting order
    resting = rows.side is not None and rows.side.resting
    events["side"] = np.where(trade & resting, -side[place], side[place])
    events["flags"] = np.where(trade, EventFlag.SIDE_GIVEN, 0)
    events["price_ticks"], events["size_lots"] = price[place], size[place]
    events["order_id"] = cells.identities(rows.columns["order_id"], place)
    counts["orders"], counts["trades"] = len(place), counts.get("trades", 0) + int(trade.sum())
    return _Made(events, place, _members(cells, rows, place))


_MAKERS = {"trades": _trades, "quotes": _quotes, "levels": _levels, "orders": _orders}
_FIRST_TO_LAST = ("quotes", "levels", "orders", "trades")


def _together(
    made: Sequence[_Made], kinds: Sequence[str], cells: Cells
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Events of all kinds, row by row, with the place of each."""
    order = sorted(range(len(made)), key=lambda at: _FIRST_TO_LAST.index(kinds[at]))
    parts = [made[at] for at in order]
    place = np.concatenate([part.place for part in parts])
    if not len(place):
        raise DataRefused("no rows of any kind", path=cells.path, allowed="at least one row that the mapping names")
    by_row = np.argsort(place, kind="stable")
    names = {name for part in parts for name in part.members}
    members = {
        name: np.concatenate([part.members.get(name, np.zeros(len(part.place), np.int64)) for part in parts])[by_row]
        for name in EXTRA_COLUMNS
        if name in names
    }
    return np.concatenate([part.events for part in parts])[by_row], place[by_row], members


def _disorder(events: np.ndarray, place: np.ndarray, cells: Cells, document: Document) -> int:
    """Rows whose time is before that of the row above; refused unless the mapping says so."""
    back = np.flatnonzero(np.diff(event_time_ns(events)) < 0)
    if len(back) and document.sorted:
        clock = document.receive_time or document.time
        at = np.zeros(len(cells.frame), bool)
        at[place[back[0] + 1]] = True
        name = clock.column if clock else ""
        cells.refuse(at, name, "clock goes back", "not before the row above (or sorted: false)")
    return len(back)


def _sessions(
    symbol: str, events: np.ndarray, members: dict[str, np.ndarray], document: Document, source: str, path: Path
) -> list[Session]:
    """One symbol's events cut into sessions, with the ends of messages marked."""
    spec, hours = document.instrument, document.hours
    instrument = Instrument(
        symbol=symbol,
        venue=spec.venue,
        market=spec.market,
        asset_class=spec.asset_class,
        currency=spec.currency,
        tick_size=spec.tick,
        lot_size=spec.lot,
        hours=hours,
        multiplier=spec.multiplier,
    )
    time_ns = event_time_ns(events)
    ends = np.flatnonzero(_ends(events, document))
    events["flags"][ends] |= np.uint16(EventFlag.LAST)
    if hours.continuous:
        days = np.zeros(len(events), np.int64)
    else:
        zone = pl.Series(time_ns).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(hours.time_zone)
        days = zone.dt.date().cast(pl.Int32).to_numpy()
    sessions = []
    for number in np.unique(days):
        mine = days == number
        first_ns, last_ns = int(time_ns[mine][0]), int(time_ns[mine][-1])
        day: date = datetime.fromtimestamp(first_ns // NS_PER_SECOND, ZoneInfo(hours.time_zone)).date()
        opened, closed = (first_ns, last_ns) if hours.continuous else hours.on(day)
        kinds = events["kind"][mine]
        counts = {"events": int(mine.sum()), "trades": int((kinds == EventKind.TRADE).sum())}
        extra = {name: values[mine] for name, values in members.items()}
        sessions.append(Session(instrument, day, events[mine], opened, closed, source, counts, (path,), extra))
    return sessions


def _ends(events: np.ndarray, document: Document) -> np.ndarray:
    """Last event of each message, bool of shape (n,)."""
    kind, row = events["kind"], events["row"]
    new_row = np.diff(row) != 0
    joins = np.isin(kind, (EventKind.TRADE, EventKind.QUOTE), invert=True)
    same = (np.diff(event_time_ns(events)) == 0) & joins[1:] & joins[:-1]
    if any("sequence" in rows.columns for rows in document.rows):
        same &= np.diff(events["sequence"]) == 0
    return np.append(new_row & ~same, True)


def _findings(
    events: np.ndarray, sessions: Sequence[Session], document: Document, counts: dict[str, int]
) -> list[Finding]:
    findings = _missing(document) + clock_findings(events)
    kinds = {rows.kind for rows in document.rows}
    for present, code, text, voids in (
        (counts.get("trades", 0) > 0, "no_trades", "no trades", mapping.VOID_WITHOUT_TRADES),
        (kinds & {"quotes", "levels", "orders"}, "no_book", "no quotes, levels or orders", mapping.VOID_WITHOUT_BOOK),
        (kinds & {"levels", "orders"}, "no_depth", "no levels or orders", mapping.VOID_WITHOUT_DEPTH),
        ("orders" in kinds, "no_order_ids", "no orders with ids", mapping.VOID_WITHOUT_ORDERS),
    ):
        if not present:
            findings.append(Finding(code, text, voids=voids))
    for name, text in (
        ("trades_without_side_dropped", "prints of other sides are dropped"),
        ("quotes_without_side_dropped", "quotes of other sides are dropped"),
        ("levels_without_side_dropped", "levels of other sides are dropped"),
        ("orders_without_side_dropped", "orders of other sides are dropped"),
        ("zero_size_dropped", "prints of size 0 are dropped"),
        ("unsorted", "rows stand after a later one; sorted by time"),
    ):
        if counts.get(name):
            findings.append(Finding(name, f"{counts[name]} {text}", counts[name]))
    if kinds & {"quotes", "levels", "orders"}:
        for session in sessions:
            ends = session.events["flags"] & EventFlag.LAST != 0
            book = views(session.events)[ends]
            findings += book_findings(book, session.events["row"][ends], session.instrument.symbol, _VOID_WHEN_CROSSED)
    return findings


def _missing(document: Document) -> list[Finding]:
    """What the mapping does not name, and what becomes void for it."""
    findings = []
    for rows in document.rows:
        for name, voids in KINDS[rows.kind].may.items():
            if voids and name not in rows.columns:
                findings.append(Finding(f"no_{name}", f"{rows.kind}: no column for {name}", voids=voids))
        if rows.kind == "trades" and rows.side is None:
            findings.append(Finding("no_side", "trades: no column for side", voids=mapping.VOID_WITHOUT_SIDE))
    if not document.table and not any("sequence" in rows.columns for rows in document.rows):
        findings.append(Finding("no_sequence", "no column for sequence: missing rows cannot be seen"))
    return findings


# ---- tables ---------------------------------------------------------------------------------------------------------


def _read_table(path: Path, document: Document, source: str) -> Table:
    cells = read_cells(path, document)
    (rows,) = document.rows
    counts: dict[str, int] = {"rows": len(cells.frame)}
    chosen = _chosen(cells, rows, counts)
    side = _sides(cells, rows, chosen, counts)
    if document.time is None:
        raise DataRefused("no time", path=path, allowed="time in the mapping")
    time_ns = times_ns(cells, document.time)
    columns: dict[str, TableColumn] = {
        "symbol": pl.Series(_symbols(cells, document)),
        "venue": document.instrument.venue,
        "known_at_ns": pl.Series(time_ns),
    }
    if rows.side is not None:
        columns["side"] = pl.Series(side)
    for name, column in rows.columns.items():
        columns[name] = _table_column(cells, rows, document, name, column, chosen)
    if rows.kind == "bars":
        columns |= _bar_columns(cells, rows, time_ns, chosen)
    if rows.kind == "order_table" and "event" not in rows.columns:
        columns["event"] = "new"
    kept = {
        name: value.filter(pl.Series(chosen)) if isinstance(value, pl.Series) else value
        for name, value in columns.items()
    }
    if not chosen.any():
        raise DataRefused("no rows of any kind", path=path, allowed="at least one row that the mapping names")
    counts["kept"] = int(chosen.sum())
    return sorted_table(_TABLES[rows.kind], kept, source, counts, (path,))


_TEXTS = ("order_id", "parent_id", "fill_id", "strategy", "broker")
_QUANTITIES = ("quantity",)


def _table_column(
    cells: Cells, rows: RowsSpec, document: Document, name: str, column: mapping.Column, chosen: np.ndarray
) -> pl.Series:
    if name in _TEXTS:
        values = cells.column(column).cast(pl.String)
        if name in KINDS[rows.kind].needs:
            cells.refuse(values.is_null() & pl.Series(chosen), column, "missing value", "a text")
        return values
    if name == "event":
        words = cells.words(column)
        named = words.replace_strict(rows.events, default=None, return_dtype=pl.String)
        cells.refuse(named.is_null() & pl.Series(chosen), column, "unknown event", ", ".join(rows.events))
        return named
    needed = name in KINDS[rows.kind].needs
    spec = document.instrument
    factor = spec.size_unit if name in _QUANTITIES else spec.price_unit
    numbers = cells.numbers(column, optional=True)
    if needed:
        cells.refuse(np.isnan(numbers) & chosen, column, "missing value", "a number")
        cells.refuse((numbers <= 0) & chosen, column, f"{name} not positive", "more than 0")
    # a division by a whole number gives the nearest double, a product with 0.0001 often the one beside it
    inverse = round(1 / factor)
    scaled = numbers / inverse if inverse > 1 and np.isclose(inverse * factor, 1.0, rtol=1e-12) else numbers * factor
    return pl.Series(scaled, nan_to_null=True)


def _bar_columns(cells: Cells, rows: RowsSpec, time_ns: np.ndarray, chosen: np.ndarray) -> dict[str, TableColumn]:
    interval_ns = round((rows.interval_s or 0.0) * NS_PER_SECOND)
    price = {name: cells.numbers(rows.columns[name]) for name in ("open", "high", "low", "close")}
    for name in ("open", "close"):
        outside = chosen & ((price[name] < price["low"]) | (price[name] > price["high"]))
        cells.refuse(outside, rows.columns[name], "outside low and high", "low to high of the bar")
    return {"start_ns": pl.Series(time_ns), "known_at_ns": pl.Series(time_ns + interval_ns), "what": rows.what}
