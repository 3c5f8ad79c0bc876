"""The design effect: 1 for independent errors, the number of copies for copied ones."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.impact.overlap import blocks, design_effect
from footprint.testing.random_rows import random_rows

BLOCKS, EACH = 400, 6


def data(seed: int, correlation: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A constant column, errors with this correlation within blocks, and the blocks."""
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(BLOCKS), EACH)
    shared, own = rng.standard_normal(BLOCKS)[block], rng.standard_normal(len(block))
    return np.ones((len(block), 1)), np.sqrt(correlation) * shared + np.sqrt(1.0 - correlation) * own, block


def test_independent_errors_have_no_effect() -> None:
    found = []
    for seed in range(20):
        columns, error, block = data(seed, 0.0)
        found.append(design_effect(columns, error, np.ones(len(error)), block))
    assert min(found) == 1.0
    assert np.mean(found) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("correlation", [0.2, 0.6, 1.0])
def test_shared_errors_have_the_effect_of_kish(correlation: float) -> None:
    columns, error, block = data(0, correlation)
    expected = 1.0 + (EACH - 1.0) * correlation
    assert design_effect(columns, error, np.ones(len(error)), block) == pytest.approx(expected, rel=0.15)


def test_effect_is_the_ratio_of_the_variances_of_an_estimate() -> None:
    """A slope on a column that is constant within blocks, by simulation."""
    column = np.random.default_rng(1_000).standard_normal(BLOCKS)[data(0, 0.0)[2]]
    slopes = []
    for seed in range(300):
        _, error, block = data(seed, 0.4)
        slopes.append(column @ error / (column @ column))
    naive = 1.0 / (column @ column)
    effect = design_effect(column[:, None], error, np.ones(len(error)), block)
    assert effect == pytest.approx(np.var(slopes) / naive, rel=0.35)


def test_weights_alone_cost_independent_rows() -> None:
    """Kish: n sum w^2 / (sum w)^2."""
    rng = np.random.default_rng(1)
    weights = np.where(rng.random(20_000) < 0.5, 0.2, 1.8)
    error = rng.standard_normal(20_000)
    effect = design_effect(np.ones((20_000, 1)), error, weights / weights.mean(), np.arange(20_000))
    assert effect == pytest.approx(np.mean(weights**2) / np.mean(weights) ** 2, rel=0.05)


def test_copies_of_all_rows_are_counted_once() -> None:
    columns, error, _ = data(2, 0.0)
    once = design_effect(columns, error, np.ones(len(error)), np.arange(len(error)))
    eight = design_effect(
        np.tile(columns, (8, 1)), np.tile(error, 8), np.ones(8 * len(error)), np.tile(np.arange(len(error)), 8)
    )
    assert eight == pytest.approx(8.0 * once)


def test_error_without_size_has_no_effect() -> None:
    columns, error, block = data(0, 0.5)
    assert design_effect(columns, 0.0 * error, np.ones(len(error)), block) == 1.0


def test_blocks_are_half_hours_of_a_market() -> None:
    rows = random_rows(np.random.default_rng(0), 500)
    block = blocks(rows)
    for number in np.unique(block):
        mine = block == number
        assert len(np.unique(rows.market[mine])) == 1
        assert np.ptp(rows.start_ns[mine]) < 1_800 * 10**9
