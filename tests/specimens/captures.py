"""Raw frames of venues: recordings and text captures of the deep venues, and one that a declarative mapping reads."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from feed_frames import START_NS, STEP_NS

from footprint.data.feeds.protocols import protocol
from footprint.data.feeds.recording import RecordingWriter
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.data.readers.frames import FramesReader
from footprint.testing.fuzz_reader import Specimen
from specimens.records import recorded_frame

_MS = START_NS // 1_000_000
_US = START_NS // 1000
_GUID = "be3c69b7-1c5e-446f-b80d-{:012d}"
_REACH = "a hole voids the book from there to the next snapshot, and the book decides which later changes are told"

# a body, or (address, body) for the answer to a request
Frame = Any


def _recorded(folder: Path, name: str, url: str, frames: Sequence[Frame]) -> Specimen:
    path = folder / f"{name}.frames"
    with RecordingWriter(path, name) as writer:
        writer.append(RawFrame(1, START_NS, FrameKind.CONNECTED, b"", url))
        for n, frame in enumerate(frames, start=2):
            asked = isinstance(frame, tuple)
            kind = FrameKind.RESPONSE if asked else FrameKind.RECEIVED
            origin, body = frame if asked else (url, frame)
            writer.append(RawFrame(n, START_NS + n * STEP_NS, kind, json.dumps(body).encode(), origin))
    return Specimen(FramesReader(), path, record_of=recorded_frame, linked=True, why=_REACH)


def _captured(folder: Path, venue: str, url: str, frames: Sequence[Frame]) -> Specimen:
    seconds = START_NS // 10**9
    lines = [f"{url} <-> {seconds}.000001"]
    for n, frame in enumerate(frames, start=2):
        body = json.dumps(frame[1] if isinstance(frame, tuple) else frame)
        clock = f"{seconds}.{n:03d}000: "  # the frames say milliseconds from 0 on
        start = f"{frame[0]} -> {clock}" if isinstance(frame, tuple) else clock
        lines.append(start + body)
    path = folder / f"{venue}.0"
    path.write_text("\n".join(lines) + "\n")
    return Specimen(FramesReader(), path, linked=True, why=_REACH)


def _binance_frames() -> list[Frame]:
    snapshot = {"lastUpdateId": 7, "bids": [["100.0", "1"], ["99.5", "2"]], "asks": [["101.0", "1"]]}
    frames: list[Frame] = [{"result": None, "id": 1}, ("https://api.binance.com/api/v3/depth?symbol=BTCUSDT", snapshot)]
    for n in range(8, 20):
        book = {"e": "depthUpdate", "E": _MS + n, "s": "BTCUSDT", "U": n, "u": n}
        frames.append(book | {"b": [[f"{90 + n}.5", f"{n % 3}"]], "a": [["112.5", f"{n}"]]})
        print_ = {"e": "trade", "E": _MS + n, "T": _MS + n, "s": "BTCUSDT", "t": n, "p": "100.5", "q": "0.25"}
        frames.append(print_ | {"m": n % 2 == 0, "M": True})
    frames.append({"u": 400, "s": "BTCUSDT", "b": "101.5", "B": "31.2", "a": "112.5", "A": "19"})
    return frames


def binance_recording(folder: Path) -> Specimen:
    return _recorded(folder, "binance-spot-1", "wss://stream.binance.com:9443/stream", _binance_frames())


def binance_capture(folder: Path) -> Specimen:
    return _captured(folder, "BINANCE", "wss://stream.binance.com:9443/stream", _binance_frames())


def coinbase_full(folder: Path) -> Specimen:
    """By order."""
    frames: list[Frame] = [{"type": "subscriptions"}]

    def order(kind: str, sequence: int, number: int, **more: str) -> dict[str, Any]:
        body = {"type": kind, "sequence": sequence, "order_id": _GUID.format(number), "product_id": "BTC-USD"}
        return body | {"time": "2023-11-14T22:13:20.000000Z"} | more

    book = {"sequence": 50, "bids": [["10.0", "2.0", _GUID.format(1)]], "asks": [["11.0", "3.0", _GUID.format(2)]]}
    frames.append(("https://api.exchange.coinbase.com/products/BTC-USD/book?level=3", book))
    sequence = 51
    for number in range(10, 15):
        match = {"type": "match", "trade_id": number, "maker_order_id": _GUID.format(number), "side": "buy"}
        match |= {"taker_order_id": _GUID.format(number + 100), "product_id": "BTC-USD", "size": "0.5", "price": "10.5"}
        for body in (
            order("open", sequence, number, side="buy", price="10.5", remaining_size="2.0"),
            match | {"sequence": sequence + 1, "time": "2023-11-14T22:13:20.000000Z"},
            order("change", sequence + 2, number, new_size="1.0", price="10.5", side="buy"),
            order("done", sequence + 3, number, reason="canceled", price="10.5", remaining_size="1", side="buy"),
        ):
            frames.append(body)
        sequence += 4
    return _recorded(folder, "coinbase-full-1", "wss://ws-feed.exchange.coinbase.com", frames)


def coinbase_levels(folder: Path) -> Specimen:
    start = {"product_id": "BTC-USD", "time": "2023-11-14T22:13:20.000000Z"}
    frames: list[Frame] = [
        {"type": "snapshot", "product_id": "BTC-USD", "bids": [["101.10", "0.45"]], "asks": [["102.55", "0.57"]]}
    ]
    for n in range(12):
        frames.append(start | {"type": "l2update", "changes": [["buy", f"10{n % 2}.8", f"0.1{n}"]]})
        match = {"type": "match", "trade_id": 10 + n, "sequence": 53 + n, "size": "0.23", "price": "101.23"}
        ids = {"maker_order_id": _GUID.format(1), "taker_order_id": _GUID.format(2), "side": ("sell", "buy")[n % 2]}
        frames.append(start | match | ids)
    return _captured(folder, "COINBASE", "wss://ws-feed.exchange.coinbase.com", frames)


def kraken(folder: Path) -> Specimen:
    """Every change carries the checksum of the book."""
    held = {f"{100 + n}.0": "1.000" for n in range(10)}
    bids = [[p, s, "1700000000.0"] for p, s in held.items()]
    asks = [["120.0", "2.000", "1700000000.0"]]
    frames: list[Frame] = [{"event": "systemStatus", "status": "online"}]
    frames.append([0, {"bs": bids, "as": asks}, "book-10", "XBT/USD"])
    for n in range(8):
        price = f"{100 + n}.0"
        held[price] = f"0.{500 + n}"
        digits = [text.replace(".", "").lstrip("0") for text in ("120.0", "2.000")]
        best = sorted(held, key=float, reverse=True)
        digits += [text.replace(".", "").lstrip("0") for p in best for text in (p, held[p])]
        check = str(zlib.crc32("".join(digits).encode()))
        change = {"b": [[price, held[price], f"1700000000.00{n}"]], "c": check}
        frames.append([0, change, "book-10", "XBT/USD"])
        frames.append([0, [["110.2", "0.158", f"1700000000.00{n}", "bs"[n % 2], "l", ""]], "trade", "XBT/USD"])
    return _captured(folder, "KRAKEN", "wss://ws.kraken.com", frames)


def bybit(folder: Path) -> Specimen:
    frames: list[Frame] = [{"success": True, "ret_msg": "", "op": "subscribe"}]
    for n in range(12):
        data = {"s": "BTCUSDT", "b": [[f"16493.{n % 3}0", f"0.00{n % 4}"]], "a": [["16611.00", f"0.0{n}"]], "u": 18 + n}
        kind = "delta" if n else "snapshot"
        body = {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": _MS + n + 2, "cts": _MS + n}
        frames.append(body | {"data": data | {"seq": 79 + n}})
        print_ = {"T": _MS + n, "s": "BTCUSDT", "S": ("Buy", "Sell")[n % 2], "v": "0.001", "p": "16500.50"}
        trade = print_ | {"L": "PlusTick", "i": _GUID.format(n), "BT": False}
        frames.append({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": _MS + n, "data": [trade]})
    return _captured(folder, "BYBIT", "wss://stream.bybit.com/v5/public/linear", frames)


def bitstamp(folder: Path) -> Specimen:
    """By order."""

    def order(event: str, stamp: int, number: int, amount: str) -> dict[str, Any]:
        data = {"id": number, "order_type": number % 2, "microtimestamp": str(_US + stamp), "amount_str": amount}
        at = ("100.0", "101.5")[number % 2]
        data |= {"price_str": at, "amount": float(amount), "price": float(at)}
        return {"data": data, "channel": "live_orders_btcusd", "event": event}

    book = {"microtimestamp": str(_US), "bids": [["100.0", "1.5", "8"], ["99.0", "2", "6"]], "asks": []}
    frames: list[Frame] = [
        {"event": "bts:subscription_succeeded", "channel": "live_orders_btcusd", "data": {}},
        order("order_created", 0, 8, "1.5"),
        ("https://www.bitstamp.net/api/v2/order_book/btcusd/?group=2", book),
    ]
    for n in range(6):
        frames += [
            order("order_created", 4 * n + 1, 10 + n, "2.0"),
            order("order_changed", 4 * n + 2, 10 + n, "1.25"),
            order("order_deleted", 4 * n + 3, 10 + n, "1.25"),
        ]
    return _recorded(folder, "bitstamp-2-orders", protocol("bitstamp-2-orders").url, frames)


def bitfinex(folder: Path) -> Specimen:
    """By order."""
    frames: list[Frame] = [
        {"event": "info", "version": 2},
        {"event": "subscribed", "channel": "book", "chanId": 7, "symbol": "tBTCUSD", "prec": "R0"},
        {"event": "subscribed", "channel": "trades", "chanId": 8, "symbol": "tBTCUSD"},
        [7, [[11, 100, 0.5], [12, 99.5, 1], [21, 101, -0.25]]],
    ]
    for n in range(8):
        frames += [
            [7, [30 + n, 98.25 + n % 3, 2 + n]],
            [8, "te", [900 + n, _MS + n, 0.005, 100.5]],
            [7, [30 + n, 0, 1]],
        ]
    return _recorded(folder, "bitfinex-2-raw", "wss://api-pub.bitfinex.com/ws/2", frames)


def kraken_futures(folder: Path) -> Specimen:
    """A venue that a declarative mapping describes."""
    book: dict[str, Any] = {"feed": "book_snapshot", "product_id": "PI_XBTUSD", "timestamp": _MS, "seq": 5}
    frames: list[Frame] = [book | {"bids": [{"price": 100.5, "qty": 7.0}], "asks": [{"price": 101.0, "qty": 8.0}]}]
    for n in range(14):
        change = {"feed": "book", "product_id": "PI_XBTUSD", "side": "buy", "seq": 6 + n, "price": 90.5 + n % 10}
        frames.append(change | {"qty": float(n % 4), "timestamp": _MS + n})
        print_ = {"feed": "trade", "product_id": "PI_XBTUSD", "side": ("buy", "sell")[n % 2], "seq": 100 + n}
        frames.append(print_ | {"price": 100.5, "qty": 3.0, "time": _MS + n})
    return _recorded(folder, "kraken-futures-1", "wss://futures.kraken.com/ws/v1", frames)


SPECIMENS = {
    "frames/binance_recording": binance_recording,
    "frames/binance_capture": binance_capture,
    "frames/coinbase_full": coinbase_full,
    "frames/coinbase_levels": coinbase_levels,
    "frames/kraken": kraken,
    "frames/bybit": bybit,
    "frames/bitstamp_orders": bitstamp,
    "frames/bitfinex_orders": bitfinex,
    "frames/kraken_futures": kraken_futures,
}
