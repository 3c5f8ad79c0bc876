"""Captures of raw frames of trading venues as sessions, one a symbol (`data/feeds` has the protocols).

Books by price give LEVEL events, books by order ADD, MODIFY, FILL and DELETE; prints and best quotes beside them. Tick
and lot are the coarsest usual steps that divide all that the capture holds of a symbol: 1, 2, 2.5 or 5 times a power
of ten, a power of ten for lots; the few prints of a quiet symbol may have any divisor in common. The events of the
captures that are read together are held in memory: all symbols of a connection come mixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from footprint.book.replay import book_kind, views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import clock_findings
from footprint.data.clock_repair import raised_clock
from footprint.data.feeds.capture import Capture, captures, is_capture
from footprint.data.feeds.normaliser import FeedReport, Normaliser
from footprint.data.feeds.protocols import PROTOCOLS, protocol
from footprint.data.feeds.wire import RawFrame, WireProtocol
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding, counted
from footprint.errors import DataRefused, UsageError
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind, event_time_ns
from footprint.market.instruments import AssetClass, Instrument
from footprint.units import NS_PER_SECOND

MAX_QUARANTINED_SHARE = 0.5  # beyond this the capture is of another protocol

_TICK_DIGITS, _LOT_DIGITS = (1, 2, 5, 25), (1,)
_PEEK_FRAMES = 200  # subscriptions come first
_BOOK_VOID = (Analysis.BOOK, Analysis.DEPTH)
_NO_BOOK = (EventKind.TRADE, EventKind.QUOTE)
_DATED = re.compile(r"_\d{6}$|-\d{6}$|[FGHJKMNQUVXZ]\d\d$")
_OPTION = re.compile(r"-[CP]$")
_DERIVATIVES = ("binance-usdm", "binance-coinm", "bitmex", "bybit", "deribit", "dydx", "kraken-futures", "lighter")
_INVERSE_DOLLAR = re.compile(r"(PI|FI)_")  # Kraken Futures: contracts of one dollar


class FramesReader:
    """All files of a venue in one folder are one capture; one session a symbol."""

    name = "frames"

    def recognise(self, path: Path) -> bool:
        """True for the first bytes of a capture or of a recording."""
        return is_capture(path)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; the files of a capture share its findings and its name."""
        verdicts = []
        for path in paths:
            try:
                captures([path])
            except DataRefused as error:
                verdicts.append(FileVerdict(path, self.name, "", (Finding.of_refusal(error),)))
        broken = {verdict.path for verdict in verdicts}
        order = {path: number for number, path in enumerate(paths)}
        for capture in captures([path for path in paths if path not in broken]):
            try:
                findings, symbols, counts = _judge(_read(capture))
            except DataRefused as error:
                findings, symbols, counts = [Finding.of_refusal(error)], "", {}
            verdicts += [
                FileVerdict(path, self.name, symbols, tuple(findings), counts, capture.name) for path in capture.files
            ]
        return sorted(verdicts, key=lambda verdict: order[verdict.path])

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a symbol, in order of symbol and time.

        Raises:
            DataRefused: a file is damaged, of no known protocol, or mostly of frames that its protocol does not allow.
        """
        feeds = [_read(capture) for capture in captures(paths)]
        found = [
            (symbol, int(event_time_ns(feed.events[symbol][:1])[0]), n)
            for n, feed in enumerate(feeds)
            for symbol in feed.events
        ]
        for symbol, _, number in sorted(found):
            yield _session(feeds[number], symbol)


@dataclass
class _Feed:
    """A capture that has been read: events in the units of the normaliser, by symbol."""

    capture: Capture
    protocol: WireProtocol
    events: dict[str, np.ndarray]
    units: dict[str, tuple[int, int]]
    report: FeedReport
    findings: list[Finding] = field(default_factory=list)


def _read(capture: Capture) -> _Feed:
    normaliser = Normaliser(_protocol(capture))
    parts: dict[str, list[np.ndarray]] = {}
    for frame in capture:
        for symbol, events in normaliser.take(frame):
            parts.setdefault(symbol, []).append(events)
    report = normaliser.report()
    quarantined, taken = report.counts.get("quarantined", 0), report.counts.get("received", 0)
    if quarantined > MAX_QUARANTINED_SHARE * (quarantined + taken) or not parts:
        first = report.quarantined[0] if report.quarantined else None
        raise DataRefused(
            f"not frames of {normaliser.protocol.name}" if first else "no market data",
            path=capture.files[0],
            row=first.frame.row if first else None,
            found=first.reason if first else None,
            allowed="books, prints or quotes",
        )
    whole = {symbol: np.concatenate(parts.pop(symbol)) for symbol in sorted(parts)}
    units = {symbol: normaliser.units(symbol) for symbol in whole}
    feed = _Feed(capture, normaliser.protocol, whole, units, report)
    for symbol, mine in whole.items():
        if (mine["receive_time_ns"] == UNKNOWN_TIME).all():
            known_ns = _filled(mine["exchange_time_ns"])
            time_ns, found = raised_clock(known_ns, f"{symbol} exchange", capture.files[0], mine["row"])
            mine["exchange_time_ns"] = time_ns
            feed.findings += found
    return feed


def _filled(time_ns: np.ndarray) -> np.ndarray:
    """A message without a time (many snapshots) has that of the one before it, at the beginning that of the first."""
    known = np.flatnonzero(time_ns != UNKNOWN_TIME)
    if not len(known):
        return time_ns
    newest = np.searchsorted(known, np.arange(len(time_ns)), side="right") - 1
    return time_ns[known[np.maximum(newest, 0)]]


def _protocol(capture: Capture) -> WireProtocol:
    """By the name in a recording's header, else the first protocol that knows one of the first frames.

    Raises:
        DataRefused: no protocol does.
    """
    if capture.protocol:
        try:
            return protocol(capture.protocol)
        except UsageError as error:
            raise DataRefused(str(error), path=capture.files[0], row=1, field="protocol") from None
    first: list[RawFrame] = list(islice(iter(capture), _PEEK_FRAMES))
    for known in PROTOCOLS:
        if any(known.recognise(frame) for frame in first):
            return known
    found = first[0].origin if first else "no frame"
    allowed = ", ".join(sorted({known.venue for known in PROTOCOLS}))
    raise DataRefused("unknown venue", path=capture.files[0], found=found, allowed=allowed)


def _session(feed: _Feed, symbol: str) -> Session:
    events = feed.events.pop(symbol)
    price_units, size_units = feed.units[symbol]
    tick, lot = _step(events["price_ticks"], _TICK_DIGITS), _step(events["size_lots"], _LOT_DIGITS)
    events["price_ticks"] //= tick
    events["size_lots"] //= lot
    times = event_time_ns(events)
    first_ns, last_ns = int(times[0]), int(times[-1])
    return Session(
        instrument=instrument(feed.protocol.venue, symbol, tick / price_units, lot / size_units),
        day=datetime.fromtimestamp(first_ns // NS_PER_SECOND, UTC).date(),
        events=events,
        open_ns=first_ns,
        close_ns=last_ns,
        source=FramesReader.name,
        counts=feed.report.symbols[symbol],
        paths=feed.capture.files,
    )


def instrument(venue: str, symbol: str, tick_size: float, lot_size: float) -> Instrument:
    """What the venue's name for it says; sizes of derivatives are contracts.

    Kraken Futures PI and FI are inverse, one dollar a contract; Bybit 2, BitMEX and Deribit as `data.crypto_pairs`.
    The value of an OKX contract is in no frame of the market: its multiplier is 1.
    """
    known = crypto_instrument(symbol, venue, tick_size, lot_size)
    kind = AssetClass.SPOT_CRYPTO
    if _OPTION.search(symbol):
        kind = AssetClass.OPTION
    elif _DATED.search(symbol):
        kind = AssetClass.FUTURE
    elif venue in _DERIVATIVES or symbol.endswith("-SWAP"):
        kind = AssetClass.PERPETUAL
    inverse = known.inverse or (venue == "kraken-futures" and _INVERSE_DOLLAR.match(symbol) is not None)
    pair = re.split(r"[/:-]", symbol)
    currency = known.currency or (pair[1] if len(pair) > 1 else "")
    if currency == "TUSD" and not venue.startswith("binance"):
        currency = "USD"  # BFTUSD, USDTUSD: only Binance quotes in TUSD
    if kind is AssetClass.OPTION:
        inverse, currency = False, pair[0]  # quoted and settled in the coin
    return replace(known, asset_class=kind, inverse=inverse, currency=currency)


def _step(values: np.ndarray, digits: Sequence[int]) -> int:
    """The coarsest of these digits times a power of ten that divides every value; 1 when all are 0."""
    divisor = int(np.gcd.reduce(values))
    if divisor == 0:
        return 1
    steps = [digit * 10**power for power in range(len(str(divisor))) for digit in digits]
    return max(step for step in steps if divisor % step == 0)


def _judge(feed: _Feed) -> tuple[list[Finding], str, dict[str, int]]:
    findings = [*_frame_findings(feed), *_gap_findings(feed), *feed.findings]
    for symbol, events in feed.events.items():
        findings += _symbol_findings(symbol, events, feed.report.symbols[symbol])
    together = np.concatenate(list(feed.events.values()))
    together = together[np.argsort(together["receive_time_ns"], kind="stable")]
    findings += [f for f in clock_findings(together) if f.code != "exchange_clock_back"]
    return findings, ",".join(feed.events), feed.report.counts


def _frame_findings(feed: _Feed) -> list[Finding]:
    counts, capture = feed.report.counts, feed.capture
    findings = [Finding("cut_off", f"{cut}: the recorder was stopped in the middle", voids=()) for cut in capture.cuts]
    if capture.clock_steps_back:
        text = f"the recorder's clock goes back at {capture.clock_steps_back} frames: they got the time before them"
        findings.append(Finding("clock_repaired", text, capture.clock_steps_back))
    if feed.report.quarantined:
        frame, reason = feed.report.quarantined[0]
        text = (
            f"{counts['quarantined']} frames that {feed.protocol.name} does not allow, first row {frame.row}: {reason}"
        )
        findings.append(Finding("quarantined", text, counts["quarantined"], voids=(Analysis.LAW,)))
    for code, what in (
        ("error", "errors of the venue"),
        ("past_trade", "prints of before the connection, dropped"),
        ("frames_out_of_order", "frames whose number in the connection came before"),
    ):
        if counts.get(code):
            findings.append(Finding(code, counted(counts[code], what), counts[code]))
    return findings


def _gap_findings(feed: _Feed) -> list[Finding]:
    gaps = feed.report.gaps
    if not gaps:
        return []
    missing = sum(max(gap.missing, 0) for gap in gaps if gap.reason == "missing ids")
    missing += feed.report.counts.get("frames_missing", 0)
    count = max(feed.report.counts.get("gaps", 0), len(gaps))
    first = gaps[0]
    where = f"{first.symbol or 'connection'} row {first.row}"
    text = f"{count} holes, {missing} ids known to be missing; first {where}: {first.reason}, from {first.from_id} to "
    text += f"{first.to_id}; the book is void from each to the next snapshot"
    return [Finding("gap", text, count, voids=_BOOK_VOID)]


_COUNTED = (
    ("duplicates", "messages came twice, the second is dropped"),
    ("out_of_order", "messages came after a later one"),
    ("unknown_deletes", "deletes of what is not in the book"),
    ("unknown_changes", "changes of what is not in the book"),
    ("unknown_fills", "prints against orders that are not in the book"),
    ("orders_without_price", "orders without a price of this currency, dropped"),
    ("entries_overtaken", "entries older than what their price last had, dropped"),
    ("snapshots_not_joined", "snapshots older than the first held update: of no use"),
    ("sizes_rounded", "sizes rounded to the nearest 1e-4"),
)


def _symbol_findings(symbol: str, events: np.ndarray, counts: dict[str, int]) -> list[Finding]:
    findings = [
        Finding(code, f"{symbol}: {counted(counts[code], what)}", counts[code])
        for code, what in _COUNTED
        if counts.get(code)
    ]
    book = events[~np.isin(events["kind"], _NO_BOOK)]
    if len(book):
        whole = book["flags"] & EventFlag.LAST != 0
        found = views(book, book_kind(book))[whole]
        findings += book_findings(found, book["row"][whole], f"{symbol} book", _BOOK_VOID)
    elif counts.get("updates") or counts.get("snapshots"):
        findings.append(Finding("no_snapshot", f"{symbol}: no snapshot that joins the updates", voids=_BOOK_VOID))
    else:
        quoted = (events["kind"] == EventKind.QUOTE).any()
        text = f"{symbol}: {'best quotes only' if quoted else 'prints only'}, no book"
        findings.append(Finding("no_book", text, voids=_BOOK_VOID))
    if not (events["kind"] == EventKind.TRADE).any():
        void = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
        findings.append(Finding("no_trades", f"{symbol}: no trades", voids=void))
    return findings
