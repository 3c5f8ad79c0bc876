import numpy as np
import pytest

from footprint.data.planted_manipulation import PATTERNS, UsualSizes, plant, usual_sizes
from footprint.data.stationary_book import BookShape, stationary_book
from footprint.data.stationary_kernel import PLACE, TAKE
from footprint.units import NS_PER_SECOND

USUAL = UsualSizes(touch_lots=200.0, take_lots=20.0)


@pytest.mark.parametrize("kind", PATTERNS)
def test_actions_lie_in_order_within_the_episode(kind):
    episode = plant(kind, 10.0, 60 * NS_PER_SECOND, USUAL, np.random.default_rng(1))
    times = episode.actions["time_ns"]
    assert np.all(np.diff(times) >= 0)
    assert episode.start_ns <= times[0]
    assert (times + episode.actions["life_ns"]).max() == episode.end_ns
    assert episode.end_ns - episode.start_ns < 30 * NS_PER_SECOND


@pytest.mark.parametrize("kind", ["layering", "spoofing"])
def test_false_orders_and_trading_have_the_stated_multiples(kind):
    episode = plant(kind, 10.0, 0, USUAL, np.random.default_rng(2))
    placed = episode.actions[episode.actions["what"] == PLACE]
    taken = episode.actions[episode.actions["what"] == TAKE]
    false_lots = placed["lots"].sum() - (placed["lots"].max() if kind == "layering" else 0)
    assert false_lots == pytest.approx(2_000.0, rel=0.01)
    assert taken["lots"].sum() == pytest.approx(200.0, rel=0.05)
    assert set(episode.actions["side"]) == {episode.side}


def test_both_legs_of_an_ignition_are_equal():
    actions = plant("momentum_ignition", 10.0, 0, USUAL, np.random.default_rng(3)).actions
    assert (actions["side"] * actions["lots"]).sum() == 0
    assert np.abs(actions["lots"]).sum() == pytest.approx(4_000.0, rel=0.01)


def test_usual_sizes_are_those_of_the_shape():
    usual = usual_sizes(*stationary_book(BookShape(take_lots=30.0), 7_200.0, np.random.default_rng(4)))
    assert usual.take_lots == pytest.approx(30.0, rel=0.15)
    assert usual.touch_lots > 100.0
