"""Path and cost of schedules: as the constant-pace targets and quadrature say, and a round trip never pays."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from footprint.errors import ModelError, UsageError
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.obizhaeva_wang import ExponentialKernel, LastingKernel, ObizhaevaWang
from footprint.impact.power_law import PowerLaw
from footprint.impact.propagator import LEAST_CONCAVE_DECAY, PowerKernel, Propagator
from footprint.impact.shaped_mean import FittedShapedMean
from footprint.impact.transient import TransientModel, path_bps, schedule_cost_bps
from footprint.testing.random_rows import random_rows

DAY_S = 23_400.0


def fit_of(model: TransientModel, shape: list[float], coefficients: list[float]) -> FittedShapedMean:
    return FittedShapedMean(model, "shortfall", np.array(shape), np.array(coefficients), NORMAL_SCORES)


CONCAVE = fit_of(Propagator(half_spread=True), [0.6, 0.25], [0.4, 0.9])
LINEAR = fit_of(Propagator(linear=True, offset_s=2.0), [0.5], [1.5])
OBIZHAEVA_WANG = fit_of(ObizhaevaWang(), [np.log(200.0)], [30.0, 2.0])
ALL = pytest.mark.parametrize("fitted", [CONCAVE, LINEAR, OBIZHAEVA_WANG], ids=lambda f: f.model.name)


@pytest.mark.parametrize(
    ("kernel", "response"),
    [
        (PowerKernel(0.4, np.array(0.0)), lambda t: t**-0.4),
        (PowerKernel(0.8, np.array(0.01)), lambda t: (0.01 + t) ** -0.8),
        (ExponentialKernel(np.array(7.0)), lambda t: np.exp(-7.0 * t)),
        (LastingKernel(), lambda t: 1.0),
    ],
)
def test_kernels_are_the_integrals_of_their_response(kernel, response) -> None:
    for days in (0.001, 0.03, 0.4):
        assert float(kernel.once(np.array(days))) == pytest.approx(quad(response, 0.0, days)[0], rel=1e-6)
        twice = quad(lambda t: float(kernel.once(np.array(t))), 0.0, days)[0]
        assert float(kernel.twice(np.array(days))) == pytest.approx(twice, rel=1e-6)
    assert kernel.once(np.zeros(2)) == pytest.approx([0.0, 0.0])
    assert kernel.twice(np.zeros(2)) == pytest.approx([0.0, 0.0])


@ALL
def test_constant_pace_is_one_slice(fitted: FittedShapedMean) -> None:
    """One set of parameters gives every target's mean, and the schedule's path and cost are the same numbers."""
    rows = random_rows(np.random.default_rng(0), 5)
    means = {t: replace(fitted, target=t).mean_bps(rows) for t in ("peak", "shortfall", "shift_300", "shift_600")}
    spread = 0.5 * rows.spread_bps * (fitted.coefficients[-1] if fitted.model.half_spread else 0.0)
    for i in range(len(rows)):
        times_s, share = np.array([50.0, 50.0 + rows.horizon_s[i]]), rows.participation[i : i + 1]
        market = (float(rows.volatility_day_bps[i]), float(rows.day_s[i]))
        after = path_bps(fitted, times_s[1] + np.array([0.0, 300.0, 600.0]), times_s, share, *market)
        expected = [means[t][i] - spread[i] for t in ("peak", "shift_300", "shift_600")]
        assert after == pytest.approx(expected)
        cost = schedule_cost_bps(fitted, times_s, share, *market, spread_bps=float(rows.spread_bps[i]))
        assert cost == pytest.approx(means["shortfall"][i])
    temporary = replace(fitted, target="temporary").mean_bps(rows)
    assert temporary - spread == pytest.approx(means["shortfall"] - spread - 0.5 * (means["shift_600"] - spread))


@ALL
def test_a_slice_cut_in_two_is_the_same_slice(fitted: FittedShapedMean) -> None:
    whole = (np.array([0.0, 600.0, 900.0]), np.array([0.01, -0.002]))
    cut = (np.array([0.0, 200.0, 600.0, 900.0]), np.array([0.01 / 3.0, 0.02 / 3.0, -0.002]))
    at_s = np.array([-5.0, 0.0, 100.0, 700.0, 2_000.0])
    assert path_bps(fitted, at_s, *whole, 150.0, DAY_S) == pytest.approx(path_bps(fitted, at_s, *cut, 150.0, DAY_S))
    costs = [schedule_cost_bps(fitted, *schedule, 150.0, DAY_S, 3.0) for schedule in (whole, cut)]
    assert costs[0] == pytest.approx(costs[1])


@ALL
def test_path_before_the_start_is_nothing_and_selling_mirrors_buying(fitted: FittedShapedMean) -> None:
    times_s, shares = np.array([100.0, 400.0, 500.0]), np.array([0.01, 0.02])
    at_s = np.linspace(0.0, 3_000.0, 31).reshape(1, 31)
    path = path_bps(fitted, at_s, times_s, shares, 150.0, DAY_S)
    assert path.shape == (1, 31)
    assert not path[at_s <= 100.0].any()
    assert (path[at_s > 100.0] > 0.0).all()
    assert path_bps(fitted, at_s, times_s, -shares, 150.0, DAY_S) == pytest.approx(-path)
    cost = [schedule_cost_bps(fitted, times_s, s * shares, 150.0, DAY_S) for s in (1, -1)]
    assert cost[0] == pytest.approx(cost[1])


@ALL
def test_cost_is_the_path_averaged_over_what_is_traded(fitted: FittedShapedMean) -> None:
    times_s, shares = np.array([0.0, 300.0, 900.0, 1_000.0]), np.array([0.004, 0.01, 0.003])
    average = [
        quad(lambda s: float(path_bps(fitted, np.array(s), times_s, shares, 150.0, DAY_S)), low, high, limit=200)[0]
        / (high - low)
        for low, high in pairwise(times_s)
    ]
    expected = float(np.dot(average, shares) / shares.sum())
    assert schedule_cost_bps(fitted, times_s, shares, 150.0, DAY_S) == pytest.approx(expected, rel=1e-4)


schedules = st.integers(2, 8).flatmap(
    lambda m: st.tuples(
        st.lists(st.floats(0.1, 5_000.0), min_size=m, max_size=m),
        st.lists(st.floats(-1.0, 1.0), min_size=m, max_size=m).filter(lambda q: max(map(abs, q)) > 1e-3),
    )
)


@given(
    schedule=schedules,
    decay=st.floats(0.05, 0.95),
    offset_s=st.sampled_from([0.0, 1.0, 60.0]),
    round_trip=st.booleans(),
)
def test_no_schedule_pays_under_linear_power_law_impact(schedule, decay, offset_s, round_trip) -> None:
    fitted = fit_of(Propagator(linear=True, offset_s=offset_s), [decay], [1.0])
    assert cost_of(fitted, schedule, round_trip) >= -1e-7


@given(
    schedule=schedules,
    half_life_s=st.floats(1.0, 7_200.0),
    weights=st.tuples(st.floats(0.0, 100.0), st.floats(0.0, 10.0)),
    round_trip=st.booleans(),
)
def test_no_schedule_pays_under_obizhaeva_wang(schedule, half_life_s, weights, round_trip) -> None:
    fitted = fit_of(ObizhaevaWang(), [np.log(half_life_s)], list(weights))
    assert cost_of(fitted, schedule, round_trip) >= -1e-7


def cost_of(fitted: FittedShapedMean, schedule: tuple[list[float], list[float]], round_trip: bool) -> float:
    lengths, quantities = (np.array(part) for part in schedule)
    if round_trip:
        quantities = np.append(quantities, -quantities.sum())
        lengths = np.append(lengths, 60.0)
    return schedule_cost_bps(fitted, np.concatenate(([0.0], np.cumsum(lengths))), quantities, 1.0, DAY_S)


def buy_then_sell(decay: float, delta: float, share: float) -> float:
    """Cost of buying evenly over a share of the time and selling it all over the rest."""
    fitted = fit_of(Propagator(), [decay, 1.0 - (1.0 - delta) / decay], [1.0])
    return schedule_cost_bps(fitted, np.array([0.0, share, 1.0]) * DAY_S, np.array([1.0, -1.0]), 1.0, DAY_S)


@given(decay=st.floats(LEAST_CONCAVE_DECAY, 0.95), way=st.floats(0.0, 1.0), share=st.floats(1e-6, 1.0 - 1e-6))
def test_buying_and_selling_evenly_does_not_pay_within_the_concave_bounds(decay, way, share) -> None:
    low, high = np.array(Propagator().shape_bounds).T
    assert (low <= [decay, way]).all()
    assert (high >= [decay, way]).all()
    assert buy_then_sell(decay, 1.0 - decay * (1.0 - way), share) >= -1e-9


@pytest.mark.parametrize(("decay", "delta"), [(0.2, 0.6), (0.5, 0.3), (0.6, 0.35)])
def test_buying_slowly_and_selling_at_once_pays_outside_the_concave_bounds(decay: float, delta: float) -> None:
    assert decay + delta < 1.0
    assert min(buy_then_sell(decay, delta, 1.0 - 10.0**-k) for k in range(1, 13)) < 0.0


def test_misuse_is_refused() -> None:
    rows = random_rows(np.random.default_rng(0), 100)
    times_s, shares = np.array([0.0, 60.0]), np.array([0.01])
    with pytest.raises(ModelError, match="power_law has no path"):
        schedule_cost_bps(PowerLaw().fit(rows, "peak"), times_s, shares, 150.0, DAY_S)
    with pytest.raises(UsageError, match="a schedule of 2 quantities needs 3 increasing times"):
        path_bps(LINEAR, times_s, times_s, np.array([0.01, 0.01]), 150.0, DAY_S)
    with pytest.raises(UsageError, match="increasing times"):
        schedule_cost_bps(LINEAR, np.array([0.0, 0.0]), shares, 150.0, DAY_S)
    with pytest.raises(UsageError, match="trades nothing"):
        schedule_cost_bps(LINEAR, times_s, np.zeros(1), 150.0, DAY_S)
