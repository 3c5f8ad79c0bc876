"""The mixture: partner and weight chosen on held-out rows, quantiles averaged, then calibrated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import CrossFit, held_out_crps
from footprint.impact.catalogue import CONSTANT, DIFFUSIVE, SPREAD
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.linear import Linear
from footprint.impact.mixture import WEIGHTS, FittedMixture, Mixture, best, mix
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

FEW_TREES = BoostedQuantiles(start=DIFFUSIVE, stages=(3,), min_rows_per_leaf=30)


@dataclass(frozen=True)
class Normal:
    """Normal forecast in units of the row's scale; ready-made."""

    location: float = 0.0
    width: float = 1.0
    name: str = "normal"

    def fit(self, rows: Rows, target: str) -> Normal:
        return self

    def quantiles(self, rows: Rows) -> np.ndarray:
        return rows.scale_bps("peak")[:, None] * (self.location + self.width * NORMAL_SCORES)

    def cross(self, rows: Rows) -> CrossFit:
        return CrossFit(self, self, self.quantiles(rows))


@pytest.fixture(scope="module")
def rows() -> Rows:
    """2,000 rows whose outcomes are standard normal in units of their scale."""
    rng = np.random.default_rng(0)
    rows = random_rows(rng, 2_000)
    return replace(rows, outcomes=np.tile((rows.scale_bps("peak") * rng.standard_normal(2_000))[:, None], 5))


def test_possible_weights() -> None:
    assert WEIGHTS == (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize(
    ("parametric", "boosted", "weight"),
    [
        (Normal(), Normal(3.0), 0.0),
        (Normal(3.0), Normal(), 1.0),
        (Normal(-1.0), Normal(1.0), 0.5),
        (Normal(0.33), Normal(-1.0), 0.25),
        (Normal(-1.0), Normal(0.33), 0.75),
    ],
)
def test_weight_follows_the_held_out_score(rows: Rows, parametric: Normal, boosted: Normal, weight: float) -> None:
    assert mix([parametric.cross(rows)], boosted.cross(rows), rows, "peak").weight == weight


def test_forecast_is_the_weighted_average_of_quantiles_then_shifted(rows: Rows) -> None:
    fitted = mix([Normal(-0.5).cross(rows)], Normal(2.5).cross(rows), rows, "peak")
    assert fitted.weight == 0.25
    unshifted = replace(fitted, shifts=np.zeros(99)).quantiles(rows)
    scale = rows.scale_bps("peak")[:, None]
    np.testing.assert_allclose(unshifted, Normal(0.75 * -0.5 + 0.25 * 2.5).quantiles(rows), atol=1e-9)
    np.testing.assert_allclose(fitted.quantiles(rows), unshifted + scale * fitted.shifts, atol=1e-9)
    assert fitted.shifts.mean() == pytest.approx(-0.25, abs=0.05)  # brings the centre back to 0


@pytest.mark.parametrize(("weight", "alone"), [(0.0, Normal(0.2)), (1.0, Normal(-0.7))])
def test_all_the_weight_on_one_side_is_that_side_alone(rows: Rows, weight: float, alone: Normal) -> None:
    fitted = FittedMixture("peak", Normal(0.2), Normal(-0.7), weight, np.zeros(99))
    np.testing.assert_array_equal(fitted.quantiles(rows), alone.quantiles(rows))


def test_best_partner_has_the_smallest_held_out_crps(rows: Rows) -> None:
    crosses = [Normal(2.0).cross(rows), Normal(0.1).cross(rows), Normal(0.0, 3.0).cross(rows)]
    assert best(crosses, rows, "peak") is crosses[1]
    chosen = mix(crosses, Normal(5.0).cross(rows), rows, "peak")
    assert chosen.parametric == Normal(0.1)


def test_held_out_crps_weighs_tapes_equally_and_in_noise_scales(rows: Rows) -> None:
    quantiles = Normal(0.5).quantiles(rows)
    relative = crps_bps(quantiles, rows.outcome("peak")) / rows.scale_bps("peak")
    expected = np.mean([relative[rows.tape == name].mean() for name in np.unique(rows.tape)])
    assert held_out_crps(quantiles, rows, "peak") == pytest.approx(expected)


def test_fit_finds_the_law_that_made_the_rows() -> None:
    rng = np.random.default_rng(1)
    rows = random_rows(rng, 3_000)
    for truth in (SPREAD, Linear()):
        mean = truth.basis(rows) @ np.full(truth.basis(rows).shape[1], 3.0)
        planted = mean + 0.3 * rows.scale_bps("peak") * rng.standard_normal(3_000)
        planted_rows = replace(rows, outcomes=np.tile(planted[:, None], 5))
        fitted = Mixture((CONSTANT, Linear(), SPREAD), FEW_TREES).fit(planted_rows, "peak")
        assert fitted.parametric.model == truth
        assert fitted.weight in WEIGHTS


def test_unknown_outcomes_do_not_count() -> None:
    rows = random_rows(np.random.default_rng(2), 500)
    model = Mixture((DIFFUSIVE, SPREAD), FEW_TREES)
    assert model.name == "mixture"
    fitted, known = (model.fit(r, "shift_600") for r in (rows, rows.known("shift_600")))
    assert fitted.weight == known.weight
    assert np.array_equal(fitted.shifts, known.shifts)
