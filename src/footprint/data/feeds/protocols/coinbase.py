"""Coinbase Exchange feed (ws-feed), level2 and matches: `snapshot`, `l2update`, `match`.

`side` of a match is the maker's, so the aggressor is the other one. Nothing numbers the updates; their times never go
back. Source: Coinbase Exchange documentation, "WebSocket channels".
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message, TradeMessage
from footprint.data.feeds.protocols.common import NoChecksum, levels
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

_CONTROL = {"subscriptions": "subscribed", "heartbeat": "heartbeat", "status": "status", "last_match": "past_trade"}


class CoinbaseLevel2(NoChecksum):
    """By price."""

    name = "coinbase-1"
    venue = "coinbase"
    url = "wss://ws-feed.exchange.coinbase.com"
    sequencing = Sequencing.ORDER
    by_order = False

    def recognise(self, frame: RawFrame) -> bool:
        """By the host."""
        return is_coinbase(frame.origin)

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books, prints and a heartbeat a second."""
        return (_request("subscribe", symbols, ("level2", "matches", "heartbeat")),)

    def snapshot(self, symbol: str) -> Request:
        """The venue sends one to every new subscriber."""
        frames = (_request("unsubscribe", [symbol], ("level2",)), _request("subscribe", [symbol], ("level2",)))
        return Request(frames=frames)

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.kind is FrameKind.RESPONSE:
            return (ControlMessage("ignored", frame.origin[:80]),)
        body = values.parse_json(frame.payload)
        match values.text(body["type"]):
            case "snapshot":
                entries = levels(body["bids"], 1) + levels(body["asks"], -1)
                time_ns = values.time_ns(body["time"], "iso") if "time" in body else UNKNOWN_TIME
                return (BookMessage(values.symbol(body["product_id"]), time_ns, True, entries, last_id=time_ns),)
            case "l2update":
                changes = tuple(
                    Level(values.side(side, "buy", "sell"), values.price(price), values.size(size))
                    for side, price, size in body["changes"]
                )
                time_ns = values.time_ns(body["time"], "iso")
                symbol = values.symbol(body["product_id"])
                return (BookMessage(symbol, time_ns, False, changes, time_ns, time_ns),)
            case "match":
                return (print_of(body),)
            case kind:
                return (control(kind, body),)


def is_coinbase(origin: str) -> bool:
    """Names of the host over the years."""
    return ("//ws-feed" in origin and "coinbase.com" in origin) or "//api.pro.coinbase.com" in origin


def print_of(body: dict[str, Any]) -> TradeMessage:
    """A `match`."""
    price, size = values.price(body["price"]), values.size(body["size"])
    if not size:
        raise BadFrame("size not positive", body["size"], "more than 0", "size")
    return TradeMessage(
        values.symbol(body["product_id"]),
        values.time_ns(body["time"], "iso"),
        -values.side(body["side"], "buy", "sell"),
        price,
        size,
        values.whole(body["trade_id"]),
        values.order_number(body["maker_order_id"]),
    )


def control(kind: str, body: dict[str, Any]) -> ControlMessage:
    """Everything that is no market data of use."""
    if kind == "error":
        return ControlMessage("error", f"{body.get('message', '')} {body.get('reason', '')}"[:200].strip())
    return ControlMessage(_CONTROL.get(kind, "ignored"), kind)


def _request(what: str, symbols: Sequence[str], names: Sequence[str]) -> bytes:
    return json.dumps({"type": what, "product_ids": list(symbols), "channels": list(names)}).encode()
