"""Records one venue: keeps a connection, writes every raw frame, turns frames into events, heals the books.

Two tasks share a bounded queue. The receiver takes frames off the line and stamps them with the local time; the
consumer writes each to the recording, feeds the normaliser, writes the events and audits them. What the consumer sees
is exactly what the recording holds, in the same order: replaying the recording gives the same events.

What can go wrong, and what happens:

- the line breaks, or nothing comes for `idle_s`: DISCONNECTED, wait (backoff with jitter), connect again;
- the consumer falls behind and the queue is full: frames are being lost, so the connection is given up on purpose; what
  waits is still processed, then DISCONNECTED voids the books and a new connection starts with new snapshots;
- a hole in a book: the normaliser voids it and asks for a snapshot, which is fetched or subscribed anew, with backoff;
- a frame that the protocol does not allow: the normaliser puts it aside with its bytes, the feed goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.wire import FrameKind, RawFrame, Request
from footprint.errors import UsageError
from footprint.live.audit import MAX_LISTED, RunningAudit
from footprint.live.backoff import Backoff, BackoffSettings
from footprint.live.connection import Arrived, Connection, ConnectionLost, Connector, Fetch
from footprint.live.frame_queue import FrameQueue
from footprint.live.keepalive import KEEPALIVE_FRAMES
from footprint.units import NS_PER_SECOND

_FRAMES_A_TURN = 8  # frames that the consumer takes before the receiver has its turn again


class CannotConnect(UsageError):
    """The venue could not be reached even once; the text names the address and the cause."""


class Sink(Protocol):
    """Where a recording goes."""

    def frame(self, frame: RawFrame) -> None:
        """One raw frame."""
        ...

    def events(self, symbol: str, events: np.ndarray) -> None:
        """The events of one symbol that the last frame caused."""
        ...


class Incident(NamedTuple):
    """Something that happened to the recorder itself; holes of the feed are in the normaliser's report.

    Attributes:
        kind: "disconnected", "queue_full", "idle", "cannot_connect", "snapshot_failed", "silent".
        symbol: empty for the whole connection.
        time_ns: local time, ns UTC.
    """

    kind: str
    symbol: str
    time_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """When the recorder loses patience.

    Attributes:
        max_waiting_frames, max_waiting_bytes: frames that wait for the consumer before the connection is given up.
        idle_s: silence of the whole connection after which it counts as broken.
        silent_s: silence of one symbol that is reported.
        steady_s: a connection that held this long resets the backoff.
        resubscribe_after_s: how long a new connection may take to give every book before snapshots are asked for.
        tick_s: how often the patience is checked.
        keepalive_s: how often a venue that wants to hear from us does (`keepalive`).
        concurrent_requests: REST requests at a time.
        reconnect, snapshot: waits between attempts.
    """

    max_waiting_frames: int = 50_000
    max_waiting_bytes: int = 256 << 20
    idle_s: float = 30.0
    silent_s: float = 120.0
    steady_s: float = 30.0
    resubscribe_after_s: float = 5.0
    tick_s: float = 0.25
    keepalive_s: float = 15.0
    concurrent_requests: int = 2
    reconnect: BackoffSettings = field(default_factory=BackoffSettings)
    snapshot: BackoffSettings = field(default_factory=lambda: BackoffSettings(longest_s=30.0, shortest_s=0.5))


@dataclass
class _Asking:
    """The requests for a snapshot of one symbol."""

    backoff: Backoff
    not_before_s: float = 0.0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Recorder:
    """One run of one venue.

    Args:
        symbols: in the venue's own spelling.
        generator: for the jitter and the latency sample.
        clock_ns: local wall clock; stamps never go back, a step back of the clock is counted and waited out.
    """

    def __init__(
        self,
        normaliser: Normaliser,
        symbols: Sequence[str],
        connector: Connector,
        fetch: Fetch,
        sink: Sink,
        generator: np.random.Generator,
        settings: RecorderSettings | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.normaliser, self.protocol, self.symbols = normaliser, normaliser.protocol, tuple(symbols)
        self.settings = settings or RecorderSettings()
        self.counts: Counter[str] = Counter()
        self.incidents: list[Incident] = []
        self._connector, self._fetch, self._sink, self._generator = connector, fetch, sink, generator
        self._clock_ns, self._stamped_ns = clock_ns, 0
        self.started_ns = self._stamp()
        self._requested = tuple(symbol.upper() for symbol in symbols)
        # a venue that is not asked by REST greets every subscriber with a snapshot: asking at once would be twice
        self._snapshots_come_by_themselves = not any(self.protocol.snapshot(symbol).url for symbol in symbols)
        self.audit = RunningAudit(self._requested, self.started_ns, generator)
        self.queue = FrameQueue(self.settings.max_waiting_frames, self.settings.max_waiting_bytes)
        self._reconnect = Backoff(self.settings.reconnect, generator)
        self._asking: dict[str, _Asking] = {}
        self._requests = asyncio.Semaphore(self.settings.concurrent_requests)
        self._connection: Connection | None = None
        self._connected_s = self._heard_s = self._spoke_s = 0.0
        self._row = 0

    @property
    def connected(self) -> bool:
        """True while a connection is open."""
        return self._connection is not None

    @property
    def now_ns(self) -> int:
        """Local time of the newest stamp, ns UTC."""
        return self._stamped_ns

    async def run(self, stop: asyncio.Event, watch: Callable[[Recorder], None] | None = None) -> None:
        """Record until `stop` is set; everything that was received by then is processed.

        Args:
            watch: called with the recorder every `tick_s`, for a display and for flushing.

        Raises:
            CannotConnect: the first attempt failed; nothing was recorded.
            OSError: the sink could not write.
        """
        connection = await self._first_connection(stop)
        if connection is None:
            return
        consumer = asyncio.create_task(self._consume())
        others = [
            asyncio.create_task(self._stay_connected(connection)),
            asyncio.create_task(self._tick(watch)),
            asyncio.create_task(stop.wait()),
        ]
        try:
            await asyncio.wait([consumer, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            others += [asking.task for asking in self._asking.values() if asking.task]
            for task in others:
                task.cancel()
            ended = await asyncio.gather(*others, return_exceptions=True)
            # no DISCONNECTED: nothing was lost, the recording just ends
            self.queue.close()
            await consumer
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _first_connection(self, stop: asyncio.Event) -> Connection | None:
        """None when `stop` came first."""
        connecting = asyncio.ensure_future(self._connector.connect(self.protocol.url))
        stopping = asyncio.create_task(stop.wait())
        either: list[asyncio.Future[Any]] = [connecting, stopping]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return connecting.result() if connecting.done() else None
        except ConnectionLost as error:
            raise CannotConnect(f"cannot connect to {error}") from None
        finally:
            for task in either:
                task.cancel()

    async def _stay_connected(self, connection: Connection) -> None:
        while True:
            reason = await self._use(connection)
            self._disconnected(reason)
            # a consumer that is behind would lose the next connection the same way
            await self.queue.drained()
            connection = await self._connect_again()

    async def _use(self, connection: Connection) -> str:
        """Receive until the connection ends; why it did."""
        loop = asyncio.get_running_loop()
        self._connection = connection
        self._connected_s = self._heard_s = self._spoke_s = loop.time()
        self._put(FrameKind.CONNECTED, b"")
        self.counts["connections"] += 1
        try:
            for payload in self.protocol.subscribe(self.symbols):
                await self._send(payload)
            while True:
                arrived = await connection.receive()
                self._heard_s = loop.time()
                if not self.queue.offer(self._received(arrived)):
                    return self._overflowed()
        except ConnectionLost as lost:
            return str(lost)
        finally:
            if loop.time() - self._connected_s >= self.settings.steady_s:
                self._reconnect.reset()
            await connection.close()

    async def _connect_again(self) -> Connection:
        while True:
            await asyncio.sleep(self._reconnect.next_s())
            try:
                return await self._connector.connect(self.protocol.url)
            except ConnectionLost as error:
                self._note("cannot_connect", "", str(error))

    def _overflowed(self) -> str:
        reason = f"queue full: {len(self.queue)} frames, {self.queue.waiting_bytes} bytes wait; what follows is lost"
        self._note("queue_full", "", reason)
        return reason

    def _disconnected(self, reason: str) -> None:
        self._connection = None
        for asking in self._asking.values():
            if asking.task:
                asking.task.cancel()
        self._asking.clear()
        self._note("disconnected", "", reason)
        self._put(FrameKind.DISCONNECTED, reason.encode())

    async def _consume(self) -> None:
        while True:
            for _ in range(_FRAMES_A_TURN):
                frame = await self.queue.get()
                if frame is None:
                    return
                self._process(frame)
            await asyncio.sleep(0)

    def _process(self, frame: RawFrame) -> None:
        self._row += 1
        frame = frame._replace(row=self._row)
        self._sink.frame(frame)
        for symbol, events in self.normaliser.take(frame):
            self._sink.events(symbol, events)
            self.audit.take(symbol, events)

    async def _tick(self, watch: Callable[[Recorder], None] | None) -> None:
        settings = self.settings
        while True:
            await asyncio.sleep(settings.tick_s)
            if self._connection is not None:
                await self._mind_connection(self._connection)
                self._ask_for_snapshots()
            for silent in self.audit.newly_silent(self._stamp(), int(settings.silent_s * NS_PER_SECOND)):
                self._note("silent", silent.symbol, f"nothing for {settings.silent_s:g} s")
            if watch is not None:
                watch(self)

    async def _mind_connection(self, connection: Connection) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._heard_s > self.settings.idle_s:
            self._note("idle", "", f"nothing for {self.settings.idle_s:g} s")
            await connection.close()
            return
        keepalive = KEEPALIVE_FRAMES.get(self.protocol.venue)
        if keepalive and now_s - self._spoke_s > self.settings.keepalive_s:
            await self._try_to_send(keepalive)

    def _ask_for_snapshots(self) -> None:
        """One request for every book that waits; books that are healed by the same request share it."""
        now_s = asyncio.get_running_loop().time()
        for asking in self._asking.values():
            if asking.task is not None and asking.task.done():
                asking.task.result()  # it failed otherwise than by a lost line: end now, or its book waits for ever
        waiting = self._waiting(now_s)
        for symbol in self._asking.keys() - waiting:
            if not self._asking[symbol].task:
                del self._asking[symbol]
        requests: dict[Request, list[str]] = {}
        for symbol in sorted(waiting):
            asking = self._asking.setdefault(symbol, _Asking(Backoff(self.settings.snapshot, self._generator)))
            if asking.task is None and now_s >= asking.not_before_s:
                requests.setdefault(self.protocol.snapshot(symbol), []).append(symbol)
        for request, symbols in requests.items():
            task = asyncio.create_task(self._ask(request, symbols))
            for symbol in symbols:
                self._asking[symbol].task = task

    def _waiting(self, now_s: float) -> set[str]:
        """Books that need a snapshot: those with a hole, and those of which nothing good has come in a while."""
        waiting = set(self.normaliser.needs_snapshot())
        if now_s - self._connected_s >= self.settings.resubscribe_after_s:
            waiting |= {symbol for symbol in self._requested if not self.normaliser.follows(symbol)}
        elif self._snapshots_come_by_themselves:
            waiting.clear()
        return waiting

    async def _ask(self, request: Request, symbols: Sequence[str]) -> None:
        self.counts["snapshot_requests"] += 1
        if request.url:
            await self._get(", ".join(symbols), request.url)
        for payload in request.frames:
            await self._try_to_send(payload)
        for symbol in symbols:
            asking = self._asking[symbol]
            asking.not_before_s = asyncio.get_running_loop().time() + asking.backoff.next_s()
            asking.task = None

    async def _get(self, symbol: str, url: str) -> None:
        try:
            async with self._requests:
                body = await self._fetch(url)
        except ConnectionLost as error:
            self._note("snapshot_failed", symbol, str(error))
        else:
            self._put(FrameKind.RESPONSE, body, url)

    async def _try_to_send(self, payload: bytes) -> None:
        """Send unless the connection has just ended, which the receiver notices itself."""
        try:
            await self._send(payload)
        except ConnectionLost:
            return

    async def _send(self, payload: bytes) -> None:
        if self._connection is None:
            raise ConnectionLost("not connected")
        await self._connection.send(payload)
        self._spoke_s = asyncio.get_running_loop().time()
        self._put(FrameKind.SENT, payload)

    def _received(self, arrived: Arrived) -> RawFrame:
        origin = arrived.origin or self.protocol.url
        return RawFrame(0, self._stamp(), FrameKind.RECEIVED, arrived.payload, origin)

    def _put(self, kind: FrameKind, payload: bytes, origin: str = "") -> None:
        self.queue.put(RawFrame(0, self._stamp(), kind, payload, origin or self.protocol.url))

    def _stamp(self) -> int:
        """Local time that never goes back."""
        now_ns = self._clock_ns()
        if now_ns < self._stamped_ns:
            self.counts["clock_stepped_back"] += 1
        self._stamped_ns = max(now_ns, self._stamped_ns)
        return self._stamped_ns

    def _note(self, kind: str, symbol: str, text: str) -> None:
        self.counts[kind] += 1
        if len(self.incidents) < MAX_LISTED:
            self.incidents.append(Incident(kind, symbol, self._stamp(), text))
