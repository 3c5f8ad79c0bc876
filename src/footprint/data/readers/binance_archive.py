"""Public archives of Binance: aggTrades and trades (sessions of prints), bookDepth (no events), and trades in Parquet.

Csv files are named `<symbol>-<type>-<day or month>.csv`, alone or in a zip; futures files have a header, spot files
have none. Times are ms, those of spot from 2025 on us; which it is shows in their magnitude. A file of a month makes
one session a UTC day.

- aggTrades: id, price, quantity, first and last trade id, time, is_buyer_maker, on spot also is_best_match; the fills
  of one aggressor at one price and time are one row.
- trades: id, price, qty, quote_qty (COIN-M: base_qty), time, is_buyer_maker, on spot also is_best_match.
- bookDepth: timestamp, percentage, depth, notional: the quantity between the mid and mid + percentage, every half
  minute or so. It is no price-level book: `read_depth_bands` gives it as a table, and no session is made of it.
- Parquet as freqtrade stores trades: timestamp (ms), id, type, side of the aggressor, price, amount, cost.

Source: Binance, "binance-public-data", and freqtrade, "Data downloading, trades data".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.clock_repair import raised_clock
from footprint.data.files.compressed import head, read_all
from footprint.data.files.decimals import Whole, quote_increment, whole, whole_floats
from footprint.data.files.parquet import column_names, read_parquet
from footprint.data.files.refusals import refuse_where
from footprint.data.files.table import Column, read_table
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.units import NS_PER_DAY, NS_PER_SECOND

SOURCE = "binance_archive"

_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9]+(_[A-Z0-9]+)?)-(?P<kind>aggTrades|trades|bookDepth)-(?P<day>\d{4}-\d\d(-\d\d)?)\.csv"
)
_COIN_M = re.compile(r"[A-Z0-9]+USD_(PERP|\d{6})")
_STORED = ("timestamp", "id", "type", "side", "price", "amount", "cost")
_MS, _US = 1_000_000, 1_000  # ns
_FIRST_MS, _LAST_MS = 1_000_000_000_000, 4_102_444_800_000  # 2001 to 2100
_LAST_US = _LAST_MS * 1000
_ALL = tuple(Analysis)


class _Kind(Enum):
    AGGREGATED = "aggTrades"
    TRADES = "trades"
    DEPTH_BANDS = "bookDepth"


_HEADERS = {
    _Kind.AGGREGATED: "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
    _Kind.TRADES: "id,price,qty,quote_qty,time,is_buyer_maker",
    _Kind.DEPTH_BANDS: "timestamp,percentage,depth,notional",
}
_DEPTH_COLUMNS = (
    Column("timestamp", str),
    Column("percentage", float, -100),
    Column("depth", float, 0, maximum=10**18),
    Column("notional", float, 0, maximum=10**18),
)


@dataclass(frozen=True, slots=True)
class _Prints:
    """Checked prints of one file, arrays of shape (n,)."""

    symbol: str
    venue: str
    time_ns: np.ndarray
    side: np.ndarray
    price: Whole
    size: Whole
    trade_id: np.ndarray
    first_row: int
    findings: tuple[Finding, ...]
    counts: Counter[str]


class BinanceArchiveReader:
    """One session per symbol and UTC day of prints."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True for the names of the archive, one of its headers, or the columns of the Parquet file."""
        start = head(path)
        if _NAME.fullmatch(start.name):
            return True
        first = start.content.split(b"\n", 1)[0].decode("utf-8", "replace").strip().replace("base_qty", "quote_qty")
        return first in _HEADERS.values() or column_names(path) == _STORED

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [_verdict(path) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session per UTC day of a file of prints, in order of (symbol, day); none of bookDepth.

        Raises:
            DataRefused: a file is refused.
        """
        for path in sorted(paths, key=lambda p: (*_named(p), p)):
            if _kind(path) is _Kind.DEPTH_BANDS:
                read_depth_bands(path)
            else:
                yield from _days(_prints(path), path)


def read_depth_bands(path: Path) -> pl.DataFrame:
    """A bookDepth file as a table.

    Returns:
        known_at_ns (int64), percentage (of the mid, negative for bids), depth (base currency or contracts) and
        notional between the mid and there, in order of time.

    Raises:
        DataRefused: the file is refused.
    """
    table = read_table(read_all(path), _DEPTH_COLUMNS, path, header=True)
    time = table["timestamp"].str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns", strict=False)
    refuse_where(
        time.is_null(), table["timestamp"], path, "timestamp", "not a time", "such as 2024-01-01 00:00:08", first_row=2
    )
    outside = (table["percentage"] == 0) | (table["percentage"] > 100)
    refuse_where(
        outside, table["percentage"], path, "percentage", "value out of range", "-100 to 100, not 0", first_row=2
    )
    return table.select(time.to_physical().alias("known_at_ns"), "percentage", "depth", "notional").sort(
        "known_at_ns", "percentage", maintain_order=True
    )


def _named(path: Path) -> tuple[str, str]:
    """Symbol and day or month of the name, "" where it does not say."""
    match = _NAME.fullmatch(head(path).name)
    if match:
        return match["symbol"], match["day"]
    stored = re.match(r"([A-Za-z0-9]+)_([A-Za-z0-9]+)(_[A-Za-z0-9]+)?-trades", path.name)
    return (stored[1] + stored[2]).upper() if stored else path.name.split(".")[0].split("-")[0].upper(), ""


def _kind(path: Path) -> _Kind:
    start = head(path)
    match = _NAME.fullmatch(start.name)
    if match:
        return _Kind(match["kind"])
    first = start.content.split(b"\n", 1)[0].decode("utf-8", "replace").strip().replace("base_qty", "quote_qty")
    return next((kind for kind, header in _HEADERS.items() if header == first), _Kind.TRADES)


def _prints(path: Path) -> _Prints:
    return _stored_prints(path) if column_names(path) else _csv_prints(path)


def _csv_prints(path: Path) -> _Prints:
    kind, symbol = _kind(path), _named(path)[0]
    content = read_all(path)
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    header = not first[:1].isdigit()
    columns = _columns(kind, len(first.split(",")), base="base_qty" in first)
    table = read_table(content, columns, path, header=header)
    first_row = 1 + header
    ids, price, size, time, maker = (table[name] for name in _used_columns(kind, columns))
    scale, findings = _time_scale(time, path, first_row)
    signs = {"true": -1, "false": 1, "True": -1, "False": 1}
    known = maker.is_in(list(signs))
    refuse_where(~known, maker, path, maker.name, "not a flag", "true or false", first_row=first_row)
    spot = columns[-1].name == "is_best_match"
    venue = "binance-spot" if spot else "binance-coinm" if _COIN_M.fullmatch(symbol) else "binance-usdm"
    time_ns, repairs = raised_clock(time.to_numpy() * scale, "exchange", path, np.arange(len(table)) + first_row)
    steps = np.diff(ids.to_numpy())
    refuse_where(
        np.append(False, steps <= 0), ids, path, ids.name, "id not above the last", "ascending ids", first_row=first_row
    )
    counts = Counter(rows=len(table), trade_gaps=int((steps > 1).sum()))
    prices = whole(price, path, first_row=first_row)
    refuse_where(prices.values <= 0, price, path, price.name, "price not positive", "more than 0", first_row=first_row)
    return _Prints(
        symbol,
        venue,
        time_ns,
        maker.replace_strict(signs, return_dtype=pl.Int8).to_numpy(),
        prices,
        whole(size, path, first_row=first_row),
        ids.to_numpy(),
        first_row,
        (*findings, *repairs),
        counts,
    )


def _columns(kind: _Kind, width: int, *, base: bool) -> tuple[Column, ...]:
    ids = dict.fromkeys(("agg_trade_id", "first_trade_id", "last_trade_id", "id"), int)
    flags = ("is_buyer_maker", "is_best_match")
    names = _HEADERS[kind].split(",")
    if base:
        names[3] = "base_qty"
    if width > len(names):
        names.append("is_best_match")
    return tuple(
        Column(n, int, 0)
        if n in ids
        else Column(n, str)
        if n in flags
        else Column(n, int, _FIRST_MS, maximum=_LAST_US)
        if n in ("transact_time", "time")
        else Column(n, Decimal, 0, maximum=10**18)
        for n in names
    )


def _used_columns(kind: _Kind, columns: Sequence[Column]) -> tuple[str, str, str, str, str]:
    names = [column.name for column in columns]
    if kind is _Kind.AGGREGATED:
        return names[0], names[1], names[2], names[5], names[6]
    return names[0], names[1], names[2], names[4], names[5]


def _time_scale(time: pl.Series, path: Path, first_row: int) -> tuple[int, list[Finding]]:
    """ns per unit of a column of times, and the finding that says which unit was read."""
    in_ms = time <= _LAST_MS
    if in_ms.all():
        return _MS, [Finding("time_unit", "times are read as ms, by their magnitude")]
    in_us = time >= _FIRST_MS * 1000
    refuse_where(~in_us, time, path, time.name, "second unit of time", "ms or us throughout", first_row=first_row)
    return _US, [Finding("time_unit", "times are read as us, by their magnitude")]


def _stored_prints(path: Path) -> _Prints:
    columns = (
        Column("timestamp", int, _FIRST_MS, maximum=_LAST_MS),
        Column("id", str),
        Column("side", str),
        Column("price", float, 0),
        Column("amount", float, 0),
    )
    table = read_parquet(path, columns)
    signs = {"buy": 1, "sell": -1}
    refuse_where(~table["side"].is_in(list(signs)), table["side"], path, "side", "unknown side", "buy or sell")
    refuse_where(table["price"] <= 0, table["price"], path, "price", "price not positive", "more than 0")
    ids = table["id"].cast(pl.Int64, strict=False)
    refuse_where(ids.is_null(), table["id"], path, "id", "not an id", "a whole number")
    steps = np.diff(ids.to_numpy())
    time_ns, repairs = raised_clock(table["timestamp"].to_numpy() * _MS, "exchange", path, np.arange(1, len(table) + 1))
    unnamed = Finding("no_venue", "the file names neither venue nor symbol: the symbol is that of the file's name")
    return _Prints(
        _named(path)[0],
        "unknown",
        time_ns,
        table["side"].replace_strict(signs, return_dtype=pl.Int8).to_numpy(),
        whole_floats(table["price"].to_numpy(), path, "price"),
        whole_floats(table["amount"].to_numpy(), path, "amount"),
        ids.to_numpy(),
        1,
        (unnamed, *repairs),
        Counter(rows=len(table), trade_gaps=int((steps > 1).sum()), repeated_trade_ids=int((steps <= 0).sum())),
    )


def _days(prints: _Prints, path: Path) -> Iterator[Session]:
    """One session per UTC day."""
    kept = np.flatnonzero(prints.size.values > 0)
    events = empty_events(len(kept))
    events["exchange_time_ns"] = prints.time_ns[kept]
    events["kind"], events["side"] = EventKind.TRADE, prints.side[kept]
    events["flags"] = EventFlag.SIDE_GIVEN | EventFlag.LAST
    events["price_ticks"], events["size_lots"] = prints.price.values[kept], prints.size.values[kept]
    events["sequence"], events["row"] = prints.trade_id[kept], kept + prints.first_row
    instrument = crypto_instrument(
        prints.symbol,
        prints.venue,
        10.0**-prints.price.places,
        10.0**-prints.size.places,
        quote_increment(events["price_ticks"]),
    )
    day = events["exchange_time_ns"] // NS_PER_DAY
    for part in np.split(events, np.flatnonzero(np.diff(day)) + 1):
        if len(part):
            first_ns, last_ns = int(part["exchange_time_ns"][0]), int(part["exchange_time_ns"][-1])
            date = datetime.fromtimestamp(first_ns // NS_PER_SECOND, UTC).date()
            counts = {"trades": len(part), "events": len(part)}
            yield Session(instrument, date, part.copy(), first_ns, last_ns, SOURCE, counts, (path,))


def _verdict(path: Path) -> FileVerdict:
    symbol = _named(path)[0]
    try:
        if _kind(path) is _Kind.DEPTH_BANDS:
            rows = len(read_depth_bands(path))
            text = "quantity within percentages of the mid: no prices, no book and no events can be made of it"
            return FileVerdict(path, SOURCE, symbol, (Finding("depth_bands", text, voids=_ALL),), {"rows": rows})
        prints = _prints(path)
    except DataRefused as error:
        return FileVerdict(path, SOURCE, symbol, (Finding.of_refusal(error),))
    counts = prints.counts
    counts["zero_size_dropped"] = int((prints.size.values == 0).sum())
    counts["trades"] = counts["rows"] - counts["zero_size_dropped"]
    book = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST)
    findings = [*prints.findings, NO_RECEIVE_TIME, Finding("no_mid", "prints only: mids are unknown", voids=book)]
    for code, text, voids in (
        ("trade_gaps", "jumps in the trade ids: prints are missing", (Analysis.LAW,)),
        ("repeated_trade_ids", "trade ids do not rise", ()),
        ("zero_size_dropped", "prints of size 0 were dropped", ()),
    ):
        if counts[code]:
            findings.append(Finding(code, f"{counts[code]} {text}", counts[code], voids=voids))
    return FileVerdict(path, SOURCE, symbol, tuple(findings), dict(+counts))
