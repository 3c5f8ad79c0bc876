"""What regimes change in a forecast: planted effects come back, absent ones are not invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.errors import ModelError
from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.regimes.minute_regimes import PREFIX, CarriedRegimes
from footprint.impact.regimes.regime_model import FittedRegimeAware, RegimeAware, shrink
from footprint.impact.regimes.report import describe_effects
from footprint.impact.regimes.row_regimes import RowRegimes
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.square_root import SquareRoot
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

PREFACTOR, SCALE = np.array([0.5, 1.0, 1.8]), np.array([0.7, 1.0, 1.5])
NAMES = ("calm", "normal", "stressed")


def rows_in_regimes(seed: int, count: int, prefactor: np.ndarray, scale: np.ndarray) -> Rows:
    """Rows that carry sure regimes, each half hour in one, with the effects in their outcomes."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, count)
    regime = (rows.start_ns // 1_800_000_000_000) * 7_919 % 3
    law = 0.8 * rows.volatility_day_bps * np.sqrt(rows.participation) * prefactor[regime]
    noise = [scale[regime] * rows.scale_bps(t) * rng.standard_normal(count) for t in TARGETS]
    x = np.column_stack([rows.x, np.eye(3)[regime]])
    names = rows.x_names + tuple(f"{PREFIX}{name}" for name in NAMES)
    return replace(rows, x=x, x_names=names, outcomes=law[:, None] + np.column_stack(noise))


AWARE = RegimeAware(SquareRoot(), CarriedRegimes())


@pytest.fixture(scope="module")
def fitted() -> FittedRegimeAware:
    return AWARE.fit(rows_in_regimes(0, 6_000, PREFACTOR, SCALE), "peak")


def test_contract_with_regimes_of_the_rows() -> None:
    check_impact_model(RegimeAware(SquareRoot(), RowRegimes(counts=(1, 2), rows_per_tape=150)), scale_free=True)


def test_contract_with_carried_regimes() -> None:
    rng = np.random.default_rng(1)
    rows = random_rows(rng, 600)
    x = np.column_stack([rows.x, rng.dirichlet(np.ones(2), 600)])
    rows = replace(rows, x=x, x_names=(*rows.x_names, "regime_calm", "regime_stressed"))
    check_impact_model(AWARE, rows, scale_free=True)


def test_planted_effects_come_back(fitted) -> None:
    """Relative to each other: the blind model carries their mean."""
    effects = fitted.effects
    prefactor, scale = effects.prefactor / effects.prefactor[1], effects.scale / effects.scale[1]
    assert prefactor == pytest.approx(PREFACTOR, abs=0.2)
    assert scale == pytest.approx(SCALE, abs=0.12)


def test_knowing_the_regime_helps_and_covers_in_each(fitted) -> None:
    later = rows_in_regimes(1, 6_000, PREFACTOR, SCALE)
    outcome = later.outcome("peak")
    aware, blind = (crps_bps(f.quantiles(later), outcome).mean() for f in (fitted, fitted.blind))
    assert aware < 0.98 * blind
    for summary in describe_effects(fitted, later):
        assert abs(summary.coverage_aware.value - 0.9) < 0.03
        assert summary.coefficients == pytest.approx((summary.prefactor[0] * fitted.blind.coefficients[0],))
    _, normal, stressed = describe_effects(fitted, later)
    assert normal.coverage_blind.value > 0.95
    assert stressed.coverage_blind.value < 0.85


def test_effects_that_are_not_there_are_not_found() -> None:
    for seed in range(3):
        effects = AWARE.fit(rows_in_regimes(seed, 4_000, np.ones(3), np.ones(3)), "peak").effects
        assert np.abs(np.log(effects.scale)).max() < 0.03
        assert np.abs(effects.prefactor - 1.0).max() < 0.1


def test_a_regime_never_seen_changes_nothing() -> None:
    rows = rows_in_regimes(0, 3_000, PREFACTOR, SCALE)
    x = np.column_stack([rows.x, np.zeros(len(rows))])
    rows = replace(rows, x=x, x_names=(*rows.x_names, "regime_new"))
    effects = AWARE.fit(rows, "peak").effects
    assert effects.prefactor[3] == effects.scale[3] == 1.0


def test_one_regime_is_the_blind_model() -> None:
    rows = rows_in_regimes(0, 2_000, PREFACTOR, SCALE)
    one = replace(rows, x=np.ones((len(rows), 1)), x_names=("regime_usual",))
    fitted = AWARE.fit(one, "peak")
    assert np.allclose(fitted.quantiles(one), fitted.blind.quantiles(one), rtol=1e-9, atol=1e-9)


def test_shrinkage_keeps_what_is_sure() -> None:
    value, error = shrink(np.array([0.5, 1.5, 3.0]), np.array([0.01, 0.01, np.inf]), 1.0)
    assert value == pytest.approx([0.5, 1.5, 1.0], abs=0.01)
    assert error[2] > 0.4
    assert error[:2] == pytest.approx([0.01, 0.01], rel=0.01)


def test_rows_without_regimes_are_refused(fitted) -> None:
    rows = random_rows(np.random.default_rng(0), 200)
    with pytest.raises(ModelError, match="no regime_"):
        AWARE.fit(rows, "peak")
    with pytest.raises(ModelError, match="regime_calm, regime_normal, regime_stressed"):
        fitted.quantiles(rows)


def test_labels_are_the_most_likely(fitted) -> None:
    rows = rows_in_regimes(3, 50, PREFACTOR, SCALE)
    assert fitted.labels(rows).tolist() == [NAMES[k] for k in rows.x[:, -3:].argmax(axis=1)]


def test_an_unseen_symbol_has_the_shares_of_time() -> None:
    rows = random_rows(np.random.default_rng(0), 1_000)
    found = RowRegimes(counts=(2,)).fit(rows)
    other = replace(rows, tape=np.full(len(rows), "ZZZ 2024-01"))
    assert found.probabilities(other) == pytest.approx(np.tile(found.states.start, (len(rows), 1)))
    assert not np.allclose(found.probabilities(rows), found.probabilities(other))
