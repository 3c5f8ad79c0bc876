"""A local venue: plays recorded frames over a real WebSocket under a fault script, and answers for fresh snapshots.

It keeps the clean book of every symbol at every position, out of the protocol's own decoding and in a plain dict, and a
list of everything that did not reach the client.
"""

from __future__ import annotations

import asyncio
import http
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from fault_scripts import FaultScript
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from footprint.data.feeds.messages import BookMessage
from footprint.data.feeds.wire import WireProtocol

FRAME_S = 0.02  # virtual time between two frames of the venue


@dataclass
class PlainBook:
    """A book as a dict: (side, price) -> size, or order id -> (side, price, size)."""

    by_order: bool
    last_id: int = -1
    entries: dict[Any, Any] = field(default_factory=dict)

    def start(self, message: BookMessage) -> None:
        self.entries.clear()
        self.last_id = -1
        self.apply(message)

    def apply(self, message: BookMessage) -> None:
        for level in message.levels:
            if -1 < level.sequence <= self.last_id:
                continue
            if self.by_order:
                self._order(level)
            elif level.price:
                key = (level.side, level.price)
                if level.size:
                    self.entries[key] = level.size
                else:
                    self.entries.pop(key, None)
        self.last_id = max(self.last_id, message.last_id)
        if message.depth:
            for side in (1, -1):
                prices = sorted((p for s, p in self.entries if s == side), reverse=side > 0)
                for price in prices[message.depth :]:
                    del self.entries[side, price]

    def _order(self, level: Any) -> None:
        known = self.entries.get(level.order_id)
        if not level.size:
            self.entries.pop(level.order_id, None)
        elif level.size < 0:
            side, price, size = self.entries.pop(level.order_id, (0, 0, 0))
            if size + level.size > 0:
                self.entries[level.order_id] = (side, price, size + level.size)
        elif known is not None or (level.side and level.price):
            side, price = (known or (0, 0, 0))[:2]
            self.entries[level.order_id] = (level.side or side, level.price or price, level.size)

    def side(self, side: int) -> list[tuple[int, int]]:
        """Price and size of the levels of one side, best first."""
        return sorted(((p, size) for (s, p), size in self.entries.items() if s == side), reverse=side > 0)


class TapeFrame(NamedTuple):
    """One frame of the venue and the book messages in it; a frame without any is a print, a quote or a control."""

    payload: bytes
    messages: tuple[BookMessage, ...]


class Tape(NamedTuple):
    """What the venue does: the books at the start and the frames from there on."""

    start: dict[str, BookMessage]
    frames: list[TapeFrame]

    def droppable(self) -> list[int]:
        """Positions of book frames that a later frame of each of their symbols follows soon enough."""
        seen: set[str] = set()
        later: dict[str, int] = {}
        last = int(0.95 * len(self.frames))
        for position, frame in enumerate(self.frames[:last]):
            later.update((m.symbol, position) for m in frame.messages)
        found = []
        for position, frame in enumerate(self.frames[:last]):
            symbols = {m.symbol for m in frame.messages}
            if symbols and symbols <= seen and all(later[s] > position for s in symbols):
                found.append(position)
            seen |= symbols
        return found


class Session:
    """What the venue remembers of one connection."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.sequence = 0
        self.channels: dict[str, int] = {}
        self.subscribed: set[str] = set()


class Dialect(Protocol):
    """How one venue speaks; frames are recorded ones, snapshots are made here."""

    name: str
    by_order: bool
    rest: bool  # snapshots by GET, not by subscription

    def protocol(self, ws_url: str, http_url: str) -> WireProtocol:
        """The protocol with its addresses on this machine."""
        ...

    def answers(self, payload: bytes, session: Session) -> list[bytes]:
        """What the venue says at once to a frame of the client."""
        ...

    def subscribes(self, payload: bytes, session: Session) -> list[str]:
        """Symbols of whose books a frame of the client asks for a snapshot."""
        ...

    def snapshot(self, symbol: str, book: PlainBook, session: Session) -> bytes:
        """A snapshot as the venue would say it, in a frame or as the body of an answer."""
        ...

    def rest_symbol(self, path: str) -> str:
        """The symbol of whose book a GET asks."""
        ...

    def stamp(self, frame: TapeFrame, session: Session) -> bytes:
        """The frame as this connection gets it."""
        ...


class Lost(NamedTuple):
    """A book message that the client did not get, or too late.

    Attributes:
        connection: counted from 1, -1 while nobody was connected.
        cause: "drop", "offline", "closing" (the connection ended before it), "delay".
        wire_sequence: the number that the frame had on its connection, -1 for a venue that does not number frames.
    """

    position: int
    connection: int
    symbol: str
    last_id: int
    cause: str
    wire_sequence: int


class FaultServer:
    """One run of a tape under a script.

    Attributes:
        books: the clean books at `position`.
        lost: book messages that were not sent.
        overtaken: those that were sent after later ones.
        injected: how many faults of each kind really happened.
    """

    def __init__(self, dialect: Dialect, tape: Tape, script: FaultScript) -> None:
        self.dialect, self.tape, self.script = dialect, tape, script
        self.books = {symbol: PlainBook(dialect.by_order) for symbol in tape.start}
        for symbol, message in tape.start.items():
            self.books[symbol].start(message)
        self.position = -1
        self.lost: list[Lost] = []
        self.overtaken: list[Lost] = []
        self.injected: Counter[str] = Counter()
        self.connected = asyncio.Event()
        self._live: tuple[ServerConnection, Session] | None = None
        self._connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._stamped: dict[int, int] = {}
        self._closed_until_s = 0.0
        self._snapshots = 0
        self._server: Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FaultServer]:
        """Listen on a free port."""
        async with serve(
            self._converse,
            "127.0.0.1",
            0,
            process_request=self._rest,
            ping_interval=None,
            close_timeout=0.1,
            compression=None,
        ) as server:
            self._server = server
            yield self

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def protocol(self) -> WireProtocol:
        return self.dialect.protocol(f"ws://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port}")

    async def play(self) -> None:
        """All frames, from the moment a client has subscribed."""
        await self.connected.wait()
        script, due = self.script, {}  # type: ignore[var-annotated]
        burst_until = -1
        for position, frame in enumerate(self.tape.frames):
            self._advance(position, frame)
            session = self._listener(frame)
            wire = self.dialect.stamp(frame, session) if session else b""
            self._stamped[id(frame)] = session.sequence if session else -1
            if position in script.drops:
                self._lose(frame, "drop" if session else "offline", session)
                self.injected["drops"] += bool(session)
            elif position in script.delays:
                due.setdefault(position + script.delays[position], []).append((wire, frame, session, "delays"))
            else:
                await self._send(wire, frame, session)
            if position in script.copies:
                due.setdefault(position + script.copies[position], []).append((wire, frame, session, "copies"))
            for late, of, when, kind in due.pop(position, []):
                if await self._send(late, of if kind == "delays" else None, when):
                    self.injected[kind] += 1
                    self.overtaken += self._named(of, "delay", when) if kind == "delays" else []
            if position in script.malformed and await self._send(script.malformed[position], None, session):
                self.injected["malformed"] += 1
            if position in script.bursts and session:
                self.injected["bursts"] += 1
                burst_until = position + script.bursts[position]
            if position in script.breaks:
                await self._break(script.breaks[position])
            if position >= burst_until:
                await asyncio.sleep(FRAME_S)

    def _listener(self, frame: TapeFrame) -> Session | None:
        """The connection that has subscribed to everything in the frame, if any."""
        session = self._live[1] if self._live else None
        return session if session and {m.symbol for m in frame.messages} <= session.subscribed else None

    def _advance(self, position: int, frame: TapeFrame) -> None:
        self.position = position
        for message in frame.messages:
            book = self.books[message.symbol]
            if message.last_id == -1 or message.last_id > book.last_id:
                book.apply(message)

    def _named(self, frame: TapeFrame, cause: str, session: Session | None) -> list[Lost]:
        number, sequence = (session.number, self._stamped.get(id(frame), -1)) if session else (-1, -1)
        return [Lost(self.position, number, m.symbol, m.last_id, cause, sequence) for m in frame.messages]

    def _lose(self, frame: TapeFrame, cause: str, session: Session | None = None) -> None:
        self.lost += self._named(frame, cause, session)

    async def _send(self, wire: bytes, frame: TapeFrame | None, session: Session | None) -> bool:
        """False when there is nobody, or another connection than the one it was meant for."""
        live = self._live
        if live is None or live[1] is not session:
            if frame:
                self._lose(frame, "offline", session)
            return False
        try:
            await live[0].send(wire, text=True)
        except ConnectionClosed:
            if frame:
                self._lose(frame, "closing", session)
            return False
        return True

    async def _break(self, seconds: float) -> None:
        self._closed_until_s = asyncio.get_running_loop().time() + seconds
        if self._live is not None:
            self.injected["breaks"] += 1
            connection, self._live = self._live[0], None
            connection.transport.abort()

    async def _converse(self, connection: ServerConnection) -> None:
        self._connections += 1
        session = Session(self._connections)
        live = (connection, session)
        try:
            async for payload in connection:
                await self._hear(payload.encode() if isinstance(payload, str) else payload, live)
        except ConnectionClosed:
            pass
        finally:
            if self._live is live:
                self._live = None

    async def _hear(self, payload: bytes, live: tuple[ServerConnection, Session]) -> None:
        connection, session = live
        for answer in self.dialect.answers(payload, session):
            await connection.send(answer, text=True)
        if self.dialect.rest:
            self._listen(self.books.keys(), live)
            return
        symbols = [symbol for symbol in self.dialect.subscribes(payload, session) if symbol in self.books]
        if symbols:
            late = asyncio.create_task(self._subscribe(symbols, live))
            self._tasks.add(late)
            late.add_done_callback(self._tasks.discard)

    async def _subscribe(self, symbols: list[str], live: tuple[ServerConnection, Session]) -> None:
        """What is late is the subscription as a whole: a book's changes follow its snapshot."""
        connection, session = live
        await asyncio.sleep(self._snapshot_delay_s())
        try:
            for symbol in symbols:
                await connection.send(self.dialect.snapshot(symbol, self.books[symbol], session), text=True)
        except ConnectionClosed:
            return
        self._listen(symbols, live)

    def _listen(self, symbols: Iterable[str], live: tuple[ServerConnection, Session]) -> None:
        live[1].subscribed.update(symbols)
        if live[1].number == self._connections:
            self._live = live
        if live[1].subscribed >= self.books.keys():
            self.connected.set()

    async def _rest(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade"):
            refused = asyncio.get_running_loop().time() < self._closed_until_s
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "closed\n") if refused else None
        address = urlsplit(request.path)
        symbol = self.dialect.rest_symbol(f"{address.path}?{address.query}")
        body = self.dialect.snapshot(symbol, self.books[symbol], Session(0))
        await asyncio.sleep(self._snapshot_delay_s())
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
        return Response(200, "OK", headers, body)

    def _snapshot_delay_s(self) -> float:
        delays = self.script.snapshot_delays_s
        delay_s = delays[min(self._snapshots, len(delays) - 1)]
        self._snapshots += 1
        self.injected["late_snapshots"] += delay_s > 0
        return delay_s


async def fetch(url: str) -> bytes:
    """A GET over asyncio, so that it obeys the clock of the loop."""
    from footprint.live.connection import ConnectionLost

    address = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
    except OSError as error:
        raise ConnectionLost(f"{url}: {error}") from None
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise ConnectionLost(f"{url}: {head.splitlines()[0].decode()}")
    return body
