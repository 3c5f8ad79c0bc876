"""One Tardis csv file as it lies: which data type it is, and its checked columns.

Every type starts with exchange, symbol, timestamp and local_timestamp (us UTC). Source: Tardis documentation,
"Downloadable CSV files, data types".

- trades: id, side (buy, sell, unknown; of the aggressor), price, amount
- quotes: ask_amount, ask_price, bid_price, bid_amount; empty where a side is empty
- book_snapshot_N: asks[0].price, asks[0].amount, bids[0].price, bids[0].amount, asks[1].price ...
- incremental_book_L2: is_snapshot (true, false), side (bid, ask), price, amount; amount 0 removes the level
- book_ticker: as quotes; derivative_ticker, liquidations and options_chain make no events
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path

import polars as pl

from footprint.data.files.compressed import head, read_all
from footprint.data.files.refusals import refuse_where
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.errors import DataRefused

START = ("exchange", "symbol", "timestamp", "local_timestamp")
NAME = re.compile(
    r"(?:(?P<exchange>[a-z0-9-]+)_)?(?P<kind>incremental_book_L2|book_snapshot_\d+|trades|quotes|liquidations|"
    r"options_chain|derivative_ticker|book_ticker)"
    r"(?:_(?P<day>\d{4}-\d{2}-\d{2}))?_(?P<symbol>[^_/]\S*?)\.csv(?:\.gz|\.zst|\.xz)?"
)
MAX_LEVELS = 1000
US = 1_000_000

_FIRST_US = 1_000_000_000_000_000  # 2001: a smaller number is not in microseconds
_LAST_US = 4_102_444_800_000_000  # 2100
_SNAPSHOT_COLUMN = re.compile(r"(asks|bids)\[\d{1,4}\]\.(price|amount)")
_TIMES = (
    Column("exchange", str),
    Column("symbol", str),
    Column("timestamp", int, _FIRST_US, maximum=_LAST_US),
    Column("local_timestamp", int, _FIRST_US, maximum=_LAST_US),
)


class TardisKind(Enum):
    """The data types that make events."""

    TRADES = "trades"
    QUOTES = "quotes"
    INCREMENTAL = "incremental_book_L2"
    SNAPSHOTS = "book_snapshot"


@dataclass(frozen=True, slots=True)
class TardisFile:
    """What the name and the first lines say of a file.

    Attributes:
        levels: levels a side of a book_snapshot file, 0 for other types.
        day: UTC day of the first row by local time, else of the name; None when neither says.
        first_us: local time of the first row, 0 when there is none.
    """

    path: Path
    kind: TardisKind
    exchange: str
    symbol: str
    day: date | None
    levels: int
    first_us: int

    @property
    def empty(self) -> bool:
        """There is no row below the header."""
        return self.first_us == 0


def is_tardis(path: Path) -> bool:
    """True when the first line starts as every Tardis type does, or nothing can be read and the name says so."""
    first = _lines(path)[0]
    if not first:
        match = NAME.fullmatch(path.name)
        return match is not None and match["exchange"] is not None
    return tuple(first.split(",")[: len(START)]) == START


def peek(path: Path) -> TardisFile:
    """Look at the first lines only.

    Raises:
        DataRefused: the type is not one that makes events, or the first row cannot be read.
    """
    first, *rows = _lines(path)
    match = NAME.fullmatch(path.name)
    kind, levels = _kind(first.split(","), path)
    if not rows:
        exchange, symbol, day = (match["exchange"], match["symbol"], match["day"]) if match else (None, None, None)
        return TardisFile(path, kind, exchange or "", (symbol or "").upper(), _date(day), levels, 0)
    cells = rows[0].split(",")
    if len(cells) < len(START) or not re.fullmatch(r"\d{16}", cells[3]):
        read_table(read_all(path), _columns(kind, levels), path, header=True)  # names the cell
        raise DataRefused("not a time", path=path, row=2, field=START[3], found=cells[-1], allowed="us since 1970")
    day_of_row = datetime.fromtimestamp(int(cells[3]) // US, UTC).date()
    return TardisFile(path, kind, cells[0], cells[1].upper(), day_of_row, levels, int(cells[3]))


def read_rows(file: TardisFile) -> pl.DataFrame:
    """Every column checked and typed, prices and amounts as exact decimals; no row when there is none.

    Raises:
        DataRefused: truncated archive, wrong columns, a bad cell, a second symbol, a local clock that goes back.
    """
    columns = _columns(file.kind, file.levels)
    content = read_all(file.path)
    if file.empty and content.count(b"\n") <= 1 and not content.partition(b"\n")[2].strip():
        return pl.DataFrame(schema={c.name: pl.String for c in columns})
    table = read_table(content, columns, file.path, header=True)
    _refuse_short_rows(content, file.path)
    for name in START[:2]:
        other, allowed = table[name] != table[name][0], f"one {name} a file, {table[name][0]} here"
        refuse_where(other, table[name], file.path, name, f"second {name}", allowed, first_row=2)
    refuse_clock_going_back(table["local_timestamp"].to_numpy(), file.path, "local_timestamp", first_row=2)
    return table


def _lines(path: Path) -> list[str]:
    """The header and, when it is there, the first row."""
    lines = head(path).content.decode("utf-8", "replace").split("\n", 2)
    return [line.rstrip("\r") for line in lines[:2] if line.strip()] or [""]


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _levels(names: list[str], path: Path) -> int:
    """How many levels a side the columns of a snapshot name, 0 for another type.

    Raises:
        DataRefused: a level has no price or no size, or a column is of no level.
    """
    found = [name for name in names if _SNAPSHOT_COLUMN.fullmatch(name)]
    levels = range(len(found) // 4)
    wanted = {f"{side}[{n}].{what}" for n in levels for side in ("asks", "bids") for what in ("price", "amount")}
    if found and set(names[len(START) :]) != wanted:
        odd = sorted(set(names[len(START) :]) ^ wanted)[0]
        raise DataRefused("wrong columns", path=path, row=1, field=odd, allowed="price and amount of each level")
    return len(levels)


def _kind(names: list[str], path: Path) -> tuple[TardisKind, int]:
    match = NAME.fullmatch(path.name)
    levels = _levels(names, path)
    liquidations = match is not None and match["kind"] == "liquidations"  # the columns are those of trades
    if levels:
        return TardisKind.SNAPSHOTS, min(levels, MAX_LEVELS)
    if "is_snapshot" in names:
        return TardisKind.INCREMENTAL, 0
    if "ask_price" in names and "bid_price" in names and "strike_price" not in names:
        return TardisKind.QUOTES, 0
    if "side" in names and "price" in names and not liquidations:
        return TardisKind.TRADES, 0
    found = match["kind"] if match else ",".join(names[len(START) :])
    raise DataRefused(
        "data type without events",
        path=path,
        row=1,
        found=found,
        allowed="trades, quotes, incremental_book_L2, book_snapshot_N",
    )


def _columns(kind: TardisKind, levels: int) -> tuple[Column, ...]:
    match kind:
        case TardisKind.TRADES:
            return (
                *_TIMES,
                Column("id", str, optional=True),
                Column("side", str),
                Column("price", Decimal, 0),
                Column("amount", Decimal, 0),
            )
        case TardisKind.QUOTES:
            names: tuple[str, ...] = ("ask_amount", "ask_price", "bid_price", "bid_amount")
            return (*_TIMES, *(Column(name, Decimal, 0, optional=True) for name in names))
        case TardisKind.INCREMENTAL:
            return (
                *_TIMES,
                Column("is_snapshot", str),
                Column("side", str),
                Column("price", Decimal, 0),
                Column("amount", Decimal, 0),
            )
        case TardisKind.SNAPSHOTS:
            return (*_TIMES, *(Column(name, Decimal, 0, optional=True) for name in snapshot_columns(levels)))


def snapshot_columns(levels: int) -> tuple[str, ...]:
    """Ask price, ask amount, bid price, bid amount per level: the order of `level_changes`."""
    cells = ("asks[{}].price", "asks[{}].amount", "bids[{}].price", "bids[{}].amount")
    return tuple(cell.format(level) for level in range(levels) for cell in cells)


def _refuse_short_rows(content: bytes, path: Path) -> None:
    """A row that was cut off inside optional columns would pass for one with empty levels."""
    header, _, body = content.partition(b"\n")
    cells = header.count(b",")
    rows = body.count(b"\n") + (not body.endswith(b"\n"))
    if body.count(b",") == rows * cells:
        return
    for number, line in enumerate(body.split(b"\n"), start=2):
        if line and line.count(b",") != cells:
            found = f"{line.count(b',') + 1} columns"
            raise DataRefused("wrong columns", path=path, row=number, found=found, allowed=f"{cells + 1} columns")
