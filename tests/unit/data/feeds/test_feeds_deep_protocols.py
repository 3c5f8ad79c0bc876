"""Every message type that the six deep venues document, field by field."""

from __future__ import annotations

import json
import zlib

import pytest
from feed_frames import START_NS, Feed, book_of, kinds, price, size

from footprint.data.feeds.messages import (
    BookMessage,
    ControlMessage,
    Level,
    PositionMessage,
    QuoteMessage,
    TradeMessage,
)
from footprint.data.feeds.protocols import PROTOCOLS, protocol, recognise
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, WireProtocol
from footprint.errors import UsageError
from footprint.market.events import UNKNOWN_TIME

MS = START_NS // 1_000_000
GUID_A, GUID_B = "be3c69b7-1c5e-446f-b80d-8398aae065c5", "932878ac-3794-4163-8753-363fb433dbd3"
ID_A, ID_B = 0x380D8398AAE065C5, 0x0753363FB433DBD3


def binance(futures: bool = False) -> Feed:
    host = "fstream.binance.com" if futures else "stream.binance.com:9443"
    return Feed("binance-usdm-1" if futures else "binance-spot-1", f"wss://{host}/stream")


def test_binance_depth_updates_and_snapshots() -> None:
    feed = binance()
    body = {
        "e": "depthUpdate",
        "E": MS,
        "s": "BTCUSDT",
        "U": 5,
        "u": 7,
        "b": [["0.0024", "10"]],
        "a": [["0.0026", "0.0"]],
    }
    levels = (Level(1, price(0.0024), size(10)), Level(-1, price(0.0026), 0))
    expected = BookMessage("BTCUSDT", START_NS, False, levels, 5, 7, -1)
    assert feed.decode({"stream": "btcusdt@depth", "data": body}) == [expected]
    assert feed.decode(body) == [expected]  # a raw stream has no envelope
    assert binance(futures=True).decode(body | {"pu": 4, "T": MS - 1})[0] == expected._replace(
        previous_id=4, exchange_time_ns=START_NS - 1_000_000
    )
    url = "https://api.binance.com/api/v3/depth?symbol=btcusdt&limit=5000"
    snapshot = {"lastUpdateId": 9, "bids": [["0.0024", "10"]], "asks": []}
    assert feed.decode(snapshot, url) == [BookMessage("BTCUSDT", UNKNOWN_TIME, True, levels[:1], last_id=9)]


def test_binance_prints_and_quotes() -> None:
    feed = binance()
    trade = {"e": "trade", "E": MS, "T": MS, "s": "BTCUSDT", "t": 12, "p": "0.001", "q": "100", "m": True, "M": True}
    assert feed.decode(trade) == [TradeMessage("BTCUSDT", START_NS, -1, price(0.001), size(100), 12)]
    assert feed.decode(trade | {"e": "aggTrade", "a": 13, "m": False}) == [
        TradeMessage("BTCUSDT", START_NS, 1, price(0.001), size(100), 13)
    ]
    assert feed.decode(trade | {"X": "INSURANCE_FUND"}) == [ControlMessage("ignored", "trade INSURANCE_FUND")]
    quote = {"u": 400, "s": "BNBUSDT", "b": "25.35", "B": "31.21", "a": "25.36", "A": "40.66"}
    expected = QuoteMessage("BNBUSDT", UNKNOWN_TIME, price(25.35), size(31.21), price(25.36), size(40.66), 400)
    assert feed.decode(quote) == [expected]
    assert feed.decode(quote | {"e": "bookTicker", "T": MS, "E": MS}) == [expected._replace(exchange_time_ns=START_NS)]
    assert feed.decode(quote | {"b": "0.0", "B": "0.0"}) == [expected._replace(bid=0, bid_size=0)]


@pytest.mark.parametrize(
    ("name", "host", "api", "previous_id"),
    [
        ("binance-coinm-1", "dstream.binance.com", "https://dapi.binance.com/dapi/v1/depth?symbol=BTCUSD_PERP", 4),
        ("binance-us-1", "stream.binance.us:9443", "https://www.binance.us/api/v1/depth?symbol=BTCUSD_PERP", -1),
    ],
)
def test_binance_of_other_hosts(name: str, host: str, api: str, previous_id: int) -> None:
    feed = Feed(name, f"wss://{host}/stream?streams=x@depth")
    changed = {"e": "depthUpdate", "E": MS, "s": "BTCUSD_PERP", "U": 5, "u": 7, "b": [["61000.1", "3"]], "a": []}
    if previous_id >= 0:
        changed |= {"pu": previous_id, "ps": "BTCUSD", "T": MS}
    levels = (Level(1, price(61000.1), size(3)),)
    told = [BookMessage("BTCUSD_PERP", START_NS, False, levels, 5, 7, previous_id)]
    assert feed.decode({"stream": "btcusd_perp@depth", "data": changed}) == told
    (snapshot,) = feed.decode({"lastUpdateId": 9, "bids": [["61000.1", "3"]], "asks": []}, api)
    assert (snapshot.symbol, snapshot.snapshot, snapshot.levels) == ("BTCUSD_PERP", True, levels)
    for origin in (f"wss://{host}/stream?streams=x@depth", api):
        found = recognise(RawFrame(1, START_NS, FrameKind.RECEIVED, b"{}", origin))
        assert found is not None
        assert found.name == name


def test_binance_control() -> None:
    feed = binance()
    assert feed.decode({"result": None, "id": 1}) == [ControlMessage("subscribed")]
    assert feed.decode({"error": {"code": 2, "msg": "bad"}, "id": 1})[0].what == "error"  # type: ignore[union-attr]
    assert feed.decode({"e": "kline", "s": "BTCUSDT"}) == [ControlMessage("ignored", "kline")]
    assert feed.decode({"code": -1121, "msg": "no"}, "https://api.binance.com/api/v3/depth?symbol=X")[0].what == "error"  # type: ignore[union-attr]
    assert feed.decode({}, "https://api.binance.com/api/v3/exchangeInfo")[0].what == "ignored"  # type: ignore[union-attr]
    with pytest.raises(BadFrame):
        feed.decode({"foo": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"U": 8},
        {"u": "x"},
        {"b": [["-1", "1"]]},
        {"a": [["1", "-1"]]},
        {"s": ""},
        {"E": "now"},
        {"b": None},
        {"b": [[]]},
    ],
)
def test_binance_depth_that_is_not_allowed(change: dict[str, object]) -> None:
    body = {"e": "depthUpdate", "E": MS, "s": "BTCUSDT", "U": 5, "u": 7, "b": [["1", "10"]], "a": []} | change
    feed = binance()
    assert len(feed.take(body)) == 0
    assert feed.normaliser.report().counts["quarantined"] == 1


COINBASE_TIME = "2023-11-14T22:13:20.000000Z"  # START_NS


def coinbase() -> Feed:
    return Feed("coinbase-1", "wss://ws-feed.exchange.coinbase.com")


def test_coinbase_level2() -> None:
    feed = coinbase()
    snapshot = {
        "type": "snapshot",
        "product_id": "BTC-USD",
        "bids": [["10101.10", "0.45"]],
        "asks": [["10102.55", "0.57"]],
    }
    levels = (Level(1, price(10101.10), size(0.45)), Level(-1, price(10102.55), size(0.57)))
    assert feed.decode(snapshot) == [BookMessage("BTC-USD", UNKNOWN_TIME, True, levels)]
    update = {
        "type": "l2update",
        "product_id": "BTC-USD",
        "time": COINBASE_TIME,
        "changes": [["buy", "10101.8", "0.16"], ["sell", "10102.55", "0.0"]],
    }
    changed = (Level(1, price(10101.8), size(0.16)), Level(-1, price(10102.55), 0))
    assert feed.decode(update) == [BookMessage("BTC-USD", START_NS, False, changed, START_NS, START_NS)]


MATCH = {
    "type": "match",
    "trade_id": 10,
    "sequence": 53,
    "maker_order_id": GUID_A,
    "taker_order_id": GUID_B,
    "time": COINBASE_TIME,
    "product_id": "BTC-USD",
    "size": "5.23",
    "price": "400.23",
    "side": "sell",
}


def test_coinbase_prints_name_the_maker_so_the_aggressor_is_the_other() -> None:
    expected = TradeMessage("BTC-USD", START_NS, 1, price(400.23), size(5.23), 10, ID_A)
    assert coinbase().decode(MATCH) == [expected]
    assert coinbase().decode(MATCH | {"type": "last_match"}) == [ControlMessage("past_trade", "last_match")]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("subscriptions", "subscribed"),
        ("heartbeat", "heartbeat"),
        ("error", "error"),
        ("ticker", "ignored"),
        ("new", "ignored"),
    ],
)
def test_coinbase_control(kind: str, what: str) -> None:
    assert coinbase().decode({"type": kind, "message": "m", "reason": "r"})[0].what == what  # type: ignore[union-attr]


def full() -> Feed:
    return Feed("coinbase-full-1", "wss://ws-feed.exchange.coinbase.com")


FULL_SNAPSHOT = {"sequence": 50, "bids": [["10.0", "2.0", GUID_A]], "asks": [["11.0", "3.0", GUID_B]]}
FULL_URL = "https://api.exchange.coinbase.com/products/BTC-USD/book?level=3"


def order_message(kind: str, sequence: int, order: str = GUID_A, **more: str) -> dict[str, object]:
    return {
        "type": kind,
        "sequence": sequence,
        "order_id": order,
        "product_id": "BTC-USD",
        "time": COINBASE_TIME,
        **more,
    }


def test_coinbase_full_messages() -> None:
    feed = full()
    opened = order_message("open", 51, side="buy", price="10.5", remaining_size="1.0")
    message = feed.decode(opened)[0]
    assert message == BookMessage("BTC-USD", START_NS, False, (Level(1, price(10.5), size(1), ID_A),), 51, 51)
    for body, levels in (
        (order_message("received", 52, side="buy", price="10.5", size="1.0"), ()),
        (order_message("done", 53, reason="canceled", price="10.5", remaining_size="1"), (Level(0, 0, 0, ID_A),)),
        (order_message("done", 54, reason="filled", price="10.5", remaining_size="0"), ()),
        (order_message("done", 55, reason="canceled"), ()),  # a market order rested nowhere
        (order_message("change", 56, new_size="0.5", old_size="1"), (Level(0, 0, size(0.5), ID_A),)),
        (order_message("change", 57, new_size="0.5", new_price="9.5"), (Level(0, price(9.5), size(0.5), ID_A),)),
    ):
        (found,) = feed.decode(body)
        assert isinstance(found, BookMessage)
        assert (found.levels, found.last_id) == (levels, body["sequence"])
    trade, fill = feed.decode(MATCH)
    assert isinstance(trade, TradeMessage)
    assert fill == BookMessage("BTC-USD", START_NS, False, (Level(-1, price(400.23), -size(5.23), ID_A),), 53, 53)
    assert feed.decode({"type": "activate"})[0].what == "ignored"  # type: ignore[union-attr]
    assert feed.decode({"message": "NotFound"}, FULL_URL)[0].what == "error"  # type: ignore[union-attr]


def test_coinbase_full_book_follows_orders_and_holes_void_it() -> None:
    feed = full()
    feed.connect()
    feed.take(order_message("open", 50, GUID_B, side="sell", price="11.0", remaining_size="3.0"))
    feed.take(order_message("open", 51, GUID_A[:-1] + "0", side="sell", price="12.0", remaining_size="1.0"))
    events = feed.take(FULL_SNAPSHOT, FULL_URL)
    assert kinds(events) == ["CLEAR", "ADD", "ADD", "ADD"]  # the held order 51 comes with the snapshot
    events = feed.take(
        MATCH | {"sequence": 52, "side": "buy", "maker_order_id": GUID_A, "size": "0.5", "price": "10.0"}
    )
    assert kinds(events) == ["TRADE", "FILL"]
    assert events["side"].tolist() == [-1, 1]
    assert events["size_lots"].tolist() == [size(0.5), size(0.5)]
    assert kinds(feed.take(order_message("change", 53, new_size="0.25", price="10.0", side="buy"))) == ["MODIFY"]
    assert kinds(feed.take(order_message("done", 54, reason="canceled", price="10.0", side="buy"))) == ["DELETE"]
    assert kinds(feed.take(order_message("received", 56, side="buy"))) == ["HALT", "CLEAR", "RESUME"]
    (gap,) = feed.normaliser.report().gaps
    assert (gap.reason, gap.from_id, gap.to_id, gap.missing) == ("missing ids", 54, 56, 1)
    assert feed.normaliser.needs_snapshot() == ["BTC-USD"]


def kraken() -> Feed:
    return Feed("kraken-1", "wss://ws.kraken.com")


def test_kraken_messages() -> None:
    feed = kraken()
    entries = {
        "as": [["5541.30000", "2.50700000", "1700000000.000000"]],
        "bs": [["5541.20000", "1.52900000", "1699999999.5"]],
    }
    (book,) = feed.decode([0, entries, "book-100", "XBT/USD"])
    levels = (
        Level(1, price(5541.2), size(1.529), 0, "554120000152900000"),
        Level(-1, price(5541.3), size(2.507), 0, "554130000250700000"),
    )
    assert book == BookMessage("XBT/USD", START_NS, True, levels, depth=100)
    change = [
        1,
        {"a": [["5541.3", "0.0", "1700000000.0"]]},
        {"b": [["5541.1", "1.0", "1700000001.0", "r"]], "c": "974942666"},
    ]
    (both,) = feed.decode([*change, "book-10", "XBT/USD"])
    assert isinstance(both, BookMessage)
    assert (both.checksum, both.snapshot, len(both.levels), both.depth) == (974942666, False, 2, 10)
    trades = [
        0,
        [["5541.2", "0.158", "1700000000.0", "s", "l", ""], ["5541.3", "1", "1700000000.0", "b", "m", ""]],
        "trade",
        "XBT/USD",
    ]
    assert feed.decode(trades) == [
        TradeMessage("XBT/USD", START_NS, -1, price(5541.2), size(0.158)),
        TradeMessage("XBT/USD", START_NS, 1, price(5541.3), size(1)),
    ]
    spread = [0, ["5698.4", "5700.0", "1700000000.0", "1.01", "0.98"], "spread", "XBT/USD"]
    assert feed.decode(spread) == [
        QuoteMessage("XBT/USD", START_NS, price(5698.4), size(1.01), price(5700), size(0.98))
    ]
    for body, what in (
        ({"event": "heartbeat"}, "heartbeat"),
        ({"event": "pong"}, "heartbeat"),
        ({"event": "systemStatus", "status": "online"}, "status"),
        ({"event": "subscriptionStatus", "status": "subscribed"}, "subscribed"),
        ({"event": "subscriptionStatus", "status": "error", "errorMessage": "no"}, "error"),
        ([0, {}, "ticker", "XBT/USD"], "ignored"),
    ):
        assert feed.decode(body)[0].what == what  # type: ignore[union-attr]
    for bad in ([0, {}, "book-10", "XBT/USD"], [0, entries, "book-11", "XBT/USD"]):
        with pytest.raises(BadFrame):
            feed.decode(bad)


def test_kraken_checksum_of_its_documentation() -> None:
    """Kraken, "Spot WebSockets (v1) Book Checksum": every volume is 0.00000500."""
    asks = [f"{p}500" for p in (5005, 5010, 5015, 5020, 5025, 5030, 5035, 5040, 5045, 5050)]
    bids = [f"{p}500" for p in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950)]
    known = protocol("kraken-1")
    assert known.checksum(bids, asks) == 974947235
    assert known.checksum([*bids, "9"], [*asks, "9"]) == 974947235  # only ten a side


@pytest.mark.parametrize(
    ("bids", "asks", "expected"),
    [
        (["3366.1:7", "3366:6"], ["3366.8:9", "3368:8"], -1881014294),
        (["3366.1:7"], ["3366.8:9", "3368:8", "3372:8"], 831078360),
    ],
)
@pytest.mark.parametrize("name", ["okx-5", "bitfinex-2"])
def test_checksum_of_pairs(name: str, bids: list[str], asks: list[str], expected: int) -> None:
    """The examples of OKX's documentation; Bitfinex documents the same rule."""
    assert protocol(name).checksum(bids, asks) == expected


def kraken_book(bids: dict[str, str]) -> int:
    """The checksum of one side, by the words of the documentation."""
    best = sorted(bids, key=float, reverse=True)[:10]
    texts = (text.replace(".", "").lstrip("0") for p in best for text in (p, bids[p]))
    return zlib.crc32("".join(texts).encode())


def test_kraken_books_are_cut_to_their_depth_and_a_wrong_checksum_voids_them() -> None:
    feed = kraken()
    held = {f"{100 + n}.0": "1.000" for n in range(10)}
    bids = [[p, s, "1700000000.0"] for p, s in held.items()]
    feed.take([0, {"bs": bids, "as": []}, "book-10", "XBT/USD"])
    held["110.0"] = "0.500"
    del held["100.0"]
    change = {"b": [["110.0", "0.500", "1700000001.0"]], "c": str(kraken_book(held))}
    events = feed.take([0, change, "book-10", "XBT/USD"])
    assert events["price_ticks"].tolist() == [11_000_000_000, 10_000_000_000]
    assert events["size_lots"].tolist() == [size(0.5), 0]  # the eleventh level left
    events = feed.take([0, change | {"b": [["110.0", "0.600", "1700000001.0"]]}, "book-10", "XBT/USD"])
    assert kinds(events) == ["LEVEL", "HALT", "CLEAR", "RESUME"]
    report = feed.normaliser.report()
    assert (report.gaps[0].reason, report.counts["checksum_mismatches"]) == ("checksum", 1)
    assert feed.normaliser.needs_snapshot() == ["XBT/USD"]


def test_kraken_2_messages() -> None:
    feed = Feed("kraken-2", "wss://ws.kraken.com/v2")
    book = (
        b'{"channel":"book","type":"snapshot","data":[{"symbol":"MATIC/USD","bids":[{"price":0.5666,"qty":4831.75496356}],'
        b'"asks":[{"price":0.5668,"qty":4410.79769741}],"checksum":2439117997}]}'
    )
    levels = (
        Level(1, price(0.5666), 483175496356, 0, "5666483175496356"),
        Level(-1, price(0.5668), 441079769741, 0, "5668441079769741"),
    )
    assert feed.decode(book) == [BookMessage("MATIC/USD", UNKNOWN_TIME, True, levels, checksum=2439117997, depth=1000)]
    feed.decode(
        {"method": "subscribe", "success": True, "result": {"channel": "book", "symbol": "MATIC/USD", "depth": 10}}
    )
    update = book.replace(b"snapshot", b"update").replace(
        b'"checksum"', b'"timestamp":"2023-11-14T22:13:20.000000Z","checksum"'
    )
    (found,) = feed.decode(update)
    assert isinstance(found, BookMessage)
    assert (found.snapshot, found.depth, found.exchange_time_ns) == (False, 10, START_NS)
    trade = {
        "symbol": "MATIC/USD",
        "side": "buy",
        "price": 0.5147,
        "qty": 6423.46,
        "trade_id": 7,
        "timestamp": COINBASE_TIME,
    }
    body = {"channel": "trade", "type": "update", "data": [trade]}
    assert feed.decode(body) == [TradeMessage("MATIC/USD", START_NS, 1, price(0.5147), size(6423.46), 7)]
    assert feed.decode(body | {"type": "snapshot"}) == [ControlMessage("past_trade", "1")]
    ticker = {"symbol": "A/B", "bid": 1.5, "bid_qty": 2, "ask": 1.6, "ask_qty": 3}
    assert feed.decode({"channel": "ticker", "type": "update", "data": [ticker]}) == [
        QuoteMessage("A/B", UNKNOWN_TIME, price(1.5), size(2), price(1.6), size(3))
    ]
    for control, what in (
        ({"channel": "heartbeat"}, "heartbeat"),
        ({"channel": "status", "data": []}, "status"),
        ({"channel": "ohlc", "data": []}, "ignored"),
        ({"method": "pong"}, "heartbeat"),
        ({"method": "subscribe", "success": False, "error": "no"}, "error"),
    ):
        assert feed.decode(control)[0].what == what  # type: ignore[union-attr]


def test_bybit_2_messages() -> None:
    feed = Feed("bybit-2", "wss://stream.bybit.com/realtime_public")
    level = {"price": "2999.00", "symbol": "BTCUSDT", "id": "29990000", "side": "Buy", "size": 9}
    head = {"topic": "orderBookL2_25.BTCUSDT", "cross_seq": "11518", "timestamp_e6": START_NS // 1000}
    expected = BookMessage("BTCUSDT", START_NS, True, (Level(1, price(2999), size(9)),), 11518, 11518)
    assert feed.decode({**head, "type": "snapshot", "data": {"order_book": [level]}}) == [expected]
    assert feed.decode({**head, "type": "snapshot", "data": [level]}) == [expected]  # inverse
    delta = {
        "delete": [{"price": "3001.00", "symbol": "BTCUSDT", "id": "30010000", "side": "Sell"}],
        "update": [level | {"size": 8.5}],
        "insert": [level | {"price": "2998.00"}],
    }
    (found,) = feed.decode({**head, "type": "delta", "data": delta})
    assert isinstance(found, BookMessage)
    assert found.levels == (Level(-1, price(3001), 0), Level(1, price(2999), size(8.5)), Level(1, price(2998), size(9)))
    trade = {
        "symbol": "BTCUSDT",
        "side": "Sell",
        "size": 0.9,
        "price": 8098,
        "trade_time_ms": str(MS),
        "trade_id": GUID_A,
    }
    assert feed.decode({"topic": "trade.BTCUSDT", "data": [trade]}) == [
        TradeMessage("BTCUSDT", START_NS, -1, price(8098), size(0.9))
    ]
    for body, what in (
        ({"success": True, "ret_msg": "", "request": {"op": "subscribe"}}, "subscribed"),
        ({"success": True, "ret_msg": "pong"}, "heartbeat"),
        ({"success": False, "ret_msg": "bad"}, "error"),
        ({"topic": "instrument_info.100ms.BTCUSDT"}, "ignored"),
    ):
        assert feed.decode(body)[0].what == what  # type: ignore[union-attr]
    with pytest.raises(BadFrame, match="unknown type"):
        feed.decode({**head, "type": "other", "data": []})


def test_bybit_5_messages() -> None:
    feed = Feed("bybit-5", "wss://stream.bybit.com/v5/public/linear")
    data = {"s": "BTCUSDT", "b": [["16493.50", "0.006"]], "a": [["16611.00", "0.0"]], "u": 18, "seq": 79}
    body = {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": MS + 2, "cts": MS, "data": data}
    levels = (Level(1, price(16493.5), size(0.006)), Level(-1, price(16611), 0))
    assert feed.decode(body) == [BookMessage("BTCUSDT", START_NS, False, levels, 18, 18)]
    restart = body | {"type": "snapshot", "data": data | {"u": 1}}
    first, book = feed.decode(restart)
    assert first == ControlMessage("restart", "BTCUSDT")
    assert isinstance(book, BookMessage)
    assert book.snapshot
    quote = body | {"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "data": data | {"a": []}}
    assert feed.decode(quote) == [QuoteMessage("BTCUSDT", START_NS, price(16493.5), size(0.006), 0, 0, 18)]
    trade = {
        "T": MS,
        "s": "BTCUSDT",
        "S": "Buy",
        "v": "0.001",
        "p": "16578.50",
        "L": "PlusTick",
        "i": GUID_A,
        "BT": False,
    }
    assert feed.decode({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": MS, "data": [trade]}) == [
        TradeMessage("BTCUSDT", START_NS, 1, price(16578.5), size(0.001))
    ]
    for control, what in (
        ({"success": True, "ret_msg": "", "op": "subscribe"}, "subscribed"),
        ({"success": True, "ret_msg": "pong", "op": "ping"}, "heartbeat"),
        ({"success": False, "ret_msg": "x", "op": "subscribe"}, "error"),
        ({"topic": "tickers.BTCUSDT", "data": {}}, "ignored"),
    ):
        assert feed.decode(control)[0].what == what  # type: ignore[union-attr]


def test_bybit_5_takes_the_snapshot_of_a_restart_although_its_id_is_lower() -> None:
    feed = Feed("bybit-5", "wss://stream.bybit.com/v5/public/linear")
    feed.connect()

    def book(kind: str, update_id: int, bid: str) -> dict[str, object]:
        data = {"s": "X", "b": [[bid, "1"]], "a": [["20", "1"]], "u": update_id, "seq": 1}
        return {"topic": "orderbook.50.X", "type": kind, "ts": MS, "data": data}

    feed.take(book("snapshot", 100, "10"))
    feed.take(book("delta", 101, "11"))
    events = feed.take(book("snapshot", 1, "12"))
    assert kinds(events) == ["HALT", "CLEAR", "RESUME", "CLEAR", "LEVEL", "LEVEL"]
    assert kinds(feed.take(book("delta", 2, "13"))) == ["LEVEL", "LEVEL"]


def bitstamp(orders: bool = False) -> Feed:
    return Feed("bitstamp-2-orders" if orders else "bitstamp-2", "wss://ws.bitstamp.net")


STAMP = str(START_NS // 1000)


def test_bitstamp_messages() -> None:
    feed = bitstamp()
    data = {
        "timestamp": "1",
        "microtimestamp": STAMP,
        "bids": [["3800.71", "1.762"]],
        "asks": [["3805.16", "0.00000000"]],
    }
    levels = (Level(1, price(3800.71), size(1.762)), Level(-1, price(3805.16), 0))
    book = BookMessage("ETHUSD", START_NS, False, levels, START_NS // 1000, START_NS // 1000)
    assert feed.decode({"data": data, "channel": "diff_order_book_ethusd", "event": "data"}) == [book]
    whole = book._replace(snapshot=True)
    assert feed.decode({"data": data, "channel": "order_book_ethusd", "event": "data"}) == [whole]
    assert feed.decode(data, "https://www.bitstamp.net/api/v2/order_book/ethusd") == [whole]
    trade = {
        "id": 5,
        "microtimestamp": STAMP,
        "amount": 0.5,
        "amount_str": "0.50000000",
        "price": 3800.7,
        "price_str": "3800.70",
        "type": 0,
        "buy_order_id": 77,
        "sell_order_id": 88,
    }
    body = {"data": trade, "channel": "live_trades_ethusd", "event": "trade"}
    assert feed.decode(body) == [TradeMessage("ETHUSD", START_NS, 1, price(3800.7), size(0.5), 5, 88)]
    sold = body | {"data": trade | {"type": 1}}
    assert feed.decode(sold) == [TradeMessage("ETHUSD", START_NS, -1, price(3800.7), size(0.5), 5, 77)]
    for event, what in (
        ("bts:subscription_succeeded", "subscribed"),
        ("bts:unsubscription_succeeded", "subscribed"),
        ("bts:heartbeat", "heartbeat"),
        ("bts:request_reconnect", "status"),
        ("bts:error", "error"),
        ("bts:new", "ignored"),
    ):
        assert feed.decode({"event": event, "channel": "", "data": {}})[0].what == what  # type: ignore[union-attr]
    assert feed.decode({"event": "data", "channel": "detail_order_book_ethusd", "data": {}})[0].what == "ignored"  # type: ignore[union-attr]
    assert feed.decode({"status": "error"}, "https://www.bitstamp.net/api/v2/order_book/x")[0].what == "error"  # type: ignore[union-attr]


def bitstamp_order(
    event: str, stamp: int, order_id: int, amount: str, at: str = "100.0", kind: int = 0
) -> dict[str, object]:
    data = {"id": order_id, "order_type": kind, "microtimestamp": str(stamp), "amount_str": amount, "price_str": at}
    data |= {"amount": float(amount), "price": float(at)}
    return {"data": data, "channel": "live_orders_btcusd", "event": event}


def test_bitstamp_orders() -> None:
    feed = bitstamp(orders=True)
    stamp = START_NS // 1000
    (message,) = feed.decode(bitstamp_order("order_created", stamp, 9, "1.5", kind=1))
    assert message == BookMessage("BTCUSD", START_NS, False, (Level(-1, price(100), size(1.5), 9),), stamp, stamp)
    feed.connect()
    feed.take(bitstamp_order("order_created", stamp, 9, "1.5"))
    snapshot = {"microtimestamp": str(stamp), "bids": [["100.0", "1.5", "9"], ["99.0", "2", "8"]], "asks": []}
    assert kinds(feed.take(snapshot, "https://www.bitstamp.net/api/v2/order_book/btcusd/?group=2")) == [
        "CLEAR",
        "ADD",
        "ADD",
    ]
    assert kinds(feed.take(bitstamp_order("order_changed", stamp + 1, 9, "1.0"))) == ["MODIFY"]
    assert kinds(feed.take(bitstamp_order("order_deleted", stamp + 1, 9, "1.0"))) == ["DELETE"]
    assert kinds(feed.take(bitstamp_order("order_deleted", stamp + 2, 7, "1.0"))) == []
    report = feed.normaliser.report()
    assert report.counts["unknown_deletes"] == 1
    assert kinds(feed.take(bitstamp_order("order_created", stamp + 1, 10, "1.0"))) == ["HALT", "CLEAR", "RESUME"]
    assert feed.normaliser.report().gaps[0].reason == "out of order"


def bitfinex(raw: bool = False) -> Feed:
    feed = Feed("bitfinex-2-raw" if raw else "bitfinex-2", "wss://api-pub.bitfinex.com/ws/2")
    book = {"event": "subscribed", "channel": "book", "chanId": 7, "symbol": "tBTCUSD", "prec": "R0" if raw else "P0"}
    feed.decode(book)
    feed.decode({"event": "subscribed", "channel": "trades", "chanId": 8, "symbol": "tBTCUSD"})
    return feed


def test_bitfinex_messages() -> None:
    feed = bitfinex()
    book = BookMessage("BTCUSD", UNKNOWN_TIME, False, (Level(-1, price(100.5), size(0.25), 0, "100.5:-0.25"),))
    assert feed.decode([7, [100.5, 2, -0.25]]) == [book]
    assert feed.decode([7, [[100.5, 2, -0.25]]]) == [book._replace(snapshot=True)]
    assert feed.decode([7, []]) == [book._replace(snapshot=True, levels=())]
    assert feed.decode([7, [100.5, 0, 1]]) == [book._replace(levels=(Level(1, price(100.5), 0),))]
    assert feed.decode([7, "cs", -1234]) == [book._replace(levels=(), checksum=-1234)]
    assert feed.decode([7, "hb"]) == [ControlMessage("heartbeat")]
    assert feed.decode([8, "te", [401597395, MS, 0.005, 10.5]]) == [
        TradeMessage("BTCUSD", START_NS, 1, price(10.5), size(0.005), 401597395)
    ]
    assert feed.decode([8, "te", [4, MS, -0.005, 10.5]])[0].side == -1  # type: ignore[union-attr]
    assert feed.decode([8, "tu", [4, MS, -0.005, 10.5]]) == [ControlMessage("ignored", "tu")]
    assert feed.decode([8, [[4, MS, -0.005, 10.5]]]) == [ControlMessage("past_trade")]
    assert feed.decode([99, [1, 2, 3]])[0].what == "ignored"  # type: ignore[union-attr]
    for body, what in (
        ({"event": "info", "version": 2}, "status"),
        ({"event": "pong"}, "heartbeat"),
        ({"event": "error", "msg": "x"}, "error"),
        ({"event": "unsubscribed", "chanId": 8}, "subscribed"),
        ({"event": "new"}, "ignored"),
    ):
        assert feed.decode(body)[0].what == what  # type: ignore[union-attr]
    assert feed.decode([8, "te", [4, MS, 1, 1]])[0].what == "ignored"  # type: ignore[union-attr]


def test_bitfinex_orders() -> None:
    feed = bitfinex(raw=True)
    assert feed.decode([7, [34006738527, 8744.9, 0.25]]) == [
        BookMessage(
            "BTCUSD", UNKNOWN_TIME, False, (Level(1, price(8744.9), size(0.25), 34006738527, "34006738527:0.25"),)
        )
    ]
    assert feed.decode([7, [34006738527, 0, 1]]) == [
        BookMessage("BTCUSD", UNKNOWN_TIME, False, (Level(1, 0, 0, 34006738527),))
    ]


def test_bitfinex_frames_are_numbered_when_asked_and_a_hole_voids_every_book() -> None:
    feed = bitfinex()
    feed.connect()
    feed.take({"event": "subscribed", "channel": "book", "chanId": 7, "symbol": "tBTCUSD", "prec": "P0"})
    feed.take({"event": "conf", "status": "OK", "flags": 65536 + 32768})
    feed.take([7, [[100, 1, 1], [101, 1, -1]], 1, MS])
    assert kinds(feed.take([7, [100, 1, 2], 2, MS])) == ["LEVEL"]
    assert kinds(feed.take([7, [100, 1, 3], 4, MS])) == ["HALT", "CLEAR", "RESUME"]
    report = feed.normaliser.report()
    assert (report.counts["frames_missing"], feed.normaliser.needs_snapshot()) == (1, ["BTCUSD"])


def test_bitfinex_checksum_looks_at_25_levels() -> None:
    deep = protocol("bitfinex-2").checksum([f"{n}:1" for n in range(30)], [])
    assert deep == _signed(zlib.crc32(":".join(f"{n}:1" for n in range(25)).encode()))


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def test_bitfinex_agrees_with_its_checksums_until_it_does_not() -> None:
    feed = bitfinex()
    feed.connect()
    feed.take({"event": "subscribed", "channel": "book", "chanId": 7, "symbol": "tBTCUSD", "prec": "P0"})
    feed.take([7, [[100, 1, 1.5], [101.5, 1, -1e-7]]])
    right = _signed(zlib.crc32(b"100:1.5:101.5:-1e-07"))
    assert kinds(feed.take([7, "cs", right])) == []
    assert kinds(feed.take([7, "cs", right + 1])) == ["HALT", "CLEAR", "RESUME"]


@pytest.mark.parametrize("known", PROTOCOLS, ids=lambda known: known.name)
def test_every_protocol_can_be_asked_and_is_found(known: WireProtocol) -> None:
    assert isinstance(known, WireProtocol)
    assert protocol(known.name) is known
    frames = known.subscribe(["BTC-USD"])
    assert frames
    assert all(json.loads(frame) for frame in frames)
    request = known.snapshot("BTC-USD")
    assert bool(request.url) != bool(request.frames)
    sent = RawFrame(1, START_NS, FrameKind.SENT, frames[-1] if "raw" not in known.name else b'{"prec":"R0"}', known.url)
    if known.name == "bitstamp-2-orders":
        sent = sent._replace(payload=frames[0])
    found = recognise(sent)
    assert found is not None
    assert found.name == known.name


def test_names_are_unique_and_an_unknown_one_is_refused() -> None:
    assert len({known.name for known in PROTOCOLS}) == len(PROTOCOLS)
    with pytest.raises(UsageError, match="no protocol 'x', known: binance-spot-1"):
        protocol("x")
    assert recognise(RawFrame(1, 0, FrameKind.CONNECTED, b"", "wss://example.org")) is None


def test_known_positions_carry_the_number() -> None:
    feed = bitfinex()
    feed.channels["flags"] = "65536"
    assert feed.decode([7, "hb", 12])[0] == PositionMessage(12)
    assert book_of(feed.take(b"[]")) == {}
