"""Every parametric model recovers the law that made the rows, within its own standard errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_outcomes import planted_rows

from footprint.errors import ModelError
from footprint.impact.almgren import ETA, GAMMA, Almgren2005
from footprint.impact.averaged import Averaged
from footprint.impact.catalogue import CONSTANT, DIFFUSIVE, SPREAD
from footprint.impact.distribution import LEVELS, NORMAL_SCORES
from footprint.impact.istar import IStar, istar_bps
from footprint.impact.linear import Linear
from footprint.impact.linear_mean import MIN_ROWS
from footprint.impact.residuals import residual_scale_bps, weighted_quantiles
from footprint.impact.rows import TARGETS, Rows
from footprint.testing.random_rows import random_rows

REFIT = Almgren2005(refit=True)
LINEAR_IN_COEFFICIENTS = [
    (CONSTANT, (0.8,)),
    (DIFFUSIVE, (1.2,)),
    (SPREAD, (0.8, 0.6)),
    (Linear(), (5.0,)),
    (REFIT, (0.9, 0.25)),
]


def standard_errors(model, rows: Rows, target: str) -> np.ndarray:
    """Sandwich errors of the weighted least squares, the noise variance known to be scale^2."""
    basis, scale = model.basis(rows), rows.scale_bps(target)
    weights = rows.tape_weights() / scale**2
    bread = np.linalg.inv(basis.T @ (basis * weights[:, None]))
    meat = basis.T @ (basis * (weights**2 * scale**2)[:, None])
    return np.sqrt(np.diag(bread @ meat @ bread))


@pytest.mark.parametrize(("model", "truth"), LINEAR_IN_COEFFICIENTS, ids=lambda v: getattr(v, "name", ""))
def test_coefficients_are_recovered_within_two_standard_errors(model, truth) -> None:
    scores = []
    for seed in range(40):
        rows = planted_rows(seed, 600, lambda r: model.basis(r) @ np.array(truth))
        fitted = model.fit(rows, "peak")
        assert fitted.coefficients.shape == (len(truth),)
        scores.append((fitted.coefficients - truth) / standard_errors(model, rows, "peak"))
    z = np.array(scores)
    assert np.all((np.abs(z) < 2.0).mean(axis=0) >= 0.85)  # 95 % expected
    assert np.all(np.abs(z.mean(axis=0)) < 0.5)  # 0 +- 0.16 expected
    assert np.all(np.abs(z.std(axis=0) - 1.0) < 0.35)  # the errors are neither better nor worse than least squares'


@pytest.mark.parametrize("target", TARGETS)
def test_residual_is_as_wide_as_the_noise(target: str) -> None:
    rows = planted_rows(0, 5_000, lambda r: DIFFUSIVE.basis(r)[:, 0])
    fitted = DIFFUSIVE.fit(rows, target)
    assert fitted.residual_quantiles[4:-4] == pytest.approx(NORMAL_SCORES[4:-4], abs=0.12)
    expected = fitted.mean_bps(rows)[:, None] + rows.scale_bps(target)[:, None] * fitted.residual_quantiles
    np.testing.assert_allclose(fitted.quantiles(rows), expected)


def test_basis_golden() -> None:
    """1 % of a day's volume within a tenth of a day of 23,400 s, 1 bps per root second, 4 bps wide."""
    row = random_rows(np.random.default_rng(0), 1)
    row = replace(
        row,
        participation=np.array([0.01]),
        volatility=np.array([1.0]),
        day_s=np.array([23_400.0]),
        horizon_s=np.array([2_340.0]),
        spread_bps=np.array([4.0]),
    )
    sigma_day = 152.970585  # sqrt(23400)
    assert DIFFUSIVE.basis(row)[0] == pytest.approx([0.1 * sigma_day])
    assert SPREAD.basis(row)[0] == pytest.approx([0.1 * sigma_day, 2.0])
    assert Linear().basis(row)[0] == pytest.approx([0.01 * sigma_day])
    assert REFIT.basis(row)[0] == pytest.approx([0.01 * sigma_day * 263**0.25, sigma_day * 0.1**0.6])
    assert residual_scale_bps(row, "peak", "constant") == pytest.approx(sigma_day)
    assert residual_scale_bps(row, "peak", "diffusive") == pytest.approx(np.sqrt(2_340 + 4))
    assert residual_scale_bps(row, "shift_600", "diffusive") == pytest.approx(np.sqrt(2_940 + 4))


def test_almgren_uses_the_published_constants_verbatim() -> None:
    rows = random_rows(np.random.default_rng(0), 400)
    assert (GAMMA, ETA) == (0.314, 0.142)
    expected = {
        "peak": (0.314, 0.142),
        "shortfall": (0.157, 0.142),
        "shift_300": (0.314, 0.0),
        "shift_600": (0.314, 0.0),
        "temporary": (0.0, 0.142),
    }
    for target in TARGETS:
        fitted = Almgren2005().fit(rows, target)
        assert fitted.coefficients == pytest.approx(expected[target])
        # only the residual is fitted: its median carries what the constants miss
        below = np.average(
            rows.known(target).outcome(target) <= fitted.quantiles(rows.known(target))[:, 49],
            weights=rows.known(target).tape_weights(),
        )
        assert below == pytest.approx(0.5, abs=0.01)


def test_istar_recovers_its_mean_function() -> None:
    truth = np.array([0.5, 0.6, 0.9, 0.4, 0.7])
    rows = planted_rows(3, 4_000, lambda r: istar_bps(truth, r), noise=0.1)
    fitted = IStar().fit(rows, "peak")
    fresh = random_rows(np.random.default_rng(4), 1_000)
    error = np.abs(istar_bps(fitted.parameters, fresh) / istar_bps(truth, fresh) - 1.0)
    assert np.median(error) < 0.03
    assert fitted.residual_quantiles[4:-4] == pytest.approx(0.1 * NORMAL_SCORES[4:-4], abs=0.012)


def test_istar_golden() -> None:
    row = random_rows(np.random.default_rng(0), 1)
    fields = {"participation": 0.04, "volatility": 2.0, "day_s": 2_500.0, "horizon_s": 250.0}
    row = replace(row, **{name: np.array([value]) for name, value in fields.items()})
    # I* = 3 x 0.04^0.5 x 100 = 60; POV = 0.04 / 0.1 = 0.4; MI = 0.75 x 60 x 0.4 + 0.25 x 60
    parameters = np.array([np.log(3.0), 0.5, 1.0, 1.0, 0.75])
    assert istar_bps(parameters, row) == pytest.approx([33.0])
    # more than the market's whole volume counts as all of it
    assert istar_bps(parameters, replace(row, horizon_s=np.array([2.0]))) == pytest.approx([60.0])


def test_average_is_the_mean_of_the_quantile_functions() -> None:
    rows = random_rows(np.random.default_rng(0), 300)
    model = Averaged((DIFFUSIVE, SPREAD, Linear()))
    alone = [m.fit(rows, "shortfall").quantiles(rows) for m in model.members]
    assert model.fit(rows, "shortfall").quantiles(rows) == pytest.approx(np.mean(alone, axis=0))
    assert model.name == "square_root_diffusive+square_root_spread+linear"


@pytest.mark.parametrize("model", [DIFFUSIVE, Almgren2005(), IStar()], ids=lambda m: m.name)
def test_fifty_known_rows_are_enough_and_49_are_not(model) -> None:
    rows = random_rows(np.random.default_rng(0), 200)
    known = rows.known("shift_300")
    unknown = rows.take(np.isnan(rows.outcome("shift_300")))
    assert len(unknown) > 0
    assert np.isfinite(model.fit(known.take(np.arange(MIN_ROWS)), "shift_300").quantiles(unknown)).all()
    with pytest.raises(ModelError, match=f"{model.name} needs at least 50 rows with a known shift_300, found 49"):
        model.fit(known.take(np.arange(MIN_ROWS - 1)), "shift_300")


def test_weighted_quantiles() -> None:
    values, ones = np.array([30.0, 10.0, 20.0, 40.0]), np.ones(4)
    # midpoints of cumulated weight: 1/8, 3/8, 5/8, 7/8
    levels = np.array([0.01, 0.125, 0.25, 0.5, 0.875, 0.99])
    assert weighted_quantiles(values, ones, levels) == pytest.approx([10, 10, 15, 25, 40, 40])
    # a weight of three on the first value: midpoints 1/12 (10), 1/4 (20), 7/12 (30), 11/12 (40)
    weighted = weighted_quantiles(values, np.array([3.0, 1.0, 1.0, 1.0]), np.array([1 / 12, 7 / 12, 11 / 12]))
    assert weighted == pytest.approx([10, 30, 40])


def test_weighted_quantiles_of_many_are_those_of_the_weighted_law() -> None:
    rng = np.random.default_rng(0)
    draws = rng.standard_normal(200_000)
    tilted = weighted_quantiles(draws, np.exp(0.5 * draws), LEVELS)  # the same normal about 0.5
    assert tilted == pytest.approx(0.5 + NORMAL_SCORES, abs=0.03)
