"""Every family keeps the public contract, and the contract catches features that break it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from footprint.features.adverse_selection import AdverseSelection
from footprint.features.clock import Clock
from footprint.features.curves import Curves
from footprint.features.depth import Depth
from footprint.features.flow import Flow
from footprint.features.imbalance import Imbalance
from footprint.features.kyle import Kyle
from footprint.features.momentum import Momentum
from footprint.features.resilience import Resilience
from footprint.features.spread import Spread
from footprint.features.vector import FeatureVector
from footprint.features.volatility import Volatility
from footprint.features.vpin import Vpin
from footprint.testing import check_feature

LEARNED = {
    Volatility: ("volatility_previous",),
    Curves: ("day_volume_previous", "volume_curve", "volatility_curve", "spread_curve"),
    Vpin: ("vpin",),
    Kyle: ("kyle_lambda",),
}
LEARNED[FeatureVector] = tuple(name for names in LEARNED.values() for name in names)
PLAIN = (Spread, Imbalance, Depth, Resilience, Volatility, Momentum, Flow, AdverseSelection)
WITH_VENUE = (Curves, Clock, Vpin, Kyle, FeatureVector)


@pytest.mark.parametrize("family", PLAIN, ids=lambda c: c.__name__)
def test_family_keeps_the_contract(family):
    check_feature(family, learned=LEARNED.get(family, ()))


@pytest.mark.parametrize("continuous", [False, True], ids=["hours", "continuous"])
@pytest.mark.parametrize("family", WITH_VENUE, ids=lambda c: c.__name__)
def test_family_keeps_the_contract_on_both_kinds_of_venue(family, continuous):
    check_feature(partial(family, continuous), learned=LEARNED.get(family, ()))


def test_vector_keeps_the_contract_on_other_streams():
    for seed in (2, 3):
        check_feature(FeatureVector, learned=LEARNED[FeatureVector], seed=seed)


class ChunkCounter(Spread):
    """Broken: counts calls, not events."""

    names = ("calls",)

    def begin_session(self, open_ns, close_ns, tick_size, lot_size):
        self.calls = 0

    def update(self, events, views):
        self.calls += 1

    def values(self, now_ns):
        return np.array([float(self.calls)])


class Remembers(ChunkCounter):
    """Broken: intraday state survives the session."""

    def __init__(self):
        self.calls = 0

    def begin_session(self, open_ns, close_ns, tick_size, lot_size):
        pass

    def update(self, events, views):
        self.calls += len(events)


class CountsReadings(Remembers):
    """Broken: reading changes it."""

    def values(self, now_ns):
        self.calls += 1
        return np.array([float(self.calls)])


class Peeks(Remembers):
    """Broken: sample looks at the whole session."""

    def sample(self, events, views, stops, times_ns):
        return np.full((len(stops), 1), float(events["size_lots"].sum()))


class Infinite(Remembers):
    """Broken: unknown is not nan."""

    def values(self, now_ns):
        return np.array([np.inf])


class SameNames(Spread):
    """Broken: two values of one name."""

    names = ("spread_bps", "spread_bps")


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (ChunkCounter, "one by one differ"),
        (Remembers, "did not reset"),
        (CountsReadings, "differ"),
        (Peeks, "sample"),
        (Infinite, "infinite"),
        (SameNames, "unique"),
    ],
)
def test_broken_features_are_caught(broken, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_feature(broken)
