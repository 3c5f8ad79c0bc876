"""US equity trades and quotes in the style of the NYSE TAQ files, as Parquet: one file a symbol, day and kind.

    trades: DT, EX (venue), SYMBOL, COND (sale conditions), SIZE (shares), PRICE, CORR (correction indicator)
    quotes: DT, EX, SYMBOL, BID, BIDSIZ, OFR, OFRSIZ (prices in USD, sizes in round lots of 100 shares)

DT is UTC without saying so and went through a double of seconds: times are rounded to the microsecond. Trades and
quotes of one symbol and day become one session; prints of one timestamp come before its quotes. Cleaning follows
Barndorff-Nielsen, Hansen, Lunde and Shephard (Econometrics Journal 12, 2009, section 3): regular hours, positive
prices, no corrected trades (T1), no abnormal sale conditions (T2; today's odd lots are normal), one venue's quotes
(P3). Prints of the trade reporting facility (EX "D") are off exchange and dropped like auctions.

A quote row is the best of one venue, not the national best. Rows of the venues that quote seldom go stale, and a best
over all venues is crossed more often than not: the book is that of the venue with the most rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

import numpy as np
import polars as pl

from footprint.book.replay import views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.files.parquet import column_names, read_parquet
from footprint.data.files.refusals import refuse_far_prices, refuse_where, whole_multiples
from footprint.data.files.table import Column
from footprint.data.readers.us_equities import TICK_SIZE, prints_before_quotes, us_equity
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import US_EQUITY_HOURS

ROUND_LOT = 100  # shares
OFF_EXCHANGE = "D"  # FINRA trade reporting facility
CLOCK_NS = 1_000
MIN_SHARE_IN_HOURS = 0.5  # of the rows; below it DT is hardly UTC

# Sale conditions of the consolidated tape (CTA and UTP): matched by a single price, or reported for the record.
AUCTION_CONDITIONS = frozenset("OQM56X9")
# Regular, automatic execution, intermarket sweep, odd lot; any other letter makes a print ineligible.
ELIGIBLE_CONDITIONS = frozenset("@EFI ")

_TRADE_COLUMNS = (
    Column("EX", str),
    Column("SYMBOL", str),
    Column("COND", str, optional=True),
    Column("SIZE", int, 0),
    Column("PRICE", float, 0),
    Column("CORR", int, 0),
)
_QUOTE_COLUMNS = (
    Column("EX", str),
    Column("SYMBOL", str),
    Column("BID", float, 0),
    Column("BIDSIZ", int, 0),
    Column("OFR", float, 0),
    Column("OFRSIZ", int, 0),
)
_TRADE_NAMES, _QUOTE_NAMES = {"DT", "PRICE", "SIZE", "CORR"}, {"DT", "BID", "OFR", "BIDSIZ"}
_VOID_ALWAYS = (Analysis.DEPTH, Analysis.QUEUE, Analysis.SIGNED_TRADES)
_VOID_WITHOUT_TRADES = (Analysis.FORECAST, Analysis.LAW)
_VOID_WITHOUT_QUOTES = (Analysis.BOOK, Analysis.FORECAST)
_VOID_WHEN_CROSSED = (Analysis.BOOK, Analysis.FORECAST)


@dataclass(frozen=True, slots=True)
class _File:
    """One file with its rows in regular hours.

    Attributes:
        kind: "trade" or "quote".
        frame: checked columns, `time_ns` (UTC) and `row` (1-based).
        rows: of the file.
    """

    path: Path
    kind: str
    symbol: str
    day: date
    frame: pl.DataFrame
    rows: int


@dataclass(frozen=True, slots=True)
class _Day:
    """What came of the files of one symbol and day; `session` is None when nothing is left."""

    verdicts: list[FileVerdict]
    session: Session | None


class TaqReader:
    """Trades and quotes of US equities; one session a symbol and day."""

    name = "taq"

    def recognise(self, path: Path) -> bool:
        """True for a Parquet file with the columns of trades or of quotes."""
        names = set(column_names(path))
        return names >= _TRADE_NAMES or names >= _QUOTE_NAMES

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file, in their order; trades and quotes of one symbol and day are judged together."""
        files, verdicts = [], {}
        for path in paths:
            try:
                files.append(_read_file(path))
            except DataRefused as error:
                verdicts[path] = FileVerdict(path, self.name, "", (Finding.of_refusal(error),))
        for day in _days(files):
            verdicts |= {verdict.path: verdict for verdict in _judged(day)}
        return [verdicts[path] for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Regular hours of each symbol and day, in order of (symbol, day).

        Raises:
            DataRefused: a file is refused.
        """
        for day in _days([_read_file(path) for path in paths]):
            session = _merge(day).session
            if session is not None:
                yield session


def _days(files: Sequence[_File]) -> Iterator[list[_File]]:
    ordered = sorted(files, key=lambda f: (f.symbol, f.day, f.kind != "trade", f.path))
    for _, group in groupby(ordered, key=lambda f: (f.symbol, f.day)):
        yield list(group)


def _judged(files: Sequence[_File]) -> list[FileVerdict]:
    try:
        return _merge(files).verdicts
    except DataRefused as error:
        finding = Finding.of_refusal(error)
        return [_verdict(f, [finding] if str(f.path) == str(error.path) else [], {}) for f in files]


def _verdict(file: _File, findings: Sequence[Finding], counts: dict[str, int]) -> FileVerdict:
    chain = f"{file.symbol} {file.day}"
    return FileVerdict(file.path, TaqReader.name, file.symbol, tuple(findings), counts, chain)


def _read_file(path: Path) -> _File:
    trades = set(column_names(path)) >= _TRADE_NAMES
    frame = read_parquet(path, _TRADE_COLUMNS if trades else _QUOTE_COLUMNS, ("DT",)).with_row_index("row", 1)
    symbol = frame["SYMBOL"][0]
    refuse_where(frame["SYMBOL"] != symbol, frame["SYMBOL"], path, "SYMBOL", "second symbol", f"only {symbol}")
    time_ns = (frame["DT"].to_physical().to_numpy() + CLOCK_NS // 2) // CLOCK_NS * CLOCK_NS
    back = np.diff(time_ns, prepend=time_ns[:1]) < 0
    refuse_where(back, frame["DT"], path, "DT", "clock goes back", "not before the row above")
    local = frame["DT"].dt.replace_time_zone("UTC").dt.convert_time_zone(US_EQUITY_HOURS.time_zone).dt.date()
    day = local[len(local) // 2]
    refuse_where(local != day, frame["DT"], path, "DT", "second day", f"{day} in New York")
    opened, closed = US_EQUITY_HOURS.on(day)
    inside = slice(*np.searchsorted(time_ns, (opened, closed)))
    rows = len(frame)
    frame = frame.with_columns(pl.Series("time_ns", time_ns))[inside]
    if len(frame) < MIN_SHARE_IN_HOURS * rows:
        raise DataRefused(
            "times hardly UTC",
            path=path,
            field="DT",
            found=f"{len(frame) / rows:.0%} of the rows in regular hours",
            allowed="UTC, most rows from 09:30 to 16:00 New York",
        )
    return _File(path, "trade" if trades else "quote", symbol.upper(), day, frame, rows)


def _merge(files: Sequence[_File]) -> _Day:
    """One session out of both files."""
    counts: dict[str, int] = {}
    findings = [Finding("unsigned", "no aggressor, no depth, no order ids", voids=_VOID_ALWAYS), NO_RECEIVE_TIME]
    made: dict[str, np.ndarray] = {}
    for file in files:
        if file.kind in made:
            raise DataRefused(f"second {file.kind} file of one day", path=file.path, allowed="one of each kind")
        make = _trade_events if file.kind == "trade" else _quote_events
        made[file.kind] = make(file, counts, findings)
    none = empty_events(0)
    trades, quotes = made.get("trade", none), made.get("quote", none)
    if not len(trades):
        findings.append(Finding("no_trades", "no eligible print of this symbol and day", voids=_VOID_WITHOUT_TRADES))
    if not len(quotes):
        findings.append(Finding("no_quotes", "no quotes of this symbol and day", voids=_VOID_WITHOUT_QUOTES))
    verdicts = [_verdict(file, findings, counts) for file in files]
    if not len(trades) and not len(quotes):
        return _Day(verdicts, None)
    events = prints_before_quotes(trades, quotes)
    opened, closed = US_EQUITY_HOURS.on(files[0].day)
    paths = tuple(file.path for file in files)
    instrument = us_equity(files[0].symbol, "US")
    return _Day(verdicts, Session(instrument, files[0].day, events, opened, closed, TaqReader.name, counts, paths))


def _trade_events(file: _File, counts: dict[str, int], findings: list[Finding]) -> np.ndarray:
    """Lit, eligible prints; each that is dropped is counted once, under its first reason."""
    frame, path = file.frame, file.path
    rows = frame["row"].to_numpy().astype(np.int64)
    condition = frame["COND"].fill_null("")
    drops = {
        "off_exchange_dropped": (frame["EX"] == OFF_EXCHANGE).to_numpy(),
        "corrected_dropped": frame["CORR"].to_numpy() > 1,
        "zero_size_dropped": frame["SIZE"].to_numpy() == 0,
        "auction_dropped": _any_of(condition, AUCTION_CONDITIONS),
        "ineligible_dropped": ~_all_of(condition, ELIGIBLE_CONDITIONS),
    }
    counts["trade_rows"], counts["trades_outside_hours"] = file.rows, file.rows - len(frame)
    keep = np.ones(len(frame), bool)
    for name, dropped in drops.items():
        counts[name] = int((keep & dropped).sum())
        keep &= ~dropped
    counts["trades"] = int(keep.sum())
    price = frame["PRICE"].to_numpy()
    refuse_where(keep & (price <= 0), price, path, "PRICE", "price not positive", "more than 0", lines=rows)
    ticks = whole_multiples(price, TICK_SIZE, path, "PRICE", f"a multiple of {TICK_SIZE}", lines=rows)[keep]
    refuse_far_prices(ticks, path, "PRICE", rows[keep], unit=TICK_SIZE)
    events = empty_events(counts["trades"])
    events["exchange_time_ns"] = frame["time_ns"].to_numpy()[keep]
    events["kind"], events["flags"] = EventKind.TRADE, EventFlag.LAST
    events["price_ticks"], events["size_lots"] = ticks, frame["SIZE"].to_numpy()[keep]
    events["sequence"] = events["row"] = rows[keep]
    dropped = sum(counts[name] for name in drops)
    if dropped:
        parts = ", ".join(f"{counts[name]} {name.removesuffix('_dropped')}" for name in drops if counts[name])
        findings.append(Finding("prints_dropped", f"prints that are dropped: {parts}", dropped))
    return events


def _any_of(condition: pl.Series, letters: frozenset[str]) -> np.ndarray:
    return condition.str.contains(f"[{''.join(sorted(letters))}]").to_numpy()


def _all_of(condition: pl.Series, letters: frozenset[str]) -> np.ndarray:
    return condition.str.contains(f"^[{''.join(sorted(letters))}]*$").to_numpy()


def _quote_events(file: _File, counts: dict[str, int], findings: list[Finding]) -> np.ndarray:
    """QUOTE for each side that changed at the venue with the most rows."""
    counts["quote_rows"], counts["quotes_outside_hours"] = file.rows, file.rows - len(file.frame)
    if file.frame.is_empty():
        return empty_events(0)
    venues = file.frame["EX"].value_counts(sort=True)
    venue, share = venues["EX"][0], venues["count"][0] / len(file.frame)
    frame = file.frame.filter(pl.col("EX") == venue)
    counts["other_venues_dropped"] = len(file.frame) - len(frame)
    text = f"quotes of venue {venue} only ({share:.0%} of the rows), not the national best"
    findings.append(Finding("one_venue", text, counts["other_venues_dropped"]))
    rows = frame["row"].to_numpy().astype(np.int64)
    sides = []
    for side, price_name, size_name in ((1, "BID", "BIDSIZ"), (-1, "OFR", "OFRSIZ")):
        price, size = frame[price_name].to_numpy(), frame[size_name].to_numpy() * ROUND_LOT
        allowed = f"a multiple of {TICK_SIZE}"
        ticks = whole_multiples(price, TICK_SIZE, file.path, price_name, allowed, lines=rows)
        empty = (ticks == 0) | (size == 0)
        sides.append((side, np.where(empty, 0, ticks), np.where(empty, 0, size)))
    changed = np.array([np.diff(t, prepend=-1) | np.diff(s, prepend=-1) for _, t, s in sides]).T != 0
    source, which = np.nonzero(changed)
    events = empty_events(len(source))
    events["exchange_time_ns"] = frame["time_ns"].to_numpy()[source]
    events["kind"], events["side"] = EventKind.QUOTE, np.where(which == 0, 1, -1)
    events["price_ticks"] = np.where(which == 0, sides[0][1][source], sides[1][1][source])
    events["size_lots"] = np.where(which == 0, sides[0][2][source], sides[1][2][source])
    events["flags"][np.append(np.diff(source) != 0, True)[: len(events)]] = EventFlag.LAST
    events["sequence"] = events["row"] = rows[source]
    counts["quotes"] = len(events)
    ends = events["flags"] == EventFlag.LAST
    findings += book_findings(views(events)[ends], events["row"][ends], f"quotes of {venue}", _VOID_WHEN_CROSSED)
    return events
