"""Binance recordings made for the test: what becomes of each kind of frame."""

import numpy as np
import pytest
from binance_tape import START_NS, depth, good_tape, quote, snapshot, spot, trade, write

from footprint.book.replay import views
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.binance_check import check_binance_frames
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind

READER = BinanceReader()


def session(path, *more):
    (only,) = READER.sessions([path, *more])
    return only


def codes(path):
    (verdict,) = READER.audit([path])
    return {finding.code for finding in verdict.findings}


def test_a_good_tape_is_accepted_and_its_session_has_every_event(tmp_path):
    path = write(tmp_path / "btcusdt.gz", good_tape())
    assert READER.recognise(path)
    (verdict,) = READER.audit([path])
    assert (verdict.verdict, verdict.symbol, verdict.findings) == (Verdict.ACCEPTED, "BTCUSDT", ())
    day = session(path)
    assert (day.instrument.venue, day.instrument.currency) == ("binance-usdm", "USDT")
    assert (day.instrument.tick_size, day.instrument.lot_size) == (0.5, 0.5)
    assert (day.open_ns, day.close_ns) == (START_NS, START_NS + 500_000_000)
    view = views(day.events)
    assert (view["bid_ticks"][-1], view["ask_ticks"][-1], view["ask_lots"][-1]) == (201, 203, 6)
    trades = day.events[day.events["kind"] == EventKind.TRADE]
    assert trades["side"].tolist() == [1, -1]
    assert (trades["flags"] & EventFlag.SIDE_GIVEN != 0).all()
    assert day.counts["trades"] == 2
    assert check_binance_frames(path)["shared_ids"] == 1
    assert check_binance_frames(path)["mismatches"] == 0


def test_the_check_sees_a_quote_that_differs_at_a_shared_id(tmp_path):
    tape = [*good_tape(), depth(20, 15, bids=[("100.5", "4")]), quote(20, "100.5", "101.5", "5", "3")]
    assert check_binance_frames(write(tmp_path / "a.gz", tape))["mismatches"] == 1


def test_spot_ids_join_by_the_first_id(tmp_path):
    path = write(tmp_path / "a.gz", [spot(m) if "data" in m else m for m in good_tape()])
    assert session(path).instrument.venue == "binance-spot"
    assert "gap" not in codes(path)


def test_updates_newer_than_a_late_snapshot_are_applied_after_it_and_older_ones_dropped(tmp_path):
    tape = [
        depth(10, 8, bids=[("99.0", "9")]),
        depth(12, 10, bids=[("100.0", "0"), ("99.5", "2")]),
        snapshot(10),
        quote(12, "99.5", "101.0", "2"),
    ]
    day = session(write(tmp_path / "a.gz", tape))
    levels = day.events[day.events["kind"] == EventKind.LEVEL]
    assert levels["sequence"].tolist() == [10, 10, 12, 12]
    assert (levels["receive_time_ns"] == START_NS + 200_000_000).all()  # usable when the snapshot is there
    assert (day.counts["depth_updates_held"], day.counts["depth_updates_newer_than_snapshot"]) == (2, 1)
    assert views(levels)["bid_ticks"][-1] * day.instrument.tick_size == 99.5


def test_a_snapshot_older_than_the_held_updates_is_of_no_use(tmp_path):
    path = write(tmp_path / "a.gz", [depth(12, 10, bids=[("99.0", "9")]), snapshot(5), *good_tape()[3:]])
    (verdict,) = READER.audit([path])
    assert {"snapshot_not_joined", "no_snapshot"} <= {f.code for f in verdict.findings}
    assert verdict.voids == (Analysis.BOOK, Analysis.DEPTH)


def test_a_gap_limits_the_file_and_brackets_it_with_a_halt(tmp_path):
    tape = [*good_tape(), depth(30, 20, bids=[("100.5", "7")]), snapshot(40), depth(41, 40, bids=[("99.0", "1")])]
    tape[-1] = depth(41, 30, bids=[("99.0", "1")])
    path = write(tmp_path / "a.gz", tape)
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.LIMITED
    assert verdict.voids == (Analysis.BOOK, Analysis.DEPTH)
    day = session(path)
    gap = np.flatnonzero(np.isin(day.events["kind"], (EventKind.HALT, EventKind.CLEAR, EventKind.RESUME)))
    assert day.events["kind"][gap].tolist() == [EventKind.HALT, EventKind.CLEAR, EventKind.RESUME]
    after = day.events[gap[-1] + 1 :]
    assert set(after["sequence"].tolist()) == {40, 41}  # nothing between the gap and the next snapshot


def test_a_file_without_snapshot_keeps_quotes_and_trades_only(tmp_path):
    path = write(tmp_path / "a.gz", good_tape()[1:])
    (verdict,) = READER.audit([path])
    assert verdict.voids == (Analysis.BOOK, Analysis.DEPTH)
    events = session(path).events
    assert set(events["kind"].tolist()) == {EventKind.QUOTE, EventKind.TRADE}


def test_files_whose_ids_join_are_one_chain_in_any_order_and_others_are_not(tmp_path):
    first = write(tmp_path / "b.gz", good_tape())
    second = write(tmp_path / "a.gz", [depth(16, 15, bids=[("99.0", "1")])], START_NS + 10**10)
    other = write(tmp_path / "c.gz", [snapshot(50), depth(51, 50, bids=[("99.0", "1")])], START_NS + 2 * 10**10)
    chained, alone = READER.sessions([other, second, first])
    assert chained.paths == (first, second)
    assert alone.paths == (other,)
    chains = {v.path: v.chain for v in READER.audit([other, second, first])}
    assert chains[first] == chains[second] != chains[other]


def test_prints_that_are_not_trades_are_dropped_and_counted(tmp_path):
    tape = [*good_tape(), trade(9, "0", "0", buyer_is_maker=True, kind="NA")]
    counts = session(write(tmp_path / "a.gz", tape)).counts
    assert (counts["trades"], counts["not_market_trades_dropped"]) == (2, 1)


def test_missing_trade_ids_are_found(tmp_path):
    tape = [*good_tape(), trade(11, "100.5", "1", buyer_is_maker=True)]
    assert "trade_gap" in codes(write(tmp_path / "a.gz", tape))


def test_a_crossed_book_is_found_and_voids_what_needs_it(tmp_path):
    path = write(tmp_path / "a.gz", [*good_tape(), depth(16, 15, bids=[("102.0", "1")])])
    (verdict,) = READER.audit([path])
    (finding,) = [f for f in verdict.findings if f.code == "crossed_book"]
    assert finding.text.startswith("row 7: price-level book")
    assert set(verdict.voids) == {Analysis.BOOK, Analysis.DEPTH}


def test_inverse_contracts_of_coin_margined_futures(tmp_path):
    tape = [
        m if "data" not in m else m | {"data": m["data"] | {"s": "ETHUSD_PERP", "ps": "ETHUSD"}} for m in good_tape()
    ]
    instrument = session(write(tmp_path / "a.gz", tape)).instrument
    assert (instrument.venue, instrument.inverse, instrument.multiplier) == ("binance-coinm", True, 10.0)
    assert instrument.currency == "USD"


def _field(index, name, value):
    """The good tape with one field of one message set, or removed when the value is None."""
    tape = good_tape()
    body = tape[index].get("data", tape[index])
    if value is None:
        del body[name]
    else:
        body[name] = value
    return tape


BAD = {
    "negative size": (_field(1, "b", [["100.5", "-2"]]), 2, "b", "negative value, found '-2'"),
    "NaN price": (_field(3, "b", "NaN"), 4, "b", "not a number, found 'NaN'"),
    "NaN literal": (_field(3, "B", float("nan")), 4, None, "not a number"),
    "zero price": (_field(1, "b", [["0.0", "1"]]), 2, "b", "not positive"),
    "missing id": (_field(2, "u", None), 3, "u", "missing value"),
    "text id": (_field(2, "u", "15"), 3, "u", "not a number, found '15'"),
    "missing price": (_field(4, "p", None), 5, "p", "wrong columns"),
    "missing maker flag": (_field(4, "m", None), 5, "m", "wrong columns"),
    "ragged level": (_field(1, "b", [["100.5"]]), 2, None, "wrong columns"),
    "impossible time": (_field(4, "T", 10**30), 5, "T", "value too large"),
    "second symbol": (_field(4, "s", "ETHUSDT"), 5, "s", "second symbol"),
    "missing snapshot side": (_field(0, "asks", None), 1, "asks", "wrong columns"),
}


@pytest.mark.parametrize(("tape", "row", "field", "text"), BAD.values(), ids=BAD.keys())
def test_a_bad_value_refuses_the_file_and_names_row_field_and_value(tmp_path, tape, row, field, text):
    path = write(tmp_path / "bad.gz", tape)
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    assert text in verdict.findings[0].text
    with pytest.raises(DataRefused) as caught:
        next(READER.sessions([path]))
    assert (caught.value.path, caught.value.row) == (path, row)
    assert field is None or caught.value.field == field


RAW = {
    "not json": (b"1723161255000000000 {bad\n", "not a frame"),
    "no local time": (b'{"lastUpdateId": 1}\n', "wrong columns"),
    "clock going back": (b'1723161255000000000 {"e":"x"}\n1723161254000000000 {"e":"x"}\n', "clock goes back"),
    "not an object": (b"1723161255000000000 [1]\n", "not a frame"),
    "no symbol": (b'1723161255000000000 {"e":"x"}\n', "no symbol"),
    "empty": (b"", "empty file"),
}


@pytest.mark.parametrize(("content", "text"), RAW.values(), ids=RAW.keys())
def test_a_file_that_is_no_recording_is_refused(tmp_path, content, text):
    path = tmp_path / "bad"
    path.write_bytes(content)
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    assert text in verdict.findings[0].text
    with pytest.raises(DataRefused, match=text):
        next(READER.sessions([path]))


def test_a_truncated_file_refuses_its_chain_before_anything_is_yielded(tmp_path):
    first = write(tmp_path / "a.gz", good_tape())
    noise = [quote(100 + i, f"{100 + i % 7}.5", f"{110 + i % 11}.5", str(i * i + 1)) for i in range(20_000)]
    second = write(tmp_path / "b.gz", [depth(16, 15, bids=[("99.0", "1")]), *noise], START_NS + 10**10)
    second.write_bytes(second.read_bytes()[:-2000])
    verdicts = READER.audit([first, second])
    assert [v.verdict for v in verdicts] == [Verdict.ACCEPTED, Verdict.REFUSED]
    with pytest.raises(DataRefused, match="truncated"):
        next(READER.sessions([first, second]))
