"""The quality of a day: what was planted is found, what is usual is not."""

from dataclasses import replace

import numpy as np
import pytest
from session_tape import CLOSE_NS, OPEN_NS, event, packed, quote, session, trade

from footprint.data.quality import thresholds
from footprint.data.quality.day import day_quality
from footprint.data.quality.findings import merged_findings, quality_findings
from footprint.data.quality.order_ids import check_order_ids
from footprint.data.quality.repeats import repeated_messages
from footprint.data.quality.sequences import sequences
from footprint.data.readers.b3 import B3Reader
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.lean import LeanReader
from footprint.data.readers.lobster import LobsterReader
from footprint.data.verdict import Analysis, Finding
from footprint.market.events import EventFlag, EventKind
from footprint.units import NS_PER_SECOND

SPAN_S = (CLOSE_NS - OPEN_NS) / NS_PER_SECOND


def busy(start_s, stop_s, seed=0, rate=1.0):
    """Quotes at 100 / 102 at random times, prints at them."""
    dice = np.random.default_rng(seed)
    times = np.sort(dice.uniform(start_s, stop_s, int((stop_s - start_s) * rate)))
    return [quote(t, 100, 102, 10 + k % 2) if k % 3 else trade(t, 102) for k, t in enumerate(times)]


def codes(quality):
    return {finding.code for finding in quality_findings(quality)}


def quality(*messages, **more):
    return day_quality(session(packed(*messages), **more))


def test_a_good_day_has_nothing_to_note():
    day = quality(quote(0, 100, 102), *busy(0, SPAN_S, rate=0.1))
    assert quality_findings(day) == ()
    assert (day.events, day.messages) == (day.events, len(busy(0, SPAN_S, rate=0.1)) + 1)
    assert day.prints == day.against_quote.prints
    assert day.against_quote.outside == 0
    assert day.no_mid_share == 0.0
    assert day.time_gaps.count == day.crossed.count == day.locked.count == 0


def test_a_session_without_events_has_no_quality():
    assert day_quality(session(packed())) is None


def test_a_silence_is_found_with_its_row_and_length():
    first = busy(0, 9000)
    day = quality(quote(0, 100, 102), *first, *busy(9100, SPAN_S))
    assert day.time_gaps.count == 1
    assert day.time_gaps.total_s == pytest.approx(100, abs=5)
    events = sum(len(message) for message in first)
    assert day.time_gaps.longest["row"][0] == events + 2
    assert codes(day) == {"time_gap"}
    assert day.time_gap_limit_s < 60
    (gap,) = quality_findings(day)
    assert gap.text == f"row {events + 2}: nothing was received for {day.time_gaps.longest_s:,.3f} s"


def test_of_several_spells_the_longest_is_told_and_the_sum():
    day = quality(quote(0, 100, 102), *busy(0, 5000), *busy(5100, 9000), *busy(9300, SPAN_S))
    (gap,) = quality_findings(day)
    longest_s, total_s = day.time_gaps.longest_s, day.time_gaps.total_s
    assert gap.text.endswith(f" for {longest_s:,.3f} s, the longest of 2 times, {total_s:,.3f} s in all")


def test_a_day_mostly_silent_voids_what_needs_the_whole_of_it():
    (gap,) = quality_findings(quality(quote(0, 100, 102), *busy(0, 5000), *busy(20_000, SPAN_S)))
    assert gap.code == "time_gap"
    assert gap.voids == (Analysis.FORECAST, Analysis.LAW)


def test_a_thin_market_is_not_full_of_holes():
    assert quality(quote(0, 100, 102), *busy(0, SPAN_S, rate=0.02)).time_gaps.count == 0


def test_a_day_that_begins_late_is_partial_and_a_venue_that_never_closes_is_not():
    late = busy(3600, SPAN_S)
    assert "partial_day" in codes(quality(quote(3600, 100, 102), *late))
    assert quality(quote(3600, 100, 102), *late).missing_open_s == 3600
    assert "partial_day" not in codes(quality(quote(3600, 100, 102), *late, continuous=True))


def test_crossed_locked_and_empty_books_are_timed_and_located():
    day = quality(
        quote(0, 100, 102),
        quote(10, 103, 102),  # crossed for 2 s
        quote(12, 100, 102),
        quote(20, 102, 102),  # locked for 3 s, crossed for 1 s
        quote(23, 103, 102),
        quote(24, 100, 102),
        [event(30, EventKind.QUOTE, 1, 0, 0)],  # no bid for 5 s
        quote(35, 100, 102),
        quote(40, 100, 102),
    )
    assert (day.crossed.count, day.crossed.total_s, day.crossed.longest_s) == (2, 3.0, 2.0)
    assert day.crossed.longest["row"].tolist() == [4, 10]
    assert (day.locked.count, day.locked.total_s) == (1, 3.0)
    assert (day.one_sided.count, day.one_sided.total_s) == (1, 5.0)
    assert day.no_mid_share == pytest.approx(8 / 40)  # a locked book has a mid
    found = {f.code: f for f in quality_findings(day)}
    assert {"crossed_book", "locked_book", "empty_side", "mid_missing"} <= set(found)
    assert found["crossed_book"].voids == (Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)  # 3 of 40 s
    assert found["crossed_book"].text.startswith("row 4: ")


def test_a_book_that_has_not_begun_is_not_one_sided():
    day = quality([event(0, EventKind.QUOTE, 1, 100, 5)], quote(10, 100, 102), quote(20, 100, 102))
    assert day.one_sided.count == 0
    assert day.no_mid_share == 0.0


def test_prints_far_from_a_quote_that_stands_are_stale_quotes():
    tape = [quote(0, 100, 102)]
    for k in range(100):
        tape.append(trade(10 + 5 * k, 110 if k < 40 else 102))
    day = quality(*tape)
    assert (day.against_quote.prints, day.against_quote.outside, day.against_quote.moving) == (100, 40, 0)
    assert day.against_quote.median_age_s == pytest.approx(257.5)
    (stale,) = [f for f in quality_findings(day) if f.code == "quotes_not_at_prints"]
    assert stale.voids == (Analysis.DEPTH, Analysis.QUEUE)


def test_prints_that_walk_the_book_and_quotes_that_come_first_are_not_stale():
    tape = [quote(0, 100, 102)]
    for k in range(50):
        at = 10.0 + 10 * k
        tape += [trade(at, 104), quote(at + 0.01, 103, 105), trade(at + 0.02, 101), quote(at + 2, 100, 102)]
    day = quality(*tape)
    assert (day.against_quote.outside, day.against_quote.moving) == (0, 100)
    assert "quotes_not_at_prints" not in codes(day)


@pytest.mark.parametrize("flag", [EventFlag.AUCTION, EventFlag.OFF_EXCHANGE, EventFlag.HIDDEN])
def test_prints_that_need_not_be_at_the_quote_are_not_held_against_it(flag):
    assert quality(quote(0, 100, 102), trade(1, 120, flags=EventFlag.LAST | flag)).against_quote.prints == 0


def test_a_halt_is_timed():
    tape = [quote(0, 100, 102), [event(5, EventKind.HALT)], [event(8, EventKind.RESUME)], quote(9, 100, 102)]
    day = quality(*tape, [event(10, EventKind.HALT)], quote(14, 100, 102))
    assert (day.halts.count, day.halts.total_s, day.halts.longest_s) == (2, 7.0, 4.0)
    assert "halt" in codes(day)


def numbers(sequence, kind=EventKind.TRADE):
    return packed(*[[event(k, kind, 1, 100, 1, sequence=int(number))] for k, number in enumerate(sequence)])


def test_missing_numbers_of_a_dense_counter_are_counted():
    events = numbers([5, 6, 7, 10, 11, *range(12, 60), 58])
    (channel,) = sequences(events)
    assert (channel.channel, channel.dense, channel.gaps, channel.missing, channel.back) == ("all", True, 1, 2, 1)
    assert channel.first_gap_row == 4
    day = day_quality(session(events))
    assert {"sequence_gap", "sequence_back"} <= codes(day)


def test_a_counter_that_skips_is_called_sparse_and_shows_no_losses():
    day = day_quality(session(numbers(10 * np.arange(1, 50) + 3)))
    (channel,) = day.sequences
    assert (channel.dense, channel.median_step, channel.gaps) == (False, 10.0, 0)
    assert "sparse_sequence" in codes(day)


@pytest.mark.parametrize("source", ["binance", "databento", "frames", "iex"])
def test_numbers_that_the_reader_follows_by_the_venues_rule_are_left_to_it(source):
    sparse = session(numbers(10 * np.arange(1, 50) + 3))
    assert "sparse_sequence" not in codes(day_quality(replace(sparse, source=source)))


def test_a_counter_of_trades_beside_one_of_quotes_are_told_apart():
    messages = []
    for k in range(50):
        messages += [quote(k, 100, 102, sequence=1000 + 7 * k), trade(k, 102, sequence=3 + k + (k > 20))]
    found = {s.channel: s for s in sequences(packed(*messages))}
    assert (found["quotes"].dense, found["quotes"].median_step) == (False, 7.0)
    assert (found["trades"].dense, found["trades"].gaps, found["trades"].missing) == (True, 1, 1)


def test_rows_in_place_of_numbers_say_nothing():
    events = packed(*busy(0, 100))
    events["sequence"] = events["row"]
    assert sequences(events) == ()
    assert day_quality(session(events)).repeated is None


def test_a_message_that_came_twice_is_found_and_two_equal_prints_are_not():
    clean = [trade(k, 100, sequence=k + 1, exchange_s=k) for k in range(50)]
    again = event(30.5, EventKind.TRADE, 1, 100, 1, sequence=28, exchange_s=27)  # received again later
    assert repeated_messages(packed(*clean)) == (0, 0)
    assert repeated_messages(packed(*clean[:31], [again], *clean[31:])) == (1, 32)


ORDERS = [
    event(0, EventKind.ADD, 1, 100, 10, order_id=1),
    event(1, EventKind.ADD, 1, 100, 10, order_id=2),
    event(2, EventKind.FILL, 1, 100, 4, order_id=1),
    event(3, EventKind.CANCEL, 1, 100, 7, order_id=1),  # 6 are left
    event(4, EventKind.DELETE, 1, 100, 0, order_id=1),  # gone by now
    event(5, EventKind.ADD, 1, 100, 10, order_id=2),  # there already
    event(6, EventKind.MODIFY, 1, 100, 3, order_id=9),  # never seen
    event(7, EventKind.FILL_NOTICE, 1, 100, 3, order_id=9),
    event(8, EventKind.CLEAR),
    event(9, EventKind.CANCEL, 1, 100, 1, order_id=2),  # cleared
    event(10, EventKind.ADD, 1, 100, 10, order_id=2),
]


def test_orders_are_followed_from_their_add_to_their_end():
    ids = check_order_ids(packed(ORDERS))
    assert (ids.adds, ids.changes, ids.left) == (4, 6, 1)
    assert (ids.unknown, ids.first_unknown_row) == (3, 5)
    assert (ids.duplicate, ids.first_duplicate_row) == (1, 6)
    assert ids.oversized == 1
    found = {f.code: f for f in quality_findings(quality(ORDERS))}
    assert found["unknown_orders"].voids == (Analysis.QUEUE,)
    assert {"duplicate_orders", "oversized_fills"} <= set(found)
    assert check_order_ids(packed(*busy(0, 10))) is None


def test_clocks_that_go_back_or_lie_in_another_age_are_found():
    events = packed(*[trade(k, 100, exchange_s=k) for k in range(20)])
    events["exchange_time_ns"][7] -= 5 * NS_PER_SECOND
    day = day_quality(session(events))
    assert (day.exchange_clock.back, day.exchange_clock.most_back_ns) == (1, 4 * NS_PER_SECOND)
    assert (day.receive_clock.back, day.receive_clock.resolution_ns) == (0, NS_PER_SECOND)
    assert {"exchange_clock_back", "coarse_exchange_clock", "coarse_receive_clock"} <= codes(day)
    events["exchange_time_ns"] //= 1000
    (wrong,) = [f for f in quality_findings(day_quality(session(events))) if f.code == "exchange_time_implausible"]
    assert wrong.count == 20
    assert wrong.voids == tuple(Analysis)


def test_coverage_adds_up_and_knows_when_there_was_a_mid():
    day = quality(quote(0, 100, 102), *busy(0, 3600), quote(3600, 103, 102), *[trade(t, 102) for t in (5000, 7200)])
    cover = day.coverage
    assert cover.events.sum() == day.events
    assert cover.prints.sum() == day.prints
    assert len(cover.events) <= thresholds.COVERAGE_MAX_BINS.value
    hour = 3600 * NS_PER_SECOND // cover.width_ns
    assert (cover.mid_share[:hour] == 1).all()
    assert (cover.mid_share[hour + 1 : 2 * hour - 1] == 0).all()
    assert np.isnan(cover.mid_share[2 * hour + 1 :]).all()  # beyond the data


def test_a_second_look_changes_nothing_and_the_session_is_left_alone():
    one = session(packed(*busy(0, 100)))
    before = one.events.copy()
    first, second = day_quality(one), day_quality(replace(one))
    assert quality_findings(first) == quality_findings(second)
    assert np.array_equal(one.events, before)


def test_what_a_reader_said_is_not_said_again():
    said = (Finding("stale_quotes", "of the reader"), Finding("crossed_book", "of the reader"))
    seen = [Finding(code, "seen") for code in ("crossed_book", "quotes_not_at_prints", "time_gap")]
    assert [f.text for f in merged_findings(said, seen)] == ["of the reader", "of the reader", "seen"]
    assert [f.code for f in merged_findings(said, seen)][-1] == "time_gap"


def test_every_threshold_says_its_unit_and_why():
    listed = thresholds.thresholds()
    assert len(listed) >= 15
    for name, threshold in listed.items():
        assert name.isupper()
        assert threshold.unit
        assert len(threshold.why) > 20


@pytest.fixture
def real(shared_data):
    def measured(reader, *names):
        (one,) = reader.sessions([shared_data / name for name in names])
        return day_quality(one)

    return measured


def test_the_national_best_quote_of_a_real_day_is_good(real):
    folder = "lean/equity/usa/tick/bac"
    day = real(LeanReader(), f"{folder}/20131007_trade.zip", f"{folder}/20131007_quote.zip")
    assert day.time_gaps.count == 0
    assert day.against_quote.share(day.against_quote.outside) < 0.001
    assert 100 < day.locked.count < 300
    assert codes(day) == {"locked_book", "coarse_exchange_clock"}


def test_quotes_of_the_thinned_brazilian_ticks_are_stale(real):
    day = real(B3Reader(), "b3_ticks/PETR4_2025-04-07.csv.gz")
    assert "quotes_not_at_prints" in codes(day)
    assert day.sequences
    assert not any(s.dense for s in day.sequences)
    assert all(10 < s.median_step < 100 for s in day.sequences)


def test_a_half_day_begins_late_or_ends_early(real):
    day = real(B3Reader(), "b3_ticks/PETR4_2025-03-05.csv.gz")
    assert day.time_gaps.total_s > 600  # before the late open
    assert day.crossed.count == 1


def test_real_frames_have_whole_trade_numbers_and_quotes_at_their_prints(real):
    day = real(BinanceReader(), "binance_raw/usdm/btcusdt_20240808.gz")
    trades = next(s for s in day.sequences if s.channel == "trades")
    assert (trades.dense, trades.gaps, trades.back) == (True, 0, 0)
    assert day.crossed.count == day.locked.count == day.repeated == 0
    assert day.against_quote.share(day.against_quote.outside) < 0.01
    assert day.against_quote.moving > day.against_quote.outside  # the venue's quotes run ahead of its prints
    assert day.clock_fit.negative_share == 1.0
    assert (day.exchange_clock.resolution_ns, day.receive_clock.resolution_ns) == (1_000_000, 1)


def test_orders_of_a_real_day_that_were_there_before_it(real):
    day = real(LobsterReader(), "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")
    assert (day.order_ids.unknown, day.order_ids.duplicate, day.order_ids.oversized) == (8491, 0, 0)
    assert day.crossed.count == day.locked.count == 0
    assert day.against_quote.outside == 0
