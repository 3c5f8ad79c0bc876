"""Contributions are Shapley values: LightGBM's own, those of the definition, and adding up to the answer."""

from itertools import combinations
from math import comb

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footprint.impact.contributions import forest_average, forest_contributions
from footprint.impact.trees import Forest, flatten

WEIGHTS = np.array([0.2, 1.5, -0.7])


def columns(rng: np.random.Generator, count: int, nan_share: float) -> np.ndarray:
    x = rng.standard_normal((count, 5))
    x[:, 1] = rng.integers(-2, 3, count)
    x[rng.random(x.shape) < nan_share] = np.nan
    return x


def boosters(seed: int, nan_share: float, **parameters) -> list[lightgbm.Booster]:
    """Three boosters with interactions, so that a column is split again and again on the way to a leaf."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 800, nan_share)
    y = np.nansum(x[:, :2], axis=1) * np.nan_to_num(x[:, 2]) + np.isnan(x[:, 3]) + rng.standard_normal(800)
    settings = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 12, "bagging_freq": 1}
    return [
        lightgbm.train({**settings, "bagging_fraction": share, **parameters}, lightgbm.Dataset(x, y), 10)
        for share in (1.0, 0.7, 0.4)
    ]


def flat(models: list[lightgbm.Booster]) -> Forest:
    return flatten([m.dump_model() for m in models])


@pytest.mark.parametrize(
    ("nan_share", "parameters"),
    [
        (0.3, {}),
        (0.0, {}),
        (0.3, {"use_missing": False}),
        (0.2, {"num_leaves": 120, "min_data_in_leaf": 2}),
        (0.0, {"num_leaves": 2}),
        (0.0, {"min_data_in_leaf": 700}),
    ],
    ids=["nan", "never_saw_nan", "nan_is_zero", "deep", "stumps", "no_split"],
)
def test_parity_with_lightgbm(nan_share: float, parameters: dict) -> None:
    models = boosters(0, nan_share, **parameters)
    x = columns(np.random.default_rng(1), 300, 0.3)
    expected = sum(w * m.predict(x, pred_contrib=True) for w, m in zip(WEIGHTS, models, strict=True))
    forest = flat(models)
    assert np.abs(forest_contributions(forest, x, WEIGHTS) - expected[:, :-1]).max() <= 1e-9
    assert forest_average(forest, WEIGHTS) == pytest.approx(expected[0, -1], abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), rounds=st.integers(0, 10))
def test_they_add_up_to_the_answer_also_of_fewer_rounds(seed: int, rounds: int) -> None:
    forest = flat(boosters(3, 0.3)).first(rounds)
    x = columns(np.random.default_rng(seed), 20, 0.4)
    total = forest_contributions(forest, x, WEIGHTS).sum(axis=1) + forest_average(forest, WEIGHTS)
    assert total == pytest.approx(forest.predict(x) @ WEIGHTS, abs=1e-10)


def without(forest: Forest, node: int, row: np.ndarray, known: set[int]) -> float:
    """Answer of one tree when only the columns in `known` are given."""
    column = int(forest.feature[node])
    if column < 0:
        return float(forest.value[node])
    left, right = int(forest.left[node]), int(forest.right[node])
    if column in known:
        return without(forest, left if row[column] <= forest.threshold[node] else right, row, known)
    parts = [forest.cover[c] / forest.cover[node] * without(forest, c, row, known) for c in (left, right)]
    return float(sum(parts))


def test_they_are_shapley_values_by_definition() -> None:
    forest = flat(boosters(5, 0.0, num_leaves=20)[:1])
    x = columns(np.random.default_rng(2), 4, 0.0)
    found = forest_contributions(forest, x, np.ones(1))

    def answer(row: np.ndarray, known: tuple[int, ...]) -> float:
        return sum(without(forest, int(root), row, set(known)) for root in forest.root)

    for row, values in zip(x, found, strict=True):
        for column in range(5):
            others = [c for c in range(5) if c != column]
            expected = sum(
                (answer(row, (*known, column)) - answer(row, known)) / (5 * comb(4, size))
                for size in range(5)
                for known in combinations(others, size)
            )
            assert values[column] == pytest.approx(expected, abs=1e-10)


def test_a_column_that_no_tree_asks_for_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 3))
    model = lightgbm.train({"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(x[:, :2], x[:, 0]), 5)
    values = forest_contributions(flat([model]), x, np.ones(1))
    assert np.array_equal(values[:, 2], np.zeros(500))
    assert np.abs(values[:, 0]).mean() > 10 * np.abs(values[:, 1]).mean()
