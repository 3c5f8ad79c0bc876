"""Bybit WebSocket, version 5, public: `orderbook.<depth>.<symbol>` and `publicTrade.<symbol>`.

`u` rises by one with every message of a book; u = 1 is a snapshot after the venue restarted. The topic of depth 1 only
has snapshots and is read as best quotes. Source: Bybit API v5 documentation, "Orderbook", "Trade".
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import BookMessage, ControlMessage, Message, QuoteMessage, TradeMessage
from footprint.data.feeds.protocols.common import NoChecksum, levels
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing

DEPTH = 200


class BybitV5(NoChecksum):
    """By price; the venue itself deletes what leaves the depth."""

    name = "bybit-5"
    venue = "bybit"
    url = "wss://stream.bybit.com/v5/public/linear"
    sequencing = Sequencing.NEXT
    by_order = False

    def recognise(self, frame: RawFrame) -> bool:
        """By the address."""
        return "bybit.com/v5/public/" in frame.origin

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Books and prints, at most ten topics a request."""
        topics = [f"{name}.{s}" for s in symbols for name in (f"orderbook.{DEPTH}", "publicTrade")]
        return tuple(_request("subscribe", topics[i : i + 10]) for i in range(0, len(topics), 10))

    def snapshot(self, symbol: str) -> Request:
        """The venue sends one to every new subscriber."""
        topics = [f"orderbook.{DEPTH}.{symbol}"]
        return Request(frames=(_request("unsubscribe", topics), _request("subscribe", topics)))

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        if frame.kind is FrameKind.RESPONSE:
            return (ControlMessage("ignored", frame.origin[:80]),)
        body = values.parse_json(frame.payload)
        if "topic" not in body:
            return (_answer(body),)
        name, _, rest = values.text(body["topic"]).partition(".")
        match name:
            case "orderbook" if rest.startswith("1."):
                return _quote(body)
            case "orderbook":
                return _book(body)
            case "publicTrade":
                return tuple(_trade(entry) for entry in body["data"])
        return (ControlMessage("ignored", name),)


def _book(body: dict[str, Any]) -> Sequence[Message]:
    data, kind = body["data"], body["type"]
    if kind not in ("snapshot", "delta"):
        raise BadFrame("unknown type", kind, "snapshot or delta", "type")
    symbol, update_id = values.symbol(data["s"]), values.whole(data["u"])
    entries = levels(data["b"], 1) + levels(data["a"], -1)
    time_ns = values.time_ns(body.get("cts", body["ts"]), "ms")
    book = BookMessage(symbol, time_ns, kind == "snapshot", entries, update_id, update_id)
    return (ControlMessage("restart", symbol), book) if book.snapshot and update_id == 1 else (book,)


def _quote(body: dict[str, Any]) -> Sequence[Message]:
    data = body["data"]
    bids, asks = levels(data["b"][:1], 1), levels(data["a"][:1], -1)
    bid, bid_size = (bids[0].price, bids[0].size) if bids else (0, 0)
    ask, ask_size = (asks[0].price, asks[0].size) if asks else (0, 0)
    time_ns = values.time_ns(body.get("cts", body["ts"]), "ms")
    update_id = values.whole(data["u"])
    return (QuoteMessage(values.symbol(data["s"]), time_ns, bid, bid_size, ask, ask_size, update_id),)


def _trade(entry: dict[str, Any]) -> TradeMessage:
    side, time_ns = values.side(entry["S"], "Buy", "Sell"), values.time_ns(entry["T"], "ms")
    return TradeMessage(values.symbol(entry["s"]), time_ns, side, values.price(entry["p"]), values.size(entry["v"]))


def _answer(body: dict[str, Any]) -> ControlMessage:
    if body.get("success", True) is not True:
        return ControlMessage("error", str(body.get("ret_msg", ""))[:200])
    return ControlMessage("heartbeat" if body["op"] in ("ping", "pong") else "subscribed")


def _request(what: str, topics: Sequence[str]) -> bytes:
    return json.dumps({"op": what, "args": list(topics)}).encode()
