"""From frames to events: joining, holes, quarantine, units, history, connections."""

from __future__ import annotations

import numpy as np
import pytest
from feed_frames import START_NS, Feed, book_of, joined, kinds, price, size

from footprint.book.replay import views
from footprint.data.feeds.normaliser import MAX_QUARANTINED, Normaliser
from footprint.data.feeds.protocols import protocol
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.market.events import UNKNOWN_TIME, EventFlag

MS = START_NS // 1_000_000
URL = "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5000"


def depth(
    first: int, last: int, bids: dict[str, str], asks: dict[str, str] | None = None, symbol: str = "BTCUSDT"
) -> dict:  # type: ignore[type-arg]
    rows = {"b": [list(i) for i in bids.items()], "a": [list(i) for i in (asks or {}).items()]}
    return {"e": "depthUpdate", "E": MS, "s": symbol, "U": first, "u": last, **rows}


def spot() -> Feed:
    feed = Feed("binance-spot-1", "wss://stream.binance.com:9443/stream")
    feed.connect()
    return feed


SNAPSHOT = {"lastUpdateId": 10, "bids": [["100", "1"], ["99", "2"]], "asks": [["101", "3"]]}


def test_a_late_snapshot_is_joined_with_the_newer_updates_that_were_held() -> None:
    feed = spot()
    assert not len(feed.take(depth(8, 10, {"100": "5"})))
    assert not len(feed.take(depth(11, 12, {"100": "0", "98": "4"})))
    assert feed.normaliser.needs_snapshot() == ["BTCUSDT"]
    events = feed.take(SNAPSHOT, URL)
    assert kinds(events) == ["CLEAR", "LEVEL", "LEVEL", "LEVEL", "LEVEL", "LEVEL"]
    flags = [bool(f & EventFlag.SNAPSHOT) for f in events["flags"]]
    assert flags == [True, True, True, True, False, False]
    assert [bool(f & EventFlag.LAST) for f in events["flags"]] == [False, False, False, True, False, True]
    assert len(set(events["receive_time_ns"])) == 1  # nobody could have used the held ones earlier
    assert events["exchange_time_ns"].tolist() == [UNKNOWN_TIME] * 4 + [START_NS] * 2
    assert events["sequence"].tolist() == [10] * 4 + [12] * 2
    one = 10**8
    assert book_of(events) == {(1, 99 * one): size(2), (1, 98 * one): size(4), (-1, 101 * one): size(3)}
    assert feed.normaliser.needs_snapshot() == []
    assert feed.normaliser.units("BTCUSDT") == (10**8, 10**8)


def test_a_hole_voids_the_book_until_the_next_snapshot() -> None:
    feed = spot()
    feed.take(SNAPSHOT, URL)
    feed.take(depth(11, 12, {"100": "2"}))
    events = feed.take(depth(15, 16, {"100": "3"}))
    assert kinds(events) == ["HALT", "CLEAR", "RESUME"]
    assert not len(feed.take(depth(17, 17, {"100": "4"})))
    report = feed.normaliser.report()
    (gap,) = report.gaps
    assert (gap.symbol, gap.reason, gap.from_id, gap.to_id, gap.missing, gap.row) == (
        "BTCUSDT",
        "missing ids",
        12,
        15,
        2,
        4,
    )
    events = feed.take(SNAPSHOT | {"lastUpdateId": 16}, URL)
    assert book_of(events)[1, 100 * 10**8] == size(4)  # 17 was held
    assert feed.normaliser.follows("BTCUSDT")


def test_duplicates_and_late_messages_change_nothing_and_are_counted() -> None:
    feed = spot()
    feed.take(SNAPSHOT, URL)
    feed.take(depth(11, 12, {"100": "2"}))
    assert not len(feed.take(depth(11, 12, {"100": "2"})))
    assert not len(feed.take(depth(9, 9, {"100": "7"})))
    counts = feed.normaliser.report().counts
    assert (counts["duplicates"], counts["out_of_order"], counts.get("gaps", 0)) == (1, 1, 0)


def test_a_malformed_frame_is_kept_with_its_bytes_and_the_feed_goes_on() -> None:
    feed = spot()
    feed.take(SNAPSHOT, URL)
    bad = (
        b"\xff\x00",
        b'{"e":"depthUpdate"}',
        b"[1, 2]",
        b'{"e":"trade","s":"BTCUSDT","m":1,"t":1,"T":1,"p":"1","q":"1"}',
    )
    for payload in bad:
        assert not len(feed.take(payload))
    assert kinds(feed.take(depth(11, 12, {"100": "2"}))) == ["LEVEL"]
    report = feed.normaliser.report()
    assert [q.frame.payload for q in report.quarantined] == list(bad)
    assert report.counts["quarantined"] == len(bad)
    assert all(q.reason for q in report.quarantined)
    assert [q.frame.row for q in report.quarantined] == [3, 4, 5, 6]


def test_a_frame_is_used_whole_or_not_at_all() -> None:
    feed = spot()
    feed.take(SNAPSHOT, URL)
    assert not len(feed.take(depth(11, 12, {"100": "2", "98": "-1"})))
    assert kinds(feed.take(depth(11, 12, {"100": "2"}))) == ["LEVEL"]  # nothing of the first was taken


def test_the_list_of_quarantined_frames_is_bounded() -> None:
    feed = spot()
    for _ in range(MAX_QUARANTINED + 5):
        feed.take(b"junk")
    report = feed.normaliser.report()
    assert (len(report.quarantined), report.counts["quarantined"]) == (MAX_QUARANTINED, MAX_QUARANTINED + 5)


def test_where_ids_show_no_hole_a_quarantined_frame_voids_the_books_of_its_connection() -> None:
    feed = Feed("coinbase-1", "wss://ws-feed.exchange.coinbase.com")
    feed.connect()
    feed.take({"type": "snapshot", "product_id": "BTC-USD", "bids": [["10", "1"]], "asks": []})
    assert kinds(feed.take(b"{")) == ["HALT", "CLEAR", "RESUME"]
    assert feed.normaliser.report().gaps[0].reason == "frame quarantined"
    assert feed.normaliser.needs_snapshot() == ["BTC-USD"]


def test_a_lost_connection_voids_its_books_and_only_those() -> None:
    feed = spot()
    other = RawFrame(1, START_NS, FrameKind.CONNECTED, b"", feed.origin + "#2")
    feed.normaliser.take(other)
    feed.take(depth(11, 11, {"100": "2"}))
    feed.take(SNAPSHOT, URL)
    assert not feed.normaliser.take(other._replace(kind=FrameKind.DISCONNECTED))
    assert kinds(feed.disconnect()) == ["HALT", "CLEAR", "RESUME"]
    assert not len(feed.connect())
    feed.take(depth(5, 5, {"100": "9"}))  # ids of a new stream may be anything
    events = feed.take(SNAPSHOT | {"lastUpdateId": 4}, URL)
    assert book_of(events)[1, 100 * 10**8] == size(9)
    assert feed.normaliser.report().gaps[0].reason == "connection lost"


def test_small_prices_get_a_finer_unit_and_tiny_ones_coarser_sizes() -> None:
    feed = spot()
    feed.take(depth(1, 1, {"0.00231": "10"}, symbol="A"))
    feed.take(depth(1, 1, {"0.00000074528": "285000000000.5"}, symbol="B"))
    feed.take({"e": "depthUpdate", "E": MS, "s": "C", "U": 1, "u": 1, "b": [], "a": []})  # nothing to tell by
    feed.take(depth(2, 2, {"0.005": "1"}, symbol="C"))
    assert [feed.normaliser.units(s) for s in "ABC"] == [(10**12, 10**8), (10**12, 10**4), (10**12, 10**8)]
    events = feed.take(
        {"lastUpdateId": 0, "bids": [["0.00000074528", "0.00001"]], "asks": []}, URL.replace("BTCUSDT", "B")
    )
    assert events["size_lots"].tolist() == [0, 1, 2_850_000_000_005_000]  # not nothing
    assert events["price_ticks"].tolist() == [0, 745_280, 745_280]
    feed.take(depth(1, 1, {"20000.5": "1"}, symbol="D"))
    assert not len(feed.take(depth(2, 2, {"0.0000000001": "1"}, symbol="D")))
    assert "price finer than before" in feed.normaliser.report().quarantined[0].reason


def test_values_beyond_64_bits_are_quarantined() -> None:
    feed = spot()
    assert not len(feed.take(depth(1, 1, {"100": "99999999999999999"})))
    assert "value too large" in feed.normaliser.report().quarantined[0].reason


def test_prints_of_before_the_connection_are_history() -> None:
    feed = spot()
    trade = {"e": "trade", "E": MS, "T": MS, "s": "BTCUSDT", "t": 12, "p": "100", "q": "2", "m": True}
    assert kinds(feed.take(trade)) == ["TRADE"]
    assert not len(feed.take(trade | {"T": MS - 2_000}))
    assert feed.normaliser.report().counts["past_trade"] == 1


def test_trades_and_quotes_need_no_book() -> None:
    feed = spot()
    trade = {"e": "aggTrade", "E": MS, "T": MS, "s": "BTCUSDT", "a": 12, "p": "100", "q": "2", "m": False}
    (event,) = feed.take(trade)
    assert (event["side"], event["price_ticks"], event["size_lots"]) == (1, 100 * 10**8, size(2))
    assert event["flags"] == EventFlag.LAST | EventFlag.SIDE_GIVEN
    events = feed.take({"u": 4, "s": "BTCUSDT", "b": "99", "B": "1", "a": "0.00", "A": "0"})
    assert events["kind"].tolist() == [6, 6]
    assert events["price_ticks"].tolist() == [99 * 10**8, 0]
    assert feed.normaliser.needs_snapshot() == []


def test_only_what_is_wanted_is_followed() -> None:
    normaliser = Normaliser(protocol("binance-spot-1"), ["btcusdt"])
    feed = spot()
    feed.normaliser = normaliser
    feed.take(depth(1, 1, {"1": "1"}))
    feed.take(depth(1, 1, {"1": "1"}, symbol="ETHUSDT"))
    assert normaliser.symbols() == ["BTCUSDT"]


def test_crossing_and_unknown_deletes_are_counted() -> None:
    feed = spot()
    feed.take(SNAPSHOT, URL)
    feed.take(depth(11, 11, {"102": "1"}))
    feed.take(depth(12, 12, {"103": "1"}))
    feed.take(depth(13, 13, {"102": "0", "103": "0", "97": "0"}))
    feed.take(depth(14, 14, {"104": "1"}))
    counts = feed.normaliser.report().counts
    assert (counts["crossed_messages"], counts["crossed_spells"], counts["unknown_deletes"]) == (3, 2, 1)


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_with_faults_ends_with_the_clean_book_after_a_snapshot(seed: int) -> None:
    """Drops, doubles and swaps anywhere: the book is right whenever it is followed, and every drop is a hole."""
    random = np.random.default_rng(seed)
    updates, book, truth = [], {"100": "1"}, {}
    for number in range(11, 200):
        at = str(90 + int(random.integers(10)))
        amount = str(int(random.integers(3)))
        updates.append(depth(number, number, {at: amount}))
        book = {p: s for p, s in {**book, at: amount}.items() if s != "0"}
        truth[number] = dict(book)
    order, dropped = list(range(len(updates))), set(random.choice(len(updates) - 20, 6, replace=False).tolist())
    for at in random.choice(len(updates) - 20, 6, replace=False).tolist():
        order[at], order[at + 1] = order[at + 1], order[at]
    feed = spot()
    parts = [feed.take({"lastUpdateId": 10, "bids": [["100", "1"]], "asks": []}, URL)]
    for at in order:
        if at in dropped:
            continue
        for _ in range(1 + int(random.random() < 0.1)):
            parts.append(feed.take(updates[at]))
        seen = max(at + 11, 11)
        if feed.normaliser.needs_snapshot() and random.random() < 0.3:
            rows = [[p, s] for p, s in truth[seen].items()]
            parts.append(feed.take({"lastUpdateId": seen, "bids": rows, "asks": []}, URL))
        if feed.normaliser.follows("BTCUSDT") and at + 11 in truth and at == max(order[: order.index(at) + 1]):
            assert book_of(joined(parts)) == {(1, int(p) * 10**8): size(int(s)) for p, s in truth[at + 11].items()}
    if not feed.normaliser.follows("BTCUSDT"):
        rows = [[p, s] for p, s in truth[199].items()]
        parts.append(feed.take({"lastUpdateId": 199, "bids": rows, "asks": []}, URL))
    events = joined(parts)
    assert book_of(events) == {(1, int(p) * 10**8): size(int(s)) for p, s in truth[199].items()}
    assert feed.normaliser.report().counts["gaps"] >= 1
    assert len(views(events)) == len(events)


def test_prices_of_messages_are_exact() -> None:
    assert price(0.00231) == 2_310_000_000
