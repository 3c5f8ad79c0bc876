"""Connections through ccxt.pro (extra `ccxt`): books by price and prints of venues without a protocol of our own.

The library connects, subscribes, keeps the book and reconnects by itself. This connection turns what it gives into the
frames of `data.feeds.protocols.ccxt_frames` and taps the venue's raw frames on their way into the library, so that both
are recorded. A failure that the library raises ends the connection; the recorder then makes a new one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from footprint.errors import UsageError
from footprint.live.connection import Arrived, ConnectionLost

WAITING_FRAMES = 10_000  # frames that wait for the recorder, which takes them at once

Entry = tuple[int, float]  # side, price


def ccxt_exchanges() -> list[str]:
    """The library's names of the venues that it streams.

    Raises:
        UsageError: the library is missing.
    """
    return list(_ccxt_pro().exchanges)


def new_exchange(name: str) -> Any:
    """An exchange object of the library.

    Raises:
        UsageError: the library is missing or does not know the name.
    """
    library = _ccxt_pro()
    if name not in library.exchanges:
        raise UsageError(f"ccxt does not stream {name!r}, known: {', '.join(library.exchanges)}")
    return getattr(library, name)()


@dataclass(frozen=True, slots=True)
class CcxtConnector:
    """Opens connections to `ccxt:NAME`.

    Attributes:
        exchange: makes the library's object by name.
    """

    exchange: Callable[[str], Any] = new_exchange

    async def connect(self, url: str) -> CcxtConnection:
        """Load the venue's markets.

        Raises:
            ConnectionLost: they could not be loaded.
        """
        exchange = self.exchange(url.partition(":")[2])
        try:
            await exchange.load_markets()
        except asyncio.CancelledError:
            await exchange.close()
            raise
        except Exception as error:
            await exchange.close()
            raise ConnectionLost(f"{url}: {_one_line(error)}") from None
        return CcxtConnection(exchange, url)


class CcxtConnection:
    """One object of the library and the tasks that watch its symbols."""

    def __init__(self, exchange: Any, url: str) -> None:
        self._exchange, self._url = exchange, url
        self._frames: asyncio.Queue[Arrived] = asyncio.Queue(WAITING_FRAMES)
        self._failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._books: dict[str, dict[Entry, float]] = {}
        self._tap()

    async def receive(self) -> Arrived:
        """The next frame: what the library says (origin `ccxt:NAME`), or a raw one (origin: the venue's address)."""
        if self._frames.empty():
            waiting = asyncio.ensure_future(self._frames.get())
            try:
                either: list[asyncio.Future[Any]] = [waiting, self._failure]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    return waiting.result()
            finally:
                waiting.cancel()
            raise ConnectionLost(self._failure.result())
        return self._frames.get_nowait()

    async def send(self, payload: bytes) -> None:
        """Watch a symbol, or give its whole book with its next change."""
        asked = json.loads(payload)
        if "snapshot" in asked:
            self._books.pop(asked["snapshot"], None)
        else:
            watched = (self._watch_book(asked["watch"]), self._watch_trades(asked["watch"]))
            self._tasks += [asyncio.create_task(self._guarded(work)) for work in watched]

    async def close(self) -> None:
        """Stop watching and close the library's connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._exchange.close()
        self._fail("closed")

    async def _guarded(self, work: Any) -> None:
        """The library raises its own errors and, for answers that it did not foresee, any other."""
        try:
            await work
        except Exception as error:
            self._fail(_one_line(error))

    async def _watch_book(self, symbol: str) -> None:
        while True:
            book = await self._exchange.watch_order_book(symbol)
            levels = {
                (side, float(entry[0])): float(entry[1])
                for side, name in ((1, "bids"), (-1, "asks"))
                for entry in book[name]
            }
            known = self._books.get(symbol)
            changes = levels if known is None else _changes(known, levels)
            self._books[symbol] = levels
            if changes or known is None:
                await self._frames.put(Arrived(_book_frame(symbol, book, changes, known is None), self._url))

    async def _watch_trades(self, symbol: str) -> None:
        while True:
            prints = await self._exchange.watch_trades(symbol)
            await self._frames.put(Arrived(_trades_frame(symbol, prints), self._url))

    def _tap(self) -> None:
        """Have every client that the library makes hand its raw frames over before it reads them."""
        make_client = self._exchange.client

        def client_with_tap(url: str) -> Any:
            client = make_client(url)
            if not getattr(client, "tapped", False):
                client.tapped = True
                read = client.handle_text_or_binary_message

                def tapped(data: str | bytes) -> None:
                    self._raw(data, url)
                    read(data)

                client.handle_text_or_binary_message = tapped
            return client

        self._exchange.client = client_with_tap

    def _raw(self, data: str | bytes, url: str) -> None:
        try:
            self._frames.put_nowait(Arrived(data.encode() if isinstance(data, str) else data, url))
        except asyncio.QueueFull:
            self._fail(f"{WAITING_FRAMES} frames wait; what follows is lost")

    def _fail(self, reason: str) -> None:
        if not self._failure.done():
            self._failure.set_result(reason)


def _changes(known: dict[Entry, float], levels: dict[Entry, float]) -> dict[Entry, float]:
    """What turns one book into the other; size 0 removes a price."""
    gone = dict.fromkeys(known.keys() - levels.keys(), 0.0)
    return gone | {entry: size for entry, size in levels.items() if known.get(entry) != size}


def _book_frame(symbol: str, book: Any, changes: dict[Entry, float], snapshot: bool) -> bytes:
    body = {"book": symbol, "snapshot": snapshot, "time_ms": book.get("timestamp")}
    return json.dumps(body | {"bids": _rows(changes, 1), "asks": _rows(changes, -1)}).encode()


def _rows(changes: dict[Entry, float], side: int) -> list[list[str]]:
    """The shortest text of a float is the decimal that the venue sent."""
    return [[repr(price), repr(size)] for (s, price), size in sorted(changes.items()) if s == side]


def _trades_frame(symbol: str, prints: Iterable[Any]) -> bytes:
    told = [
        {"time_ms": p["timestamp"], "side": p["side"], "price": repr(p["price"]), "amount": repr(p["amount"])}
        for p in prints
    ]
    return json.dumps({"trades": symbol, "prints": told}).encode()


def _ccxt_pro() -> Any:
    try:
        import ccxt.pro
    except ImportError:
        raise UsageError('recording through ccxt needs the extra "ccxt": pip install "footprint[ccxt]"') from None
    return ccxt.pro


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
