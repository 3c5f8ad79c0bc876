"""Kraken spot WebSocket, version 1: arrays `[channel, data, name, pair]`, books of fixed depth with a CRC-32.

The reader must drop levels beyond the depth that was asked for. The checksum is over the ten best asks and bids as
texts without point and leading zeros. Source: Kraken WebSockets API v1, "book", "Book checksum".
"""

from __future__ import annotations

import json
import zlib
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message, QuoteMessage, TradeMessage
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

DEPTHS = (10, 25, 100, 500, 1000)
CHECKED = 10

_CONTROL = {"heartbeat": "heartbeat", "pong": "heartbeat", "systemStatus": "status", "subscriptionStatus": "subscribed"}


class KrakenV1:
    """By price, depth 1000 when subscribed here; other depths are read as they are named."""

    name = "kraken-1"
    venue = "kraken"
    url = "wss://ws.kraken.com"
    sequencing = Sequencing.CHECKSUM
    by_order = False

    def recognise(self, frame: RawFrame) -> bool:
        """By the host."""
        address = frame.origin.partition("#")[0]
        return address.rstrip("/") == self.url or address.startswith("https://api.kraken.com/0/")

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books and prints."""
        return (_request("subscribe", symbols, _BOOK), _request("subscribe", symbols, {"name": "trade"}))

    def snapshot(self, symbol: str) -> Request:
        """The venue sends one to every new subscriber."""
        return Request(frames=(_request("unsubscribe", [symbol], _BOOK), _request("subscribe", [symbol], _BOOK)))

    def checksum(self, bids: Sequence[str], asks: Sequence[str]) -> int:
        """CRC-32 of the ten best asks, then bids."""
        return zlib.crc32("".join((*asks[:CHECKED], *bids[:CHECKED])).encode())

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.kind is FrameKind.RESPONSE:
            return (ControlMessage("ignored", frame.origin[:80]),)
        body = values.parse_json(frame.payload)
        if isinstance(body, dict):
            return (_control(body),)
        *parts, name, pair = body[1:]
        symbol = values.symbol(pair)
        kind, _, argument = values.text(name).partition("-")
        match kind:
            case "book":
                return (_book(parts, symbol, int(argument or DEPTHS[0])),)
            case "trade":
                return tuple(_trade(entry, symbol) for entry in parts[0])
            case "spread":
                return (_quote(parts[0], symbol),)
        return (ControlMessage("ignored", kind),)


def check_text(price: str | int, size: str | int) -> str:
    """What a level adds to the text of the checksum."""
    return str(price).replace(".", "").lstrip("0") + str(size).replace(".", "").lstrip("0")


def _book(parts: Sequence[dict[str, Any]], symbol: str, depth: int) -> BookMessage:
    """One message; a change of both sides may come in two objects."""
    if depth not in DEPTHS:
        raise BadFrame("unknown depth", depth, str(DEPTHS))
    body: dict[str, Any] = {}
    for part in parts:
        body |= part
    snapshot = "as" in body or "bs" in body
    if not snapshot and not ("a" in body or "b" in body):
        raise BadFrame("no side", sorted(body), "as and bs, or a or b")
    bid_key, ask_key = ("bs", "as") if snapshot else ("b", "a")
    entries = [(1, entry) for entry in body.get(bid_key, ())] + [(-1, entry) for entry in body.get(ask_key, ())]
    found = tuple(Level(side, values.price(e[0]), values.size(e[1]), 0, check_text(e[0], e[1])) for side, e in entries)
    time_ns = max((values.time_ns(entry[2], "s") for _, entry in entries), default=UNKNOWN_TIME)
    checksum = values.whole(body["c"]) if "c" in body else None
    return BookMessage(symbol, time_ns, snapshot, found, checksum=checksum, depth=depth)


def _trade(entry: Sequence[Any], symbol: str) -> TradeMessage:
    price, size = values.price(entry[0]), values.size(entry[1])
    return TradeMessage(symbol, values.time_ns(entry[2], "s"), values.side(entry[3], "b", "s"), price, size)


def _quote(entry: Sequence[Any], symbol: str) -> QuoteMessage:
    bid, ask, stamp, bid_size, ask_size = entry
    prices = values.price(bid), values.size(bid_size), values.price(ask), values.size(ask_size)
    return QuoteMessage(symbol, values.time_ns(stamp, "s"), *prices)


def _control(body: dict[str, Any]) -> ControlMessage:
    event = values.text(body["event"])
    if "errorMessage" in body or event == "error":
        return ControlMessage("error", str(body.get("errorMessage", body))[:200])
    return ControlMessage(_CONTROL.get(event, "ignored"), event)


_BOOK = {"name": "book", "depth": DEPTHS[-1]}


def _request(event: str, symbols: Sequence[str], subscription: dict[str, Any]) -> bytes:
    return json.dumps({"event": event, "pair": list(symbols), "subscription": subscription}).encode()
