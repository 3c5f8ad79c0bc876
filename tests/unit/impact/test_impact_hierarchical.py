"""The hierarchical law without its sampler: statistics, groups, predictive mixture, prior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.impact.planted_hierarchy import TARGET, planted_hierarchy

from footprint.impact.distribution import LEVELS, NORMAL_SCORES
from footprint.impact.hierarchical import (
    FittedHierarchical,
    HierarchyDraws,
    HierarchyPrior,
    fitted_hierarchical,
    law_columns,
    prior_hierarchical,
    symbol_statistics,
)
from footprint.impact.rows import Rows, concatenate
from footprint.testing.random_rows import random_rows

DRAWS = 300


def rows_of(seed: int, counts: list[int]) -> tuple[Rows, np.ndarray]:
    hierarchy = planted_hierarchy(np.random.default_rng(seed), 2, 2)
    return hierarchy.rows(counts, np.random.default_rng(seed + 1)), hierarchy.truth


def draws(symbol_sd: float, market_sd: float, own: np.ndarray, own_sd: float) -> HierarchyDraws:
    """Draws about given symbol values; two markets of two symbols."""
    rng = np.random.default_rng(0)
    centre = np.tile(own.mean(axis=0), (DRAWS, 1))
    market = np.stack([np.tile(own[:2].mean(axis=0), (DRAWS, 1)), np.tile(own[2:].mean(axis=0), (DRAWS, 1))], axis=1)
    symbol = own + own_sd * rng.standard_normal((DRAWS, 4, 3))
    return HierarchyDraws(centre, np.full((DRAWS, 3), market_sd), np.full((DRAWS, 3), symbol_sd), market, symbol)


@pytest.fixture(scope="module")
def fitted() -> FittedHierarchical:
    rows, truth = rows_of(0, [800] * 4)
    spread = draws(0.3, 0.4, truth, 0.01)
    return fitted_hierarchical(rows, TARGET, symbol_statistics(rows, TARGET), spread, np.random.default_rng(1))


def test_statistics_of_independent_normal_rows() -> None:
    rows, truth = rows_of(0, [2_000, 1_000, 500, 250])
    statistics = symbol_statistics(rows, TARGET)
    assert statistics.symbols == ("A0", "A1", "B0", "B1")
    assert statistics.markets == ("a", "b")
    assert statistics.market.tolist() == [0, 0, 1, 1]
    assert statistics.rest == pytest.approx(np.exp(2.0 * truth[:, 2]), rel=0.2)
    deviation = np.sqrt([np.diag(np.linalg.inv(g)) for g in statistics.gram]) * np.exp(truth[:, 2:])
    assert np.all(np.abs(statistics.centre - truth[:, :2]) < 3.0 * deviation)
    # independent rows count as they are, but for the chance of a design effect above 1
    assert np.all(statistics.size_count <= [2_000, 1_000, 500, 250])
    assert np.all(statistics.size_count >= 0.6 * np.array([2_000, 1_000, 500, 250]))
    columns = law_columns(rows.take(rows.symbol == "A0"), TARGET)
    assert np.diag(statistics.gram[0]) == pytest.approx(np.sum(columns**2, axis=0), rel=0.4)


def test_copies_count_once() -> None:
    rows, _ = rows_of(0, [400] * 4)
    once, eight = (symbol_statistics(r, TARGET) for r in (rows, concatenate([rows] * 8)))
    assert eight.centre == pytest.approx(once.centre)
    assert eight.rest == pytest.approx(once.rest)
    # nearly: one correlation, read off once or eight times as many pairs, serves all symbols
    assert eight.size_count.sum() == pytest.approx(once.size_count.sum(), rel=0.35)
    assert eight.gram.sum() == pytest.approx(once.gram.sum(), rel=0.35)


def test_fat_tails_tell_less_of_the_size() -> None:
    rows, _ = rows_of(0, [1_000] * 4)
    rng = np.random.default_rng(3)
    fat = replace(rows, outcomes=rows.scale_bps(TARGET)[:, None] * np.tile(rng.standard_t(5.0, (len(rows), 1)), 5))
    normal = replace(rows, outcomes=rows.scale_bps(TARGET)[:, None] * np.tile(rng.standard_normal((len(rows), 1)), 5))
    counts = [symbol_statistics(r, TARGET).size_count for r in (fat, normal)]
    assert np.all(counts[0] < 0.7 * counts[1])


def test_tapes_of_a_symbol_weigh_the_same() -> None:
    """Two tapes of one symbol, the longer with another size: the mean square is the mean of both."""
    rows = random_rows(np.random.default_rng(0), 3_000)
    long = np.arange(3_000) < 2_700
    noise = np.random.default_rng(1).standard_normal(3_000) * np.where(long, 1.0, 2.0)
    rows = replace(
        rows,
        tape=np.where(long, "A 2024-01", "A 2024-05"),
        market=np.full(3_000, "a"),
        outcomes=np.tile((rows.scale_bps(TARGET) * noise)[:, None], 5),
    )
    assert symbol_statistics(rows, TARGET).rest == pytest.approx([2.5], rel=0.15)


def test_each_row_is_answered_by_its_symbol_its_market_or_everything(fitted: FittedHierarchical) -> None:
    base = random_rows(np.random.default_rng(2), 4)
    tape, market = np.array(["B0 2025-01", "A0", "A9 2024-01", "Z 2024-01"]), np.array(["b", "", "a", "z"])
    assert fitted.group(replace(base, tape=tape, market=market)).tolist() == [2, 0, 4, 6]


def test_unseen_symbols_get_wider_bands_and_a_surer_model_smaller_sd(fitted: FittedHierarchical) -> None:
    base = random_rows(np.random.default_rng(2), 200)

    def of(tape: str, market: str) -> Rows:
        return replace(base, tape=np.full(200, tape), market=np.full(200, market))

    known, new, elsewhere = of("A0 2024-01", "a"), of("A9 2024-01", "a"), of("Z 2024-01", "z")
    sd = [np.median(fitted.model_sd_bps(r)) for r in (known, new, elsewhere)]
    width = [np.median(np.diff(fitted.quantiles(r)[:, [4, 94]], axis=1)) for r in (known, new, elsewhere)]
    assert sd[0] < 0.2 * sd[1] < 0.2 * sd[2]
    assert width[0] < width[1] < width[2]


def test_quantiles_are_those_of_the_mixture_over_draws(fitted: FittedHierarchical) -> None:
    """Against brute force: every draw's own law, sampled. The stretched noise is a little too peaked."""
    rng = np.random.default_rng(4)
    base = random_rows(rng, 5)
    for tape, market in (("A1 2024-01", "a"), ("B9 2024-01", "b"), ("Z 2024-01", "z")):
        rows = replace(base, tape=np.full(5, tape), market=np.full(5, market))
        group = fitted.group(rows)[0]
        pick = rng.integers(DRAWS, size=200_000)
        noise = np.interp(rng.random(200_000), LEVELS, fitted.residual_quantiles)
        for i in range(5):
            columns = law_columns(rows, TARGET)[i]
            values = fitted.draws[group][pick, :2] @ columns + np.exp(fitted.draws[group][pick, 2]) * noise
            expected = np.quantile(values, LEVELS[4:-4]) * rows.scale_bps(TARGET)[i]
            width = expected[-1] - expected[0]
            assert np.abs(fitted.quantiles(rows)[i, 4:-4] - expected).max() < 0.05 * width


def test_drawn_quantiles_hold_one_draw_for_all_rows(fitted: FittedHierarchical) -> None:
    rows = replace(random_rows(np.random.default_rng(2), 50), tape=np.full(50, "A9 2024-01"), market=np.full(50, "a"))
    drawn = fitted.drawn_quantiles(rows, np.random.default_rng(0)) / rows.scale_bps(TARGET)[:, None]
    size = np.ptp(drawn[:, [4, 94]], axis=1)
    assert size == pytest.approx(np.full(50, size[0]))
    centre = drawn[:, 49] - size[0] / np.ptp(fitted.residual_quantiles[[4, 94]]) * fitted.residual_quantiles[49]
    found = np.linalg.lstsq(law_columns(rows, TARGET), centre, rcond=None)[0]
    assert np.abs(fitted.draws[4][:, :2] - found).sum(axis=1).min() < 1e-9


def test_prior_answers_for_any_symbol() -> None:
    prior = HierarchyPrior()
    fitted = prior_hierarchical(prior, TARGET, 4_000, NORMAL_SCORES, np.random.default_rng(0))
    rows = random_rows(np.random.default_rng(1), 20)
    assert np.all(fitted.group(rows) == 0)
    assert fitted.draws[0].mean(axis=0) == pytest.approx(prior.mean, abs=0.06)
    total = np.array(prior.sd) ** 2 + np.array(prior.market_sd) ** 2 + np.array(prior.symbol_sd) ** 2
    assert fitted.draws[0].var(axis=0) == pytest.approx(total, rel=0.12)
    assert np.all(np.diff(fitted.quantiles(rows), axis=1) > 0.0)
