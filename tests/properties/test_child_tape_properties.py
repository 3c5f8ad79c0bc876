"""What holds for the child tape of any stream of quotes and signed prints."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from footprint.book.replay import views
from footprint.data.child_tape import build_child_tape
from footprint.data.children import ChildTape
from footprint.data.mid import CORRECTED_QUOTE, LAGGED_QUOTE, QUOTE, TRADE_DERIVED, MidRule
from footprint.data.session import Session
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument
from footprint.units import NS_PER_MILLISECOND

INSTRUMENT = Instrument("X", "TEST", "crypto", AssetClass.SPOT_CRYPTO, "USD", 1.0, 1.0, ALWAYS_OPEN)
RULES = st.sampled_from([QUOTE, LAGGED_QUOTE, TRADE_DERIVED, CORRECTED_QUOTE])

rows = st.lists(
    st.tuples(
        st.integers(0, 4),  # milliseconds since the event before
        st.booleans(),  # a trade, else a quote
        st.sampled_from([-1, 1]),
        st.integers(95, 105),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=80,
)


def tape(drawn: list[tuple[int, bool, int, int, int]]) -> np.ndarray:
    events = empty_events(len(drawn))
    step, is_trade, side, price, size = (np.array(column) for column in zip(*drawn, strict=True))
    events["exchange_time_ns"] = np.cumsum(step) * NS_PER_MILLISECOND
    events["kind"] = np.where(is_trade, EventKind.TRADE, EventKind.QUOTE)
    events["side"], events["price_ticks"], events["size_lots"] = side, price, size
    events["flags"] = EventFlag.LAST | EventFlag.SIDE_GIVEN
    return events


def children(events: np.ndarray, rule: MidRule) -> ChildTape:
    session = Session(INSTRUMENT, date(2020, 1, 2), events, 0, 10**12, "test")
    return build_child_tape(session, views(events), rule)


@settings(max_examples=150)
@given(rows, RULES)
def test_volume_and_notional_are_conserved_and_times_never_decrease(drawn: list, rule: MidRule) -> None:
    events = tape(drawn)
    result = children(events, rule)
    prints = events[events["kind"] == EventKind.TRADE]
    assert result.quantity.sum() == prints["size_lots"].sum()
    np.testing.assert_allclose(result.quantity @ result.price, prints["size_lots"] @ prints["price_ticks"])
    assert (np.diff(result.time_ns) >= 0).all()
    assert (np.diff(result.mid_time_ns) > 0).all()
    assert len(set(zip(result.time_ns, result.sign, strict=True))) == len(result)


@settings(max_examples=150)
@given(rows, RULES)
def test_an_arrival_mid_is_unchanged_when_the_future_is_cut_off(drawn: list, rule: MidRule) -> None:
    events = tape(drawn)
    whole = children(events, rule)
    for k in range(0, len(whole), 7):
        until = int(np.searchsorted(events["exchange_time_ns"], whole.time_ns[k], side="right"))
        cut = children(events[:until], rule)
        np.testing.assert_array_equal(cut.mid_before[: k + 1], whole.mid_before[: k + 1])
        assert (events["exchange_time_ns"][: whole.event_index[k]] < whole.time_ns[k] - rule.lag_ns).all()


@settings(max_examples=150)
@given(rows, st.sampled_from([QUOTE, CORRECTED_QUOTE]))
def test_past_rules_do_not_look_at_the_timestamp_of_the_order(drawn: list, rule: MidRule) -> None:
    """Whatever else happens at that timestamp, prices moved by 50 included, the arrival mid is the same."""
    events = tape(drawn)
    whole = children(events, rule)
    if not len(whole):
        return
    last = whole.time_ns[-1]
    moved = events.copy()
    moved["price_ticks"][events["exchange_time_ns"] == last] += 50
    np.testing.assert_array_equal(children(moved, rule).mid_before, whole.mid_before)
