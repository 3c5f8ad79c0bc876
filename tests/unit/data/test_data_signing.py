"""Trade signing on hand-made tapes with the answers written beside them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.session import Session
from footprint.data.signing import (
    Accuracy,
    lee_ready,
    quote_rule,
    sign_trades,
    signing_accuracy,
    tick_rule,
    true_flags,
)
from footprint.errors import UsageError
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import US_EQUITY_HOURS, AssetClass, Instrument
from footprint.units import NS_PER_SECOND

INSTRUMENT = Instrument("X", "TEST", "test", AssetClass.EQUITY, "USD", 0.01, 1.0, US_EQUITY_HOURS)
LAST, GIVEN, HIDDEN = int(EventFlag.LAST), int(EventFlag.SIDE_GIVEN), int(EventFlag.HIDDEN)


def quote(second: float, side: int, price: int) -> tuple:
    return (second, EventKind.QUOTE, side, price, 10, LAST)


def trade(second: float, price: int, side: int = 0, size: int = 1, flags: int = 0) -> tuple:
    return (second, EventKind.TRADE, side, price, size, LAST | (GIVEN if side else 0) | flags)


def tape(*rows: tuple) -> np.ndarray:
    events = empty_events(len(rows))
    for event, (second, kind, side, price, size, flags) in zip(events, rows, strict=True):
        event["exchange_time_ns"] = int(second * NS_PER_SECOND)
        event["kind"], event["side"], event["price_ticks"] = kind, side, price
        event["size_lots"], event["flags"] = size, flags
    return events


def session(events: np.ndarray) -> Session:
    return Session(INSTRUMENT, date(2020, 1, 2), events, 0, 100 * NS_PER_SECOND, "test")


def signs_of_trades(events: np.ndarray, signs: np.ndarray) -> list[int]:
    return signs[events["kind"] == EventKind.TRADE].tolist()


def test_quote_rule_above_below_and_at_the_mid() -> None:
    events = tape(quote(1, 1, 100), quote(1, -1, 102), trade(2, 102), trade(3, 100), trade(4, 101))
    assert signs_of_trades(events, quote_rule(events, views(events))) == [1, -1, 0]


def test_quote_rule_sees_half_ticks_between_odd_spreads() -> None:
    events = tape(quote(1, 1, 100), quote(1, -1, 101), trade(2, 101), trade(3, 100))
    assert signs_of_trades(events, quote_rule(events, views(events))) == [1, -1]


def test_quote_of_the_same_timestamp_is_not_known_yet() -> None:
    # the quote that moves up in the very millisecond of the print would make this buy at 102 look like a sell
    events = tape(
        quote(1, 1, 100), quote(1, -1, 102), quote(2, 1, 103), quote(2, -1, 105), trade(2, 102), trade(3, 103)
    )
    assert signs_of_trades(events, quote_rule(events, views(events))) == [1, -1]


def test_quote_rule_is_silent_without_a_two_sided_quote() -> None:
    events = tape(trade(0.5, 100), quote(1, 1, 100), trade(2, 100))
    assert signs_of_trades(events, quote_rule(events, views(events))) == [0, 0]


def test_tick_rule_carries_zero_ticks_and_starts_unknown() -> None:
    events = tape(*(trade(i, price) for i, price in enumerate((100, 100, 101, 101, 100, 100, 102))))
    assert tick_rule(events).tolist() == [0, 0, 1, 1, -1, -1, 1]


def test_lee_ready_uses_the_tick_rule_at_the_mid() -> None:
    events = tape(quote(1, 1, 100), quote(1, -1, 102), trade(2, 102), trade(3, 101), trade(4, 100), trade(5, 101))
    assert signs_of_trades(events, lee_ready(events, views(events))) == [1, -1, -1, 1]


def test_lee_ready_lag_takes_the_quote_of_five_seconds_before() -> None:
    events = tape(
        quote(0, 1, 100),
        quote(0, -1, 102),  # mid 101 until the market moves at second 10
        quote(10, 1, 104),
        quote(10, -1, 106),  # mid 105
        trade(12, 104),  # below the newest mid, above the mid of five seconds before
        trade(15, 104),  # the quote of second 10 is exactly five seconds old: not older, so the first still counts
        trade(15.001, 104),
    )
    book = views(events)
    assert signs_of_trades(events, lee_ready(events, book)) == [-1, -1, -1]
    assert signs_of_trades(events, lee_ready(events, book, lag_ns=5 * NS_PER_SECOND)) == [1, 1, -1]


def test_true_flags_leave_hidden_prints_to_the_quote_rule() -> None:
    events = tape(quote(1, 1, 100), quote(1, -1, 102), trade(2, 102, side=-1), trade(3, 102, side=-1, flags=HIDDEN))
    assert signs_of_trades(events, true_flags(events)) == [-1, 0]
    signs, rule = sign_trades(session(events), views(events))
    assert rule == "true_flags"
    assert signs_of_trades(events, signs) == [-1, 1]


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ((trade(1, 100),), "tick_rule"),
        ((quote(0, 1, 99), trade(1, 100)), "lee_ready"),
        ((quote(0, 1, 99), trade(1, 100, side=1)), "true_flags"),
    ],
)
def test_default_rule_is_the_best_that_the_source_supports(rows: tuple, rule: str) -> None:
    events = tape(*rows)
    assert sign_trades(session(events), views(events))[1] == rule


def test_accuracy_counts_prints_and_volume_and_leaves_hidden_out() -> None:
    events = tape(
        quote(1, 1, 100),
        quote(1, -1, 102),
        trade(2, 102, side=1, size=30),  # quote rule right
        trade(3, 100, side=1, size=10),  # wrong
        trade(4, 101, side=-1, size=10),  # at the mid: unsigned counts as wrong
        trade(5, 102, side=1, size=50),  # right
        trade(6, 102, side=-1, size=1000, flags=HIDDEN),
    )
    accuracy = signing_accuracy(session(events), views(events))
    assert accuracy["quote_rule"] == Accuracy(0.5, 0.8, 4)
    # tick rule: unknown, -1 (true +1), +1 (true -1), +1 (true +1)
    assert accuracy["tick_rule"] == Accuracy(0.25, 0.5, 4)
    assert signing_accuracy(session(tape(trade(1, 100))), views(tape(trade(1, 100)))) == {}


def test_unknown_rule_is_a_usage_error() -> None:
    events = tape(trade(1, 100))
    with pytest.raises(UsageError, match="no signing rule 'bvc'"):
        sign_trades(session(events), views(events), rule="bvc")
