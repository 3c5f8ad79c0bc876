"""Prints beyond the quote before them."""

from datetime import date

import numpy as np
import pytest

from footprint.data.prepare import prepare
from footprint.data.session import Session
from footprint.impact.leakage.trade_through import prints_of, trade_through_rate
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument
from footprint.units import NS_PER_SECOND

#          second kind              side price
EVENTS = (
    (1, EventKind.QUOTE, 1, 100), (1, EventKind.QUOTE, -1, 102),
    (2, EventKind.TRADE, 1, 102),  # at the ask
    (3, EventKind.TRADE, 1, 103),  # beyond it
    (4, EventKind.TRADE, -1, 101),  # inside
    (5, EventKind.QUOTE, -1, 104), (5, EventKind.TRADE, 1, 104),  # the quote of its own instant does not excuse it
    (6, EventKind.TRADE, -1, 99),  # beyond the bid
)  # fmt: skip


def prepared(repeats=1):
    events = empty_events(len(EVENTS) * repeats)
    for k in range(len(events)):
        second, kind, side, price = EVENTS[k % len(EVENTS)]
        events["exchange_time_ns"][k] = (second + 60 * (k // len(EVENTS))) * NS_PER_SECOND
        events["kind"][k], events["side"][k], events["price_ticks"][k], events["size_lots"][k] = kind, side, price, 10
        events["flags"][k] = EventFlag.LAST | (EventFlag.SIDE_GIVEN if kind == EventKind.TRADE else EventFlag.NONE)
    instrument = Instrument("X", "V", "m", AssetClass.EQUITY, "USD", 0.01, 1.0, ALWAYS_OPEN)
    last_ns = int(events["exchange_time_ns"][-1])
    return prepare(Session(instrument, date(2024, 3, 5), events, NS_PER_SECOND, last_ns, "test"))


def test_only_prints_beyond_the_opposite_quote_before_them_count():
    assert prints_of(prepared()).worse.tolist() == [False, True, False, True, True]


def test_the_rate_is_their_share():
    found = trade_through_rate([prints_of(prepared(200))], 600.0, np.random.default_rng(0))[0]
    assert found.estimate.value == pytest.approx(0.6)
    assert found.estimate.n == 1000
