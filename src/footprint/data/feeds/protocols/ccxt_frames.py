"""Books by price and prints as the ccxt library gives them, for venues whose own protocol is not known here.

The library follows the venue's protocol itself. What it says is written as frames of our own; its raw frames are
recorded beside them (origin: the venue's address) and are not decoded.

    {"book": symbol, "snapshot": true, "time_ms": 1626866578796, "bids": [["0.0604", "4.4"]], "asks": [...]}
    {"trades": symbol, "prints": [{"time_ms": ..., "side": "buy", "price": "0.06", "amount": "1"}]}

An entry of size 0 removes its price. Whatever is null is unknown. Nothing shows a missing message: holes are noticed by
the library alone, which does not report them.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Message, TradeMessage
from footprint.data.feeds.protocols.common import NoChecksum, levels
from footprint.data.feeds.wire import BadFrame, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

PREFIX = "ccxt-1-"


class CcxtFrames(NoChecksum):
    """By price, through ccxt; `exchange` is the library's name of the venue."""

    sequencing = Sequencing.NONE
    by_order = False

    def __init__(self, exchange: str) -> None:
        self.name = f"{PREFIX}{exchange}"
        self.venue = exchange
        self.url = f"ccxt:{exchange}"

    def recognise(self, frame: RawFrame) -> bool:
        """By the origin."""
        return frame.origin == self.url

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Frames that our own connection understands (`adapters.ccxt_feed`)."""
        return tuple(json.dumps({"watch": symbol}).encode() for symbol in symbols)

    def snapshot(self, symbol: str) -> Request:
        """The whole book as the library has it."""
        return Request(frames=(json.dumps({"snapshot": symbol}).encode(),))

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.origin != self.url:
            return (ControlMessage("ignored", "raw frame of the venue"),)
        body = values.parse_json(frame.payload)
        if "book" in body:
            return (_book(body),)
        if "trades" in body:
            symbol = values.symbol(body["trades"])
            return tuple(_trade(entry, symbol) for entry in body["prints"])
        raise BadFrame("unknown frame", body, "book or trades")


def _book(body: dict[str, Any]) -> BookMessage:
    if type(body["snapshot"]) is not bool:
        raise BadFrame("not a flag", body["snapshot"], "true or false", "snapshot")
    entries = levels(body["bids"], 1) + levels(body["asks"], -1)
    return BookMessage(values.symbol(body["book"]), _time_ns(body), body["snapshot"], entries)


def _trade(entry: dict[str, Any], symbol: str) -> TradeMessage:
    side = values.side(entry["side"], "buy", "sell") if entry["side"] is not None else 0
    price, size = values.price(entry["price"]), values.size(entry["amount"])
    return TradeMessage(symbol, _time_ns(entry), side, price, size)


def _time_ns(body: dict[str, Any]) -> int:
    stamp = body["time_ms"]
    return UNKNOWN_TIME if stamp is None else values.time_ns(stamp, "ms")
