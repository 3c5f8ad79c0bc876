"""The propagator: its bounds, and one set of parameters behind all targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.errors import ModelError
from footprint.impact.propagator import LEAST_CONCAVE_DECAY, Propagator
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.square_root import SquareRoot
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

CONCAVE, LINEAR = Propagator(), Propagator(linear=True, offset_s=5.0)


def rows_of(model: Propagator, shape: np.ndarray, coefficients: np.ndarray, noise: float) -> Rows:
    """Generated rows whose every target has the mean of the same parameters."""
    rng = np.random.default_rng(0)
    rows = random_rows(rng, 4_000)
    means = [model.basis(rows, t, shape) @ coefficients for t in TARGETS]
    outcomes = [
        m + noise * rows.scale_bps(t) * rng.standard_normal(len(rows)) for m, t in zip(means, TARGETS, strict=True)
    ]
    return replace(rows, outcomes=np.column_stack(outcomes))


@pytest.mark.parametrize(
    "model", [CONCAVE, LINEAR, Propagator(residual="fitted", half_spread=True)], ids=lambda m: m.name
)
def test_contract(model: Propagator) -> None:
    check_impact_model(model, scale_free=True)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("model", "shape"), [(CONCAVE, [0.6, 0.3]), (LINEAR, [0.4])], ids=lambda v: getattr(v, "name", "")
)
def test_one_set_of_parameters_is_found_from_any_target(model: Propagator, shape: list[float], target: str) -> None:
    coefficients = np.array([0.5])
    fitted = model.fit(rows_of(model, np.array(shape), coefficients, noise=0.02), target)
    assert fitted.shape == pytest.approx(shape, abs=0.02)
    assert fitted.coefficients == pytest.approx(coefficients, rel=0.1)


def test_fit_stays_within_the_bounds_where_the_data_do_not() -> None:
    """A square root that does not depend on the time it takes and never fades asks for more than is allowed."""
    rows = rows_of(CONCAVE, np.array([0.5, 0.0]), np.array([1.0]), 0.02)
    law = SquareRoot().basis(rows)[:, 0]
    rows = replace(rows, outcomes=np.tile(law[:, None], (1, len(TARGETS))))
    for target in ("peak", "shift_600"):
        fitted = CONCAVE.fit(rows, target)
        gamma, delta = CONCAVE.decay(fitted.shape), CONCAVE.pace_exponent(fitted.shape)
        assert gamma >= LEAST_CONCAVE_DECAY - 1e-12
        assert gamma + delta >= 1.0 - 1e-12
        assert 0.0 < delta <= 1.0
        assert fitted.coefficients[0] >= 0.0


def test_corners_of_the_shape() -> None:
    assert pytest.approx(0.41504, abs=1e-5) == LEAST_CONCAVE_DECAY
    assert CONCAVE.pace_exponent(np.array([0.7, 0.0])) == pytest.approx(0.3)
    assert CONCAVE.pace_exponent(np.array([0.7, 1.0])) == pytest.approx(1.0)
    assert LINEAR.pace_exponent(np.array([0.7])) == 1.0


@pytest.mark.parametrize("model", [Propagator(offset_s=1.0), Propagator(linear=True, offset_s=-1.0)])
def test_kernel_that_lets_a_round_trip_pay_is_refused(model: Propagator) -> None:
    with pytest.raises(ModelError, match=r"propagator.* with offset_s .*1: a kernel without singularity"):
        model.fit(random_rows(np.random.default_rng(0), 100), "peak")
