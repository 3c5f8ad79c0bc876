"""Coinbase Exchange feed, channel `full`: every order by id (L3), numbered by product without holes.

`received` rests nowhere, `open` rests, `match` takes from the maker, `change` gives another size (or price), `done`
takes out what is left. `done` of an order that was filled changes nothing: the matches did. Source: Coinbase Exchange
documentation, "WebSocket channels", "Full channel"; the snapshot is the REST book of level 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message
from footprint.data.feeds.protocols.coinbase import control, is_coinbase, print_of
from footprint.data.feeds.protocols.common import NoChecksum
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

_BOOK = re.compile(r"/products/([A-Z0-9-]+)/book\?level=3")
_CHANNEL = re.compile(rb'"(full|level3)"')
_ORDER_TYPES = ("received", "open", "done", "change", "match")


class CoinbaseFull(NoChecksum):
    """By order."""

    name = "coinbase-full-1"
    venue = "coinbase"
    url = "wss://ws-feed.exchange.coinbase.com"
    sequencing = Sequencing.NEXT
    by_order = True

    def recognise(self, frame: RawFrame) -> bool:
        """By the host and the channel that is asked for."""
        if not is_coinbase(frame.origin):
            return False
        return frame.kind is FrameKind.SENT and _CHANNEL.search(frame.payload) is not None

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """The full channel and a heartbeat a second."""
        asked = {"type": "subscribe", "product_ids": list(symbols), "channels": ["full", "heartbeat"]}
        return (json.dumps(asked).encode(),)

    def snapshot(self, symbol: str) -> Request:
        """A GET."""
        return Request(f"https://api.exchange.coinbase.com/products/{symbol.upper()}/book?level=3")

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        body = values.parse_json(frame.payload)
        if frame.kind is FrameKind.RESPONSE:
            return (_snapshot(body, frame.origin),)
        kind = values.text(body["type"])
        if kind not in _ORDER_TYPES:
            return (control(kind, body),)
        change = BookMessage(
            values.symbol(body["product_id"]),
            values.time_ns(body["time"], "iso"),
            False,
            _entries(kind, body),
            *(2 * [values.whole(body["sequence"])]),
        )
        return (print_of(body), change) if kind == "match" else (change,)


def _entries(kind: str, body: dict[str, Any]) -> tuple[Level, ...]:
    match kind:
        case "open":
            side, price = values.side(body["side"], "buy", "sell"), values.price(body["price"])
            return (Level(side, price, values.size(body["remaining_size"]), values.order_number(body["order_id"])),)
        case "match":
            side, price = values.side(body["side"], "buy", "sell"), values.price(body["price"])
            return (Level(side, price, -values.size(body["size"]), values.order_number(body["maker_order_id"])),)
        case "change" if "new_size" in body:
            price = values.price(body["new_price"]) if "new_price" in body else 0
            return (Level(0, price, values.size(body["new_size"]), values.order_number(body["order_id"])),)
        case "done" if body["reason"] == "canceled" and "price" in body:
            return (Level(0, 0, 0, values.order_number(body["order_id"])),)
    return ()


def _snapshot(body: dict[str, Any], origin: str) -> Message:
    asked = _BOOK.search(origin)
    if asked is None:
        return ControlMessage("ignored", origin[:80])
    if "message" in body:
        return ControlMessage("error", str(body["message"])[:200])
    entries = _resting(body["bids"], 1) + _resting(body["asks"], -1)
    time_ns = values.time_ns(body["time"], "iso") if "time" in body else UNKNOWN_TIME
    return BookMessage(asked[1], time_ns, True, entries, last_id=values.whole(body["sequence"]))


def _resting(orders: Sequence[Sequence[str]], side: int) -> tuple[Level, ...]:
    found = tuple(Level(side, values.price(o[0]), values.size(o[1]), values.order_number(o[2])) for o in orders)
    if len({level.order_id for level in found}) < len(found):
        raise BadFrame("order twice", len(found), "every order once")
    return found
