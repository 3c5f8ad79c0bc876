"""Adaptive widths: long-run coverage whatever happens, and nothing learnt before it is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.impact.planted_outcomes import planted

from footprint.errors import UsageError
from footprint.impact.calibration.adaptive import Adaptive, AdaptiveWidth, FittedAdaptive
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.scoring import covered
from footprint.impact.rows import RELAXATION_S, Rows
from footprint.testing import check_impact_model
from footprint.testing.check_recovery import recover
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_SECOND


@pytest.fixture(scope="module")
def fitted() -> FittedAdaptive:
    rng = np.random.default_rng(0)
    rows = random_rows(rng, 4_000)
    return Adaptive(DIFFUSIVE).fit(planted(rows, np.zeros(4_000), rng), "peak")


def stream(seed: int, count: int, noise: float) -> Rows:
    """One symbol's orders in the order of time, with this much noise."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, count)
    rows = replace(rows, tape=np.full(count, "AAA 2024-01"), start_ns=np.sort(rows.start_ns))
    rows = replace(rows, end_ns=rows.start_ns + (rows.horizon_s * NS_PER_SECOND).astype(np.int64))
    return planted(rows, np.zeros(count), rng, noise)


def test_contract() -> None:
    check_impact_model(Adaptive(DIFFUSIVE), scale_free=True)


def test_update_golden() -> None:
    """Gibbs & Candes, eq. 2, on the log width: a miss widens by rate x level, a hit narrows by rate x (1 - level)."""
    state = AdaptiveWidth(rate=0.1)
    assert state.update(0.9, covered=False).log_width == pytest.approx(0.09)
    assert state.update(0.9, covered=True).log_width == pytest.approx(-0.01)
    assert state.update(0.5, covered=True).log_width == pytest.approx(-0.05)
    assert state.log_width == 0.0
    wide = replace(state, log_width=0.65).update(0.9, covered=False)
    assert wide.log_width == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0, math.nan])
def test_level_is_checked(level: float) -> None:
    with pytest.raises(UsageError, match="level of a band"):
        AdaptiveWidth().update(level, covered=True)


@given(seed=st.integers(0, 10**6), rate=st.floats(0.01, 0.5), wildness=st.floats(0.3, 3.0))
def test_long_run_coverage_is_within_its_bound(seed: int, rate: float, wildness: float) -> None:
    """|coverage - level| <= 2 limit / (rate T), whatever the outcomes do, while the limits are not touched."""
    rng = np.random.default_rng(seed)
    state, hits, steps = AdaptiveWidth(rate=rate, limit=50.0), 0, 1_000
    for t in range(steps):
        reach = abs(rng.standard_normal()) * wildness * (1.0 + (t > steps // 2))
        covered_now = reach <= math.exp(state.log_width) * 1.645
        hits += covered_now
        state = state.update(0.90, covered_now)
    # the sum of the steps is the distance travelled
    assert abs(hits / steps - 0.90) <= abs(state.log_width) / (rate * steps) + 1e-9


def test_apply_stretches_about_the_median() -> None:
    quantiles = np.stack([NORMAL_SCORES + 3.0, 2.0 * NORMAL_SCORES])
    moved = AdaptiveWidth(log_width=math.log(1.5)).apply(quantiles)
    assert moved == pytest.approx(np.stack([1.5 * NORMAL_SCORES + 3.0, 3.0 * NORMAL_SCORES]))


@pytest.mark.parametrize("noise", [0.6, 1.0, 1.7])
def test_follows_a_market_that_has_changed(fitted: FittedAdaptive, noise: float) -> None:
    rows = stream(1, 4_000, noise)
    issued, after = fitted.follow(rows)
    still = covered(fitted.quantiles(rows), rows.outcome("peak"), 0.90).mean()
    late = covered(issued, rows.outcome("peak"), 0.90)[1_000:].mean()
    assert late == pytest.approx(0.90, abs=0.02)
    if noise != 1.0:
        assert abs(still - 0.90) > 0.05
    assert math.exp(after.widths["AAA"].log_width) == pytest.approx(noise, rel=0.2)


def test_outcomes_count_only_once_they_are_known(fitted: FittedAdaptive) -> None:
    """Changing outcomes that become known after an instant leaves every earlier forecast bit by bit as it was."""
    fitted = replace(fitted, target="shift_600")
    rows = stream(2, 600, 2.0)
    cut_ns = int(np.median(rows.start_ns))
    known_ns = rows.end_ns + int(RELAXATION_S["shift_600"] * NS_PER_SECOND)
    later = known_ns >= cut_ns
    assert (later & (rows.end_ns < cut_ns)).any()  # ended, but the relaxation had not passed
    changed = replace(rows, outcomes=np.where(later[:, None], 0.0, rows.outcomes))
    before = rows.start_ns <= cut_ns
    first, second = fitted.follow(rows)[0], fitted.follow(changed)[0]
    assert np.array_equal(first[before], second[before])
    assert not np.array_equal(first[~before], second[~before])


def test_order_of_the_rows_does_not_matter(fitted: FittedAdaptive) -> None:
    rows = stream(3, 300, 1.5)
    shuffle = np.random.default_rng(0).permutation(300)
    issued, after = fitted.follow(rows)
    shuffled, after_shuffled = fitted.follow(rows.take(shuffle))
    assert np.array_equal(issued[shuffle], shuffled)
    assert after.widths == after_shuffled.widths


def test_followed_in_two_stretches_as_in_one(fitted: FittedAdaptive) -> None:
    rows = stream(4, 400, 1.5)
    gap = int(10 * 3_600 * NS_PER_SECOND)
    late = np.arange(400) >= 200
    rows = replace(rows, start_ns=rows.start_ns + gap * late, end_ns=rows.end_ns + gap * late)
    whole, after = fitted.follow(rows)
    first, between = fitted.follow(rows.take(~late))
    second, end = between.follow(rows.take(late))
    assert np.array_equal(whole, np.concatenate([first, second]))
    assert end.widths == after.widths


def test_symbols_are_followed_apart(fitted: FittedAdaptive) -> None:
    rows = stream(5, 400, 1.8)
    other = replace(rows, tape=np.full(400, "BBB 2024-01"))
    after = fitted.follow(rows)[1]
    assert np.array_equal(after.quantiles(other), fitted.quantiles(other))
    assert np.all(np.ptp(after.quantiles(rows), axis=1) > np.ptp(fitted.quantiles(rows), axis=1))


def test_unknown_outcomes_teach_nothing(fitted: FittedAdaptive) -> None:
    rows = stream(6, 100, 3.0)
    blind = replace(rows, outcomes=np.full_like(rows.outcomes, np.nan))
    issued, after = fitted.follow(blind)
    assert np.array_equal(issued, fitted.quantiles(rows))
    assert after.widths["AAA"] == fitted.start


def test_fit_starts_from_the_conformal_forecast(fitted: FittedAdaptive) -> None:
    rows = random_rows(np.random.default_rng(7), 600)
    assert fitted.widths == {}
    expected = CrossConformal(DIFFUSIVE).fit(rows, "peak").quantiles(rows)
    assert Adaptive(DIFFUSIVE).fit(rows, "peak").quantiles(rows) == pytest.approx(expected)


def test_coverage_over_draws_from_itself() -> None:
    assert recover(Adaptive(DIFFUSIVE), draws=20).mean_coverage == pytest.approx(0.90, abs=0.02)


def test_name() -> None:
    assert Adaptive(DIFFUSIVE).name == "square_root_diffusive_adaptive"
