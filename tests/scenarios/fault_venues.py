"""The venues of the fault tests: their recorded frames as a tape, and how each says a snapshot in its own format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fault_server import PlainBook, Session, Tape, TapeFrame

from footprint.data.feeds.capture import captures
from footprint.data.feeds.messages import PRICE_UNITS_PER_ONE, SIZE_UNITS_PER_ONE, BookMessage
from footprint.data.feeds.protocols import protocol as known_protocol
from footprint.data.feeds.wire import FrameKind, RawFrame, Request, WireProtocol
from footprint.data.files.lines import read_lines

SNAPSHOT_LEVELS = 60  # a side: deeper books cost time in every one of hundreds of scripts and show nothing more
MAX_FRAMES = 500


def _decimal(value: int, units_per_one: int) -> str:
    """An exact decimal text, as venues write them."""
    whole, fraction = divmod(value, units_per_one)
    digits = str(fraction).zfill(len(str(units_per_one)) - 1).rstrip("0")
    return f"{whole}.{digits or '0'}"


def price_text(value: int) -> str:
    return _decimal(value, PRICE_UNITS_PER_ONE)


def size_text(value: int) -> str:
    return _decimal(value, SIZE_UNITS_PER_ONE)


class LocalProtocol:
    """A protocol as it is, with its addresses on this machine."""

    def __init__(self, name: str, ws_url: str, http_url: str) -> None:
        self._known, self._http_url = known_protocol(name), http_url
        self.url = f"{ws_url}/{name}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known, name)

    def snapshot(self, symbol: str) -> Request:
        asked = self._known.snapshot(symbol)
        if not asked.url:
            return asked
        address = urlsplit(asked.url)
        return Request(f"{self._http_url}{address.path}?{address.query}")


def _shallow(message: BookMessage) -> BookMessage:
    """The best SNAPSHOT_LEVELS of each side."""
    sides = [
        sorted((lv for lv in message.levels if lv.side == side), key=lambda lv: -side * lv.price)[:SNAPSHOT_LEVELS]
        for side in (1, -1)
    ]
    return message._replace(levels=tuple(sides[0] + sides[1]))


def _recorded(folder: Path, venue: str, wire: WireProtocol) -> Iterable[tuple[RawFrame, tuple[BookMessage, ...]]]:
    """Received frames and REST answers of a capture with their book messages."""
    files = sorted(p for p in folder.glob(f"{venue}.*") if "jsonl" not in p.name)
    channels: dict[str, dict[str, str]] = {}
    for capture in captures(files):
        for frame in capture:
            if frame.kind in (FrameKind.RECEIVED, FrameKind.RESPONSE):
                found = wire.decode(frame, channels.setdefault(frame.origin, {}))
                yield frame, tuple(m for m in found if isinstance(m, BookMessage))


class _Dialect:
    """What most venues have in common: by price, snapshots by subscription, frames as they were recorded."""

    name: str
    by_order = False
    rest = False

    def protocol(self, ws_url: str, http_url: str) -> WireProtocol:
        return LocalProtocol(self.name, ws_url, http_url)  # type: ignore[return-value]

    def stamp(self, frame: TapeFrame, session: Session) -> bytes:
        return frame.payload

    def subscribes(self, payload: bytes, session: Session) -> list[str]:
        return []

    def rest_symbol(self, path: str) -> str:
        return re.search(r"symbol=([\w-]+)", path)[1]  # type: ignore[index]

    def answers(self, payload: bytes, session: Session) -> list[bytes]:
        return []


class BinanceDialect(_Dialect):
    """Depth updates with id ranges; snapshots by GET."""

    rest = True

    def __init__(self, name: str, capture: str) -> None:
        self.name, self._capture = name, capture

    def tape(self, folder: Path) -> Tape:
        start: dict[str, BookMessage] = {}
        frames = []
        for frame, messages in _recorded(folder, self._capture, known_protocol(self.name)):
            if frame.kind is FrameKind.RESPONSE:
                start |= {m.symbol: _shallow(m) for m in messages}
            else:
                frames.append(TapeFrame(frame.payload, messages))
        return Tape(start, frames[:MAX_FRAMES])

    def answers(self, payload: bytes, session: Session) -> list[bytes]:
        return [b'{"result":null,"id":1}']

    def snapshot(self, symbol: str, book: PlainBook, session: Session) -> bytes:
        sides = {
            name: [[price_text(price), size_text(size)] for price, size in book.side(side)]
            for name, side in (("bids", 1), ("asks", -1))
        }
        return json.dumps({"lastUpdateId": book.last_id, **sides}).encode()


class KucoinDialect(_Dialect):
    """Depth updates with id ranges and an id for each entry; snapshots by GET."""

    name = "kucoin-1"
    rest = True

    def tape(self, folder: Path) -> Tape:
        start: dict[str, BookMessage] = {}
        frames = []
        for frame, messages in _recorded(folder, "KUCOIN", known_protocol(self.name)):
            if frame.kind is FrameKind.RESPONSE:
                start |= {m.symbol: _shallow(m) for m in messages}
            elif messages or b"l3match" in frame.payload:
                frames.append(TapeFrame(frame.payload, messages))
        return Tape(start, frames[:MAX_FRAMES])

    def answers(self, payload: bytes, session: Session) -> list[bytes]:
        return [json.dumps({"id": json.loads(payload)["id"], "type": "ack"}).encode()]

    def snapshot(self, symbol: str, book: PlainBook, session: Session) -> bytes:
        sides = {
            name: [[price_text(price), size_text(size)] for price, size in book.side(side)]
            for name, side in (("bids", 1), ("asks", -1))
        }
        data = {"time": 1619378326628, "sequence": str(book.last_id), **sides}
        return json.dumps({"code": "200000", "data": data}).encode()


class KrakenFuturesDialect(_Dialect):
    """One level a frame, numbered by product; a new subscriber gets a snapshot."""

    name = "kraken-futures-1"

    def tape(self, folder: Path) -> Tape:
        start: dict[str, BookMessage] = {}
        frames = []
        for frame, messages in _recorded(folder, "KRAKEN_FUTURES", known_protocol(self.name)):
            if messages and messages[0].snapshot:
                start[messages[0].symbol] = _shallow(messages[0])
            elif messages or b'"feed":"trade"' in frame.payload:
                frames.append(TapeFrame(frame.payload, messages))
        return Tape(start, frames[:MAX_FRAMES])

    def answers(self, payload: bytes, session: Session) -> list[bytes]:
        asked = json.loads(payload)
        return [json.dumps({**asked, "event": f"{asked['event']}d"}).encode()]

    def subscribes(self, payload: bytes, session: Session) -> list[str]:
        asked = json.loads(payload)
        return list(asked["product_ids"]) if (asked["event"], asked["feed"]) == ("subscribe", "book") else []

    def snapshot(self, symbol: str, book: PlainBook, session: Session) -> bytes:
        sides = ",".join(
            f'"{name}":['
            + ",".join(f'{{"price":{price_text(p)},"qty":{size_text(s)}}}' for p, s in book.side(side))
            + "]"
            for name, side in (("bids", 1), ("asks", -1))
        )
        head = f'"feed":"book_snapshot","product_id":"{symbol}","timestamp":1618678101461,"seq":{book.last_id}'
        return f"{{{head},{sides}}}".encode()


class BitfinexDialect(_Dialect):
    """Numbered frames of channels; the flag set again makes every book come anew."""

    name = "bitfinex-2"

    def tape(self, folder: Path) -> Tape:
        start: dict[str, BookMessage] = {}
        frames = []
        for frame, messages in _recorded(folder, "BITFINEX", known_protocol(self.name)):
            if messages and messages[0].snapshot:
                start[messages[0].symbol] = messages[0]
            elif messages:
                body = frame.payload
                frames.append(TapeFrame(body[body.index(b",") : body.rindex(b",")], messages))
        return Tape(start, frames[:MAX_FRAMES])

    def answers(self, payload: bytes, session: Session) -> list[bytes]:
        asked = json.loads(payload)
        if asked["event"] == "conf":
            return [json.dumps({"event": "conf", "status": "OK", "flags": asked["flags"]}).encode()]
        number = session.channels.setdefault(f"{asked['channel']} {asked['symbol'][1:]}", 1000 + len(session.channels))
        return [json.dumps({**asked, "event": "subscribed", "chanId": number}).encode()]

    def subscribes(self, payload: bytes, session: Session) -> list[str]:
        asked = json.loads(payload)
        if asked["event"] == "conf":
            return [name.split()[1] for name in session.channels if name.startswith("book ")]
        return [asked["symbol"][1:]] if asked["channel"] == "book" else []

    def snapshot(self, symbol: str, book: PlainBook, session: Session) -> bytes:
        session.sequence += 1
        return f"[{session.channels[f'book {symbol}']},[{self._entries(book)}],{session.sequence}]".encode()

    def _entries(self, book: PlainBook) -> str:
        return ",".join(
            f"[{price_text(price)},1,{'-' if side < 0 else ''}{size_text(size)}]"
            for side in (1, -1)
            for price, size in book.side(side)
        )

    def stamp(self, frame: TapeFrame, session: Session) -> bytes:
        """The channel and the number of this connection around what was recorded."""
        session.sequence += 1
        number = session.channels[f"book {frame.messages[0].symbol}"]
        return b"[%d%s,%d]" % (number, frame.payload, session.sequence)


class BitfinexRawDialect(BitfinexDialect):
    """The same by order (L3)."""

    name = "bitfinex-2-raw"
    by_order = True

    def tape(self, folder: Path) -> Tape:
        """Frames that were recorded without numbers."""
        wire, channels = known_protocol(self.name), {}  # type: ignore[var-annotated]
        start: dict[str, BookMessage] = {}
        frames = []
        path = folder.parents[1] / "bitfinex_l3" / "bitfinex_tBTCUSD_R0.first30000.jsonl.gz"
        for row, line in zip(range(1, MAX_FRAMES + 20), read_lines(path), strict=False):
            for message in wire.decode(RawFrame(row, 0, FrameKind.RECEIVED, line), channels):
                if isinstance(message, BookMessage) and message.snapshot:
                    start[message.symbol] = message
                elif isinstance(message, BookMessage):
                    frames.append(TapeFrame(line[line.index(b",") : -1], (message,)))
        return Tape(start, frames)

    def _entries(self, book: PlainBook) -> str:
        return ",".join(
            f"[{order_id},{price_text(price)},{'-' if side < 0 else ''}{size_text(size)}]"
            for order_id, (side, price, size) in book.entries.items()
        )


DIALECTS: dict[str, Callable[[], Any]] = {
    "binance-spot": lambda: BinanceDialect("binance-spot-1", "BINANCE"),
    "binance-usdm": lambda: BinanceDialect("binance-usdm-1", "BINANCE_FUTURES"),
    "bitfinex": BitfinexDialect,
    "bitfinex-raw": BitfinexRawDialect,
    "kraken-futures": KrakenFuturesDialect,
    "kucoin": KucoinDialect,
}


@cache
def tape_of(venue: str, folder: Path) -> tuple[Any, Tape]:
    """The dialect and the tape of a venue, read once."""
    dialect = DIALECTS[venue]()
    return dialect, dialect.tape(folder)
