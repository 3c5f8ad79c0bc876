"""Obizhaeva and Wang: resilience, a lasting part, and a kernel that leaves no profit to a round trip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.rows import TARGETS, Rows
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

MODEL = ObizhaevaWang()


def rows_of(half_life_s: float, coefficients: np.ndarray, noise: float) -> Rows:
    """Generated rows whose every target has the mean of the same parameters."""
    rng = np.random.default_rng(0)
    rows = random_rows(rng, 4_000)
    shape = np.array([np.log(half_life_s)])
    means = [MODEL.basis(rows, t, shape) @ coefficients for t in TARGETS]
    outcomes = [
        m + noise * rows.scale_bps(t) * rng.standard_normal(len(rows)) for m, t in zip(means, TARGETS, strict=True)
    ]
    return replace(rows, outcomes=np.column_stack(outcomes))


@pytest.mark.parametrize("model", [MODEL, ObizhaevaWang("fitted", True)], ids=lambda m: m.name)
def test_contract(model: ObizhaevaWang) -> None:
    check_impact_model(model, scale_free=True)


@pytest.mark.parametrize("target", TARGETS)
def test_one_set_of_parameters_is_found_from_any_target(target: str) -> None:
    truth = np.array([80.0, 6.0])
    fitted = MODEL.fit(rows_of(300.0, truth, noise=0.02), target)
    assert MODEL.half_life_s(fitted.shape) == pytest.approx(300.0, rel=0.1)
    assert fitted.coefficients[0] == pytest.approx(truth[0], rel=0.1)
    if target == "temporary":  # half of what stays is in the cost and half is taken off: nothing is known of it
        assert fitted.coefficients[1] == 0.0
    else:
        assert fitted.coefficients[1] == pytest.approx(truth[1], rel=0.1)


def test_kernel_is_positive_decreasing_and_convex_whatever_the_data_say() -> None:
    """Outcomes that grow after the end and outcomes below zero would need a kernel that rises."""
    rows = random_rows(np.random.default_rng(1), 1_000)
    linear = rows.volatility_day_bps * rows.participation
    for factors in ((1.0, 0.3, 3.0, 5.0, 0.0), (-1.0, -1.0, -1.0, -1.0, -1.0)):
        fake = replace(rows, outcomes=linear[:, None] * np.array(factors))
        for target in TARGETS:
            fitted = MODEL.fit(fake, target)
            rho = np.log(2.0) / MODEL.half_life_s(fitted.shape)
            response = fitted.coefficients[1] + fitted.coefficients[0] * np.exp(-rho * np.linspace(0.0, 5_000.0, 100))
            assert (response >= 0.0).all()
            assert (np.diff(response) <= 0.0).all()
            assert (np.diff(response, 2) >= -1e-12).all()


def test_golden() -> None:
    """Half-life 100 s, 200 s of trading: three quarters of the pace's impact at the end, an eighth of it 300 s on."""
    row = random_rows(np.random.default_rng(0), 1)
    numbers = {"participation": 0.02, "volatility": 1.0, "day_s": 10_000.0, "horizon_s": 200.0}
    row = replace(row, **{name: np.array([value]) for name, value in numbers.items()})
    shape, ln2 = np.array([np.log(100.0)]), np.log(2.0)
    transient = 100.0 * 0.02 * 0.75 / (2.0 * ln2)
    assert MODEL.basis(row, "peak", shape)[0] == pytest.approx([transient, 2.0])
    assert MODEL.basis(row, "shift_300", shape)[0] == pytest.approx([transient / 8.0, 2.0])
    average = 100.0 * 0.02 * (1.0 - 0.75 / (2.0 * ln2)) / (2.0 * ln2)
    assert MODEL.basis(row, "shortfall", shape)[0] == pytest.approx([average, 1.0])
    assert MODEL.basis(row, "temporary", shape)[0] == pytest.approx([average - 0.5 * transient / 64.0, 0.0])
