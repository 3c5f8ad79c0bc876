"""Bitfinex WebSocket, version 2: books by price (P0) and by order (R0), prints, checksums, frames numbered on request.

Frames are arrays that name a channel by number; the answer to the subscription says what it is. Amounts above 0 are
bids (or bought), below 0 asks (or sold). P0 entries are [price, count, amount], count 0 deletes; R0 entries are [order,
price, amount], price 0 deletes. The checksum is over 25 bids and asks in turn as "price:amount" (R0: "order:amount").
Source: Bitfinex API v2, "WS Books", "WS Raw Books", "WS Trades", "Flags", "Checksum".
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.checksums import signed_pairs_checksum
from footprint.data.feeds.messages import (
    BookMessage,
    ControlMessage,
    Level,
    Message,
    PositionMessage,
    TradeMessage,
)
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

TIMESTAMP, SEQUENCE, CHECKSUM = 32_768, 65_536, 131_072  # flags of a `conf` request
FLAGS = SEQUENCE + CHECKSUM
_FLAGS_KEY = "flags"
_CONTROL = {"info": "status", "conf": "subscribed", "subscribed": "subscribed", "unsubscribed": "subscribed"}


class BitfinexBooks:
    """By price, 100 levels a side; the venue itself deletes what leaves them."""

    name = "bitfinex-2"
    venue = "bitfinex"
    url = "wss://api-pub.bitfinex.com/ws/2"
    sequencing = Sequencing.CHECKSUM
    by_order = False

    precision = "P0"

    def recognise(self, frame: RawFrame) -> bool:
        """By the host."""
        return "bitfinex.com/" in frame.origin

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Numbered frames with checksums; books and prints."""
        asked: list[dict[str, Any]] = [{"event": "conf", "flags": FLAGS}]
        for symbol in symbols:
            book = {"channel": "book", "symbol": f"t{symbol}", "prec": self.precision, "freq": "F0", "len": "100"}
            asked += [{"event": "subscribe", **book}]
            asked += [{"event": "subscribe", "channel": "trades", "symbol": f"t{symbol}"}]
        return tuple(json.dumps(request).encode() for request in asked)

    def snapshot(self, symbol: str) -> Request:
        """The checksum flag, set again, makes the venue send every book anew."""
        return Request(frames=(json.dumps({"event": "conf", "flags": FLAGS}).encode(),))

    def checksum(self, bids: Sequence[str], asks: Sequence[str]) -> int:
        """Signed CRC-32 of bids and asks in turn."""
        return signed_pairs_checksum(bids, asks)

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.kind is FrameKind.RESPONSE:
            return (ControlMessage("ignored", frame.origin[:80]),)
        body = values.parse_json(frame.payload)
        if isinstance(body, dict):
            return (self._event(body, channels),)
        flags = int(channels.get(_FLAGS_KEY, "0"))
        body, position = _numbered(body, flags)
        kind, _, symbol = channels.get(str(body[0]), "").partition(" ")
        if body[1] == "hb":
            return (*position, ControlMessage("heartbeat"))
        if kind == "trades":
            return (*position, *_trades(body, symbol))
        if kind == f"book-{self.precision}":
            return (*position, self._book(body, symbol))
        return (*position, ControlMessage("ignored", kind or "channel before its subscription"))

    def _event(self, body: dict[str, Any], channels: MutableMapping[str, str]) -> ControlMessage:
        event = values.text(body["event"])
        if event == "error" or body.get("status") == "ERROR":
            return ControlMessage("error", str(body.get("msg", body))[:200])
        if event == "conf":
            channels[_FLAGS_KEY] = str(values.whole(body["flags"]))
        if event == "subscribed":
            name = values.text(body["channel"])
            precision = f"-{body['prec']}" if name == "book" else ""
            channels[str(values.whole(body["chanId"]))] = f"{name}{precision} {_symbol(body['symbol'])}"
        if event == "unsubscribed":
            channels.pop(str(body["chanId"]), None)
        return ControlMessage(_CONTROL.get(event, "heartbeat" if event == "pong" else "ignored"), event)

    def _book(self, body: list[Any], symbol: str) -> BookMessage:
        data = body[1]
        if data == "cs":
            if type(body[2]) is not int:
                raise BadFrame("not a checksum", body[2], "a whole number")
            return BookMessage(symbol, UNKNOWN_TIME, False, (), checksum=body[2])
        snapshot = not data or isinstance(data[0], list)
        found = tuple(self._entry(entry) for entry in (data if snapshot else [data]))
        return BookMessage(symbol, UNKNOWN_TIME, snapshot, found)

    def _entry(self, entry: Sequence[Any]) -> Level:
        price, count, amount = entry
        side, size = signed(amount)
        if values.whole(count) == 0:
            return Level(side, values.price(price), 0)
        return Level(side, values.price(price), size, 0, f"{price}:{amount}")


class BitfinexRaw(BitfinexBooks):
    """By order, 100 a side."""

    name = "bitfinex-2-raw"
    by_order = True

    precision = "R0"

    def recognise(self, frame: RawFrame) -> bool:
        """By the host and the precision that is asked for."""
        return super().recognise(frame) and frame.kind is FrameKind.SENT and b'"R0"' in frame.payload

    def _entry(self, entry: Sequence[Any]) -> Level:
        order_id, price, amount = entry
        side, size = signed(amount)
        if price in (0, "0", "0.0"):
            return Level(side, 0, 0, values.whole(order_id))
        return Level(side, values.price(price), size, values.whole(order_id), f"{order_id}:{amount}")


def signed(amount: str | int) -> tuple[int, int]:
    """Side and size of an amount."""
    text = str(amount)
    negative = text.startswith("-")
    size = values.noisy_size(text[1:] if negative else text)
    if not size:
        raise BadFrame("size not positive", amount, "not 0")
    return (-1 if negative else 1), size


def _numbered(body: list[Any], flags: int) -> tuple[list[Any], tuple[Message, ...]]:
    """The frame without its number and time, and the number."""
    if flags & TIMESTAMP:
        body = body[:-1]
    if not flags & SEQUENCE:
        return body, ()
    return body[:-1], (PositionMessage(values.whole(body[-1])),)


def _trades(body: list[Any], symbol: str) -> Sequence[Message]:
    """`te` is the print, `tu` says the same again, a list of lists is what was before."""
    if body[1] == "tu":
        return (ControlMessage("ignored", "tu"),)
    if body[1] != "te":
        return (ControlMessage("past_trade"),)
    trade_id, stamp, amount, price = body[2]
    side, size = signed(amount)
    time_ns = values.time_ns(stamp, "ms")
    return (TradeMessage(symbol, time_ns, side, values.noisy_price(price), size, values.whole(trade_id)),)


def _symbol(name: Any) -> str:
    """Trading pairs are called tBTCUSD, funding fUSD."""
    name = values.text(name)
    return (name[1:] if name.startswith("t") else name).upper()
