"""Mid rules on hand-made tapes: what each takes for the market just before a print."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.mid import (
    CORRECTED_QUOTE,
    LAGGED_QUOTE,
    QUOTE,
    TRADE_DERIVED,
    default_mid_rule,
    half_spreads,
    reference_views,
)
from footprint.data.session import Session
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import B3_EQUITY_HOURS, AssetClass, Instrument
from footprint.units import NS_PER_SECOND

INSTRUMENT = Instrument("X", "B3", "b3", AssetClass.EQUITY, "BRL", 0.01, 1.0, B3_EQUITY_HOURS)
QUOTE_KIND, TRADE_KIND = EventKind.QUOTE, EventKind.TRADE


def tape(*rows: tuple[float, EventKind, int, int]) -> np.ndarray:
    """Rows of (second, kind, side, price)."""
    events = empty_events(len(rows))
    for event, (second, kind, side, price) in zip(events, rows, strict=True):
        event["receive_time_ns"] = int(second * NS_PER_SECOND)
        event["kind"], event["side"], event["price_ticks"], event["size_lots"] = kind, side, price, 1
        event["flags"] = EventFlag.LAST | EventFlag.SIDE_GIVEN
    return events


def reference(events: np.ndarray, rule=TRADE_DERIVED) -> np.ndarray:  # type: ignore[no-untyped-def]
    session = Session(INSTRUMENT, date(2025, 4, 7), events, 0, 10**12, "b3")
    signs = np.where(events["kind"] == TRADE_KIND, events["side"], 0).astype(np.int8)
    return reference_views(session, views(events), signs, rule)


def test_half_spread_is_half_the_median_gap_of_close_opposite_prints() -> None:
    second = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2]) * NS_PER_SECOND
    price = np.array([100, 104, 100, 90, 100, 103])
    sign = np.array([-1, 1, -1, 1, 1, -1], np.int8)
    # pairs: (0,1) gap 4, (1,2) gap 4, (2,3) too far apart, (3,4) same sign, (4,5) gap 3, known only after print 5
    assert half_spreads(second.astype(np.int64), price, sign).tolist() == [0.5, 0.5, 2.0, 2.0, 2.0, 2.0]


def test_half_spread_never_falls_below_half_a_tick_and_forgets_after_100_pairs() -> None:
    time_ns = np.arange(400, dtype=np.int64) * 1_000_000
    sign = np.where(np.arange(400) % 2, -1, 1).astype(np.int8)
    price = np.where(np.arange(400) < 150, 100 + 10 * (sign > 0), 100)
    half = half_spreads(time_ns, price, sign)
    assert half[100] == 5.0
    assert half[-1] == 0.5


def test_trade_derived_takes_a_fresh_consistent_quote() -> None:
    events = tape((0, QUOTE_KIND, 1, 99), (0, QUOTE_KIND, -1, 101), (1, TRADE_KIND, 1, 101))
    view = reference(events)[2]
    assert (view["mid_ticks"], view["spread_ticks"]) == (100.0, 2.0)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (((0, QUOTE_KIND, 1, 99), (0, QUOTE_KIND, -1, 101), (2, TRADE_KIND, 1, 101)), "two seconds old"),
        (((0, QUOTE_KIND, 1, 98), (0, QUOTE_KIND, -1, 101), (1, TRADE_KIND, 1, 101)), "three current spreads wide"),
        (((0, QUOTE_KIND, 1, 100), (0, QUOTE_KIND, -1, 102), (1, TRADE_KIND, 1, 101)), "not at its own touch"),
        (((0, QUOTE_KIND, 1, 99), (1, QUOTE_KIND, -1, 101), (1, TRADE_KIND, 1, 101)), "ask of the same instant"),
        (((0, QUOTE_KIND, 1, 102), (0, QUOTE_KIND, -1, 101), (1, TRADE_KIND, 1, 101)), "crossed"),
    ],
)
def test_trade_derived_falls_back_on_the_price_of_the_print(rows: tuple, why: str) -> None:
    view = reference(tape(*rows))[2]
    assert (view["mid_ticks"], view["spread_ticks"]) == (100.5, 1.0), why


def test_trade_derived_mid_moves_at_prints_only_and_is_unknown_before_the_first() -> None:
    events = tape(
        (0, QUOTE_KIND, 1, 99),
        (0, TRADE_KIND, -1, 99),
        (1, QUOTE_KIND, 1, 90),
        (1, QUOTE_KIND, -1, 91),
        (9, TRADE_KIND, 1, 95),
    )
    mids = reference(events)["mid_ticks"]
    assert np.isnan(mids[0])
    assert mids[1:].tolist() == [99.5, 99.5, 99.5, 94.5]


def test_corrected_quote_follows_prints_and_ignores_implausible_quotes() -> None:
    events = tape(
        (0, QUOTE_KIND, 1, 99),
        (0, QUOTE_KIND, -1, 101),  # spread 2 = twice the smallest: taken, mid 100
        (1, TRADE_KIND, 1, 105),  # the ask was at 105; the bid 99 is too far below, so 104
        (2, TRADE_KIND, -1, 104),  # bid 104, ask 105 stays
        (3, QUOTE_KIND, -1, 120),  # stale or wild: ignored
    )
    result = reference(events, CORRECTED_QUOTE)
    assert result["mid_ticks"][1:].tolist() == [100.0, 104.5, 104.5, 104.5]
    assert result["spread_ticks"][1:].tolist() == [2.0, 1.0, 1.0, 1.0]


def test_a_view_never_depends_on_later_events() -> None:
    rng = np.random.default_rng(3)
    rows = [
        (i / 10, TRADE_KIND if rng.random() < 0.6 else QUOTE_KIND, int(rng.choice([-1, 1])), int(rng.integers(95, 105)))
        for i in range(300)
    ]
    events = tape(*rows)
    for rule in (TRADE_DERIVED, CORRECTED_QUOTE):
        whole, part = reference(events, rule), reference(events[:200], rule)
        np.testing.assert_array_equal(whole["mid_ticks"][:200], part["mid_ticks"])


def test_quote_rules_leave_the_book_alone() -> None:
    events = tape((0, QUOTE_KIND, 1, 99), (0, QUOTE_KIND, -1, 101))
    assert reference(events, QUOTE)["mid_ticks"].tolist()[1:] == [100.0]


@pytest.mark.parametrize(
    ("source", "rule"), [("b3", TRADE_DERIVED), ("binance", LAGGED_QUOTE), ("lean", QUOTE), ("lobster", QUOTE)]
)
def test_default_rule_by_source(source: str, rule: object) -> None:
    assert default_mid_rule(Session(INSTRUMENT, date(2025, 4, 7), empty_events(0), 0, 1, source)) == rule
