"""The written mapping: a YAML document that says what the columns of a csv or Parquet file mean.

    # PETR4_2025-03-05.csv.gz: trades and best quotes of one share
    file: {delimiter: ",", header: true}     # header false: columns are named by position, the first is 1
    instrument:
      symbol: {column: symbol}               # or the symbol itself
      venue: B3
      market: b3                             # whose news it shares; the venue when left out
      currency: BRL
      asset_class: equity                    # equity, future, option, spot_crypto, perpetual, synthetic
      tick: 0.01                             # every price is a whole multiple of it ...
      lot: 1                                 # ... and every size of this
      price_unit: 1                          # value of a 1 in the price columns; 0.0001 for prices x 10,000
      size_unit: 1                           # value of a 1 in the size columns
      multiplier: 1
    hours: {zone: America/Sao_Paulo, open: "10:00", close: "17:55"}   # left out: a venue that never closes
    time:                                    # the exchange's clock, receive_time the observer's; at least one of them
      column: sent
      unit: ms                               # s, ms, us, ns since 1970, UTC ...
      # from: midnight                       # ... or since local midnight: then zone and day are needed
      # day: name                            # yyyy-mm-dd, or "name": the first yyyymmdd in the name of the file
      # format: "%Y-%m-%d %H:%M:%S.%f"       # ... or a text; without %z in it the zone is needed
      # zone: America/Sao_Paulo
      # repeated: refuse                     # what a local time is that happens twice: refuse, earliest, latest
    sorted: true                             # false: rows are not in the order of time and get sorted
    rows:                                    # one or more kinds; a row of the file may be of several
      quotes: {columns: {bid: best_bid, ask: best_ask}}
      trades:
        where: {event_type: trade}           # only rows with this value (or one of a list)
        columns: {price: px, size: qty, sequence: seq}
        side: {column: aggressor, buy: 4, sell: 3, names: aggressor, other: drop}

Kinds, their columns, and what becomes void without an optional one are in `KINDS`. `side` says which values mean buy
(or bid) and sell (or ask), whether those of a print name the aggressor or the resting order, and what other values
are: an error (`refuse`), unknown, or rows to drop. `orders` need `events`: which values mean add, modify, cancel (size
is what is removed), delete, fill, trade and clear; `order_table` may have them for new, replace, cancel and done. A
fill changes the book and is no print: where it is all that a file has of a trade, name its rows under `trades` too,
with `where` and `names: resting`. `time` is the start of a bar, `interval_s` its length; `what` says what bars are of
(trade, bid, ask). Every other key is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from footprint.data.files.local_time import Repeated
from footprint.data.verdict import Analysis
from footprint.errors import UsageError
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, TradingHours

MAX_BYTES = 1 << 16
UNITS = ("s", "ms", "us", "ns")
_EXPONENT = re.compile(r"\d{1,20}(\.\d{0,20})?[eE][+-]?\d{1,3}")

Column = str | int  # by name, or by position where the file has no header

_NO_TRADES = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)


@dataclass(frozen=True, slots=True)
class Kind:
    """What rows of one kind may and must have.

    Attributes:
        needs, may: fields.
        void_without: analyses that are void when an optional field is missing.
        side: None when rows have no side, else whether it must be given.
        events: values that `events` may name, in the words of the mapping.
        table: the rows are a table, not a stream.
    """

    needs: tuple[str, ...]
    may: Mapping[str, tuple[Analysis, ...]]
    side: bool | None = None
    events: tuple[str, ...] = ()
    table: bool = False


_SEQUENCE: Mapping[str, tuple[Analysis, ...]] = {"sequence": ()}
_MEMBERS: Mapping[str, tuple[Analysis, ...]] = {"buyer_member": (), "seller_member": ()}
_QUOTED: Mapping[str, tuple[Analysis, ...]] = {"bid": (), "ask": (), "broker": ()}
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "trades": Kind(("price", "size"), {"order_id": (), **_MEMBERS, **_SEQUENCE}, side=False),
        "quotes": Kind(
            ("bid", "ask"),
            {
                "bid_size": (Analysis.DEPTH, Analysis.QUEUE),
                "ask_size": (Analysis.DEPTH, Analysis.QUEUE),
                **_SEQUENCE,
            },
        ),
        "levels": Kind(("price", "size"), _SEQUENCE, side=True),
        "orders": Kind(
            ("order_id", "event", "price", "size"),
            {**_MEMBERS, **_SEQUENCE},
            side=True,
            events=("add", "modify", "cancel", "delete", "fill", "trade", "clear"),
        ),
        "bars": Kind(("open", "high", "low", "close"), {"quantity": ()}, table=True),
        "order_table": Kind(
            ("order_id", "quantity"),
            {"parent_id": (), "limit_price": (), "event": (), "strategy": (), **_QUOTED},
            side=True,
            events=("new", "replace", "cancel", "done"),
            table=True,
        ),
        "fill_table": Kind(("fill_id", "order_id", "quantity", "price"), _QUOTED, side=True, table=True),
    }
)
# What a stream cannot give when it has no rows of some kind; `clock_findings` says what one clock alone cannot.
VOID_WITHOUT_TRADES = _NO_TRADES
VOID_WITHOUT_BOOK = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST)
VOID_WITHOUT_DEPTH = (Analysis.DEPTH, Analysis.QUEUE)
VOID_WITHOUT_ORDERS = (Analysis.QUEUE,)
VOID_WITHOUT_SIDE = (Analysis.SIGNED_TRADES,)


@dataclass(frozen=True, slots=True)
class TimeSpec:
    """One clock: numbers of `unit` since 1970 or since local midnight of `day`, texts of `format`, or typed times."""

    column: Column
    unit: str | None = None
    format: str | None = None
    zone: str | None = None
    repeated: Repeated = Repeated.REFUSE
    from_midnight: bool = False
    day: str | None = None


@dataclass(frozen=True, slots=True)
class SideSpec:
    """Values that mean buy (bid) and sell (ask), as text; `resting` when those of a print name the resting order."""

    column: Column
    buy: tuple[str, ...]
    sell: tuple[str, ...]
    resting: bool
    other: str  # "refuse", "unknown" or "drop"


@dataclass(frozen=True, slots=True)
class RowsSpec:
    """Rows of one kind.

    Attributes:
        where: column and the values of it, as text, that rows of this kind have.
        columns: column of each field.
        events: word of the mapping for each value of the column `event`.
    """

    kind: str
    columns: Mapping[str, Column]
    where: tuple[tuple[Column, tuple[str, ...]], ...] = ()
    side: SideSpec | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    interval_s: float | None = None
    what: str = "trade"


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """What the columns do not say of the instrument."""

    symbol: str | None
    symbol_column: Column | None
    venue: str
    market: str
    currency: str
    asset_class: AssetClass
    tick: float
    lot: float
    price_unit: float = 1.0
    size_unit: float = 1.0
    multiplier: float = 1.0


@dataclass(frozen=True, slots=True)
class Document:
    """One mapping, checked."""

    path: Path
    delimiter: str
    header: bool
    instrument: InstrumentSpec
    hours: TradingHours
    time: TimeSpec | None
    receive_time: TimeSpec | None
    sorted: bool
    rows: tuple[RowsSpec, ...]

    @property
    def table(self) -> bool:
        """The rows are a table, not a stream."""
        return KINDS[self.rows[0].kind].table

    def columns(self) -> list[Column]:
        """Every column that is named, once."""
        named: list[Column | None] = [self.instrument.symbol_column]
        named += [clock.column for clock in (self.time, self.receive_time) if clock]
        for rows in self.rows:
            named += [*rows.columns.values(), *(column for column, _ in rows.where)]
            named += [rows.side.column] if rows.side else []
        return list(dict.fromkeys(column for column in named if column is not None))


def load_mapping(path: Path) -> Document:
    """The mapping in a YAML file.

    Raises:
        UsageError: the file is missing, is no YAML, or says what no mapping may say.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise UsageError(f"cannot read the mapping {path}: {error.strerror}") from error
    return _load(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _load(path: Path, _modified_ns: int, size: int) -> Document:
    if size > MAX_BYTES:
        raise UsageError(f"mapping {path}: {size} bytes, allowed: at most {MAX_BYTES}")
    return _document(_Node(f"mapping {path}", _parse(path)), path)


def _parse(path: Path) -> Any:
    import yaml  # only who has a mapping needs it

    class Loader(yaml.SafeLoader):
        """Refuses a key that is there twice; YAML itself would keep the last."""

    def construct(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice!r} is there twice", node.start_mark)
        values = [loader.construct_object(value, deep=True) for _, value in node.value]
        return dict(zip(keys, values, strict=True))

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, construct)
    try:
        return yaml.load(path.read_bytes(), Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UsageError(f"mapping {path}{line}: no YAML ({what})") from error


class _Node:
    """A part of the document; every key that is asked for is allowed, every other one is refused by `done`."""

    def __init__(self, place: str, value: Any) -> None:
        self.place, self.value = place, value
        self._asked: list[str] = []
        if not isinstance(value, dict):
            raise UsageError(f"{place}: found {value!r}, allowed: keys with values"[:300])

    def has(self, key: str) -> bool:
        self._asked.append(key)
        return self.value.get(key) is not None

    def child(self, key: str) -> _Node | None:
        return _Node(f"{self.place}: {key}", self.value[key]) if self.has(key) else None

    def need(self, key: str) -> Any:
        if not self.has(key):
            raise UsageError(f"{self.place}: {key} is missing, found: {', '.join(self.keys()) or 'nothing'}"[:300])
        return self.value[key]

    def text(self, key: str, default: str | None = None) -> str:
        value = self.need(key) if default is None or self.has(key) else default
        if not isinstance(value, str) or not value:
            raise UsageError(f"{self.place}: {key}: found {value!r}, allowed: a text; put it into quotes")
        return value

    def maybe_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def number(self, key: str, default: float | None = None) -> float:
        value = self.need(key) if default is None or self.has(key) else default
        if isinstance(value, str) and _EXPONENT.fullmatch(value):
            value = float(value)  # YAML takes 1e-8 for a text, for want of a point
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise UsageError(f"{self.place}: {key}: found {value!r}, allowed: a positive number")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.value[key] if self.has(key) else default
        if not isinstance(value, bool):
            raise UsageError(f"{self.place}: {key}: found {value!r}, allowed: true or false")
        return value

    def one_of(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise UsageError(f"{self.place}: {key}: found {value!r}, allowed: {', '.join(allowed)}")
        return value

    def column(self, key: str, header: bool) -> Column:
        value = self.need(key)
        if header and (not isinstance(value, str) or not value):
            raise UsageError(f"{self.place}: {key}: found {value!r}, allowed: the name of a column, in quotes")
        if not header and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise UsageError(f"{self.place}: {key}: found {value!r}, allowed: a position from 1 (there is no header)")
        return value

    def keys(self) -> list[str]:
        return [str(key) for key in self.value]

    def done(self) -> None:
        for key in self.value:
            if key not in self._asked:
                allowed = ", ".join(dict.fromkeys(self._asked))
                raise UsageError(f"{self.place}: unknown key {key!r}, allowed: {allowed}")


def _document(node: _Node, path: Path) -> Document:
    file = node.child("file") or _Node(f"{node.place}: file", {})
    header = file.flag("header", True)
    delimiter = file.text("delimiter", ",")
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\n\r':
        raise UsageError(f"{file.place}: delimiter: found {delimiter!r}, allowed: one character")
    file.done()
    clocks = {key: _time(node.child(key), header) for key in ("time", "receive_time")}
    if not any(clocks.values()):
        raise UsageError(f"{node.place}: time or receive_time is missing")
    rows_node = _Node(f"{node.place}: rows", node.need("rows"))
    rows = tuple(_rows(child, kind, header) for kind in KINDS if (child := rows_node.child(kind)))
    rows_node.done()
    if not rows:
        raise UsageError(f"{rows_node.place}: nothing, allowed: one or more of {', '.join(KINDS)}")
    if len(rows) > 1 and any(KINDS[spec.kind].table for spec in rows):
        raise UsageError(f"{rows_node.place}: a table stands alone, found {', '.join(spec.kind for spec in rows)}")
    instrument = _instrument(_Node(f"{node.place}: instrument", node.need("instrument")), header)
    hours = _hours(node.child("hours"))
    in_order = node.flag("sorted", True)
    node.done()
    document = Document(
        path, delimiter, header, instrument, hours, clocks["time"], clocks["receive_time"], in_order, rows
    )
    if document.table and document.time is None:
        raise UsageError(f"{node.place}: time is missing, a table has no other clock")
    return document


def _time(node: _Node | None, header: bool) -> TimeSpec | None:
    if node is None:
        return None
    unit = node.one_of("unit", UNITS) if node.has("unit") else None
    format_ = node.maybe_text("format")
    zone = node.maybe_text("zone")
    if zone is not None:
        _check_zone(zone, node.place)
    midnight = node.has("from") and node.one_of("from", ("midnight",)) == "midnight"
    day = str(node.value["day"]) if node.has("day") else None
    repeated = Repeated(node.one_of("repeated", [r.value for r in Repeated], "refuse"))
    spec = TimeSpec(node.column("column", header), unit, format_, zone, repeated, midnight, day)
    node.done()
    if unit and format_:
        raise UsageError(f"{node.place}: unit and format, allowed: one of them")
    if midnight and not (unit and zone and day):
        raise UsageError(f"{node.place}: times from midnight need unit, zone and day")
    if day and (not midnight or (day != "name" and re.fullmatch(r"\d{4}-\d\d-\d\d", day) is None)):
        raise UsageError(f"{node.place}: day: found {day!r}, allowed: with from: midnight, yyyy-mm-dd or name")
    if unit and zone and not midnight:
        raise UsageError(f"{node.place}: zone {zone}: numbers since 1970 are UTC, allowed: no zone")
    has_offset = format_ is not None and re.search(r"%:?z", format_) is not None
    if format_ and has_offset == (zone is not None):
        said = "both %z and zone" if has_offset else "neither %z nor zone"
        raise UsageError(f"{node.place}: {said}: a local time needs exactly one of them")
    return spec


def _check_zone(zone: str, place: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):  # a name that is not there, a folder, a path
        raise UsageError(f"{place}: zone: found {zone!r}, allowed: a name such as America/New_York or UTC") from None


def _hours(node: _Node | None) -> TradingHours:
    if node is None:
        return ALWAYS_OPEN
    zone = node.text("zone")
    _check_zone(zone, node.place)
    seconds = []
    for key in ("open", "close"):
        match = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d))?", node.text(key))
        if match is None or int(match[1]) > 24 or int(match[2]) > 59:
            raise UsageError(f'{node.place}: {key}: found {node.value[key]!r}, allowed: "hh:mm" in quotes')
        seconds.append(int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0))
    node.done()
    if not seconds[0] < seconds[1] <= 86_400:
        raise UsageError(f"{node.place}: opens at {node.value['open']}, closes at {node.value['close']}: must be later")
    return TradingHours(zone, *seconds)


def _instrument(node: _Node, header: bool) -> InstrumentSpec:
    symbol, symbol_column = None, None
    if isinstance(node.need("symbol"), dict):
        named = node.child("symbol")
        symbol_column = named.column("column", header) if named else None
        if named:
            named.done()
    else:
        symbol = node.text("symbol").upper()
    venue = node.text("venue")
    spec = InstrumentSpec(
        symbol=symbol,
        symbol_column=symbol_column,
        venue=venue,
        market=node.text("market", venue.lower()),
        currency=node.text("currency"),
        asset_class=AssetClass(node.one_of("asset_class", [kind.value for kind in AssetClass])),
        tick=node.number("tick"),
        lot=node.number("lot"),
        price_unit=node.number("price_unit", 1.0),
        size_unit=node.number("size_unit", 1.0),
        multiplier=node.number("multiplier", 1.0),
    )
    node.done()
    return spec


def _rows(node: _Node, name: str, header: bool) -> RowsSpec:
    kind = KINDS[name]
    columns_node = _Node(f"{node.place}: columns", node.need("columns"))
    columns = {}
    for key in (*kind.needs, *kind.may):
        if key in kind.needs or columns_node.has(key):
            columns[key] = columns_node.column(key, header)
    columns_node.done()
    side = _side(node.child("side"), name, header) if kind.side is not None else None
    if kind.side and side is None:
        raise UsageError(f"{node.place}: side is missing")
    events = _events(node, kind, "event" in columns)
    where = _where(node.child("where"), header)
    interval_s = node.number("interval_s") if name == "bars" else None
    what = node.one_of("what", ("trade", "bid", "ask"), "trade") if name == "bars" else "trade"
    node.done()
    return RowsSpec(name, columns, where, side, events, interval_s, what)


def _side(node: _Node | None, kind: str, header: bool) -> SideSpec | None:
    if node is None:
        return None
    column = node.column("column", header)
    buy, sell = (_values(node.need(key), f"{node.place}: {key}") for key in ("buy", "sell"))
    whose = ("aggressor", "resting")
    if kind == "trades":
        resting = node.one_of("names", whose) == "resting"
    else:
        resting = kind != "orders" or node.one_of("names", whose, "resting") == "resting"
    other = node.one_of("other", ("refuse", "unknown", "drop") if kind == "trades" else ("refuse", "drop"), "refuse")
    node.done()
    both = set(buy) & set(sell)
    if both:
        raise UsageError(f"{node.place}: {both.pop()!r} means buy and sell")
    return SideSpec(column, buy, sell, resting, other)


def _events(node: _Node, kind: Kind, mapped: bool) -> dict[str, str]:
    if not kind.events or not mapped:
        return {}
    named = _Node(f"{node.place}: events", node.need("events"))
    words: dict[str, str] = {}
    for word in kind.events:
        if named.has(word):
            for value in _values(named.value[word], f"{named.place}: {word}"):
                if value in words:
                    raise UsageError(f"{named.place}: {value!r} means {words[value]} and {word}")
                words[value] = word
    named.done()
    return words


def _where(node: _Node | None, header: bool) -> tuple[tuple[Column, tuple[str, ...]], ...]:
    if node is None:
        return ()
    found = []
    for key, value in node.value.items():
        wanted = isinstance(key, str) if header else isinstance(key, int) and not isinstance(key, bool)
        if not wanted:
            raise UsageError(f"{node.place}: found {key!r}, allowed: {'names' if header else 'positions'} of columns")
        found.append((key, _values(value, f"{node.place}: {key}")))
    return tuple(found)


def _values(value: Any, place: str) -> tuple[str, ...]:
    """One value or several as the text that a cell is compared with."""
    values = value if isinstance(value, list) else [value]
    if not values or any(not isinstance(v, str | int | float) for v in values):
        raise UsageError(f"{place}: found {value!r}, allowed: a value or a list of values"[:300])
    return tuple(as_word(str(v).lower() if isinstance(v, bool) else str(v)) for v in values)


def as_word(text: str) -> str:
    """A cell as it is compared: numbers without needless digits, truth values in small letters.

    >>> as_word("4.0"), as_word("True"), as_word("B")
    ('4', 'true', 'B')
    """
    if text.lower() in ("true", "false"):
        return text.lower()
    return re.sub(r"^(-?\d+)\.0*$", r"\1", text)
