"""US equity ticks in the LEAN layout: consolidated trades and the national best bid and offer.

One headerless csv a symbol, day and kind, named `<date>_<symbol>_Trade_Tick.csv` or `..._Quote_Tick.csv`:

    trade: ms after midnight New York, price x 10,000, size, exchange letter, condition flags (hex), suspicious
    quote: ms, bid, bid size, ask, ask size, exchange letter, condition, suspicious

Each quote row updates one side of the *national* best, whatever its exchange letter, and leaves 0 on the other side;
rebuilding a best per exchange gives crossed books. Prints of one millisecond come before its quotes in the events,
because a quote of that millisecond was not known when the print was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.compressed import head, read_all
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.data.readers.sale_conditions import AUCTION_CONDITIONS, ELIGIBLE_CONDITIONS
from footprint.data.readers.us_equities import prints_before_quotes, us_equity
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import US_EQUITY_HOURS
from footprint.units import NS_PER_MILLISECOND

MAX_CROSSED_SHARE = 0.05  # the national best is crossed in about 0.1 % of the time; a best per venue nearly always
OFF_EXCHANGE = "D"  # FINRA trade reporting facility

_OPEN_MS, _CLOSE_MS = US_EQUITY_HOURS.open_s * 1000, US_EQUITY_HOURS.close_s * 1000
_VOID_WITHOUT_TRADES = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
_VOID_WITHOUT_QUOTES = (Analysis.BOOK, Analysis.DEPTH, Analysis.SIGNED_TRADES, Analysis.FORECAST)
_NAME = re.compile(r"(\d{8})_([A-Za-z0-9.\-]+)_(trade|quote)_tick\.csv", re.IGNORECASE)
_OUTER_NAME = re.compile(r"(\d{8})_(trade|quote)\.zip")
_TRADE_COLUMNS = (
    Column("ms", int, 0),
    Column("price", int, 1),
    Column("size", int, 0),
    Column("exchange", str),
    Column("condition", str, optional=True),
    Column("suspicious", int, 0),
)
_QUOTE_COLUMNS = (
    Column("ms", int, 0),
    Column("bid", int, 0),
    Column("bid_size", int, 0),
    Column("ask", int, 0),
    Column("ask_size", int, 0),
    Column("exchange", str),
    Column("condition", str, optional=True),
    Column("suspicious", int, 0),
)


@dataclass(frozen=True, slots=True)
class _TickFile:
    path: Path
    day: date
    symbol: str
    kind: str  # "trade" or "quote"


@dataclass(frozen=True, slots=True)
class _Day:
    """What came of the files of one symbol and day; `session` is None when `error` is set or nothing traded."""

    verdicts: list[FileVerdict]
    session: Session | None = None
    error: DataRefused | None = None


class LeanReader:
    """Trades and national best quotes of US equities; one session a symbol and day."""

    name = "lean"

    def recognise(self, path: Path) -> bool:
        """True when the csv inside is named as LEAN names equity ticks."""
        return _match(path) is not None

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; the trade and quote file of one symbol and day are judged together."""
        return [verdict for files in _days(paths) for verdict in _read_day(files).verdicts]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Regular hours of each symbol and day, lit eligible prints only.

        Raises:
            DataRefused: a file of that day is refused.
        """
        for files in _days(paths):
            day = _read_day(files)
            if day.error is not None:
                raise day.error
            if day.session is not None:
                yield day.session


def _days(paths: Sequence[Path]) -> Iterator[list[_TickFile]]:
    files = sorted((_tick_file(path) for path in paths), key=lambda f: (f.symbol, f.day, f.kind != "trade"))
    for _, group in groupby(files, key=lambda f: (f.symbol, f.day)):
        yield list(group)


def _tick_file(path: Path) -> _TickFile:
    match = _match(path)
    if match is None:
        return _TickFile(path, date.min, "", "unnamed")
    day, symbol, kind = match.groups()
    try:
        return _TickFile(path, datetime.strptime(day, "%Y%m%d").date(), symbol.upper(), kind.lower())
    except ValueError:
        return _TickFile(path, date.min, symbol.upper(), "undated")


def _match(path: Path) -> re.Match[str] | None:
    """Date, symbol and kind by the name inside; by `<symbol>/<date>_<kind>.zip` where nothing inside can be read."""
    start = head(path)
    if start.name == path.name and path.suffix == ".zip":
        outer = _OUTER_NAME.fullmatch(path.name)
        return outer and _NAME.fullmatch(f"{outer[1]}_{path.parent.name}_{outer[2]}_tick.csv")
    return _NAME.fullmatch(start.name)


def _read_day(files: Sequence[_TickFile]) -> _Day:
    """Read, judge and merge the files of one symbol and day."""
    tables: dict[str, pl.DataFrame] = {}
    refusals: dict[Path, DataRefused] = {}
    for file in files:
        try:
            if file.kind in tables:
                raise DataRefused(f"second {file.kind} file of one day", path=file.path, allowed="one of each kind")
            tables[file.kind] = _read_file(file)
        except DataRefused as error:
            refusals[file.path] = error
    if refusals:
        verdicts = [_verdict(f, [Finding.of_refusal(refusals[f.path])] if f.path in refusals else []) for f in files]
        return _Day(verdicts, error=next(iter(refusals.values())))
    return _merge(files, tables.get("trade"), tables.get("quote"))


def _verdict(file: _TickFile, findings: Sequence[Finding], counts: dict[str, int] | None = None) -> FileVerdict:
    chain = f"{file.symbol} {file.day}"
    return FileVerdict(file.path, LeanReader.name, file.symbol, tuple(findings), counts or {}, chain)


def _read_file(file: _TickFile) -> pl.DataFrame:
    if file.kind not in ("trade", "quote"):
        raise DataRefused(
            "wrong name inside",
            path=file.path,
            found=head(file.path).name,
            allowed="<yyyymmdd>_<symbol>_Trade_Tick.csv",
        )
    columns = _TRADE_COLUMNS if file.kind == "trade" else _QUOTE_COLUMNS
    table = read_table(read_all(file.path), columns, file.path, header=False)
    refuse_clock_going_back(table["ms"].to_numpy(), file.path, "ms", first_row=1)
    return table


def _merge(files: Sequence[_TickFile], trade: pl.DataFrame | None, quote: pl.DataFrame | None) -> _Day:
    """One session out of both tables; prints of one millisecond go before its quotes."""
    findings: list[Finding] = []
    counts: dict[str, int] = {}
    try:
        trades = empty_events(0) if trade is None else _trade_events(trade, files[0].path, counts)
    except DataRefused as error:
        return _Day([_verdict(f, [Finding.of_refusal(error)] if f is files[0] else []) for f in files], error=error)
    quotes = empty_events(0) if quote is None else _quote_events(quote, counts, findings)
    if not len(trades):
        text = "no trade file for this symbol and day, or no eligible print"
        findings.append(Finding("no_trades", text, voids=_VOID_WITHOUT_TRADES))
    if not len(quotes):
        text = "no quote file for this symbol and day: mids are unknown"
        findings.append(Finding("no_quotes", text, voids=_VOID_WITHOUT_QUOTES))
    verdicts = [_verdict(file, findings, counts) for file in files]
    if not len(trades) and not len(quotes):
        return _Day(verdicts)

    opened, closed = US_EQUITY_HOURS.on(files[0].day)
    events = prints_before_quotes(trades, quotes)
    events["exchange_time_ns"] = opened + (events["exchange_time_ns"] - _OPEN_MS) * NS_PER_MILLISECOND
    instrument = us_equity(files[0].symbol, "US")
    paths = tuple(file.path for file in files)
    return _Day(verdicts, Session(instrument, files[0].day, events, opened, closed, LeanReader.name, counts, paths))


def _regular_hours(ms: np.ndarray) -> slice:
    return slice(*np.searchsorted(ms, (_OPEN_MS, _CLOSE_MS)))


def _trade_events(trade: pl.DataFrame, path: Path, counts: dict[str, int]) -> np.ndarray:
    """Lit, eligible prints of regular hours; each print that is dropped is counted once, under its first reason.

    The time column still holds milliseconds after midnight.
    """
    rows = np.arange(1, len(trade) + 1)
    hours = _regular_hours(trade["ms"].to_numpy())
    counts["trade_rows"] = len(trade)
    trade, rows = trade[hours], rows[hours]
    condition = _conditions(trade, path, rows)
    drops = {
        "off_exchange_dropped": (trade["exchange"] == OFF_EXCHANGE).to_numpy(),
        "suspicious_dropped": trade["suspicious"].to_numpy() != 0,
        "zero_size_dropped": trade["size"].to_numpy() == 0,
        "auction_dropped": condition & int(AUCTION_CONDITIONS) != 0,
        "ineligible_dropped": condition & ~int(ELIGIBLE_CONDITIONS) != 0,
    }
    counts["outside_hours_dropped"] = counts["trade_rows"] - len(trade)
    counts["regular_hours_trades"] = len(trade)
    keep = np.ones(len(trade), bool)
    for name, dropped in drops.items():
        counts[name] = int((keep & dropped).sum())
        keep &= ~dropped
    counts["trades"] = int(keep.sum())
    events = empty_events(counts["trades"])
    events["exchange_time_ns"] = trade["ms"].to_numpy()[keep]
    events["kind"] = EventKind.TRADE
    events["flags"] = EventFlag.LAST
    events["price_ticks"] = trade["price"].to_numpy()[keep]
    events["size_lots"] = trade["size"].to_numpy()[keep]
    events["sequence"] = events["row"] = rows[keep]
    return events


def _conditions(trade: pl.DataFrame, path: Path, rows: np.ndarray) -> np.ndarray:
    text = trade["condition"].fill_null("0")
    value = text.str.to_integer(base=16, strict=False)
    if value.null_count():
        first = int(value.is_null().arg_max() or 0)
        raise DataRefused(
            "not a condition",
            path=path,
            row=int(rows[first]),
            field="condition",
            found=text[first],
            allowed="hexadecimal flags",
        )
    return value.to_numpy()


def _quote_events(quote: pl.DataFrame, counts: dict[str, int], findings: list[Finding]) -> np.ndarray:
    """One QUOTE for each side that a row sets; the time column still holds milliseconds after midnight."""
    hours = _regular_hours(quote["ms"].to_numpy())
    rows = np.arange(1, len(quote) + 1)[hours]
    quote = quote[hours]
    bid, ask = quote["bid"].to_numpy(), quote["ask"].to_numpy()
    sets_bid, sets_ask = bid > 0, ask > 0
    updates = sets_bid.astype(np.int64) + sets_ask
    events = empty_events(int(updates.sum()))
    place = np.cumsum(updates) - updates
    for sets, price, size, side, at in (
        (sets_bid, bid, "bid_size", 1, place),
        (sets_ask, ask, "ask_size", -1, place + sets_bid),
    ):
        index = at[sets]
        events["side"][index] = side
        events["price_ticks"][index] = price[sets]
        events["size_lots"][index] = quote[size].to_numpy()[sets]
    source = np.repeat(np.arange(len(quote)), updates)
    events["exchange_time_ns"] = quote["ms"].to_numpy()[source]
    events["sequence"] = events["row"] = rows[source]
    events["kind"] = EventKind.QUOTE
    # the two sides of one update are two rows of one millisecond: the book is whole after the last of them
    events["flags"][np.append(np.diff(events["exchange_time_ns"]) != 0, True)[: len(events)]] = EventFlag.LAST
    counts["quotes"] = len(events)
    counts["quote_rows_without_price"] = int((updates == 0).sum())
    findings += _crossing(events)
    return events


def _crossing(events: np.ndarray) -> list[Finding]:
    """How often the best bid lies on or above the best ask, at the end of each millisecond."""
    whole = events["flags"] == EventFlag.LAST
    bid, ask = (_carried(events, side)[whole] for side in (1, -1))
    known = (bid > 0) & (ask > 0)
    total = max(int(known.sum()), 1)
    crossed, locked = int((known & (bid > ask)).sum()), int((known & (bid == ask)).sum())
    void = (Analysis.BOOK, Analysis.FORECAST) if crossed > MAX_CROSSED_SHARE * total else ()
    findings = []
    if crossed:
        text = f"best bid above best ask after {crossed / total:.2%} of the milliseconds with quotes"
        findings.append(Finding("crossed_book", text, crossed, voids=void))
    if locked:
        text = f"best bid equal to best ask after {locked / total:.2%} of the milliseconds with quotes"
        findings.append(Finding("locked_book", text, locked))
    return findings


def _carried(events: np.ndarray, side: int) -> np.ndarray:
    """Last price set on one side, after each event; 0 before the first."""
    mine = events["side"] == side
    last = np.maximum.accumulate(np.where(mine, np.arange(len(events)), -1))
    return np.where(last >= 0, events["price_ticks"][last], 0)
