"""The three forms of the residual's scale, and least squares without negative coefficients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_outcomes import planted_rows
from scipy.optimize import nnls

from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.linear_mean import FittedLinearMean
from footprint.impact.non_negative import non_negative_least_squares
from footprint.impact.residuals import fit_residual, residual_scale_bps, variance_parts
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.square_root import SquareRoot
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

FITTED = SquareRoot("fitted")


def noisy_rows(seed: int, count: int, variance_weights: tuple[float, ...]) -> Rows:
    """A square root with Y = 1 and normal noise of a variance with those weights."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, count)
    law = FITTED.basis(rows)[:, 0]
    noise = [np.sqrt(variance_parts(rows, t) @ variance_weights) * rng.standard_normal(count) for t in TARGETS]
    return replace(rows, outcomes=np.column_stack([law + n for n in noise]))


@pytest.mark.parametrize("half_spread", [False, True])
def test_fitted_form_keeps_the_contract(half_spread: bool) -> None:
    check_impact_model(SquareRoot("fitted", half_spread), scale_free=True)


def test_names_tell_the_form_and_those_in_use_stay() -> None:
    names = {SquareRoot(r, h).name for r in ("constant", "diffusive", "fitted") for h in (False, True)}
    assert {SquareRoot("constant").name, SquareRoot().name, SquareRoot(half_spread=True).name} == {
        "square_root_constant",
        "square_root_diffusive",
        "square_root_spread",
    }
    assert len(names) == 6
    assert FITTED.name == "square_root_fitted"


def test_parts_golden() -> None:
    """1 % of a day's volume in 2,340 s of 23,400, 1 bps per root second, 4 bps wide."""
    row = random_rows(np.random.default_rng(0), 1)
    numbers = {"participation": 0.01, "volatility": 1.0, "day_s": 23_400.0, "horizon_s": 2_340.0, "spread_bps": 4.0}
    row = replace(row, **{name: np.array([value]) for name, value in numbers.items()})
    assert variance_parts(row, "peak")[0] == pytest.approx([2_340.0, 4.0, 234.0])
    assert variance_parts(row, "shift_300")[0] == pytest.approx([2_640.0, 4.0, 234.0])
    assert residual_scale_bps(row, "peak", "fitted", (0.5, 2.0, 1.0)) == pytest.approx([np.sqrt(1_412.0)])
    # with these weights it is the diffusive form
    assert residual_scale_bps(row, "shift_600", "fitted", (1.0, 1.0, 0.0)) == pytest.approx(row.scale_bps("shift_600"))


@pytest.mark.parametrize("truth", [(1.0, 1.0, 0.0), (0.3, 4.0, 0.5), (0.2, 0.0, 2.0)])
def test_weights_of_the_variance_are_recovered(truth: tuple[float, ...]) -> None:
    rows = noisy_rows(1, 20_000, truth)
    residual_bps = rows.outcome("peak") - FITTED.basis(rows)[:, 0]
    weights, quantiles = fit_residual(rows, "peak", "fitted", residual_bps)
    mean_size = np.sqrt(2.0 / np.pi)  # of a standard normal: the weights are those of a residual of mean size 1
    assert np.array(weights) / mean_size**2 == pytest.approx(truth, rel=0.1, abs=0.02)
    assert quantiles[4:-4] * mean_size == pytest.approx(NORMAL_SCORES[4:-4], abs=0.05)


def test_bands_fit_where_the_noise_grows_with_the_impact_and_not_only_on_average() -> None:
    rows = noisy_rows(2, 8_000, (0.2, 0.0, 1.0))
    training, fresh = rows.take(np.arange(len(rows)) % 2 == 0), rows.take(np.arange(len(rows)) % 2 == 1)
    loss, coverage = {}, {}
    quick = fresh.horizon_s < 60.0
    for model in (SquareRoot(), FITTED):
        quantiles, outcome = model.fit(training, "peak").quantiles(fresh), fresh.outcome("peak")
        loss[model] = np.mean(crps_bps(quantiles, outcome) / fresh.scale_bps("peak"))
        inside = (quantiles[:, 4] <= outcome) & (outcome <= quantiles[:, 94])
        coverage[model] = inside[quick].mean()
    assert loss[FITTED] < 0.9 * loss[SquareRoot()]
    assert coverage[FITTED] == pytest.approx(0.9, abs=0.03)
    assert coverage[SquareRoot()] < 0.84


def test_other_forms_fit_no_weights_and_old_fits_read_as_before() -> None:
    rows = planted_rows(0, 500, lambda r: SquareRoot().basis(r)[:, 0])
    fitted = SquareRoot().fit(rows, "peak")
    assert fitted.variance_weights == ()
    # a model stored before the third form has four fields
    old = FittedLinearMean(fitted.model, "peak", fitted.coefficients, fitted.residual_quantiles)
    assert np.array_equal(old.quantiles(rows), fitted.quantiles(rows))


def test_residual_that_is_nothing_gives_a_scale_all_the_same() -> None:
    rows = random_rows(np.random.default_rng(0), 100)
    weights, quantiles = fit_residual(rows, "peak", "fitted", np.zeros(100))
    assert weights == (1.0, 1.0, 0.0)
    assert not quantiles.any()


def test_non_negative_least_squares() -> None:
    rng = np.random.default_rng(0)
    columns, values = rng.standard_normal((50, 3)) * [1.0, 1e-4, 1e5], rng.standard_normal(50)
    expected = nnls(columns, values)[0]
    assert (expected == 0.0).any()
    assert non_negative_least_squares(columns, values) == pytest.approx(expected, rel=1e-6)
    # what vanishes but for rounding gets nothing, whatever it would fit
    columns[:, 2] = 1e-17 * values
    assert non_negative_least_squares(columns, values)[2] == 0.0
