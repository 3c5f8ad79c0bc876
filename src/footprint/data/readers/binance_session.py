"""One session out of the frames of one symbol: a file, or consecutive files whose update ids join.

Prices and sizes are gathered in units of 1e-8; the tick and the lot are the greatest common divisors of what the chain
holds. The order of events is the order of the file, which is the order of receipt. Updates that were held for a
snapshot become events when it arrives, with its receive time: nobody could have used them earlier.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import book_findings
from footprint.data.readers.binance_blocks import FrameBlock, block_events, block_of, read_blocks, snapshot_block
from footprint.data.readers.binance_depth import DepthJoiner, DepthUpdate, Joined
from footprint.data.readers.binance_frames import UNITS_PER_ONE, BadValue, Frame, refused, whole_number
from footprint.data.readers.binance_scan import DEPTH, DROPPED, QUOTE, TRADE
from footprint.data.readers.crypto_pairs import quote_currency
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument
from footprint.units import NS_PER_SECOND

SPOT, USD_M, COIN_M = "binance-spot", "binance-usdm", "binance-coinm"
SOURCE = "binance"

_LAST = int(EventFlag.LAST)
_LEVEL, _QUOTE, _TRADE = int(EventKind.LEVEL), int(EventKind.QUOTE), int(EventKind.TRADE)
_BOOK_VOID = (Analysis.BOOK, Analysis.DEPTH)


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
        self._pieces: list[np.ndarray] = []
        self._files: list[tuple[Path, Counter[str], list[Finding]]] = []
        self._counts: Counter[str] = Counter()
        self._trade_id: int | None = None
        self._latency_ns: list[np.ndarray] = []
        self._first_ns = self._last_ns = 0

    def joins(self, previous_id: int | None) -> bool:
        """True when a file whose first depth update follows this id goes on where the last one ended."""
        return self.error is None and previous_id is not None and self._joiner.seen == previous_id

    def read(self, path: Path) -> None:
        """Add a file; what makes it unusable is kept in `error` and in its verdict."""
        findings: list[Finding] = []
        self._counts = Counter()
        self._latency_ns = []
        self._files.append((path, self._counts, findings))
        try:
            for read in read_blocks(path, self.symbol):
                if isinstance(read, FrameBlock):
                    self._take(read)
                else:
                    self._take_frame(read, path)
        except DataRefused as error:
            self.error = self.error or error
            findings.append(Finding.of_refusal(error))
        findings += self._latency_findings() + self._gap_findings()

    def verdicts(self) -> list[FileVerdict]:
        """Verdicts of the files in order; those of one chain share what is wrong with its book."""
        shared = [] if self.error else self._book_findings(self._events())
        chain = f"{self.venue} {self.symbol} {self._files[0][0].name}"
        return [
            FileVerdict(path, SOURCE, self.symbol, tuple(findings + shared), dict(counts), chain)
            for path, counts, findings in self._files
        ]

    def session(self) -> Session | None:
        """The session, None when nothing was in the files; what was read is let go.

        Raises:
            DataRefused: a file of the chain is refused.
        """
        if self.error is not None:
            raise self.error
        events = self._events()
        self._pieces.clear()
        if not len(events):
            return None
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

    def _events(self) -> np.ndarray:
        """Every event so far; prices and sizes in units of 1e-8."""
        return np.concatenate(self._pieces) if self._pieces else empty_events(0)

    def _clock(self, first_ns: int, last_ns: int, frames: int) -> None:
        self._counts["frames"] += frames
        self._first_ns, self._last_ns = self._first_ns or first_ns, last_ns

    def _take_frame(self, frame: Frame, path: Path) -> None:
        """A frame in the exchange's own words: a snapshot, an unusual one, or one of no use."""
        try:
            symbol = frame.body.get("s", self.symbol)
            if symbol != self.symbol:
                raise BadValue("second symbol in one file", symbol, self.symbol, "s")
            match frame.event:
                case "depthUpdate" | "bookTicker" | "trade":
                    self._take(block_of(frame))
                case "snapshot":
                    self._clock(frame.receive_ns, frame.receive_ns, 1)
                    self._snapshot(frame)
                case event:
                    self._clock(frame.receive_ns, frame.receive_ns, 1)
                    self._counts[f"{event}_frames_ignored"] += 1
        except (BadValue, KeyError, TypeError, ValueError, OverflowError) as error:
            raise refused(error, frame, path) from None

    def _take(self, block: FrameBlock) -> None:
        frames = block.frames
        self._clock(int(frames["receive_ns"][0]), int(frames["receive_ns"][-1]), len(frames))
        kinds = np.bincount(frames["kind"], minlength=DROPPED + 1)
        for kind, name in (
            (DEPTH, "depth_updates"),
            (QUOTE, "quotes"),
            (TRADE, "trades"),
            (DROPPED, "not_market_trades_dropped"),
        ):
            if kinds[kind]:
                self._counts[name] += int(kinds[kind])
        timed = frames[frames["time_ns"] != UNKNOWN_TIME]
        self._latency_ns.append(timed["receive_ns"] - timed["time_ns"])
        self._count_trade_gaps(frames["last"][(frames["kind"] == TRADE) | (frames["kind"] == DROPPED)])
        self._join(block)

    def _count_trade_gaps(self, trade_id: np.ndarray) -> None:
        if not len(trade_id):
            return
        gaps = int((np.diff(trade_id) != 1).sum())
        if self._trade_id is not None and trade_id[0] != self._trade_id + 1:
            gaps += 1
        if gaps:
            self._counts["trade_gaps"] += gaps
        self._trade_id = int(trade_id[-1])

    def _join(self, block: FrameBlock) -> None:
        """The events of the block; of its depth updates those that the book can follow."""
        depth = np.flatnonzero(block.frames["kind"] == DEPTH)
        used = block.frames["kind"] != DEPTH
        previous, last = block.frames["previous"][depth], block.frames["last"][depth]
        start = at = 0
        while True:
            follows = self._joiner.follow(previous[at:], last[at:])
            used[depth[at : at + follows]] = True
            at += follows
            if at == len(depth):
                break
            k = int(depth[at])
            joined = self._joiner.update(DepthUpdate(int(previous[at]), int(last[at]), block.one(k)))
            at += 1
            match joined:
                case Joined.APPLY:
                    used[k] = True
                case Joined.OLD:
                    self._counts["depth_updates_older_than_snapshot"] += 1
                case Joined.HELD:
                    self._counts["depth_updates_held"] += 1
                case Joined.GAP:
                    self._counts["gaps"] += 1
                    self._emit(block, used, start, k)
                    self._pieces.append(_gap_events(block.frames[k]))
                    start = k
        self._emit(block, used, start, len(used))

    def _emit(self, block: FrameBlock, used: np.ndarray, start: int, stop: int) -> None:
        self._pieces.append(block_events(block._replace(frames=block.frames[start:stop]), used[start:stop]))

    def _snapshot(self, frame: Frame) -> None:
        self._counts["snapshots"] += 1
        last_id = whole_number(frame.body, "lastUpdateId")
        block = snapshot_block(frame, last_id)
        follows = self._joiner.joined
        newer = self._joiner.snapshot(last_id)
        if newer is None:
            self._counts["snapshots_not_needed" if follows else "snapshots_not_joined"] += 1
            return
        self._pieces.append(block_events(block, np.ones(1, bool)))
        for update in newer:
            update.levels.frames["receive_ns"] = frame.receive_ns
            self._pieces.append(block_events(update.levels, np.ones(1, bool)))
        self._counts["depth_updates_newer_than_snapshot"] += len(newer)

    def _latency_findings(self) -> list[Finding]:
        latency = np.concatenate([*self._latency_ns, np.zeros(0, np.int64)])
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


def _gap_events(frame: np.void) -> np.ndarray:
    """A halt around a CLEAR: nothing is known of the book until the next snapshot."""
    events = np.zeros(3, EVENT_DTYPE)
    events["kind"] = EventKind.HALT, EventKind.CLEAR, EventKind.RESUME
    events["flags"] = _LAST
    events["exchange_time_ns"], events["receive_time_ns"] = frame["time_ns"], frame["receive_ns"]
    events["sequence"], events["row"] = frame["last"], frame["row"]
    return events


def _divisor(values: np.ndarray) -> int:
    return max(int(np.gcd.reduce(values)), 1)


def _instrument(venue: str, symbol: str, tick_size: float, lot_size: float) -> Instrument:
    contract_usd = 100.0 if symbol.startswith("BTC") else 10.0
    return Instrument(
        symbol=symbol,
        venue=venue,
        market="crypto",
        asset_class=AssetClass.SPOT_CRYPTO if venue == SPOT else AssetClass.PERPETUAL,
        currency=quote_currency(symbol, venue),
        tick_size=tick_size,
        lot_size=lot_size,
        hours=ALWAYS_OPEN,
        multiplier=contract_usd if venue == COIN_M else 1.0,
        inverse=venue == COIN_M,
    )
