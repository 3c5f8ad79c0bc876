"""One session out of the frames of one symbol: a file, or consecutive files whose update ids join.

Prices and sizes are gathered in units of 1e-8; the tick and the lot are the greatest common divisors of what the chain
holds. The order of events is the order of the file, which is the order of receipt. Updates that were held for a
snapshot become events when it arrives, with its receive time: nobody could have used them earlier.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.readers.binance_depth import DepthJoiner, DepthUpdate, Joined, depth_update
from footprint.data.readers.binance_frames import (
    UNITS_PER_ONE,
    BadValue,
    Frame,
    read_frames,
    refused,
    units,
    whole_number,
)
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND

SPOT, USD_M, COIN_M = "binance-spot", "binance-usdm", "binance-coinm"
SOURCE = "binance"

_FLUSH = 50_000  # events gathered as Python rows before they are packed
_QUOTE_CURRENCIES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY")
_MARKET = "MARKET"  # futures prints with another X are not trades (insurance fund, adjustments)
_LAST, _SNAPSHOT, _SIDE_GIVEN = int(EventFlag.LAST), int(EventFlag.SNAPSHOT), int(EventFlag.SIDE_GIVEN)
_LEVEL, _QUOTE, _TRADE = int(EventKind.LEVEL), int(EventKind.QUOTE), int(EventKind.TRADE)
_BOOK_VOID = (Analysis.BOOK, Analysis.DEPTH)

EventRow = tuple[int, int, int, int, int, int, int, int, int, int]  # one event in the order of EVENT_DTYPE


def venue_of(frame: Frame) -> str | None:
    """Which market a frame comes from, by its fields; None for a snapshot, which does not say."""
    body = frame.body
    if "ps" in body or re.match(r"[A-Z0-9]+USD_", str(body.get("s", ""))):
        return COIN_M
    match frame.event:
        case "depthUpdate":
            return USD_M if "pu" in body else SPOT
        case "bookTicker":
            return USD_M if "T" in body else SPOT
        case "trade":
            return SPOT if "M" in body else USD_M
        case "markPriceUpdate":
            return USD_M
    return None


class SessionBuilder:
    """Reads the files of one chain, one after another, and gives their verdicts and the session.

    Attributes:
        error: the first refusal, None while every file could be used.
    """

    def __init__(self, venue: str, symbol: str) -> None:
        self.venue, self.symbol = venue, symbol
        self.error: DataRefused | None = None
        self._joiner = DepthJoiner()
        self._packed: list[np.ndarray] = []
        self._rows: list[EventRow] = []
        self._files: list[tuple[Path, Counter[str], list[Finding]]] = []
        self._counts: Counter[str] = Counter()
        self._trade_id: int | None = None
        self._latency_ns = array("q")
        self._first_ns = self._last_ns = 0

    def joins(self, first_update: DepthUpdate | None) -> bool:
        """True when a file that starts with this update goes on where the last one ended."""
        return self.error is None and first_update is not None and self._joiner.seen == first_update.previous

    def read(self, path: Path) -> None:
        """Add a file; what makes it unusable is kept in `error` and in its verdict."""
        findings: list[Finding] = []
        self._counts = Counter()
        self._latency_ns = array("q")
        self._files.append((path, self._counts, findings))
        try:
            for frame in read_frames(path):
                self._take(frame, path)
            self._flush()
        except DataRefused as error:
            self.error = self.error or error
            findings.append(Finding.of_refusal(error))
        findings += self._latency_findings() + self._gap_findings()

    def finish(self) -> tuple[list[FileVerdict], Session | None]:
        """Verdicts of the files in order, and the session (None when a file is refused or nothing was in them)."""
        events = np.concatenate(self._packed) if self._packed else np.zeros(0, EVENT_DTYPE)
        self._packed.clear()
        shared = [] if self.error else self._book_findings(events)
        chain = f"{self.venue} {self.symbol} {self._files[0][0].name}"
        verdicts = [
            FileVerdict(path, SOURCE, self.symbol, tuple(findings + shared), dict(counts), chain)
            for path, counts, findings in self._files
        ]
        if self.error or not len(events):
            return verdicts, None
        return verdicts, self._session(events)

    def _session(self, events: np.ndarray) -> Session:
        tick, lot = _divisor(events["price_ticks"]), _divisor(events["size_lots"])
        events["price_ticks"] //= tick
        events["size_lots"] //= lot
        counts = sum((counts for _, counts, _ in self._files), Counter())
        return Session(
            instrument=_instrument(self.venue, self.symbol, tick / UNITS_PER_ONE, lot / UNITS_PER_ONE),
            day=datetime.fromtimestamp(self._first_ns // NS_PER_SECOND, UTC).date(),
            events=events,
            open_ns=self._first_ns,
            close_ns=self._last_ns,
            source=SOURCE,
            counts=dict(counts),
            paths=tuple(path for path, _, _ in self._files),
        )

    def _take(self, frame: Frame, path: Path) -> None:
        self._counts["frames"] += 1
        self._first_ns, self._last_ns = self._first_ns or frame.receive_ns, frame.receive_ns
        try:
            symbol = frame.body.get("s", self.symbol)
            if symbol != self.symbol:
                raise BadValue("second symbol in one file", symbol, self.symbol, "s")
            match frame.event:
                case "depthUpdate":
                    self._depth(frame)
                case "bookTicker":
                    self._quote(frame)
                case "trade":
                    self._trade(frame)
                case "snapshot":
                    self._snapshot(frame)
                case event:
                    self._counts[f"{event}_frames_ignored"] += 1
        except (BadValue, KeyError, TypeError, ValueError, OverflowError) as error:
            raise refused(error, frame, path) from None
        if len(self._rows) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        try:
            self._packed.append(np.array(self._rows, EVENT_DTYPE))
        except OverflowError:
            raise DataRefused(
                "value too large", path=self._files[-1][0], allowed="below 9.2e18 units of 1e-8"
            ) from None
        self._rows.clear()

    def _exchange_ns(self, frame: Frame) -> int:
        body = frame.body
        field = "T" if "T" in body else "E"
        if field not in body:
            return UNKNOWN_TIME
        time_ns = whole_number(body, field) * NS_PER_MILLISECOND
        self._latency_ns.append(frame.receive_ns - time_ns)
        return time_ns

    def _depth(self, frame: Frame) -> None:
        update = depth_update(frame)
        self._counts["depth_updates"] += 1
        time_ns = self._exchange_ns(frame)
        match self._joiner.update(update):
            case Joined.APPLY:
                self._levels(frame, update.last, time_ns, frame.receive_ns, 0)
            case Joined.OLD:
                self._counts["depth_updates_older_than_snapshot"] += 1
            case Joined.HELD:
                self._counts["depth_updates_held"] += 1
            case Joined.GAP:
                self._counts["gaps"] += 1
                for kind in (EventKind.HALT, EventKind.CLEAR, EventKind.RESUME):
                    row = (time_ns, frame.receive_ns, int(kind), 0, _LAST, 0, 0, 0, update.last, frame.row)
                    self._rows.append(row)

    def _snapshot(self, frame: Frame) -> None:
        self._counts["snapshots"] += 1
        last_id = whole_number(frame.body, "lastUpdateId")
        follows = self._joiner.joined
        newer = self._joiner.snapshot(last_id)
        if newer is None:
            self._counts["snapshots_not_needed" if follows else "snapshots_not_joined"] += 1
            return
        levels = {"b": frame.body["bids"], "a": frame.body["asks"]}
        self._levels(frame._replace(body=levels), last_id, UNKNOWN_TIME, frame.receive_ns, _SNAPSHOT)
        for update in newer:
            time_ns = whole_number(update.frame.body, "T" if "T" in update.frame.body else "E") * NS_PER_MILLISECOND
            self._levels(update.frame, update.last, time_ns, frame.receive_ns, 0)
        self._counts["depth_updates_newer_than_snapshot"] += len(newer)

    def _levels(self, frame: Frame, sequence: int, time_ns: int, receive_ns: int, flags: int) -> None:
        before = len(self._rows)
        for side, field in ((1, "b"), (-1, "a")):
            for price, size in frame.body[field]:
                ticks = _positive(price, field)
                row = (time_ns, receive_ns, _LEVEL, side, flags, ticks, units(size), 0, sequence, frame.row)
                self._rows.append(row)
        if len(self._rows) > before:
            self._rows[-1] = _with_flag(self._rows[-1], _LAST)

    def _quote(self, frame: Frame) -> None:
        body = frame.body
        sequence, time_ns = whole_number(body, "u"), self._exchange_ns(frame)
        bid, bid_size, ask, ask_size = units(body["b"]), units(body["B"]), units(body["a"]), units(body["A"])
        self._rows.append((time_ns, frame.receive_ns, _QUOTE, 1, 0, bid, bid_size, 0, sequence, frame.row))
        self._rows.append((time_ns, frame.receive_ns, _QUOTE, -1, _LAST, ask, ask_size, 0, sequence, frame.row))
        self._counts["quotes"] += 1

    def _trade(self, frame: Frame) -> None:
        body = frame.body
        trade_id, time_ns = whole_number(body, "t"), self._exchange_ns(frame)
        if self._trade_id is not None and trade_id != self._trade_id + 1:
            self._counts["trade_gaps"] += 1
        self._trade_id = trade_id
        if body.get("X", _MARKET) != _MARKET:
            self._counts["not_market_trades_dropped"] += 1
            return
        if type(body["m"]) is not bool:
            raise BadValue("not a flag", body["m"], "true or false", "m")
        side = -1 if body["m"] else 1  # the buyer is the maker: a seller was the aggressor
        price, size = _positive(body["p"], "p"), _positive(body["q"], "q")
        flags = _SIDE_GIVEN | _LAST
        self._rows.append((time_ns, frame.receive_ns, _TRADE, side, flags, price, size, 0, trade_id, frame.row))
        self._counts["trades"] += 1

    def _latency_findings(self) -> list[Finding]:
        latency = np.frombuffer(self._latency_ns, np.int64)
        early = int((latency < 0).sum())
        if not early:
            return []
        median_s = float(np.median(latency)) / NS_PER_SECOND
        text = f"{early} of {len(latency)} frames received before they happened; receive minus exchange time is "
        text += f"{median_s:.3f} s in the median, allowed: at least 0 (kept as they are)"
        return [Finding("receive_before_exchange", text, early, voids=(Analysis.LATENCY,))]

    def _gap_findings(self) -> list[Finding]:
        counts, findings = self._counts, []
        if counts["gaps"]:
            text = f"{counts['gaps']} gaps in the update ids; the book is void from each to the next snapshot"
            findings.append(Finding("gap", text, counts["gaps"], voids=_BOOK_VOID))
        if counts["trade_gaps"]:
            text = f"{counts['trade_gaps']} gaps in the trade ids: prints are missing"
            findings.append(Finding("trade_gap", text, counts["trade_gaps"], voids=(Analysis.LAW,)))
        if counts["snapshots_not_joined"]:
            text = f"{counts['snapshots_not_joined']} snapshots older than the first held update: of no use"
            findings.append(Finding("snapshot_not_joined", text, counts["snapshots_not_joined"]))
        return findings

    def _book_findings(self, events: np.ndarray) -> list[Finding]:
        """What is wrong with the books of the whole chain."""
        levels, quotes = events[events["kind"] == _LEVEL], events[events["kind"] == _QUOTE]
        findings = []
        if not len(levels):
            text = "no snapshot that joins the depth updates: there is no price-level book"
            findings.append(Finding("no_snapshot", text, voids=_BOOK_VOID))
        findings += _replayed_findings(levels, "price-level book", _BOOK_VOID)
        findings += _replayed_findings(quotes, "best quotes", (Analysis.BOOK, Analysis.FORECAST))
        if not (events["kind"] == _TRADE).any():
            findings.append(Finding("no_trades", "no trades", voids=(Analysis.FORECAST, Analysis.LAW)))
        if not len(levels) and not len(quotes):
            findings.append(
                Finding("no_mid", "neither quotes nor a book: mids are unknown", voids=(Analysis.FORECAST,))
            )
        return findings


def _replayed_findings(events: np.ndarray, name: str, voids: tuple[Analysis, ...]) -> list[Finding]:
    if not len(events):
        return []
    whole = events["flags"] & _LAST != 0
    return book_findings(views(events, BookKind.LEVELS)[whole], events["row"][whole], name, voids)


def _positive(text: Any, field: str) -> int:
    value = units(text)
    if value == 0:
        raise BadValue("not positive", text, "more than 0", field)
    return value


def _with_flag(row: EventRow, flag: int) -> EventRow:
    return (*row[:4], row[4] | flag, *row[5:])


def _divisor(values: np.ndarray) -> int:
    return max(int(np.gcd.reduce(values)), 1)


def _instrument(venue: str, symbol: str, tick_size: float, lot_size: float) -> Instrument:
    pair = symbol.partition("_")[0]
    currency = next((c for c in _QUOTE_CURRENCIES if pair.endswith(c) and pair != c), "")
    contract_usd = 100.0 if symbol.startswith("BTC") else 10.0
    return Instrument(
        symbol=symbol,
        venue=venue,
        market="crypto",
        asset_class=AssetClass.SPOT_CRYPTO if venue == SPOT else AssetClass.PERPETUAL,
        currency=currency,
        tick_size=tick_size,
        lot_size=lot_size,
        hours=ALWAYS_OPEN,
        multiplier=contract_usd if venue == COIN_M else 1.0,
        inverse=venue == COIN_M,
    )
