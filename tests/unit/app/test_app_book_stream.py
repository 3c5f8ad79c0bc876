"""The seeded order flow: its three views tell of one market, and it is the flow of the shared benchmark scripts."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from footprint.app.book_stream import ADDED, FILLED, GROWING, SELL, SET, STEADY, OrderFlow, make_stream


@pytest.fixture(scope="module")
def shared_make(shared_data):
    """`make` of the shared generator."""
    path = shared_data.parent / "bench" / "stream.py"
    if not path.is_file():
        pytest.skip("shared benchmark scripts not present")
    specification = importlib.util.spec_from_file_location("shared_stream", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.make


@pytest.mark.parametrize("seed", [7, 8])
@pytest.mark.parametrize(
    ("mix", "name", "options"),
    [
        (STEADY, "itch", {}),
        (GROWING, "m70", {}),
        (replace(STEADY, resting=20_000, distance_ticks=30.0), "itch", {"target": 20_000, "mean_dist": 30.0}),
        (
            replace(STEADY, resting=3_000, distance_ticks=200.0, prefill=3_000),
            "itch",
            {"target": 3_000, "mean_dist": 200.0, "prefill": 3_000},
        ),
    ],
)
def test_every_column_equals_that_of_the_shared_generator(shared_make, mix, name, options, seed):
    steps = 12_000
    theirs, ours = shared_make(steps, name, seed, **options), make_stream(mix, steps, seed)
    for view, columns in (("o", ours.entry), ("f", ours.orders), ("p", ours.levels)):
        for field, column in zip(("kind", "side", "px", "qty", "oid", "ts"), columns, strict=True):
            if column is not None:
                assert column.dtype == theirs[f"{view}_{field}"].dtype
                np.testing.assert_array_equal(column, theirs[f"{view}_{field}"])
    np.testing.assert_array_equal(ours.book, theirs["final_levels"])
    assert ours.live_orders == theirs["live"][0]


def test_a_longer_run_begins_with_the_shorter_one():
    flow = OrderFlow(STEADY, seed=3)
    flow.run(2_000)
    short = flow.stream()
    flow.run(1_000)
    for early, late in zip(short.orders, flow.stream().orders, strict=True):
        np.testing.assert_array_equal(early, late[: len(early)])


def test_the_views_tell_of_one_market():
    stream = make_stream(STEADY, 5_000)
    feed, levels = stream.orders, stream.levels
    added = feed.kind == ADDED
    assert (np.diff(feed.order_id[added]) > 0).all()
    last = {}
    for kind, side, price, size in zip(*(c.tolist() for c in levels[:4]), strict=True):
        if kind == SET:
            last[side, price] = size
    assert {key: size for key, size in last.items() if size} == {(s, p): q for s, p, q in stream.book.tolist()}
    assert (feed.kind == FILLED).any()
    assert stream.book[stream.book[:, 0] == SELL][0, 1] > stream.book[stream.book[:, 0] != SELL][-1, 1]
