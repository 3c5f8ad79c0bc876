"""Independent Reserve: books by order (L3) of a coin, shown in every currency at once.

One frame speaks of an order of the coin, with its price in each currency; cancels name the order alone. So each frame
becomes a message for every currency of the venue. `Nonce` rises by one within a channel, the REST snapshot has none:
what came before a snapshot is taken to be in it, a later change of an order that is in it already is harmless. Source:
Independent Reserve API, "WebSockets", "GetAllOrders".
"""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Level, Message, TradeMessage
from footprint.data.feeds.protocols.common import NoChecksum
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

CURRENCIES = ("aud", "usd", "nzd", "sgd")

_REST = re.compile(r"GetAllOrders\?primaryCurrencyCode=([a-z0-9]+)&secondaryCurrencyCode=([a-z]+)", re.IGNORECASE)
_SIDES = {"LimitBid": 1, "LimitOffer": -1}
_CONTROL = {"Heartbeat": "heartbeat", "Subscriptions": "subscribed", "Error": "error"}


class IndependentReserve(NoChecksum):
    """By order."""

    name = "independent-reserve-1"
    venue = "independent-reserve"
    url = "wss://websockets.independentreserve.com"
    sequencing = Sequencing.NEXT
    by_order = True

    def recognise(self, frame: RawFrame) -> bool:
        """By the host."""
        return "independentreserve.com" in frame.origin

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books of the coins and prints of the pairs; a symbol is ETH-AUD."""
        coins = sorted({symbol.lower().partition("-")[0] for symbol in symbols})
        names = [f"orderbook-{coin}" for coin in coins] + [f"ticker-{symbol.lower()}" for symbol in symbols]
        return (json.dumps({"Event": "Subscribe", "Data": names}).encode(),)

    def snapshot(self, symbol: str) -> Request:
        """A GET."""
        coin, _, currency = symbol.lower().partition("-")
        asked = f"primaryCurrencyCode={coin}&secondaryCurrencyCode={currency}"
        return Request(f"https://api.independentreserve.com/Public/GetAllOrders?{asked}")

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        body = values.parse_json(frame.payload)
        if frame.kind is FrameKind.RESPONSE:
            return (_snapshot(body, frame.origin),)
        event = values.text(body["Event"])
        if event in _CONTROL:
            return (ControlMessage(_CONTROL[event]),)
        name, _, pair = values.text(body["Channel"]).partition("-")
        if name == "ticker" and event == "Trade":
            return (_trade(body, values.symbol(pair)),)
        if name != "orderbook":
            return (ControlMessage("ignored", event),)
        nonce, time_ns = values.whole(body["Nonce"]), values.time_ns(body["Time"], "ms")
        return tuple(
            BookMessage(
                f"{pair}-{currency}".upper(), time_ns, False, _change(event, body["Data"], currency), nonce, nonce
            )
            for currency in CURRENCIES
        )


def _change(event: str, data: dict[str, Any], currency: str) -> tuple[Level, ...]:
    order_id = values.order_number(data["OrderGuid"])
    if event == "OrderCanceled":
        return (Level(0, 0, 0, order_id),)
    if event == "OrderChanged":
        return (Level(0, 0, values.size(data["Volume"]), order_id),)
    if event != "NewOrder":
        raise BadFrame("unknown event", event, "NewOrder, OrderChanged, OrderCanceled")
    if currency not in data["Price"]:
        return ()
    size = values.size(data["Volume"])
    return (Level(_side(data["OrderType"]), _price(data["Price"][currency]), size, order_id),)


def _price(value: Any) -> int:
    """0 for a bid of another currency that rounds to nothing in this one; it rests nowhere."""
    return 0 if value in (0, "0.0", "0") else values.price(value)


def _side(name: Any) -> int:
    if name not in _SIDES:
        raise BadFrame("unknown side", name, ", ".join(_SIDES))
    return _SIDES[name]


def _snapshot(body: dict[str, Any], origin: str) -> Message:
    asked = _REST.search(origin)
    if asked is None:
        return ControlMessage("ignored", origin[:80])
    if "Message" in body:
        return ControlMessage("error", str(body["Message"])[:200])
    found = tuple(
        Level(side, _price(o["Price"]), values.size(o["Volume"]), values.order_number(o["Guid"]))
        for side, key in ((1, "BuyOrders"), (-1, "SellOrders"))
        for o in body[key]
    )
    time_ns = values.time_ns(body["CreatedTimestampUtc"], "iso") if "CreatedTimestampUtc" in body else UNKNOWN_TIME
    return BookMessage(f"{asked[1]}-{asked[2]}".upper(), time_ns, True, found)


def _trade(body: dict[str, Any], symbol: str) -> TradeMessage:
    data = body["Data"]
    side = values.side(data["Side"], "Buy", "Sell")
    time_ns = values.time_ns(body["Time"], "ms")
    currency = symbol.lower().partition("-")[2]
    price = data["Price"][currency] if isinstance(data["Price"], dict) else data["Price"]
    maker = values.order_number(data["OfferGuid" if side > 0 else "BidGuid"])
    return TradeMessage(symbol, time_ns, side, values.price(price), values.size(data["Volume"]), -1, maker)
