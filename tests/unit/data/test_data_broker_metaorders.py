"""Who sent each market order, from the brokers of its prints."""

from dataclasses import replace

import numpy as np
import pytest
from session_tape import packed, quote, session, trade

from footprint.data.broker_metaorders import NOBODY, child_brokers, has_brokers, scrambled
from footprint.data.metaorders import collect_runs
from footprint.data.prepare import prepare
from footprint.data.readers.b3_orders import B3OrdersReader
from footprint.errors import UsageError

#          second price side buyer seller
PRINTS = (
    (400, 101, 1, 7, 9),
    (401, 101, 1, 7, 8),
    (402, 100, -1, 9, 3),
    (403, 101, 1, 7, 9),
    (403, 102, 1, 5, 9),  # two brokers bought at one instant
    (404, 101, 1, 5, 9),
    (405, 101, 1, 0, 9),  # a buyer without a number
    (406, 101, 1, 5, 9),
)


def prepared():
    rows = [quote(399, 100, 101), *(trade(at, price, side) for at, price, side, *_ in PRINTS)]
    made = session(packed(*rows))
    nobody = [0, 0]  # the two sides of the quote
    brokers = {
        name: np.array(nobody + [row[column] for row in PRINTS])
        for name, column in (("buyer_member", 3), ("seller_member", 4))
    }
    return prepare(replace(made, extra=brokers))


def test_the_sender_is_the_aggressor_and_mixed_children_belong_to_nobody():
    assert child_brokers(prepared()).tolist() == [7, 7, 3, NOBODY, 5, NOBODY, 5]


def test_runs_of_brokers_are_collected_as_those_of_imaginary_traders():
    made = prepared()
    orders = collect_runs(made.tape, child_brokers(made))
    assert orders.first.tolist() == [0]  # broker 5's second run has no market order after it
    assert orders.children.tolist() == [2]


def test_scrambling_keeps_how_often_each_broker_trades():
    made = prepared()
    senders = child_brokers(made)
    dealt = scrambled(senders, made.tape, np.random.default_rng(0))
    assert sorted(dealt) == sorted(senders)
    assert dealt.tolist() != senders.tolist()


def test_a_source_without_brokers_is_named():
    made = prepare(session(packed(quote(399, 100, 101), trade(400, 101))))
    assert not has_brokers(made)
    with pytest.raises(UsageError, match="test names no brokers"):
        child_brokers(made)


def test_brokers_of_the_2015_orders_are_those_of_the_aggressors_rows(shared_data):
    path = shared_data / "b3_orders_2015" / "orders_PETR4F_2015-11-03.parquet"
    made = prepare(next(B3OrdersReader().sessions([path])))
    senders = child_brokers(made)
    assert len(senders) == 479
    assert (senders == NOBODY).sum() == 0
    assert len(np.unique(senders)) == 31
