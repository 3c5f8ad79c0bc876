"""The compiled forest gives what LightGBM's own predict gives."""

import lightgbm
import numpy as np
import pytest

from footprint.impact.trees import flatten


def columns(rng: np.random.Generator, count: int, nan_share: float) -> np.ndarray:
    x = rng.standard_normal((count, 5))
    x[:, 1] = rng.integers(-2, 3, count)  # many ties and exact zeros
    x[:, 4] = np.exp(3 * x[:, 4])
    x[rng.random(x.shape) < nan_share] = np.nan
    return x


def boosters(seed: int, nan_share: float, **parameters) -> list[lightgbm.Booster]:
    """Three boosters of one noisy table, at the levels 10, 50 and 90 %."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 800, nan_share)
    y = np.nansum(x[:, :2], axis=1) + np.isnan(x[:, 2]) + rng.standard_t(3, 800)
    settings = {"objective": "quantile", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 12}
    return [
        lightgbm.train({**settings, "alpha": level, **parameters}, lightgbm.Dataset(x, y), num_boost_round=15)
        for level in (0.1, 0.5, 0.9)
    ]


def parity(models: list[lightgbm.Booster], x: np.ndarray) -> float:
    expected = np.column_stack([m.predict(x, num_threads=1) for m in models])
    found = flatten([m.dump_model() for m in models]).predict(x)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


def missing_types(models: list[lightgbm.Booster]) -> set[str]:
    found = set()

    def visit(node: dict) -> None:
        if "left_child" in node:
            found.add(node["missing_type"])
            visit(node["left_child"])
            visit(node["right_child"])

    for model in models:
        for tree in model.dump_model()["tree_info"]:
            visit(tree["tree_structure"])
    return found


@pytest.mark.parametrize(
    ("trained_share", "parameters", "types"),
    [(0.3, {}, {"NaN"}), (0.0, {}, {"None"}), (0.3, {"use_missing": False}, {"None"})],
    ids=["trained_on_nan", "never_saw_nan", "nan_counts_as_zero"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_parity(seed: int, trained_share: float, parameters: dict, types: set[str]) -> None:
    models = boosters(seed, trained_share, **parameters)
    assert types <= missing_types(models)
    x = columns(np.random.default_rng(seed + 10), 2_000, 0.3)
    x[:3] = np.array([[np.nan], [np.inf], [-np.inf]])
    assert parity(models, x) <= 1e-12


def test_values_on_the_thresholds_go_left() -> None:
    models = boosters(3, 0.0)
    forest = flatten([m.dump_model() for m in models])
    inner = forest.feature >= 0
    x = np.zeros((inner.sum(), 5))
    x[np.arange(inner.sum()), forest.feature[inner]] = forest.threshold[inner]
    x[np.abs(x) < 2e-35] = 0.0  # as LightGBM reads it
    assert parity(models, x) <= 1e-12


def test_trees_without_a_split() -> None:
    models = boosters(4, 0.0, min_data_in_leaf=700)
    assert missing_types(models) == set()
    assert parity(models, columns(np.random.default_rng(0), 10, 0.5)) <= 1e-12


def test_one_row_is_as_in_a_batch() -> None:
    models = boosters(5, 0.3)
    forest = flatten([m.dump_model() for m in models])
    x = columns(np.random.default_rng(1), 50, 0.3)
    alone = np.concatenate([forest.predict(row[None]) for row in x])
    assert np.array_equal(alone, forest.predict(np.asfortranarray(x)))


@pytest.mark.parametrize("rounds", [0, 1, 7, 15])
def test_first_trees_are_lightgbm_stopped_there(rounds: int) -> None:
    models = boosters(6, 0.3)
    x = columns(np.random.default_rng(2), 200, 0.3)
    found = flatten([m.dump_model() for m in models]).first(rounds).predict(x)
    expected = np.column_stack([m.predict(x, num_iteration=rounds, num_threads=1) for m in models])
    assert np.abs(found - (expected if rounds else 0.0)).max() <= 1e-12  # LightGBM takes 0 for all


def test_leaves_are_where_rows_end_and_covers_count_the_training_rows() -> None:
    models = boosters(7, 0.3)
    forest = flatten([m.dump_model() for m in models])
    x = columns(np.random.default_rng(3), 100, 0.3)
    leaves = forest.leaves(x)
    assert leaves.shape == (100, len(forest.root))
    assert np.all(forest.feature[leaves] == -1)
    total = np.column_stack([forest.value[leaves[:, forest.booster == b]].sum(axis=1) for b in range(3)])
    assert np.abs(total - forest.predict(x)).max() <= 1e-12
    trained = columns(np.random.default_rng(7), 800, 0.3)  # what `boosters` trained on
    count = np.bincount(forest.leaves(trained).ravel(), minlength=len(forest.feature))
    leaf = forest.feature == -1
    assert np.array_equal(count[leaf], forest.cover[leaf])
    inner = np.flatnonzero(~leaf)
    assert np.array_equal(forest.cover[inner], forest.cover[forest.left[inner]] + forest.cover[forest.right[inner]])
    assert np.all((forest.gain > 0) == ~leaf)


def test_categorical_splits_are_refused() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, (500, 1)).astype(float)
    data = lightgbm.Dataset(x, np.array([3.0, -1, 4, 1, -5, 9])[x[:, 0].astype(int)], categorical_feature=[0])
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}, data, num_boost_round=2)
    with pytest.raises(ValueError, match="numerical splits"):
        flatten([booster.dump_model()])
