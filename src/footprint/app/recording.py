"""One recording for `footprint record`: venue by name, connector, folder, signals, display, report."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.protocols import PROTOCOLS
from footprint.data.feeds.protocols.ccxt_frames import CcxtFrames
from footprint.data.feeds.wire import WireProtocol
from footprint.errors import UsageError
from footprint.live.connection import Connector, Fetch
from footprint.live.folder import RecordingFolder
from footprint.live.http import fetch
from footprint.live.recorder import Recorder, RecorderSettings
from footprint.live.report import recording_report

if TYPE_CHECKING:
    from rich.table import Table

CCXT = "ccxt:"
SHOW_S = 1.0
FLUSH_S = 10.0
LINE_S = 10.0  # between two lines of a display that is no terminal

# where a venue has several protocols: the one that a new recording uses, orders (L3) before prices (L2)
_PREFERRED = {
    "bitfinex": "bitfinex-2-raw",
    "bitstamp": "bitstamp-2-orders",
    "bybit": "bybit-5",
    "coinbase": "coinbase-1",  # the full channel asks for a key since 2023
    "kraken": "kraken-2",
}
# protocols that can be read from captures but not connected to: the venue closed it, or wants a token by POST first
_CAPTURES_ONLY = ("bybit-2", "dydx-3", "kucoin-1", "lighter-1")


@dataclass(frozen=True, slots=True)
class Source:
    """A venue and how it is met."""

    protocol: WireProtocol
    connector: Connector
    fetch: Fetch = fetch


def live_venues() -> dict[str, str]:
    """Name of the protocol by venue, for venues with a protocol of our own."""
    found: dict[str, str] = {}
    for known in PROTOCOLS:
        if known.name not in _CAPTURES_ONLY:
            found.setdefault(known.venue, known.name)
    return found | {venue: name for venue, name in _PREFERRED.items() if venue in found}


def source_of(venue: str) -> Source:
    """A venue by its name ("kraken"), the name of a protocol ("kraken-1"), or through ccxt ("ccxt:gate").

    Raises:
        UsageError: nobody knows the venue, or the library that it needs is not installed.
    """
    name = live_venues().get(venue, venue)
    for known in PROTOCOLS:
        if known.name == name and name not in _CAPTURES_ONLY:
            from footprint.adapters.websockets_connection import WebsocketConnector

            return Source(known, WebsocketConnector())
    if venue.startswith(CCXT):
        from footprint.adapters.ccxt_feed import CcxtConnector, ccxt_exchanges

        exchange = venue.removeprefix(CCXT)
        if exchange in ccxt_exchanges():
            return Source(CcxtFrames(exchange), CcxtConnector())
        raise UsageError(f"ccxt does not stream {exchange!r}, known: {', '.join(ccxt_exchanges())}")
    raise UsageError(f"no venue {venue!r}, known: {', '.join(sorted(live_venues()))}, or ccxt:NAME of any other")


def default_folder(venue: str) -> Path:
    """recordings/VENUE-20260102T030405Z."""
    return Path("recordings", f"{venue.replace(':', '-')}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")


class Display(Protocol):
    """Shows a recording while it runs."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, recorder: Recorder) -> None:
        """Called every second."""
        ...


def record(
    source: Source,
    symbols: list[str],
    folder: Path,
    duration_s: float | None,
    seed: int,
    display: Display,
    settings: RecorderSettings | None = None,
) -> tuple[dict[str, Any], int]:
    """Record until the duration is over or a signal comes; what was received by then is on disk.

    Returns:
        The report, and the signal that ended the recording (0 for none).

    Raises:
        UsageError: the folder holds something, or the venue cannot be reached.
    """
    return asyncio.run(_record(source, symbols, folder, duration_s, seed, display, settings))


async def _record(
    source: Source,
    symbols: list[str],
    folder: Path,
    duration_s: float | None,
    seed: int,
    display: Display,
    settings: RecorderSettings | None,
) -> tuple[dict[str, Any], int]:
    normaliser = Normaliser(source.protocol)
    sink = RecordingFolder(folder, source.protocol, normaliser.units)
    generator = np.random.default_rng(seed)
    recorder = Recorder(normaliser, symbols, source.connector, source.fetch, sink, generator, settings)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    ended = _Ended(stop)
    if duration_s is not None:
        loop.call_later(duration_s, ended.by_duration)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.by_signal, number)
    try:
        with display:
            await recorder.run(stop, _watcher(sink, display))
    except BaseException:
        if not recorder.counts["connections"]:
            sink.discard()
        raise
    finally:
        if not sink.discarded:
            sink.close(recording_report(recorder, ended.why))
    return recording_report(recorder, ended.why), ended.signal


class _Ended:
    """Why a recording ended."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self.why = "failure"
        self.signal = 0

    def by_duration(self) -> None:
        self._end("duration")

    def by_signal(self, number: signal.Signals) -> None:
        self.signal = int(number)
        self._end(number.name)

    def _end(self, why: str) -> None:
        self.why = why
        self._stop.set()


def _watcher(sink: RecordingFolder, display: Display) -> Callable[[Recorder], None]:
    """Shows the recorder every second and flushes every ten."""
    loop = asyncio.get_running_loop()
    shown_s = flushed_s = loop.time()

    def watch(recorder: Recorder) -> None:
        nonlocal shown_s, flushed_s
        if loop.time() - shown_s >= SHOW_S:
            shown_s = loop.time()
            display.show(recorder)
        if loop.time() - flushed_s >= FLUSH_S:
            flushed_s = loop.time()
            sink.flush(recording_report(recorder, ""))

    return watch


class TerminalDisplay:
    """A table that changes in place, on stderr."""

    def __enter__(self) -> TerminalDisplay:
        """Start the live table."""
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), refresh_per_second=4)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last table on the screen."""
        self._live.stop()

    def show(self, recorder: Recorder) -> None:
        """The status now."""
        self._live.update(status_table(recording_report(recorder, "")))


class LineDisplay:
    """A line every ten seconds, on stderr."""

    def __enter__(self) -> LineDisplay:
        """Nothing was said yet."""
        self._said_ns = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def show(self, recorder: Recorder) -> None:
        """Say a line when the last one is old."""
        if recorder.now_ns - self._said_ns >= LINE_S * 1e9:
            self._said_ns = recorder.now_ns
            print(status_line(recording_report(recorder, "")), file=sys.stderr, flush=True)


def display_on_stderr() -> Display:
    """Live on a terminal, plain lines elsewhere."""
    return TerminalDisplay() if sys.stderr.isatty() else LineDisplay()


def status_line(report: dict[str, Any]) -> str:
    """For example: kraken: 12.0 s, 5,310 frames, 2 of 2 books good, 1 gap, 0 quarantined, 1 connection."""
    seconds = (report["until_ns"] - report["started_ns"]) / 1e9
    counts, symbols = report["counts"], report["symbols"].values()
    good = sum(symbol["book"] == "good" for symbol in symbols)
    return (
        f"{report['venue']}: {seconds:.1f} s, {counts.get('frames', 0):,} frames, {good} of {len(symbols)} books good, "
        f"{counts.get('gaps', 0)} gaps, {counts.get('quarantined', 0)} quarantined, "
        f"{counts.get('connections', 0)} connections"
    )


def status_table(report: dict[str, Any]) -> Table:
    """One row a symbol, the whole recording in the title."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(status_line(report)), title_justify="left")
    for heading in ("symbol", "book", "events", "trades", "gaps", "void", "crossed", "last", "delay"):
        table.add_column(heading, justify="left" if heading in ("symbol", "book") else "right")
    colours = {"good": "green", "void": "red", "none": "dim"}
    for name, symbol in report["symbols"].items():
        counts, delay_ms = symbol["counts"], symbol["latency"]["median_ms"]
        table.add_row(
            escape(name),
            f"[{colours[symbol['book']]}]{symbol['book']}{', silent' if symbol['silent'] else ''}",
            f"{symbol['events']:,}",
            f"{counts.get('trades', 0):,}",
            f"{counts.get('gaps', 0):,}",
            f"{symbol['voids']:,}",
            f"{counts.get('crossed_messages', 0):,}",
            f"{(report['until_ns'] - symbol['heard_ns']) / 1e9:.1f} s",
            "-" if delay_ms is None else f"{delay_ms:,.0f} ms",
        )
    return table
