"""B3 (Brazil) option trades with broker numbers: the public NEG_OPCOES files of fixed text.

A header `RH NEG <day> <day> <count>`, one line of 237 characters a trade, a trailer `RT NEG ...` like the header. The
fields of a trade, between semicolons: session day, symbol (50), trade number (10), price (sign, 12 digits, point, 6
digits), quantity (18), time of day (local, ms), trade indicator (1 trade, 2 cancelled), then for the buyer and again
for the seller: day of the order, order number (15), number of the event (15), aggressor (1 aggressor, 2 passive); cross
indicator (1: one broker brought both sides), buying broker (8), selling broker (8). Layout: NEG_LAYOUT of the
exchange's market data.

Trades of one symbol are in the order of their numbers; the file shuffles those of one millisecond. In a call (at the
open, after a halt, at the close) both sides are passive; such prints and crosses have no aggressor. Cancelled trades
are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.files.compressed import head, read_all
from footprint.data.files.refusals import refuse_where, verdict_or_refusal
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import B3_2015_HOURS, AssetClass, Instrument
from footprint.units import NS_PER_MILLISECOND

TICK_SIZE = 0.01  # BRL, index points for options on the index
LINE_WIDTH = 237

_END = re.compile(rb"R[HT] NEG {17}(\d{4}-\d\d-\d\d) (\d{4}-\d\d-\d\d) (\d{9})")
_PRICE_UNITS_PER_TICK = 10_000  # prices carry six decimals
_TRADED, _CANCELLED = 1, 2
_AGGRESSOR = 1
_VOID_WITHOUT_QUOTES = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST)


class _Field(NamedTuple):
    """Characters `start` to `stop` of a line."""

    name: str
    start: int
    stop: int


_NUMBERS = (
    _Field("trade number", 62, 72),
    _Field("quantity", 94, 112),
    _Field("hour", 113, 115),
    _Field("minute", 116, 118),
    _Field("second", 119, 121),
    _Field("millisecond", 122, 125),
    _Field("trade indicator", 126, 127),
    _Field("buy order", 139, 154),
    _Field("buy event", 155, 170),
    _Field("buy aggressor", 171, 172),
    _Field("sell order", 184, 199),
    _Field("sell event", 200, 215),
    _Field("sell aggressor", 216, 217),
    _Field("cross indicator", 218, 219),
    _Field("buying broker", 220, 228),
    _Field("selling broker", 229, 237),
)
_PRICE_WHOLE, _PRICE_FRACTION = _Field("price", 74, 86), _Field("price", 87, 93)
_DAY, _SYMBOL = slice(0, 10), slice(11, 61)
_SEPARATORS = (10, 61, 72, 93, 112, 125, 127, 138, 154, 170, 172, 183, 199, 215, 217, 219, 228)
_LARGEST = {"hour": 23, "minute": 59, "second": 59, "quantity": 10**15}


class B3OptionTradesReader:
    """Option trades of B3 with brokers; one session a symbol and day."""

    name = "b3_option_trades"

    def recognise(self, path: Path) -> bool:
        """True when the first line is a header of this format, or nothing can be read and the name is that of one."""
        first = head(path).content.split(b"\n", 1)[0].rstrip(b"\r")
        return first.startswith(b"RH NEG ") or (not first and path.name.startswith("NEG_OPCOES"))

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [verdict_or_refusal(path, self.name, self._verdict) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a symbol and day, in order of (symbol, day).

        Every file holds every symbol, so that all of them are in memory as columns, about 200 bytes a trade.

        Raises:
            DataRefused: a file is refused.
        """
        files = [_read_file(path) for path in paths]
        found = [(symbol, file.day, file, rows) for file in files for symbol, rows in file.by_symbol()]
        for symbol, _, file, rows in sorted(found, key=lambda item: item[:2]):
            yield _session(symbol, file, rows)

    def _verdict(self, path: Path) -> FileVerdict:
        file = _read_file(path)
        symbols = [symbol for symbol, _ in file.by_symbol()]
        return FileVerdict(path, self.name, ",".join(symbols), tuple(_findings(file)), file.counts())


@dataclass(frozen=True, slots=True)
class _File:
    """Checked columns, sorted by symbol and trade number, shape (n,); cancelled trades are gone.

    Attributes:
        announced: number of trades in the header.
        row: 1-based line in the file.
        time_ns: UTC.
        shuffled: lines that stand before one with a lower number of the same symbol.
    """

    path: Path
    day: date
    announced: int
    lines: int
    cancelled: int
    shuffled: int
    row: np.ndarray
    symbol: np.ndarray
    time_ns: np.ndarray
    price: np.ndarray
    columns: dict[str, np.ndarray]

    def by_symbol(self) -> list[tuple[str, slice]]:
        """Every symbol with its rows."""
        count = len(self.symbol)
        starts = np.flatnonzero(np.append(True, self.symbol[1:] != self.symbol[:-1])[:count])
        ends = np.append(starts, count)[1:]
        return [(self.symbol[a].decode(), slice(int(a), int(b))) for a, b in zip(starts, ends, strict=True)]

    def counts(self) -> dict[str, int]:
        """What was read and dropped."""
        cross = self.columns["cross indicator"] == 1
        return {
            "rows": self.lines,
            "announced": self.announced,
            "cancelled_dropped": self.cancelled,
            "shuffled_rows": self.shuffled,
            "trades": len(self.row),
            "crosses": int(cross.sum()),
            "auction_prints": int((~cross & ~_one_aggressor(self.columns)).sum()),
            "one_broker": int((self.columns["buying broker"] == self.columns["selling broker"]).sum()),
        }


def _read_file(path: Path) -> _File:
    content = read_all(path).replace(b"\r\n", b"\n").removesuffix(b"\n")
    if not content:
        raise DataRefused("empty file", path=path, allowed="a header, trades and a trailer")
    first, _, rest = content.partition(b"\n")
    body, _, final = rest.rpartition(b"\n")
    day, announced = _end(first, b"RH", path, 1)
    lines = _lines(body, path)
    trailer = _end(final, b"RT", path, len(lines) + 2)
    if trailer != (day, announced):
        raise DataRefused(
            "trailer differs from the header", path=path, row=len(lines) + 2, found=final[:80], allowed=first.decode()
        )
    return _checked(lines, day, announced, path)


def _end(line: bytes, kind: bytes, path: Path, row: int) -> tuple[date, int]:
    """Day and count of a header or trailer."""
    match = _END.fullmatch(line)
    allowed = f"{kind.decode()} NEG, two days and a count"
    if match is None or not line.startswith(kind):
        raise DataRefused(
            "no header" if kind == b"RH" else "no trailer: the file is cut",
            path=path,
            row=row,
            found=line[:80].decode("latin-1"),
            allowed=allowed,
        )
    try:
        return datetime.strptime(match[1].decode(), "%Y-%m-%d").date(), int(match[3])
    except ValueError:
        raise DataRefused("not a day", path=path, row=row, found=match[1].decode(), allowed="yyyy-mm-dd") from None


def _lines(body: bytes, path: Path) -> np.ndarray:
    """The trades as characters, uint8 of shape (lines, LINE_WIDTH)."""
    if not body:
        raise DataRefused("no rows", path=path, allowed="at least one trade")
    characters = np.frombuffer(body + b"\n", np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    widths = np.diff(ends, prepend=-1) - 1
    refuse_where(
        widths != LINE_WIDTH, widths, path, "line", "wrong width", f"{LINE_WIDTH} characters a line", first_row=2
    )
    return characters.reshape(-1, LINE_WIDTH + 1)[:, :LINE_WIDTH]


def _checked(lines: np.ndarray, day: date, announced: int, path: Path) -> _File:
    texts = np.ascontiguousarray(lines).view(f"S{LINE_WIDTH}").ravel()
    broken = np.any(lines[:, _SEPARATORS] != ord(";"), axis=1)
    refuse_where(broken, texts, path, "line", "wrong columns", "18 fields of fixed width", first_row=2)
    columns = {field.name: _number(lines, field, path) for field in _NUMBERS}
    for name, largest in _LARGEST.items():
        refuse_where(
            columns[name] > largest, columns[name], path, name, "value too large", f"at most {largest}", first_row=2
        )
    for name, allowed in (
        ("trade indicator", (_TRADED, _CANCELLED)),
        ("cross indicator", (0, 1)),
        ("buy aggressor", (0, 1, 2)),
        ("sell aggressor", (0, 1, 2)),
    ):
        wrong = ~np.isin(columns[name], allowed)
        refuse_where(wrong, columns[name], path, name, f"unknown {name}", f"one of {allowed}", first_row=2)
    _refuse_other_day(lines, day, path)
    price = _prices(lines, path)
    size = columns["quantity"]
    refuse_where(size <= 0, size, path, "quantity", "no quantity", "1 or more", first_row=2)
    symbols = np.char.rstrip(np.ascontiguousarray(lines[:, _SYMBOL]).view("S50").ravel())
    bad_name = np.array([re.fullmatch(rb"[A-Z0-9.]+", name) is None for name in np.unique(symbols)])
    if bad_name.any():
        wrong = np.isin(symbols, np.unique(symbols)[bad_name])
        refuse_where(wrong, symbols, path, "symbol", "not a symbol", "capitals and digits", first_row=2)
    return _sorted(symbols, _time_ns(columns, day), price, columns, (path, day, announced))


def _number(lines: np.ndarray, field: _Field, path: Path) -> np.ndarray:
    """The digits of a field as int64."""
    digits = lines[:, field.start : field.stop].astype(np.int64) - ord("0")
    wrong = np.any((digits < 0) | (digits > 9), axis=1)
    texts = np.ascontiguousarray(lines[:, field.start : field.stop]).view(f"S{field.stop - field.start}").ravel()
    refuse_where(wrong, texts, path, field.name, "not a number", f"{field.stop - field.start} digits", first_row=2)
    return digits @ (10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64))


def _refuse_other_day(lines: np.ndarray, day: date, path: Path) -> None:
    days = np.ascontiguousarray(lines[:, _DAY]).view("S10").ravel()
    refuse_where(days != str(day).encode(), days, path, "day", "another day", f"{day} of the header", first_row=2)


def _prices(lines: np.ndarray, path: Path) -> np.ndarray:
    """Prices in ticks."""
    texts = np.ascontiguousarray(lines[:, 73:93]).view("S20").ravel()
    shape = (lines[:, 73] != ord(" ")) | (lines[:, 86] != ord("."))
    refuse_where(shape, texts, path, "price", "not a price", "a positive number with six decimals", first_row=2)
    millionths = _number(lines, _PRICE_WHOLE, path) * 1_000_000 + _number(lines, _PRICE_FRACTION, path)
    refuse_where(millionths <= 0, texts, path, "price", "price not positive", "a positive price", first_row=2)
    off = millionths % _PRICE_UNITS_PER_TICK != 0
    refuse_where(off, texts, path, "price", "not a whole multiple", f"a multiple of {TICK_SIZE}", first_row=2)
    return millionths // _PRICE_UNITS_PER_TICK


def _time_ns(columns: dict[str, np.ndarray], day: date) -> np.ndarray:
    """Local time of day as UTC; clocks in Brazil change at midnight, never inside a session."""
    opened, _ = B3_2015_HOURS.on(day)
    seconds = columns["hour"] * 3600 + columns["minute"] * 60 + columns["second"] - B3_2015_HOURS.open_s
    return opened + (seconds * 1000 + columns["millisecond"]) * NS_PER_MILLISECOND


def _sorted(
    symbols: np.ndarray,
    time_ns: np.ndarray,
    price: np.ndarray,
    columns: dict[str, np.ndarray],
    source: tuple[Path, date, int],
) -> _File:
    path, day, announced = source
    number = columns["trade number"]
    order = np.lexsort((number, symbols))
    same = symbols[order][1:] == symbols[order][:-1]
    for name, values, wrong, reason, allowed in (
        ("trade number", number, np.diff(number[order]) == 0, "trade twice", "each trade once"),
        ("time", time_ns, np.diff(time_ns[order]) < 0, "clock goes back", "times in the order of the trade numbers"),
    ):
        bad = np.flatnonzero(same & wrong)
        if len(bad):
            at = int(order[bad[0] + 1])
            raise DataRefused(reason, path=path, row=at + 2, field=name, found=int(values[at]), allowed=allowed)
    shuffled = int(((symbols[1:] == symbols[:-1]) & (np.diff(number) < 0)).sum())
    kept = order[columns["trade indicator"][order] == _TRADED]
    return _File(
        path=path,
        day=day,
        announced=announced,
        lines=len(symbols),
        cancelled=len(order) - len(kept),
        shuffled=shuffled,
        row=kept + 2,
        symbol=symbols[kept],
        time_ns=time_ns[kept],
        price=price[kept],
        columns={name: values[kept] for name, values in columns.items()},
    )


def _one_aggressor(columns: dict[str, np.ndarray]) -> np.ndarray:
    """One side of the trade was the aggressor, the other passive."""
    return (columns["buy aggressor"] == _AGGRESSOR) != (columns["sell aggressor"] == _AGGRESSOR)


def _session(symbol: str, file: _File, rows: slice) -> Session:
    columns = {name: values[rows] for name, values in file.columns.items()}
    opened, closed = B3_2015_HOURS.on(file.day)
    cross, one = columns["cross indicator"] == 1, _one_aggressor(columns)
    signed = one & ~cross
    buyer = columns["buy aggressor"] == _AGGRESSOR
    events = empty_events(len(buyer))
    events["exchange_time_ns"], events["kind"] = file.time_ns[rows], EventKind.TRADE
    events["side"] = np.where(signed, np.where(buyer, 1, -1), 0)
    events["flags"] = np.where(signed, EventFlag.SIDE_GIVEN, EventFlag.AUCTION) | EventFlag.LAST
    events["price_ticks"], events["size_lots"] = file.price[rows], columns["quantity"]
    passive = np.where(buyer, columns["sell order"], columns["buy order"])
    events["order_id"] = np.where(signed, passive, 0)
    events["sequence"], events["row"] = columns["trade number"], file.row[rows]
    extra = {"buyer_member": columns["buying broker"], "seller_member": columns["selling broker"]}
    counts = {"trades": len(events), "crosses": int(cross.sum()), "auction_prints": int((~cross & ~one).sum())}
    instrument = Instrument(symbol, "B3", "b3", AssetClass.OPTION, "BRL", TICK_SIZE, 1.0, B3_2015_HOURS)
    source = B3OptionTradesReader.name
    return Session(instrument, file.day, events, opened, closed, source, counts, (file.path,), extra)


def _findings(file: _File) -> list[Finding]:
    counts = file.counts()
    findings = [Finding("no_quotes", "trades only, no quotes", voids=_VOID_WITHOUT_QUOTES), NO_RECEIVE_TIME]
    missing = file.announced - file.lines
    if missing:
        text = f"header and trailer announce {file.announced} trades, the file holds {file.lines}: it was cut"
        findings.append(Finding("announced_count", text, abs(missing)))
    for name, text in (
        ("cancelled_dropped", "cancelled trades are dropped"),
        ("shuffled_rows", "lines stand before an earlier trade of the symbol; sorted by trade number"),
        ("crosses", "crosses, brought by one broker, have no aggressor"),
        ("auction_prints", "prints of a call, of passive orders only, have no aggressor"),
    ):
        if counts[name]:
            findings.append(Finding(name, f"{counts[name]} {text}", counts[name]))
    if not counts["trades"]:
        findings.append(Finding("no_trades", "every trade is cancelled", voids=(Analysis.SIGNED_TRADES, Analysis.LAW)))
    return findings
