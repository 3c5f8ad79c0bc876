"""Bybit WebSocket, version 2: inverse (`realtime`) and linear (`realtime_public`) books and prints.

Books are `snapshot`, then `delta` with delete, update and insert. `cross_seq` numbers all books of the venue together:
it never goes back, but holes in it say nothing. Some linear sizes carry the venue's float noise (642.60004). Source:
Bybit API v2 documentation, "orderBookL2_25", "orderBook_200", "trade".
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message, TradeMessage
from footprint.data.feeds.protocols.common import NoChecksum
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing


class BybitV2(NoChecksum):
    """By price, 25 levels a side (200 with the other topic); the venue itself deletes what leaves them."""

    name = "bybit-2"
    venue = "bybit"
    url = "wss://stream.bybit.com/realtime_public"
    sequencing = Sequencing.ORDER
    by_order = False

    def recognise(self, frame: RawFrame) -> bool:
        """By the address."""
        return "bybit.com/realtime" in frame.origin

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books and prints."""
        return tuple(_request("subscribe", f"{topic}.{s}") for s in symbols for topic in ("orderBookL2_25", "trade"))

    def snapshot(self, symbol: str) -> Request:
        """The venue sends one to every new subscriber."""
        topic = f"orderBookL2_25.{symbol}"
        return Request(frames=(_request("unsubscribe", topic), _request("subscribe", topic)))

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.kind is FrameKind.RESPONSE:
            return (ControlMessage("ignored", frame.origin[:80]),)
        body = values.parse_json(frame.payload)
        if "topic" not in body:
            return (_answer(body),)
        name, _, symbol = values.text(body["topic"]).rpartition(".")
        if name.startswith("orderBook"):
            return (_book(body, values.symbol(symbol)),)
        if name == "trade":
            return tuple(_trade(entry) for entry in body["data"])
        return (ControlMessage("ignored", name),)


def _book(body: dict[str, Any], symbol: str) -> BookMessage:
    data = body["data"]
    match body["type"]:
        case "snapshot":
            entries = data["order_book"] if isinstance(data, dict) else data
        case "delta":
            removed = [entry | {"size": 0} for entry in data["delete"]]
            entries = removed + data["update"] + data["insert"]
        case kind:
            raise BadFrame("unknown type", kind, "snapshot or delta", "type")
    found = tuple(
        Level(values.side(e["side"], "Buy", "Sell"), values.price(e["price"]), values.size(e["size"])) for e in entries
    )
    time_ns, sequence = values.time_ns(body["timestamp_e6"], "us"), values.whole(body["cross_seq"])
    return BookMessage(symbol, time_ns, body["type"] == "snapshot", found, sequence, sequence)


def _trade(entry: dict[str, Any]) -> TradeMessage:
    side, time_ns = values.side(entry["side"], "Buy", "Sell"), values.time_ns(entry["trade_time_ms"], "ms")
    symbol = values.symbol(entry["symbol"])
    return TradeMessage(symbol, time_ns, side, values.price(entry["price"]), values.size(entry["size"]))


def _answer(body: dict[str, Any]) -> ControlMessage:
    if body["success"] is not True:
        return ControlMessage("error", str(body.get("ret_msg", ""))[:200])
    return ControlMessage("heartbeat" if body.get("ret_msg") == "pong" else "subscribed")


def _request(what: str, topic: str) -> bytes:
    return json.dumps({"op": what, "args": [topic]}).encode()
