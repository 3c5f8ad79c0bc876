"""Venues that are written down as mappings: every message type they document, and what a mapping may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from feed_frames import START_NS, Feed, kinds, price, size

from footprint.data.feeds.mapped import MappedProtocol, mapped_protocols
from footprint.data.feeds.messages import (
    BookMessage,
    ControlMessage,
    Level,
    PositionMessage,
    QuoteMessage,
    TradeMessage,
)
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame
from footprint.errors import UsageError
from footprint.market.events import UNKNOWN_TIME

MS = START_NS // 1_000_000
ISO = "2023-11-14T22:13:20.000Z"
BID, ASK = Level(1, price(10.5), size(2)), Level(-1, price(11), 0)


def feed(name: str) -> Feed:
    known = next(p for p in mapped_protocols() if p.name == name)
    return Feed(name, known.url)


def whats(name: str, *bodies: Any) -> list[str]:
    mine = feed(name)
    return [m.what for body in bodies for m in mine.decode(body) if isinstance(m, ControlMessage)]


def test_okx() -> None:
    okx = feed("okx-5")
    data = {"asks": [["11", "0", "0", "0"]], "bids": [["10.5", "2", "0", "4"]], "ts": str(MS), "checksum": -855196043}
    data |= {"prevSeqId": 9, "seqId": 10}
    body = {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": "update", "data": [data]}
    levels = (BID._replace(check="10.5:2"), ASK._replace(check="11:0"))
    expected = BookMessage("BTC-USDT", START_NS, False, levels, 10, 10, 9, -855196043)
    assert okx.decode(body) == [expected]
    first = body | {"action": "snapshot", "data": [data | {"prevSeqId": -1}]}
    assert okx.decode(first) == [expected._replace(snapshot=True, previous_id=-1)]
    trade = {"instId": "BTC-USDT", "tradeId": "13", "px": "10.5", "sz": "2", "side": "sell", "ts": str(MS)}
    assert okx.decode({"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [trade]}) == [
        TradeMessage("BTC-USDT", START_NS, -1, price(10.5), size(2), 13)
    ]
    best = body | {"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [data | {"asks": []}]}
    assert okx.decode(best) == [QuoteMessage("BTC-USDT", START_NS, price(10.5), size(2), 0, 0, 10)]
    control = (
        {"event": "subscribe"},
        {"event": "error", "code": "60012"},
        {"arg": {"channel": "tickers"}, "data": []},
        b"pong",
    )
    assert whats("okx-5", *control) == ["subscribed", "error", "ignored", "heartbeat"]
    with pytest.raises(BadFrame, match="not JSON"):
        okx.decode(b"ping!")


def test_deribit() -> None:
    deribit = feed("deribit-2")
    data: dict[str, Any] = {"type": "snapshot", "timestamp": MS, "instrument_name": "BTC-PERPETUAL", "change_id": 5}
    data |= {"bids": [["new", 10.5, 2.0]], "asks": [["delete", 11, 0.0]]}
    body = {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": "book.BTC-PERPETUAL.raw", "data": data}}
    expected = BookMessage("BTC-PERPETUAL", START_NS, True, (BID, ASK), 5, 5)
    assert deribit.decode(body) == [expected]
    data |= {"type": "change", "prev_change_id": 4}
    assert deribit.decode(body) == [expected._replace(snapshot=False, previous_id=4)]
    trade = {
        "instrument_name": "BTC-PERPETUAL",
        "timestamp": MS,
        "direction": "buy",
        "price": 10.5,
        "amount": 2,
        "trade_seq": 3,
    }
    body["params"] = {"channel": "trades.BTC-PERPETUAL.raw", "data": [trade]}
    assert deribit.decode(body) == [TradeMessage("BTC-PERPETUAL", START_NS, 1, price(10.5), size(2), 3)]
    quote = {"instrument_name": "BTC-PERPETUAL", "timestamp": MS, "best_bid_price": 10.5, "best_bid_amount": 2}
    quote |= {"best_ask_price": 0, "best_ask_amount": 0}
    body["params"] = {"channel": "quote.BTC-PERPETUAL", "data": quote}
    assert deribit.decode(body) == [QuoteMessage("BTC-PERPETUAL", START_NS, price(10.5), size(2), 0, 0)]
    control = (
        {"jsonrpc": "2.0", "id": 1, "result": ["a"]},
        {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}},
        {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": "ticker.X.raw", "data": {}}},
    )
    assert whats("deribit-2", *control) == ["subscribed", "heartbeat", "error", "ignored"]


def test_bitmex_levels_are_named_and_later_only_named() -> None:
    bitmex = feed("bitmex-1")
    row = {"symbol": "XBTUSD", "id": 88, "side": "Buy", "size": 2, "price": 10.5}
    partial = {"table": "orderBookL2", "action": "partial", "filter": {"symbol": "XBTUSD"}, "data": [row]}
    book = BookMessage("XBTUSD", UNKNOWN_TIME, True, (BID._replace(order_id=88),))
    assert bitmex.decode(partial) == [book]
    insert = {"table": "orderBookL2", "action": "insert", "data": [row | {"timestamp": ISO}]}
    assert bitmex.decode(insert) == [book._replace(snapshot=False, exchange_time_ns=START_NS)]
    update = {
        "table": "orderBookL2",
        "action": "update",
        "data": [{"symbol": "XBTUSD", "id": 88, "side": "Buy", "size": 7}],
    }
    assert bitmex.decode(update)[0].levels == (Level(1, 0, size(7), 88),)  # type: ignore[union-attr]
    delete = {"table": "orderBookL2", "action": "delete", "data": [{"symbol": "XBTUSD", "id": 88, "side": "Buy"}]}
    assert bitmex.decode(delete)[0].levels == (Level(1, 0, 0, 88),)  # type: ignore[union-attr]
    bitmex.connect()
    taken = [bitmex.take(body) for body in (partial, update, delete, delete, update)]
    assert [kinds(events) for events in taken] == [["CLEAR", "LEVEL"], ["LEVEL"], ["LEVEL"], [], []]
    assert taken[1]["price_ticks"].tolist() == taken[2]["price_ticks"].tolist() == [1_050_000_000]
    assert taken[2]["size_lots"].tolist() == [0]
    counts = bitmex.normaliser.report().counts
    assert (counts["unknown_deletes"], counts["unknown_changes"]) == (1, 1)


def test_bitmex_prints_quotes_and_control() -> None:
    bitmex = feed("bitmex-1")
    trade = {"timestamp": ISO, "symbol": "XBTUSD", "side": "Sell", "size": 2, "price": 10.5}
    body = {"table": "trade", "action": "insert", "data": [trade]}
    assert bitmex.decode(body) == [TradeMessage("XBTUSD", START_NS, -1, price(10.5), size(2))]
    quote = {"timestamp": ISO, "symbol": "XBTUSD", "bidSize": 2, "bidPrice": 10.5, "askPrice": None, "askSize": None}
    body = {"table": "quote", "action": "insert", "data": [quote]}
    assert bitmex.decode(body) == [QuoteMessage("XBTUSD", START_NS, price(10.5), size(2), 0, 0)]
    control = (
        {"table": "trade", "action": "partial", "data": [trade]},
        {"success": True, "subscribe": "x"},
        {"info": "Welcome", "version": "1"},
        {"status": 400, "error": "no"},
        {"table": "funding", "action": "partial"},
    )
    assert whats("bitmex-1", *control, b"pong") == [
        "past_trade",
        "subscribed",
        "status",
        "error",
        "ignored",
        "heartbeat",
    ]


def test_kucoin() -> None:
    kucoin = feed("kucoin-1")
    changes = {"bids": [["10.5", "2", "17"]], "asks": [["0", "0", "18"]]}
    data = {"sequenceStart": 17, "sequenceEnd": 18, "symbol": "BTC-USDT", "changes": changes}
    body = {"type": "message", "subject": "trade.l2update", "topic": "/market/level2:BTC-USDT", "data": data}
    levels = (BID._replace(sequence=17), Level(-1, 0, 0, sequence=18))
    assert kucoin.decode(body) == [BookMessage("BTC-USDT", UNKNOWN_TIME, False, levels, 17, 18)]
    url = "https://api.kucoin.com/api/v2/market/orderbook/level2?symbol=BTC-USDT"
    answer = {"code": "200000", "data": {"time": MS, "sequence": "17", "bids": [["10.4", "2.00000000001"]], "asks": []}}
    snapshot = BookMessage("BTC-USDT", START_NS, True, (Level(1, price(10.4), size(2)),), 17, 17)
    assert kucoin.decode(answer, url) == [snapshot]
    assert whats_of(kucoin.decode({"code": "429000"}, url)) == ["error"]
    trade = {"symbol": "BTC-USDT", "sequence": "19", "side": "buy", "size": "2", "price": "10.5", "time": str(START_NS)}
    assert kucoin.decode({"type": "message", "subject": "trade.l3match", "data": trade}) == [
        TradeMessage("BTC-USDT", START_NS, 1, price(10.5), size(2), 19)
    ]
    control = (
        {"id": "1", "type": "ack"},
        {"type": "welcome"},
        {"type": "pong"},
        {"type": "error", "code": 404},
        {"type": "message"},
    )
    assert whats("kucoin-1", *control) == ["subscribed", "subscribed", "heartbeat", "error", "ignored"]
    kucoin.connect()
    kucoin.take(body)
    events = kucoin.take(answer, url)
    assert events["price_ticks"].tolist() == [0, 1_040_000_000]  # entry 17 is in the snapshot, price 0 says nothing


def whats_of(messages: list[Any]) -> list[str]:
    return [message.what for message in messages]


def test_gemini() -> None:
    gemini = feed("gemini-2")
    body = {"type": "l2_updates", "symbol": "BTCUSD", "changes": [["buy", "10.5", "2"], ["sell", "11", "0"]]}
    expected = BookMessage("BTCUSD", UNKNOWN_TIME, False, (BID, ASK))
    assert gemini.decode(body) == [expected]
    assert gemini.decode(body | {"trades": [], "auction_events": []}) == [expected._replace(snapshot=True)]
    trade = {
        "type": "trade",
        "symbol": "BTCUSD",
        "event_id": 4,
        "timestamp": MS,
        "price": "10.5",
        "quantity": "2",
        "side": "sell",
    }
    assert gemini.decode(trade) == [TradeMessage("BTCUSD", START_NS, -1, price(10.5), size(2), 4)]
    control = ({"type": "heartbeat", "timestamp": MS}, {"result": "error", "reason": "x"}, {"type": "auction_result"})
    assert whats("gemini-2", *control) == ["heartbeat", "error", "ignored"]
    with pytest.raises(BadFrame, match="unknown side"):
        gemini.decode(body | {"changes": [["hold", "1", "1"]]})


def test_dydx_messages_may_overtake_each_other_within_a_price() -> None:
    dydx = feed("dydx-3")
    dydx.connect()
    contents: dict[str, Any] = {"bids": [{"price": "10.5", "size": "2", "offset": "100"}], "asks": []}
    contents["asks"] += [{"price": "11", "size": "0", "offset": "90"}, {"price": "12", "size": "1", "offset": "80"}]
    body = {"type": "subscribed", "channel": "v3_orderbook", "id": "BTC-USD", "message_id": 1, "contents": contents}
    assert kinds(dydx.take(body)) == ["CLEAR", "LEVEL", "LEVEL"]

    def change(offset: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
        data = {"offset": str(offset), "bids": bids, "asks": asks}
        return body | {"type": "channel_data", "contents": data}

    events = dydx.take(
        change(95, [["10.5", "7"]], [["11", "3"], ["12", "4"]])
    )  # older than the bid, newer than the asks
    assert events["price_ticks"].tolist() == [1_100_000_000, 1_200_000_000]
    assert kinds(dydx.take(change(101, [["10.5", "7"]], []))) == ["LEVEL"]
    assert dydx.normaliser.report().counts["entries_overtaken"] == 1
    trade = {"side": "BUY", "size": "2", "price": "10.5", "createdAt": ISO}
    assert dydx.decode(
        {"type": "channel_data", "channel": "v3_trades", "id": "BTC-USD", "contents": {"trades": [trade]}}
    ) == [TradeMessage("BTC-USD", START_NS, 1, price(10.5), size(2))]
    control = (
        {"type": "connected"},
        {"type": "subscribed", "channel": "v3_trades", "id": "BTC-USD", "contents": {"trades": [trade]}},
        {"type": "error", "message": "x"},
        {"type": "channel_data", "channel": "v3_markets", "contents": {}},
    )
    assert whats("dydx-3", *control) == ["status", "past_trade", "error", "ignored"]


def test_kraken_futures() -> None:
    futures = feed("kraken-futures-1")
    snapshot = {"feed": "book_snapshot", "product_id": "PI_XBTUSD", "timestamp": MS, "seq": 5}
    snapshot |= {"bids": [{"price": 10.5, "qty": 2.0}], "asks": [{"price": 11.0, "qty": 0.0}]}
    book = BookMessage("PI_XBTUSD", START_NS, True, (BID, ASK), 5, 5)
    assert futures.decode(snapshot) == [book]
    change = {
        "feed": "book",
        "product_id": "PI_XBTUSD",
        "side": "sell",
        "seq": 6,
        "price": 11.0,
        "qty": 0.0,
        "timestamp": MS,
    }
    assert futures.decode(change) == [BookMessage("PI_XBTUSD", START_NS, False, (ASK,), 6, 6)]
    trade = {
        "feed": "trade",
        "product_id": "PI_XBTUSD",
        "side": "sell",
        "type": "fill",
        "seq": 7,
        "time": MS,
        "qty": 2.0,
        "price": 10.5,
    }
    assert futures.decode(trade) == [TradeMessage("PI_XBTUSD", START_NS, -1, price(10.5), size(2), 7)]
    control = (
        {"feed": "trade_snapshot", "trades": []},
        {"event": "subscribed", "feed": "trade"},
        {"event": "info", "version": 1},
        {"feed": "heartbeat", "time": MS},
        {"event": "error", "message": "x"},
        {"event": "alert", "message": "x"},
        {"feed": "ticker_lite", "product_id": "PI_XBTUSD"},
    )
    expected = ["past_trade", "subscribed", "status", "heartbeat", "error", "error", "ignored"]
    assert whats("kraken-futures-1", *control) == expected


def test_blockchain_numbers_every_frame() -> None:
    blockchain = feed("blockchain-1")
    body = {"seqnum": 11, "event": "snapshot", "channel": "l2", "symbol": "ETH-USD"}
    body |= {"bids": [{"num": 1, "px": 10.5, "qty": 2.0}], "asks": [{"num": 0, "px": 11.0, "qty": 0.0}]}
    expected = BookMessage("ETH-USD", UNKNOWN_TIME, True, (BID, ASK))
    assert blockchain.decode(body) == [PositionMessage(11), expected]
    assert blockchain.decode(body | {"event": "updated"}) == [PositionMessage(11), expected._replace(snapshot=False)]
    trade = {
        "seqnum": 12,
        "event": "updated",
        "channel": "trades",
        "symbol": "ETH-USD",
        "timestamp": ISO,
        "side": "sell",
    }
    trade |= {"qty": 2, "price": 10.5, "trade_id": "12884909920"}
    assert blockchain.decode(trade)[1] == TradeMessage("ETH-USD", START_NS, -1, price(10.5), size(2), 12884909920)
    control = (
        {"seqnum": 0, "event": "subscribed", "channel": "trades"},
        {"seqnum": 0, "event": "updated", "channel": "heartbeat"},
        {"seqnum": 0, "event": "rejected", "text": "x"},
        {"seqnum": 0, "event": "updated", "channel": "prices"},
    )
    assert whats("blockchain-1", *control) == ["subscribed", "heartbeat", "error", "ignored"]
    blockchain.connect()
    blockchain.take(body)
    assert kinds(blockchain.take(body | {"event": "updated", "seqnum": 12})) == ["LEVEL", "LEVEL"]
    events = blockchain.take(body | {"event": "updated", "seqnum": 15})
    assert kinds(events) == ["HALT", "CLEAR", "RESUME"]
    assert blockchain.normaliser.report().counts["frames_missing"] == 2


def test_lighter() -> None:
    lighter = feed("lighter-1")
    book = {"bids": [{"price": "10.5", "size": "2"}], "asks": [{"price": "11", "size": "0"}], "offset": 4, "nonce": 9}
    body = {
        "channel": "order_book:1",
        "offset": 4,
        "order_book": book,
        "timestamp": MS,
        "type": "subscribed/order_book",
    }
    expected = BookMessage("1", START_NS, True, (BID, ASK), 4, 4)
    assert lighter.decode(body) == [expected]
    assert lighter.decode(body | {"type": "update/order_book"}) == [expected._replace(snapshot=False)]
    trade = {"trade_id": 3, "size": "2", "price": "10.5", "is_maker_ask": True, "timestamp": MS}
    update = {"channel": "trade:1", "type": "update/trade", "liquidation_trades": None, "trades": [trade]}
    assert lighter.decode(update) == [TradeMessage("1", START_NS, 1, price(10.5), size(2), 3)]
    assert lighter.decode(update | {"trades": [trade | {"is_maker_ask": False}]})[0].side == -1  # type: ignore[union-attr]
    assert lighter.decode(update | {"trades": None}) == []
    control = (
        {"type": "connected"},
        {"type": "subscribed/trade"},
        {"type": "ping"},
        {"error": {"code": 1}},
        {"type": "x"},
    )
    assert whats("lighter-1", *control) == ["status", "past_trade", "heartbeat", "error", "ignored"]


def test_independent_reserve_speaks_of_every_currency_at_once() -> None:
    reserve = Feed("independent-reserve-1", "wss://websockets.independentreserve.com")
    guid, number = "be3c69b7-1c5e-446f-b80d-8398aae065c5", 0x380D8398AAE065C5
    data: dict[str, Any] = {
        "OrderType": "LimitOffer",
        "OrderGuid": guid,
        "Price": {"aud": 31.5, "usd": 0.0},
        "Volume": 2,
    }
    body = {"Channel": "orderbook-dot", "Nonce": 7, "Data": data, "Time": MS, "Event": "NewOrder"}
    messages = reserve.decode(body)
    assert [m.symbol for m in messages] == ["DOT-AUD", "DOT-USD", "DOT-NZD", "DOT-SGD"]  # type: ignore[union-attr]
    assert messages[0] == BookMessage("DOT-AUD", START_NS, False, (Level(-1, price(31.5), size(2), number),), 7, 7)
    assert messages[1].levels == (Level(-1, 0, size(2), number),)  # type: ignore[union-attr]
    assert messages[2].levels == ()  # type: ignore[union-attr]
    cancel = body | {"Event": "OrderCanceled"}
    assert reserve.decode(cancel)[3].levels == (Level(0, 0, 0, number),)  # type: ignore[union-attr]
    change = body | {"Event": "OrderChanged", "Data": {"OrderGuid": guid, "Volume": 1}}
    assert reserve.decode(change)[0].levels == (Level(0, 0, size(1), number),)  # type: ignore[union-attr]
    with pytest.raises(BadFrame, match="unknown event"):
        reserve.decode(body | {"Event": "Other"})
    trade = {"Side": "Buy", "Price": {"aud": 31.5}, "Volume": 2, "OfferGuid": guid, "BidGuid": guid}
    ticker = {"Channel": "ticker-dot-aud", "Nonce": 1, "Data": trade, "Time": MS, "Event": "Trade"}
    assert reserve.decode(ticker) == [TradeMessage("DOT-AUD", START_NS, 1, price(31.5), size(2), -1, number)]
    url = "https://api.independentreserve.com/Public/GetAllOrders?primaryCurrencyCode=dot&secondaryCurrencyCode=aud"
    orders = {"BuyOrders": [{"Guid": guid, "Price": 31.5, "Volume": 2}], "SellOrders": [], "CreatedTimestampUtc": ISO}
    assert reserve.decode(orders, url) == [
        BookMessage("DOT-AUD", START_NS, True, (Level(1, price(31.5), size(2), number),))
    ]
    assert whats_of(reserve.decode({"Message": "no"}, url)) == ["error"]
    control = ("Heartbeat", "Subscriptions", "Error")
    assert [reserve.decode({"Event": e, "Time": MS})[0].what for e in control] == ["heartbeat", "subscribed", "error"]  # type: ignore[union-attr]


GOOD = """
name = "x-1"
venue = "x"
url = "wss://x.example"
hosts = ["x.example"]
sequencing = "NONE"
subscribe = ['{"s":"<symbol>"}']
snapshot_url = "https://x.example/<symbol_lower>"
[[message]]
kind = "trade"
when = { type = "t" }
symbol = "s"
side = "side"
price = "p"
size = "q"
"""


def test_a_new_venue_is_one_text() -> None:
    known = MappedProtocol(GOOD)
    assert known.subscribe(["BTC"]) == (b'{"s":"BTC"}',)
    assert known.snapshot("BTC").url == "https://x.example/btc"
    with pytest.raises(NotImplementedError):
        known.checksum([], [])


@pytest.mark.parametrize(
    "text",
    [
        "=",
        'name = "x"',
        GOOD + "surprise = 1",
        GOOD.replace("NONE", "SOME"),
        GOOD.replace("venue = ", "venu = "),
        "message = 3",
    ],
)
def test_a_mapping_that_cannot_be_used(text: str) -> None:
    with pytest.raises(UsageError, match="not a mapping of a venue"):
        MappedProtocol(text)


@pytest.mark.parametrize("change", [{"p": None}, {"p": "0"}, {"q": "0"}, {"q": "x"}, {"side": "?"}, {"s": 5}])
def test_fields_that_are_not_allowed(change: dict[str, object]) -> None:
    body = {"type": "t", "s": "BTC", "side": "buy", "p": "1", "q": "1"} | change
    with pytest.raises(BadFrame):
        MappedProtocol(GOOD).decode(RawFrame(1, 0, FrameKind.RECEIVED, json.dumps(body).encode()), {})
