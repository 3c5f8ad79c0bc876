"""Bitstamp WebSocket, version 2: books by price (`diff_order_book`, `order_book`) and by order (`live_orders`).

Messages carry `microtimestamp`, which never goes back within a channel and which the REST snapshot has too: updates up
to it are in the snapshot. Nothing shows a missing message. `order_book` is a whole book of the best 100 levels each
time; subscribe it or `diff_order_book`, not both. A marketable order shows up in `live_orders` before it trades, so
that book is crossed for an instant. Source: Bitstamp WebSocket API v2.
"""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message, TradeMessage
from footprint.data.feeds.protocols.common import NoChecksum, levels
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing

_REST = re.compile(r"/api/v2/order_book/([a-z0-9_-]+)", re.IGNORECASE)
_CONTROL = {
    "bts:subscription_succeeded": "subscribed",
    "bts:unsubscription_succeeded": "subscribed",
    "bts:heartbeat": "heartbeat",
    "bts:request_reconnect": "status",
}
_ORDER_EVENTS = ("order_created", "order_changed", "order_deleted")


class BitstampBooks(NoChecksum):
    """By price, with prints."""

    name = "bitstamp-2"
    venue = "bitstamp"
    url = "wss://ws.bitstamp.net"
    sequencing = Sequencing.ORDER
    by_order = False

    channels = ("diff_order_book", "live_trades")
    group = ""

    def recognise(self, frame: RawFrame) -> bool:
        """By the host."""
        return "bitstamp.net" in frame.origin

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books and prints."""
        return tuple(
            json.dumps({"event": "bts:subscribe", "data": {"channel": f"{name}_{symbol.lower()}"}}).encode()
            for symbol in symbols
            for name in self.channels
        )

    def snapshot(self, symbol: str) -> Request:
        """A GET."""
        return Request(f"https://www.bitstamp.net/api/v2/order_book/{symbol.lower()}{self.group}")

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        body = values.parse_json(frame.payload)
        if frame.kind is FrameKind.RESPONSE:
            asked = _REST.search(frame.origin)
            if asked is None:
                return (ControlMessage("ignored", frame.origin[:80]),)
            if "bids" not in body:
                return (ControlMessage("error", str(body)[:200]),)
            return (self._book(body, asked[1].upper(), True),)
        event = values.text(body["event"])
        if event.startswith("bts:"):
            what = _CONTROL.get(event, "error" if event == "bts:error" else "ignored")
            return (ControlMessage(what, str(body.get("data", ""))[:200]),)
        name, _, symbol = values.text(body["channel"]).rpartition("_")
        return (self._data(event, name, values.symbol(symbol), body["data"]),)

    def _data(self, event: str, name: str, symbol: str, data: dict[str, Any]) -> Message:
        match event, name:
            case "trade", "live_trades":
                return _trade(data, symbol)
            case "data", "diff_order_book":
                return self._book(data, symbol, False)
            case "data", "order_book":
                return self._book(data, symbol, True)
        return ControlMessage("ignored", f"{name} {event}")

    def _book(self, data: dict[str, Any], symbol: str, snapshot: bool) -> BookMessage:
        stamp = values.whole(data["microtimestamp"])
        entries = self._entries(data["bids"], 1) + self._entries(data["asks"], -1)
        return BookMessage(symbol, values.time_ns(stamp, "us"), snapshot, entries, stamp, stamp)

    def _entries(self, rows: Sequence[Sequence[Any]], side: int) -> tuple[Level, ...]:
        return levels(rows, side)


class BitstampOrders(BitstampBooks):
    """By order, with prints."""

    name = "bitstamp-2-orders"
    by_order = True

    channels = ("live_orders", "live_trades")
    group = "?group=2"  # one entry an order, with its id

    def recognise(self, frame: RawFrame) -> bool:
        """By the host and the channel that is asked for."""
        return "bitstamp.net" in frame.origin and frame.kind is FrameKind.SENT and b"live_orders_" in frame.payload

    def _data(self, event: str, name: str, symbol: str, data: dict[str, Any]) -> Message:
        if name == "live_orders" and event in _ORDER_EVENTS:
            return _order(event, symbol, data)
        if name == "live_trades" and event == "trade":
            return _trade(data, symbol)
        return ControlMessage("ignored", f"{name} {event}")

    def _entries(self, rows: Sequence[Sequence[Any]], side: int) -> tuple[Level, ...]:
        return tuple(Level(side, values.price(row[0]), values.size(row[1]), _order_id(row[2])) for row in rows)


def _order(event: str, symbol: str, data: dict[str, Any]) -> BookMessage:
    stamp = values.whole(data["microtimestamp"])
    size = 0 if event == "order_deleted" else values.size(data.get("amount_str", data["amount"]))
    side, price = _side(data["order_type"]), values.price(data.get("price_str", data["price"]))
    level = Level(side, price, size, _order_id(data["id"]))
    return BookMessage(symbol, values.time_ns(stamp, "us"), False, (level,), stamp, stamp)


def _trade(data: dict[str, Any], symbol: str) -> TradeMessage:
    side = _side(data["type"])
    maker = values.whole(data["sell_order_id" if side > 0 else "buy_order_id"])
    price, size = (
        values.price(data.get("price_str", data["price"])),
        values.size(data.get("amount_str", data["amount"])),
    )
    time_ns, trade_id = values.time_ns(data["microtimestamp"], "us"), values.whole(data["id"])
    return TradeMessage(symbol, time_ns, side, price, size, trade_id, maker)


def _side(value: Any) -> int:
    if type(value) is not int or value not in (0, 1):
        raise BadFrame("unknown side", value, "0 (buy) or 1 (sell)")
    return 1 - 2 * value


def _order_id(value: Any) -> int:
    order_id = values.whole(value)
    if not order_id:
        raise BadFrame("no order id", value, "more than 0")
    return order_id
