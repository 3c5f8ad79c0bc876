"""Every oddity of the real LOBSTER samples."""

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.readers.lobster import LobsterReader, messages
from footprint.data.readers.lobster_replay import check_lobster_replay
from footprint.data.verdict import Analysis
from footprint.market.events import EventFlag, EventKind

READER = LobsterReader()
STEPS = {"AAPL_2012-06-21_1": 118_496, "AMZN_2012-06-21_1": 57_514, "AMZN_2012-06-21_5": 155_934}


@pytest.fixture(scope="module")
def sample(shared_data):
    return lambda name: shared_data / "lobster" / f"LOBSTER_SampleFile_{name}.zip"


@pytest.mark.parametrize(("name", "steps"), STEPS.items())
def test_every_message_gives_the_next_book_row(sample, name, steps):
    counts = check_lobster_replay(sample(name))
    assert (counts["steps"], counts["mismatches"]) == (steps, 0)
    assert 0 < counts["revealed_levels"] < steps


@pytest.mark.parametrize("name", STEPS)
def test_views_of_the_session_are_the_book_rows(sample, name):
    (session,) = READER.sessions([sample(name)])
    view = views(session.events)[session.events["flags"] & EventFlag.LAST != 0]
    _, book = messages(sample(name))
    for column, field in enumerate(("ask_ticks", "ask_lots", "bid_ticks", "bid_lots")):
        np.testing.assert_array_equal(view[field], book[:, column])
    if name.endswith("5"):
        np.testing.assert_array_equal(view["bid_depth_5_lots"], book[:, 3::4].sum(axis=1))
    assert (view["spread_ticks"] > 0).all()  # never crossed, never locked


@pytest.mark.parametrize("name", ["AAPL_2012-06-21_1", "AMZN_2012-06-21_5"])
def test_the_book_is_not_empty_at_the_open(sample, name):
    events, _ = messages(sample(name))
    filled = np.unique(events["order_id"][events["kind"] == EventKind.FILL])
    born = events["order_id"][events["kind"] == EventKind.ADD]
    assert 0.10 < 1 - np.isin(filled, born).mean() < 0.36
    (verdict,) = READER.audit([sample(name)])
    assert "no_snapshot" in {f.code for f in verdict.findings}
    assert verdict.voids == (Analysis.LATENCY,)


def test_hidden_executions_move_no_visible_size_and_are_not_signed_by_the_source(sample):
    (session,) = READER.sessions([sample("AMZN_2012-06-21_5")])
    hidden = session.events[session.events["flags"] & EventFlag.HIDDEN != 0]
    assert len(hidden) == 2_445
    assert (hidden["kind"] == EventKind.TRADE).all()
    assert (hidden["order_id"] == 0).all()
    assert (hidden["flags"] & EventFlag.SIDE_GIVEN == 0).all()
    changed = session.events["row"][session.events["kind"] == EventKind.LEVEL]
    assert not np.isin(hidden["row"][1:], changed).any()  # the first message brings the whole book


def test_an_execution_of_a_resting_offer_is_a_buy_at_the_ask_before_it(sample):
    (session,) = READER.sessions([sample("AAPL_2012-06-21_1")])
    events, view = session.events, views(session.events)
    trade = np.flatnonzero(events["flags"] & EventFlag.SIDE_GIVEN)
    touch = np.where(events["side"][trade] > 0, view["ask_ticks"][trade - 1], view["bid_ticks"][trade - 1])
    np.testing.assert_array_equal(events["price_ticks"][trade], touch)


def test_many_messages_share_a_time_stamp(sample):
    events, _ = messages(sample("AMZN_2012-06-21_5"))
    equal = (np.diff(events["exchange_time_ns"]) == 0).mean()
    assert 0.04 < equal < 0.10


def test_of_two_depths_of_one_day_the_deeper_is_used(shared_data):
    paths = sorted((shared_data / "lobster").glob("*AMZN*.zip"))
    assert len(paths) == 2
    sessions = list(LobsterReader().sessions(paths))
    assert [session.paths for session in sessions] == [(next(p for p in paths if p.stem.endswith("_5")),)]
    codes = {v.path.stem[-1]: {f.code for f in v.findings} for v in LobsterReader().audit(paths)}
    assert "superseded" in codes["1"]
    assert "superseded" not in codes["5"]
