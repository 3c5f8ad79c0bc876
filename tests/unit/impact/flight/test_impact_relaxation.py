from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.data.planted import PlantedLaw
from footprint.errors import ModelError
from footprint.impact.flight.decay_split import split_impact
from footprint.impact.flight.relaxation import Relaxation, fit_relaxation
from footprint.impact.rows import RELAXATION_S, TARGETS, Rows
from footprint.testing.random_rows import random_rows


def relaxing(law: PlantedLaw, count: int, seed: int, noise: float = 1.0) -> Rows:
    """Rows whose peaks follow a square root and whose shifts follow the planted relaxation, with diffusive noise."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, count)
    peak = 0.8 * rows.volatility_day_bps * np.sqrt(rows.participation)
    columns = [
        peak * law.retained(RELAXATION_S[t] / rows.horizon_s) + noise * rows.scale_bps(t) * rng.standard_normal(count)
        for t in TARGETS
    ]
    return replace(rows, outcomes=np.column_stack(columns))


@pytest.mark.parametrize("decay", [0.2, 0.4, 0.6])
def test_a_planted_exponent_is_found_again(decay: float) -> None:
    found = fit_relaxation(relaxing(PlantedLaw(decay=decay), 20_000, 3))
    assert abs(found.exponent - decay) < 3.0 * found.exponent_se
    assert found.exponent_se < 0.05


@pytest.mark.parametrize("idle_s", [0.0, 90.0])
def test_the_split_of_a_planted_order_is_recovered(idle_s: float) -> None:
    law = PlantedLaw(decay=0.4)
    impact_bps, duration_s = 20.0, 240.0
    found = split_impact(impact_bps, duration_s, idle_s, fit_relaxation(relaxing(law, 20_000, 3, noise=0.2)))
    permanent = impact_bps * float(law.retained(600.0 / duration_s))
    now = impact_bps * float(law.retained(idle_s / duration_s))
    assert found.permanent_bps == pytest.approx(permanent, rel=0.03)
    assert found.temporary_bps == pytest.approx(now - permanent, rel=0.06)
    # at the half-life the planted path stands in the middle
    then = impact_bps * float(law.retained((idle_s + found.half_life_s) / duration_s))
    assert then == pytest.approx((now + permanent) / 2.0, rel=0.02)


def test_a_price_that_goes_on_has_no_half_life() -> None:
    going_on = split_impact(10.0, 60.0, 0.0, Relaxation(-0.1, 0.02))
    assert going_on.permanent_bps > 10.0
    assert going_on.temporary_bps < 0.0
    assert going_on.half_life_s is None


def test_nothing_is_left_to_decay_ten_minutes_after_the_last_fill() -> None:
    found = split_impact(10.0, 60.0, 900.0, Relaxation(0.4, 0.02))
    assert found.temporary_bps == 0.0
    assert found.half_life_s is None


def test_too_few_rows_are_refused_with_the_count_needed() -> None:
    with pytest.raises(ModelError, match="at least 50 rows"):
        fit_relaxation(relaxing(PlantedLaw(), 20, 0))
