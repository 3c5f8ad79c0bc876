"""Properties of the feature vector on random streams."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from footprint.features.vector import FeatureVector
from footprint.testing.random_stream import CLOSE_NS, LOT_SIZE, OPEN_NS, TICK_SIZE, random_stream

COUNT = 400
SIGNED = ("imbalance", "trade_imbalance", "signed_volume", "order_flow_imbalance", "last_sign_run")
MIRROR_TICKS = 20_000


def values_of(events, views, cuts=()):
    vector = FeatureVector()
    vector.begin_session(OPEN_NS, CLOSE_NS, TICK_SIZE, LOT_SIZE)
    edges = [0, *sorted(cuts), len(events)]
    for start, stop in pairwise(edges):
        vector.update(events[start:stop], views[start:stop])
    return dict(zip(vector.names, vector.values(CLOSE_NS), strict=True))


def mirrored(events, views):
    """Bids become offers and buyers sellers."""
    events, mirror = events.copy(), views.copy()
    events["side"] *= -1
    events["price_ticks"] = MIRROR_TICKS - events["price_ticks"]
    for name in views.dtype.names:
        if name.startswith(("bid", "ask")):
            other = name.replace("bid", "ask") if name.startswith("bid") else name.replace("ask", "bid")
            mirror[name] = views[other]
    for name in ("bid_ticks", "ask_ticks"):
        mirror[name] = np.where(mirror[name] == 0, 0, MIRROR_TICKS - mirror[name])
    mirror["mid_ticks"] = MIRROR_TICKS - views["mid_ticks"]
    return events, mirror


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, COUNT), max_size=8))
def test_any_cut_of_the_stream_gives_the_same_bits(seed, cuts):
    stream = random_stream(np.random.default_rng(seed), COUNT)
    np.testing.assert_equal(values_of(*stream, cuts), values_of(*stream))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_signed_features_change_sign_in_the_mirror_and_sizes_do_not(seed):
    events, views = random_stream(np.random.default_rng(seed), COUNT)
    here, there = values_of(events, views), values_of(*mirrored(events, views))
    for name, value in here.items():
        if name.startswith(SIGNED):
            np.testing.assert_array_equal(there[name], -value, err_msg=name)
        elif name.startswith(("depth", "trades", "volume_per_s", "sign_auto", "vpin", "trade_through", "typical")):
            np.testing.assert_array_equal(there[name], value, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_ranges(seed):
    values = values_of(*random_stream(np.random.default_rng(seed), COUNT))
    for name, value in values.items():
        if np.isnan(value):
            continue
        if "imbalance" in name and "order_flow" not in name:
            assert -1 - 1e-9 <= value <= 1 + 1e-9, name
        if name.startswith(("spread", "depth", "volatility", "vpin", "trades", "volume", "typical", "day_volume")):
            assert value >= 0, name
        if name in ("vpin", "trade_through_rate"):
            assert value <= 1, name
        if name.endswith("half_life_s"):
            assert value <= 60 + 1e-9, name
