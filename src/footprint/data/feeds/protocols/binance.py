"""Binance spot (and Binance.US), USD-M and COIN-M futures, combined streams of 2021 to 2025 (stream version 1).

Depth updates carry ids [U, u]; on futures also `pu`, the `u` before. `m` of a trade: the buyer was the maker, so a
seller was the aggressor. Source: Binance API documentation, "WebSocket Market Streams", "Diff. Depth Stream", "How to
manage a local order book correctly".
"""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from footprint.data.feeds import values
from footprint.data.feeds.messages import (
    BookMessage,
    ControlMessage,
    Level,
    Message,
    QuoteMessage,
    TradeMessage,
)
from footprint.data.feeds.protocols.common import NoChecksum, levels
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Request, Sequencing
from footprint.market.events import UNKNOWN_TIME

_SYMBOL = re.compile(r"[?&]symbol=([A-Za-z0-9_]+)")
_NOT_ON_BOOK = ("INSURANCE_FUND", "ADL", "NA")  # futures prints that are no trades of the book


class BinanceSpot(NoChecksum):
    """Spot: `depthUpdate` with U and u, `aggTrade` or `trade`, `bookTicker` without a name or a time."""

    name = "binance-spot-1"
    venue = "binance-spot"
    url = "wss://stream.binance.com:9443/stream"
    sequencing = Sequencing.RANGE
    by_order = False

    hosts: tuple[str, ...] = ("binance.com:9443", "stream.binance.com", "www.binance.com", "api.binance.com")
    snapshot_url = "https://api.binance.com/api/v3/depth?symbol={symbol}&limit=5000"

    def recognise(self, frame: RawFrame) -> bool:
        """By the host."""
        return any(f"//{host}" in frame.origin for host in self.hosts)

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Depth every 100 ms, aggregate trades and best quotes."""
        names = [f"{s.lower()}@{stream}" for s in symbols for stream in ("depth@100ms", "aggTrade", "bookTicker")]
        return (json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}).encode(),)

    def snapshot(self, symbol: str) -> Request:
        """A GET."""
        return Request(self.snapshot_url.format(symbol=symbol.upper()))

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """As `WireProtocol.decode`."""
        document = values.parse_json(frame.payload)
        if frame.kind is FrameKind.RESPONSE:
            return self._response(document, frame.origin)
        body = document.get("data", document)
        match body.get("e"):
            case "depthUpdate":
                return (self._depth(body),)
            case "aggTrade" | "trade":
                return (self._trade(body),)
            case "bookTicker":
                return (self._quote(body),)
            case None if {"u", "s", "b", "B", "a", "A"} <= body.keys():
                return (self._quote(body),)
            case None if "result" in body:
                return (ControlMessage("subscribed"),)
            case None if "error" in body or "code" in body:
                return (ControlMessage("error", str(body)[:200]),)
            case str(event):
                return (ControlMessage("ignored", event),)
        raise BadFrame("unknown frame", body, "an event name, a result or an error", "e")

    def _response(self, body: Any, origin: str) -> Sequence[Message]:
        """REST answers do not name their symbol; the request does."""
        symbol = _SYMBOL.search(origin)
        if "/depth" not in origin or symbol is None:
            return (ControlMessage("ignored", origin[:80]),)
        if "code" in body:
            return (ControlMessage("error", str(body)[:200]),)
        last_id = values.whole(body["lastUpdateId"])
        entries = levels(body["bids"], 1) + levels(body["asks"], -1)
        return (BookMessage(symbol[1].upper(), _time_ns(body), True, entries, last_id=last_id),)

    def _depth(self, body: dict[str, Any]) -> BookMessage:
        first, last = values.whole(body["U"]), values.whole(body["u"])
        if first > last:
            raise BadFrame("ids go back", first, f"at most {last}", "U")
        entries: tuple[Level, ...] = levels(body["b"], 1) + levels(body["a"], -1)
        previous = values.whole(body["pu"]) if "pu" in body else -1
        return BookMessage(values.symbol(body["s"]), _time_ns(body), False, entries, first, last, previous)

    def _trade(self, body: dict[str, Any]) -> Message:
        if body.get("X") in _NOT_ON_BOOK:
            return ControlMessage("ignored", f"trade {body['X']}")
        if type(body["m"]) is not bool:
            raise BadFrame("not a flag", body["m"], "true or false", "m")
        trade_id = values.whole(body["a"] if body["e"] == "aggTrade" else body["t"])
        price, size = values.price(body["p"]), values.size(body["q"])
        return TradeMessage(values.symbol(body["s"]), _time_ns(body), -1 if body["m"] else 1, price, size, trade_id)

    def _quote(self, body: dict[str, Any]) -> QuoteMessage:
        bid_size, ask_size = values.size(body["B"]), values.size(body["A"])
        bid = values.price(body["b"]) if bid_size else 0
        ask = values.price(body["a"]) if ask_size else 0
        symbol, update_id = values.symbol(body["s"]), values.whole(body["u"])
        return QuoteMessage(symbol, _time_ns(body), bid, bid_size, ask, ask_size, update_id)


class BinanceUsdm(BinanceSpot):
    """USD-M futures: the same with `pu` and the transaction time `T`."""

    name = "binance-usdm-1"
    venue = "binance-usdm"
    url = "wss://fstream.binance.com/stream"
    sequencing = Sequencing.PREVIOUS

    hosts = ("fstream.binance.com", "fapi.binance.com")
    snapshot_url = "https://fapi.binance.com/fapi/v1/depth?symbol={symbol}&limit=1000"


class BinanceCoinm(BinanceUsdm):
    """COIN-M futures: as USD-M; sizes are contracts."""

    name = "binance-coinm-1"
    venue = "binance-coinm"
    url = "wss://dstream.binance.com/stream"

    hosts = ("dstream.binance.com", "dapi.binance.com")
    snapshot_url = "https://dapi.binance.com/dapi/v1/depth?symbol={symbol}&limit=1000"


class BinanceUs(BinanceSpot):
    """Binance.US: the frames of spot."""

    name = "binance-us-1"
    venue = "binance-us"
    url = "wss://stream.binance.us:9443/stream"

    hosts = ("stream.binance.us", "www.binance.us", "api.binance.us")
    snapshot_url = "https://api.binance.us/api/v3/depth?symbol={symbol}&limit=5000"


def _time_ns(body: dict[str, Any]) -> int:
    """Transaction time where there is one, else the time of the message."""
    stamp = body.get("T", body.get("E"))
    return UNKNOWN_TIME if stamp is None else values.time_ns(stamp, "ms")
