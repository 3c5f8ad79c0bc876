"""The power law and its exponent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_outcomes import planted_rows

from footprint.errors import ModelError
from footprint.impact.power_law import PowerLaw
from footprint.impact.rows import TARGETS
from footprint.impact.square_root import SquareRoot
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows


@pytest.mark.parametrize("model", [PowerLaw(), PowerLaw("fitted", True)], ids=lambda m: m.name)
def test_contract(model: PowerLaw) -> None:
    check_impact_model(model, scale_free=True)


def test_golden() -> None:
    row = random_rows(np.random.default_rng(0), 1)
    numbers = {"participation": 0.01, "volatility": 2.0, "day_s": 2_500.0, "spread_bps": 6.0}
    row = replace(row, **{name: np.array([value]) for name, value in numbers.items()})
    assert PowerLaw().basis(row, "peak", np.array([0.75])) == pytest.approx(np.array([[100.0 * 0.01**0.75]]))
    assert PowerLaw(half_spread=True).basis(row, "peak", np.array([0.5])) == pytest.approx(np.array([[10.0, 3.0]]))


@pytest.mark.parametrize("delta", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("target", TARGETS)
def test_exponent_and_prefactor_are_recovered(delta: float, target: str) -> None:
    shape, coefficients = np.array([delta]), np.array([1.2, 0.7])
    model = PowerLaw(half_spread=True)
    rows = planted_rows(0, 4_000, lambda r: model.basis(r, target, shape) @ coefficients, noise=0.05)
    fitted = model.fit(rows, target)
    assert fitted.shape == pytest.approx(shape, abs=0.02)
    assert fitted.coefficients == pytest.approx(coefficients, rel=0.05)
    assert fitted.mean_bps(rows) == pytest.approx(model.basis(rows, target, shape) @ coefficients, rel=0.1)


def test_with_the_exponent_one_half_it_is_the_square_root() -> None:
    rows = random_rows(np.random.default_rng(3), 3_000)
    power, root = (m.fit(rows, "peak") for m in (PowerLaw(), SquareRoot()))
    at_half = replace(power, shape=np.array([0.5]), coefficients=root.coefficients)
    assert at_half.mean_bps(rows) == pytest.approx(root.mean_bps(rows))
    # the fitted exponent is at least as good on the rows it was fitted to
    weights = rows.tape_weights() / rows.scale_bps("peak") ** 2
    loss = [np.sum(weights * (rows.outcome("peak") - f.mean_bps(rows)) ** 2) for f in (power, root)]
    assert loss[0] <= loss[1]


def test_impact_never_pays() -> None:
    rows = planted_rows(0, 500, lambda r: -SquareRoot().basis(r)[:, 0])
    fitted = PowerLaw().fit(rows, "peak")
    assert fitted.coefficients == pytest.approx([0.0])
    assert np.median(fitted.quantiles(rows)[:, 49]) < 0.0  # the residual says so instead


def test_too_few_rows() -> None:
    rows = random_rows(np.random.default_rng(0), 49)
    with pytest.raises(ModelError, match="power_law needs at least 50 rows with a known peak, found 49"):
        PowerLaw().fit(rows, "peak")
