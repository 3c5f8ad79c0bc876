"""LOBSTER zips made for the test."""

import numpy as np
import pytest
from lobster_tape import BOOK, MESSAGES, NAME, changed, write

from footprint.book.replay import views
from footprint.data.readers.lobster import LobsterReader, messages
from footprint.data.readers.lobster_replay import check_lobster_replay
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind

READER = LobsterReader()
NINE_THIRTY_NS = 1_340_285_400_000_000_000  # 2012-06-21 09:30 New York, daylight saving


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "good.zip")


def test_each_message_type_becomes_its_events(good):
    events, book = messages(good)
    kinds = [
        EventKind.ADD,
        EventKind.ADD,
        EventKind.FILL,
        EventKind.TRADE,
        EventKind.CANCEL,
        EventKind.HALT,
        EventKind.RESUME,
        EventKind.CANCEL,
    ]
    assert events["kind"].tolist() == kinds
    assert events["side"].tolist() == [1, 1, 1, 1, 1, 0, 0, 1]
    assert events["exchange_time_ns"][4] - NINE_THIRTY_NS == 1_123_456_789
    assert (events["receive_time_ns"] == -1).all()
    assert book.shape == (8, 8)


def test_a_session_has_fills_trades_and_the_changes_of_the_window(good):
    (session,) = READER.sessions([good])
    events = session.events
    third = events[events["row"] == 3]
    assert third["kind"].tolist() == [EventKind.FILL, EventKind.TRADE, EventKind.LEVEL]
    assert third["side"].tolist() == [1, -1, 1]  # resting bid, selling aggressor, bid level
    assert third["size_lots"].tolist() == [2, 2, 3]
    assert (third["flags"] & EventFlag.LAST != 0).tolist() == [False, False, True]
    assert third["flags"][1] & EventFlag.SIDE_GIVEN
    (hidden,) = events[events["row"] == 4]
    assert (hidden["kind"], hidden["side"]) == (EventKind.TRADE, 1)
    assert hidden["flags"] == EventFlag.HIDDEN | EventFlag.LAST
    assert (session.counts["trades"], session.counts["messages"]) == (2, 8)
    assert session.open_ns == NINE_THIRTY_NS


def test_views_after_each_message_are_the_book_rows(good):
    (session,) = READER.sessions([good])
    view = views(session.events)[session.events["flags"] & EventFlag.LAST != 0]
    _, book = messages(good)
    for column, name in enumerate(("ask_ticks", "ask_lots", "bid_ticks", "bid_lots")):
        assert view[name].tolist() == book[:, column].tolist()
    assert np.isnan(view["mid_ticks"]).tolist() == [False] * 5 + [True] + [False] * 2  # no mid inside the halt


def test_a_missing_level_is_an_empty_side(tmp_path):
    book = changed(BOOK, 7, "9999999999,0,1000000,6,9999999999,0,999900,8")
    path = write(tmp_path / "a.zip", book=book)
    (verdict,) = READER.audit([path])
    assert {"empty_side", "halt", "no_snapshot", "no_receive_time"} >= {f.code for f in verdict.findings}
    assert "empty_side" in {f.code for f in verdict.findings}
    (session,) = READER.sessions([path])
    assert views(session.events)["ask_ticks"][-1] == 0


def test_audit_limits_latency_only_and_tells_halts_and_unborn_orders(good):
    (verdict,) = READER.audit([good])
    assert (verdict.verdict, verdict.voids, verdict.symbol) == (Verdict.LIMITED, (Analysis.LATENCY,), "TEST")
    assert "halt" in {f.code for f in verdict.findings}
    (verdict,) = READER.audit([write(good, changed(MESSAGES, 4, "34201.1,2,99,4,1000000,1"))])
    assert {f.code: f.count for f in verdict.findings}["no_snapshot"] == 1


def test_a_cross_has_a_pseudo_order_with_a_negative_id(tmp_path):
    crosses = changed(changed(MESSAGES, 5, "34202,6,-1,500,1000200,-1"), 6, "34203,6,-4,20,1000300,1")
    (session,) = READER.sessions([write(tmp_path / "a.zip", crosses)])
    prints = session.events[np.isin(session.events["row"], (6, 7))]
    assert prints["kind"].tolist() == [EventKind.TRADE] * 2
    assert prints["side"].tolist() == prints["order_id"].tolist() == [0, 0]
    assert (prints["flags"] == EventFlag.AUCTION | EventFlag.LAST).all()
    assert prints["size_lots"].tolist() == [500, 20]


def test_a_crossed_book_voids_what_needs_it(tmp_path):
    book = changed(BOOK, 3, "1000300,7,1000350,3,1000400,1,1000000,10")
    (verdict,) = READER.audit([write(tmp_path / "a.zip", book=book)])
    (finding,) = [f for f in verdict.findings if f.code == "crossed_book"]
    assert finding.text.startswith("row 4")
    assert {Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST} <= set(verdict.voids)


def test_replay_explains_every_row_and_sees_one_that_it_cannot(good, tmp_path):
    counts = check_lobster_replay(good)
    assert counts == {"steps": 7, "mismatches": 0, "first_mismatch": 0, "revealed_levels": 1}
    wrong_size = write(tmp_path / "a.zip", book=changed(BOOK, 7, "1000300,7,1000000,7,1000400,1,999900,8"))
    assert check_lobster_replay(wrong_size)["first_mismatch"] == 8
    unknown_level = write(tmp_path / "b.zip", changed(MESSAGES, 7, "34204,3,12,3,1000200,1"))
    assert check_lobster_replay(unknown_level)["mismatches"] == 1
    other_side = write(tmp_path / "c.zip", book=changed(BOOK, 6, "1000300,8,1000100,3,1000400,1,1000000,6"))
    assert check_lobster_replay(other_side)["mismatches"] == 2


BAD = {
    "too few message columns": ({"messages": ["34200.1,1,11,10,1000000"]}, 1, None, "wrong columns"),
    "ragged book row": ({"book": changed(BOOK, 3, "1000300,7")}, 4, None, "wrong columns"),
    "NaN time": ({"messages": changed(MESSAGES, 1, "nan,1,12,5,1000100,1")}, 2, "time", "not a finite number"),
    "text price": ({"messages": changed(MESSAGES, 1, "34200.2,1,12,5,x,1")}, 2, "price", "not a number"),
    "negative size": ({"messages": changed(MESSAGES, 1, "34200.2,1,12,-5,1000100,1")}, 2, "size", "negative"),
    "zero size": ({"messages": changed(MESSAGES, 1, "34200.2,1,12,0,1000100,1")}, 2, "size", "not positive"),
    "negative id": ({"messages": changed(MESSAGES, 1, "34200.2,1,-1,5,1000100,1")}, 2, "order id", "negative"),
    "negative price": ({"messages": changed(MESSAGES, 1, "34200.2,1,12,5,-1,1")}, 2, "price", "not positive"),
    "negative book size": ({"book": changed(BOOK, 2, BOOK[2].replace(",7,", ",-7,"))}, 3, "ask size 1", "negative"),
    "unknown type": ({"messages": changed(MESSAGES, 1, "34200.2,8,12,5,1000100,1")}, 2, "type", "unknown message"),
    "unknown direction": ({"messages": changed(MESSAGES, 1, "34200.2,1,12,5,1000100,0")}, 2, "direction", "unknown"),
    "clock going back": ({"messages": changed(MESSAGES, 3, "34199,5,0,30,1000200,-1")}, 4, "time", "clock goes back"),
    "fewer book rows": ({"book": BOOK[:-1]}, 8, None, "row count mismatch"),
    "levels out of order": (
        {"book": changed(BOOK, 1, "1000300,7,999900,5,1000400,1,1000000,10")},
        2,
        "bid price",
        "order",
    ),
    "negative book price": (
        {"book": changed(BOOK, 1, "-3,7,999900,5,1000400,1,999800,10")},
        2,
        "ask price",
        "positive",
    ),
    "empty files": ({"messages": [], "book": []}, None, None, "empty file"),
    "no book": ({"names": ("message", "other")}, None, None, "wrong members"),
    "fewer levels than named": ({"levels": 5}, 1, None, "wrong columns"),
}


@pytest.mark.parametrize(("content", "row", "field", "text"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_and_the_place_named(tmp_path, content, row, field, text):
    path = write(tmp_path / "bad.zip", **content)
    assert READER.recognise(path)
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    assert text in verdict.findings[0].text
    with pytest.raises(DataRefused) as caught:
        next(READER.sessions([path]))
    assert str(path) in str(caught.value)
    assert (caught.value.row, caught.value.field) == (row, field)


@pytest.mark.parametrize("keep", [120, 200, -30])
def test_a_truncated_zip_is_recognised_and_refused(good, keep):
    good.write_bytes(good.read_bytes()[:keep])
    assert READER.recognise(good)
    (verdict,) = READER.audit([good])
    assert (verdict.verdict, verdict.symbol) == (Verdict.REFUSED, "TEST")
    with pytest.raises(DataRefused, match="truncated"):
        next(READER.sessions([good]))


def test_a_damaged_member_is_refused(good):
    content = bytearray(good.read_bytes())
    at = content.index(NAME.format("message", 2).encode()) + 80
    content[at] ^= 0xFF
    good.write_bytes(bytes(content))
    with pytest.raises(DataRefused, match="damaged"):
        next(READER.sessions([good]))
