"""Scoring rules against an independent library and closed forms; the clustered bootstrap against simulation."""

import numpy as np
import pytest
import scoringrules

from footprint.impact.distribution import LEVELS, NORMAL_SCORES
from footprint.impact.evaluation.scoring import (
    Bootstrap,
    Estimate,
    brier,
    clusters,
    covered,
    crps_bps,
    interval_score,
    mean_estimate,
    mean_estimates,
    pinball_at,
    pinball_bps,
    pit_distance,
    pooled_skill_percent,
    resampled_blocks,
    skill_percent,
    tape_means,
)
from footprint.units import NS_PER_SECOND

PERCENTILES = np.arange(1.0, 100.0)[None]  # uniform on (0, 100)


def test_pinball_golden() -> None:
    loss = pinball_bps(np.full((1, 99), 10.0), np.array([14.0]))
    assert loss[0, [9, 49, 89]] == pytest.approx([0.4, 2.0, 3.6])
    loss = pinball_bps(np.full((1, 99), 10.0), np.array([6.0]))
    assert loss[0, [9, 49, 89]] == pytest.approx([3.6, 2.0, 0.4])


def test_crps_is_that_of_scoringrules_for_quantiles() -> None:
    rng = np.random.default_rng(0)
    quantiles = np.sort(rng.standard_t(3, (200, 99)), axis=1)
    outcome = rng.standard_t(3, 200)
    expected = scoringrules.crps_quantile(outcome, quantiles, LEVELS)
    assert crps_bps(quantiles, outcome) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("location", "scale"), [(0.0, 1.0), (5.0, 20.0), (-3.0, 0.1)])
def test_crps_of_a_normal_is_near_its_closed_form(location: float, scale: float) -> None:
    rng = np.random.default_rng(1)
    outcome = location + scale * rng.standard_normal(5_000)
    quantiles = np.tile(location + scale * NORMAL_SCORES, (5_000, 1))
    exact = scoringrules.crps_normal(outcome, location, scale)
    assert crps_bps(quantiles, outcome).mean() == pytest.approx(exact.mean(), rel=0.02)
    assert np.abs(crps_bps(quantiles, outcome) - exact).max() < 0.05 * scale


def test_crps_is_proper_in_scale_and_location() -> None:
    outcome = np.random.default_rng(2).standard_normal(5_000)

    def score(location: float, scale: float) -> float:
        return float(crps_bps(np.tile(location + scale * NORMAL_SCORES, (5_000, 1)), outcome).mean())

    assert all(score(0.0, 1.0) < score(*wrong) for wrong in ((0.3, 1.0), (-0.3, 1.0), (0.0, 0.7), (0.0, 1.4)))


def test_coverage_bands() -> None:
    outcome = np.array([4.9, 5.0, 9.9, 10.0, 50.0, 90.0, 90.1, 95.0, 95.1])
    quantiles = np.repeat(PERCENTILES, len(outcome), axis=0)
    assert covered(quantiles, outcome, 0.90).tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]
    assert covered(quantiles, outcome, 0.80).tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_interval_score_is_that_of_scoringrules() -> None:
    rng = np.random.default_rng(4)
    quantiles = np.sort(rng.standard_t(3, (200, 99)), axis=1)
    outcome = 3.0 * rng.standard_t(3, 200)
    expected = scoringrules.interval_score(outcome, quantiles[:, 4], quantiles[:, 94], 0.1)
    assert interval_score(quantiles, outcome, 0.9) == pytest.approx(expected)


def test_pinball_of_some_levels() -> None:
    rng = np.random.default_rng(5)
    quantiles, outcome = np.sort(rng.standard_normal((20, 99)), axis=1), rng.standard_normal(20)
    some = pinball_at(quantiles, outcome, (0.01, 0.5, 0.99))
    assert np.array_equal(some, pinball_bps(quantiles, outcome)[:, [0, 49, 98]])


def test_brier_golden() -> None:
    outcome = np.array([50.0, 30.0, 10.0])
    quantiles = np.repeat(PERCENTILES, 3, axis=0)
    # P(> 30) = 0.70; an outcome of exactly 30 does not exceed it
    assert brier(quantiles, outcome, 30.0) == pytest.approx([0.09, 0.49, 0.49])


def test_pit_distance() -> None:
    rng = np.random.default_rng(3)
    quantiles = np.tile(NORMAL_SCORES, (20_000, 1))
    ones = np.ones(20_000)
    assert pit_distance(quantiles, rng.standard_normal(20_000), ones) < 0.015
    # |Phi(x + 1/2) - Phi(x)| is largest at x = -1/4
    assert pit_distance(quantiles, rng.standard_normal(20_000) + 0.5, ones) == pytest.approx(0.1974, abs=0.01)
    outcome = np.array([0.0, 3.0])
    assert pit_distance(quantiles[:2], outcome, np.array([3.0, 1.0])) == pytest.approx(0.5)
    assert pit_distance(quantiles[:2], outcome, np.array([1e-9, 1.0])) == pytest.approx(0.995)


def test_clusters_are_half_hours_common_to_a_market() -> None:
    minute = 60 * NS_PER_SECOND
    market = np.array(["us", "us", "us", "b3", "us"])
    start_ns = np.array([0, 29, 30, 29, 1_440]) * minute
    code = clusters(market, start_ns, 1_800.0)
    assert code[0] == code[1]
    assert len({*code[[0, 2, 3, 4]]}) == 4
    assert sorted(set(code)) == [0, 1, 2, 3]


def test_a_market_with_enough_days_is_resampled_by_day() -> None:
    half_hour, day = 1_800 * NS_PER_SECOND, 86_400 * NS_PER_SECOND
    start_ns = np.concatenate([np.arange(40) // 4 * day + np.arange(40) % 4 * half_hour] * 2)
    market = np.repeat(["b3", "us"], 40)
    start_ns[40:] = start_ns[:40] % day + np.arange(40) // 8 * day  # five days
    code = resampled_blocks(market, start_ns, 1_800.0, 10)
    assert len(np.unique(code[:40])) == 10
    assert np.array_equal(code[:40], code[:40:4].repeat(4))
    assert np.array_equal(np.unique(code), np.arange(10 + 20))
    assert len(np.unique(code[40:])) == 20
    assert not set(code[:40]) & set(code[40:])
    fine = resampled_blocks(market, start_ns, 1_800.0, 11)
    assert len(np.unique(fine)) == 40 + 20


def test_many_columns_are_estimated_as_one_by_one() -> None:
    rng = np.random.default_rng(6)
    values, weights = rng.standard_normal((200, 3)), rng.uniform(0.5, 2.0, 200)
    bootstrap = Bootstrap.draw(np.arange(200) // 7, np.full(200, "us"), 100, rng)
    for k, estimate in enumerate(mean_estimates(values, weights, bootstrap)):
        alone = mean_estimate(values[:, k], weights, bootstrap)
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_every_replicate_holds_each_market_in_full() -> None:
    market = np.repeat(["us", "b3"], [30, 12])
    cluster = np.concatenate((np.repeat(np.arange(10), 3), 10 + np.repeat(np.arange(4), 3)))
    bootstrap = Bootstrap.draw(cluster, market, 200, np.random.default_rng(0))
    assert bootstrap.times.shape == (200, 14)
    assert np.all(bootstrap.times[:, :10].sum(axis=1) == 10)
    assert np.all(bootstrap.times[:, 10:].sum(axis=1) == 4)
    assert len(np.unique(bootstrap.times, axis=0)) > 100
    assert bootstrap.blocks == 14
    assert bootstrap.take(market == "b3").blocks == 4


def test_sums_repeat_the_drawn_blocks() -> None:
    bootstrap = Bootstrap(np.array([0, 0, 1]), np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]]))
    assert bootstrap.sums(np.array([1.0, 2.0, 10.0])).tolist() == [6.0, 13.0, 20.0]


def test_mean_estimate_golden() -> None:
    bootstrap = Bootstrap(np.array([0, 0, 1]), np.tile([[2.0, 0.0], [0.0, 2.0]], (50, 1)))
    estimate = mean_estimate(np.array([1.0, 3.0, 10.0]), np.array([1.0, 1.0, 2.0]), bootstrap)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((6.0, 2.0, 10.0))
    assert (estimate.n, estimate.blocks) == (3, 2)


def skills(
    loss: np.ndarray, reference: np.ndarray, tape: np.ndarray, bootstrap: Bootstrap
) -> tuple[Estimate, Estimate]:
    """(mean of the tapes' skills, skill of the tapes' mean losses)."""
    ours, theirs = (tape_means(values, tape, bootstrap) for values in (loss, reference))
    return skill_percent(ours, theirs), pooled_skill_percent(ours, theirs)


def test_skills_weigh_tapes_not_rows() -> None:
    tape = np.array(["A"] * 99 + ["B"])
    loss, reference = np.repeat([1.0, 5.0], [99, 1]), np.repeat([2.0, 4.0], [99, 1])
    bootstrap = Bootstrap.draw(np.arange(100), np.full(100, "us"), 50, np.random.default_rng(0))
    own, pooled = skills(loss, reference, tape, bootstrap)
    assert own.value == pytest.approx(12.5)  # of A 50 %, of B -25 %
    assert pooled.value == pytest.approx(0.0)  # (1 + 5) against (2 + 4)
    assert own.n == pooled.n == 100
    assert own.blocks == pooled.blocks == 100


def test_only_the_pooled_skill_knows_how_noisy_a_tape_is() -> None:
    tape = np.repeat(["A", "B"], 50)
    loss, reference = np.repeat([1.0, 3.0], 50), np.repeat([2.0, 4.0], 50)
    bootstrap = Bootstrap.draw(np.arange(100) // 5, np.full(100, "us"), 50, np.random.default_rng(0))
    noisy = np.where(tape == "B", 10.0, 1.0)
    own, pooled = skills(loss, reference, tape, bootstrap)
    own_noisy, pooled_noisy = skills(noisy * loss, noisy * reference, tape, bootstrap)
    assert own.value == own_noisy.value == pytest.approx(37.5)
    assert (pooled.value, pooled_noisy.value) == pytest.approx((100 / 3, 100 * 11 / 42))
    assert (own.low, own.high) == pytest.approx((37.5, 37.5))  # no loss differs between the blocks


def test_tape_means() -> None:
    bootstrap = Bootstrap(np.array([0, 0, 1]), np.array([[2.0, 0.0], [1.0, 1.0]]))
    means = tape_means(np.array([1.0, 3.0, 10.0]), np.array(["B", "A", "A"]), bootstrap)
    assert means.point == pytest.approx([6.5, 1.0])
    np.testing.assert_allclose(means.draws, [[3.0, 6.5], [1.0, 1.0]])
    alone = tape_means(np.array([1.0, 3.0, 10.0]), np.array(["B", "B", "A"]), bootstrap)
    assert np.isnan(alone.draws[0, 0])  # no row of A in the first replicate


def test_skill_of_the_reference_against_itself_is_certain() -> None:
    loss = np.random.default_rng(0).lognormal(size=60)
    tape = np.repeat(["A", "B", "C"], 20)
    bootstrap = Bootstrap.draw(np.arange(60) // 3, np.full(60, "us"), 100, np.random.default_rng(1))
    for estimate in skills(loss, loss, tape, bootstrap):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.0, 0.0, 0.0))


def test_no_row_of_a_group_gives_no_interval() -> None:
    bootstrap = Bootstrap(np.array([0]), np.zeros((20, 1)))
    estimate = mean_estimate(np.array([3.0]), np.ones(1), bootstrap)
    assert estimate.value == 3.0
    assert np.isnan([estimate.low, estimate.high]).all()


def coverage_of_the_truth(cluster_of_rows) -> np.ndarray:
    """Shares of 200 worlds in which the intervals of the two skills hold the true skill of 10 %."""
    hits = np.zeros(2)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        block = np.repeat(np.arange(60), 8)
        tape = np.where(np.arange(480) % 8 < 6, "A", "B")
        shared = np.repeat(rng.standard_normal(60), 8)  # what all orders of a half hour have in common
        reference = 10.0 + 0.3 * rng.standard_normal(480)
        loss = 9.0 + shared + 0.3 * rng.standard_normal(480)
        cluster = cluster_of_rows(block)
        bootstrap = Bootstrap.draw(cluster, np.full(480, "us"), 300, np.random.default_rng(seed + 1_000))
        hits += [e.low <= 10.0 <= e.high for e in skills(loss, reference, tape, bootstrap)]
    return hits / 200


def test_interval_covers_the_truth() -> None:
    shares = coverage_of_the_truth(lambda block: block)
    assert np.all((shares >= 0.90) & (shares <= 0.99))


def test_rows_taken_as_independent_would_not_cover_it() -> None:
    assert np.all(coverage_of_the_truth(lambda block: np.arange(len(block))) < 0.75)
