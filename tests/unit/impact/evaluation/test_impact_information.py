"""Information set A0: nothing that is left tells the planned duration."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.features.vector import FeatureVector
from footprint.impact.evaluation.information import DURATION_COLUMNS, in_flight, usual_spacing
from footprint.impact.rows import OrderColumns, Rows, make_rows
from footprint.testing.random_rows import random_rows


def arrivals(horizon_s: np.ndarray) -> Rows:
    count = len(horizon_s)
    rng = np.random.default_rng(0)
    features = {name: rng.uniform(0.5, 2.0, count) for name in FeatureVector().names}
    zeros, side = np.zeros(count), rng.choice([-1, 1], count)
    children = rng.integers(3, 50, count)
    order = OrderColumns(side, rng.uniform(1e3, 1e5, count), children, horizon_s, zeros, zeros, zeros, zeros)
    return make_rows(order, features, np.zeros(count, np.int64), 23_400.0, "AAA 2024-01", "us")


def test_the_duration_columns_are_exactly_those_that_move_with_the_duration() -> None:
    short, long = (arrivals(np.full(50, seconds)) for seconds in (60.0, 1_800.0))
    moved = {
        name for i, name in enumerate(short.x_names) if not np.array_equal(short.x[:, i], long.x[:, i], equal_nan=True)
    }
    assert moved == DURATION_COLUMNS


def test_hidden_rows_of_any_duration_are_the_same() -> None:
    rng = np.random.default_rng(1)
    usual = usual_spacing(arrivals(rng.uniform(10.0, 1_000.0, 50)))
    one, other = (usual.hide_duration(arrivals(rng.uniform(10.0, 3_000.0, 50))) for _ in range(2))
    assert one.x_names == other.x_names
    assert not DURATION_COLUMNS & set(one.x_names)
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.horizon_s, other.horizon_s)
    np.testing.assert_array_equal(one.scale_bps("peak"), other.scale_bps("peak"))


def test_the_spacing_is_that_of_the_own_tape_and_of_all_for_an_unknown_one() -> None:
    rows = random_rows(np.random.default_rng(2), 400)
    slow = rows.tape == "BBB 2024-01"
    rows = replace(rows, horizon_s=rows.children * np.where(slow, 30.0, 10.0))
    usual = usual_spacing(rows)
    assert usual.by_tape["BBB 2024-01"] == pytest.approx(30.0)
    assert usual.overall == pytest.approx(10.0)
    strange = replace(rows, tape=np.full(len(rows), "ZZZ 2024-01"))
    assert usual.hide_duration(strange).horizon_s == pytest.approx(10.0 * rows.children)
    assert usual.hide_duration(rows).horizon_s == pytest.approx(rows.horizon_s)


def test_names_in_flight() -> None:
    assert [in_flight(f) for f in (0.25, 0.5, 0.75)] == ["F25", "F50", "F75"]
