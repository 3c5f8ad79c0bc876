"""The stack: weights follow the held-out score, trust ends with the training range, disagreement is uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import CrossFit
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.linear import Linear
from footprint.impact.rows import Rows
from footprint.impact.square_root import SquareRoot
from footprint.impact.stacking import FittedStack, Stack, stack, stacking_weights
from footprint.impact.training_range import TrainingRange
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_SECOND

LAW = SquareRoot()
FEW_TREES = BoostedQuantiles(start=LAW, stages=(3,), min_rows_per_leaf=30)


@dataclass(frozen=True)
class Normal:
    """Normal forecast in units of the row's scale; ready-made."""

    location: float = 0.0
    width: float = 1.0
    sd: float = 0.0

    @property
    def name(self) -> str:
        return f"normal_{self.location:g}"

    def fit(self, rows: Rows, target: str) -> Normal:
        return self

    def quantiles(self, rows: Rows) -> np.ndarray:
        return rows.scale_bps("peak")[:, None] * (self.location + self.width * NORMAL_SCORES)

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        return np.full(len(rows), self.sd)

    def cross(self, rows: Rows) -> CrossFit:
        return CrossFit(self, self, self.quantiles(rows))


@dataclass(frozen=True)
class Learnt(Normal):
    """The same as something learnt, not a law."""

    is_local: bool = True


@dataclass(frozen=True)
class Correction(Learnt):
    """Learnt, from a law."""

    start: Normal = Normal()


@pytest.fixture(scope="module")
def rows() -> Rows:
    """2,000 rows apart in time whose outcomes are standard normal in units of their scale."""
    rng = np.random.default_rng(0)
    rows = random_rows(rng, 2_000)
    start_ns = np.arange(len(rows)) * 10_000 * NS_PER_SECOND
    outcome = rows.scale_bps("peak") * rng.standard_normal(2_000)
    return replace(rows, start_ns=start_ns, end_ns=start_ns + NS_PER_SECOND, outcomes=np.tile(outcome[:, None], 5))


def test_contract() -> None:
    check_impact_model(Stack((LAW, Linear(), FEW_TREES)))


@pytest.mark.parametrize(
    ("members", "weights"),
    [
        ((Normal(), Normal(3.0)), (1.0, 0.0)),
        ((Normal(-1.0), Normal(1.0)), (0.5, 0.5)),
        ((Normal(-0.5), Normal(1.5)), (0.75, 0.25)),
        ((Normal(3.0), Normal(), Normal(-3.0)), (0.5, 0.0, 0.5)),  # the middle one does as well; see below
    ],
)
def test_weights_follow_the_held_out_score(rows: Rows, members: tuple[Normal, ...], weights: tuple[float, ...]) -> None:
    found = stacking_weights([m.quantiles(rows) for m in members], rows, "peak")
    assert found.sum() == pytest.approx(1.0)
    if len(members) == 3:  # any mixture with mean 0 is the middle one; equal weights are preferred
        assert found[0] == pytest.approx(found[2], abs=0.05)
        assert found.tolist() == pytest.approx([1 / 3] * 3, abs=0.1)
    else:
        assert found.tolist() == pytest.approx(weights, abs=0.04)


def test_little_data_keeps_equal_weights(rows: Rows) -> None:
    members = [Normal(0.0).quantiles(rows), Normal(0.3).quantiles(rows)]
    one_window = replace(rows, start_ns=np.zeros(2_000, np.int64), end_ns=np.full(2_000, NS_PER_SECOND))
    sure, unsure = (stacking_weights(members, r, "peak")[0] for r in (rows, one_window))
    assert unsure == pytest.approx(0.5, abs=0.05)
    assert sure > 0.9


def test_the_average_of_quantiles_is_calibrated(rows: Rows) -> None:
    fitted = stack([Normal(-0.5).cross(rows), Normal(1.5).cross(rows)], rows, "peak")
    quantiles = fitted.quantiles(rows)
    for level in (4, 49, 94):
        below = np.average(rows.outcome("peak") <= quantiles[:, level], weights=rows.tape_weights())
        assert below == pytest.approx((level + 1) / 100, abs=0.005)


def test_is_at_least_as_good_as_its_best_member(rows: Rows) -> None:
    members = [Normal(w) for w in (-0.6, 0.4, 2.0)]
    fitted = stack([m.cross(rows) for m in members], rows, "peak")
    outcome = rows.outcome("peak")
    own = crps_bps(fitted.quantiles(rows), outcome).mean()
    assert own <= min(crps_bps(m.quantiles(rows), outcome).mean() for m in members)


def far_from(rows: Rows) -> Rows:
    """The same orders larger than anything seen by twelve orders of magnitude."""
    return replace(rows, participation=rows.participation * 1e12)


def test_what_is_learnt_is_trusted_only_near_the_training_data(rows: Rows) -> None:
    law, learnt = Normal(0.5), Learnt(-0.5)
    fitted = replace(stack([law.cross(rows), learnt.cross(rows)], rows, "peak"), shifts=np.zeros(99))
    assert fitted.names[fitted.fallback] == law.name
    near, far = rows.take(np.arange(50)), far_from(rows).take(np.arange(50))
    away = np.abs(fitted.quantiles(far) - law.quantiles(far)).max()
    beside = np.abs(fitted.quantiles(near) - law.quantiles(near)).max()
    assert away < 0.1 * beside


def test_trust_is_one_inside_and_falls_outside(rows: Rows) -> None:
    reach = TrainingRange.of(rows)
    trust = reach.trust(rows)
    assert (trust == 1.0).mean() == pytest.approx(0.99, abs=0.002)
    assert (reach.trust(far_from(rows)) < reach.trust(rows)).all()


def test_model_uncertainty_is_disagreement_and_the_members_own(rows: Rows) -> None:
    few = rows.take(np.arange(20))
    members, reach = (Normal(-1.0, sd=3.0), Normal(1.0, sd=4.0)), TrainingRange.of(rows)
    fitted = FittedStack("peak", ("a", "b"), members, np.array([0.5, 0.5]), (False, False), 0, reach, np.zeros(99))
    expected = np.sqrt(rows.take(np.arange(20)).scale_bps("peak") ** 2 + (3.0**2 + 4.0**2) / 2)
    np.testing.assert_allclose(fitted.model_sd_bps(few), expected, rtol=1e-9)


def test_a_single_member_is_itself(rows: Rows) -> None:
    fitted = stack([Normal().cross(rows)], rows, "peak")
    assert fitted.weights.tolist() == [1.0]
    np.testing.assert_allclose(replace(fitted, shifts=np.zeros(99)).quantiles(rows), Normal().quantiles(rows))


def test_for_unseen_symbols_what_starts_from_nothing_is_left_out_and_corrections_are_capped(rows: Rows) -> None:
    law, free, corrected = Normal(0.5), Learnt(0.0), Correction(0.0)
    crosses = [m.cross(rows) for m in (law, free, corrected)]
    known, unseen = stack(crosses, rows, "peak"), stack(crosses, rows, "peak", "symbol")
    assert len(known.names) == 3
    assert unseen.members == (law, corrected)
    symbols = len(np.unique(rows.symbol))
    assert unseen.weights[1] == pytest.approx(1.0 - 1.0 / np.sqrt(symbols))
    assert unseen.weights.sum() == pytest.approx(1.0)
