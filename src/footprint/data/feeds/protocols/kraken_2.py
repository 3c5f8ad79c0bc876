"""Kraken spot WebSocket, version 2: objects `{channel, type, data}`, books of fixed depth with a CRC-32.

Prices and sizes are JSON numbers whose digits, trailing zeros included, enter the checksum of version 1. Source: Kraken
WebSocket API v2, "Book (Level 2)", "Guides: Book checksum".
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message, QuoteMessage, TradeMessage
from footprint.data.feeds.protocols.kraken import DEPTHS, KrakenV1, check_text
from footprint.data.feeds.wire import FrameKind, RawFrame, Request
from footprint.market.events import UNKNOWN_TIME


class KrakenV2(KrakenV1):
    """By price, depth 1000. Frames do not say their depth: it is read from the answer to the subscription."""

    name = "kraken-2"
    url = "wss://ws.kraken.com/v2"

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books and prints."""
        return _request("subscribe", symbols, "book", depth=DEPTHS[-1]), _request("subscribe", symbols, "trade")

    def snapshot(self, symbol: str) -> Request:
        """The venue sends one to every new subscriber."""
        asked = {"depth": DEPTHS[-1]}
        frames = (_request(what, [symbol], "book", **asked) for what in ("unsubscribe", "subscribe"))
        return Request(frames=tuple(frames))

    def recognise(self, frame: RawFrame) -> bool:
        """By the address."""
        return frame.origin.partition("#")[0].rstrip("/") == self.url

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.kind is FrameKind.RESPONSE:
            return (ControlMessage("ignored", frame.origin[:80]),)
        body = values.parse_json(frame.payload)
        if "method" in body:
            return (_answer(body, channels),)
        snapshot = body.get("type") == "snapshot"
        match values.text(body["channel"]):
            case "book":
                return tuple(_book(entry, snapshot, channels) for entry in body["data"])
            case "trade" if snapshot:
                return (ControlMessage("past_trade", str(len(body["data"]))),)
            case "trade":
                return tuple(_trade(entry) for entry in body["data"])
            case "ticker":
                return tuple(_quote(entry) for entry in body["data"])
            case "heartbeat":
                return (ControlMessage("heartbeat"),)
            case "status":
                return (ControlMessage("status"),)
            case name:
                return (ControlMessage("ignored", name),)


def _answer(body: dict[str, Any], channels: MutableMapping[str, str]) -> ControlMessage:
    if body.get("error"):
        return ControlMessage("error", str(body["error"])[:200])
    if body["method"] == "pong":
        return ControlMessage("heartbeat")
    result = body.get("result", {})
    if result.get("channel") == "book" and "depth" in result:
        channels[values.symbol(result["symbol"])] = str(values.whole(result["depth"]))
    return ControlMessage("subscribed")


def _book(entry: dict[str, Any], snapshot: bool, channels: MutableMapping[str, str]) -> BookMessage:
    symbol = values.symbol(entry["symbol"])
    found = tuple(
        Level(side, values.price(e["price"]), values.size(e["qty"]), 0, check_text(e["price"], e["qty"]))
        for side, key in ((1, "bids"), (-1, "asks"))
        for e in entry.get(key, ())
    )
    time_ns = values.time_ns(entry["timestamp"], "iso") if "timestamp" in entry else UNKNOWN_TIME
    depth = int(channels.get(symbol, DEPTHS[-1]))
    return BookMessage(symbol, time_ns, snapshot, found, checksum=values.whole(entry["checksum"]), depth=depth)


def _trade(entry: dict[str, Any]) -> TradeMessage:
    return TradeMessage(
        values.symbol(entry["symbol"]),
        values.time_ns(entry["timestamp"], "iso"),
        values.side(entry["side"], "buy", "sell"),
        values.price(entry["price"]),
        values.size(entry["qty"]),
        values.whole(entry["trade_id"]),
    )


def _quote(entry: dict[str, Any]) -> QuoteMessage:
    time_ns = values.time_ns(entry["timestamp"], "iso") if "timestamp" in entry else UNKNOWN_TIME
    bid, ask = values.price(entry["bid"]), values.price(entry["ask"])
    sizes = values.size(entry["bid_qty"]), values.size(entry["ask_qty"])
    return QuoteMessage(values.symbol(entry["symbol"]), time_ns, bid, sizes[0], ask, sizes[1])


def _request(method: str, symbols: Sequence[str], channel: str, **more: int) -> bytes:
    return json.dumps({"method": method, "params": {"channel": channel, "symbol": list(symbols), **more}}).encode()
