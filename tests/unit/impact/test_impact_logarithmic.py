"""The logarithmic law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_outcomes import planted_rows

from footprint.impact.linear import Linear
from footprint.impact.logarithmic import Logarithmic
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows


@pytest.mark.parametrize("model", [Logarithmic(), Logarithmic("fitted", True)], ids=lambda m: m.name)
def test_contract(model: Logarithmic) -> None:
    check_impact_model(model, scale_free=True)


def test_golden() -> None:
    row = random_rows(np.random.default_rng(0), 1)
    numbers = {"participation": 0.09, "volatility": 2.0, "day_s": 2_500.0, "spread_bps": 6.0}
    row = replace(row, **{name: np.array([value]) for name, value in numbers.items()})
    # b = 100: log10(1 + 9) = 1
    assert Logarithmic(half_spread=True).basis(row, "peak", np.array([2.0])) == pytest.approx(np.array([[100.0, 3.0]]))


@pytest.mark.parametrize("log_b", [2.0, 3.0, 4.0])
def test_bend_and_prefactor_are_recovered(log_b: float) -> None:
    model, shape, coefficients = Logarithmic(), np.array([log_b]), np.array([0.1])
    rows = planted_rows(0, 4_000, lambda r: model.basis(r, "peak", shape) @ coefficients, noise=0.02)
    fitted = model.fit(rows, "peak")
    assert fitted.shape == pytest.approx(shape, abs=0.05)
    assert fitted.coefficients == pytest.approx(coefficients, rel=0.05)


def test_orders_far_below_the_bend_have_linear_impact() -> None:
    rows = random_rows(np.random.default_rng(0), 200)
    law = Logarithmic().basis(rows, "peak", np.array([-1.0]))[:, 0]
    assert law == pytest.approx(0.1 / np.log(10.0) * Linear().basis(rows)[:, 0], rel=0.01)
