"""Each estimator finds the parameters that were planted."""

import numpy as np
import pytest
from simulated_tape import contains, persistent_signs, simulated_tape

from footprint.impact.leakage.glosten_harris import glosten_harris
from footprint.impact.leakage.hasbrouck import hasbrouck
from footprint.impact.leakage.kyle import bars, kyle
from footprint.impact.leakage.madhavan import madhavan
from footprint.impact.leakage.markouts import markout_curve
from footprint.impact.leakage.trades import trades_of
from footprint.impact.leakage.vpin import vpin

BLOCK_S = 1800.0


def by_name(measures):
    return {m.name: m for m in measures}


def test_kyle_finds_the_planted_slope_and_no_forecast():
    rng = np.random.default_rng(0)
    n, slope = 60_000, 150.0
    sign, size = rng.choice([-1.0, 1.0], n), rng.lognormal(0.0, 0.5, n)
    share_percent = 100.0 * size / size.sum()
    mid = np.append(0.0, np.cumsum(slope * sign * share_percent + 0.2 * rng.standard_normal(n)))[:-1]
    found = by_name(kyle([simulated_tape(sign, size, mid)], BLOCK_S, rng))
    assert found["kyle_lambda"].estimate.value == pytest.approx(slope, rel=0.05)
    assert contains(found["kyle_lambda"], slope)
    in_a_bar = 30.0 * slope**2 * np.mean(share_percent**2)
    r2 = in_a_bar / (in_a_bar + 30.0 * 0.2**2)
    assert found["flow_r2_same_bar"].estimate.value == pytest.approx(r2, abs=0.04)
    assert contains(found["next_bar_lambda"], 0.0)
    assert found["flow_r2_next_bar"].estimate.value < 0.01


def test_bars_hold_every_order_between_their_edges_once():
    sign, size = np.array([1.0, -1.0, 1.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])
    tape = simulated_tape(sign, size, np.array([0.0, 1.0, 3.0, 6.0]), time_s=np.array([0.0, 30.0, 60.0, 130.0]))
    sample = bars([tape])
    # nobody knows a mid before the first order, so that the first bar has no return
    np.testing.assert_allclose(sample.flow_percent, [100 * 3 / 10])
    np.testing.assert_allclose(sample.return_bps, [3.0], atol=1e-6)  # the mid is 3 from 30 s on and 6 from 60 s on


def test_glosten_harris_separates_what_stays_by_size():
    rng = np.random.default_rng(1)
    n, c0, c1, z0, z1 = 40_000, 1.5, 0.3, 0.4, 0.6
    sign, size = persistent_signs(n, 0.4, rng), rng.lognormal(0.0, 0.6, n)
    size /= size.mean()
    efficient = np.cumsum((z0 + z1 * size) * sign + rng.standard_normal(n))
    price = efficient + (c0 + c1 * size) * sign
    trades = trades_of([simulated_tape(sign, size, efficient, price)])
    found = by_name(glosten_harris(trades, BLOCK_S, rng))
    assert found["glosten_harris_permanent"].estimate.value == pytest.approx(z0 + z1, abs=0.05)
    assert found["glosten_harris_transitory"].estimate.value == pytest.approx(c0 + c1, abs=0.05)
    share = (z0 + z1) / (z0 + z1 + c0 + c1)
    assert found["glosten_harris_permanent_share"].estimate.value == pytest.approx(share, abs=0.01)


def test_madhavan_finds_theta_phi_and_rho():
    rng = np.random.default_rng(2)
    n, theta, phi, rho = 40_000, 0.8, 1.2, 0.5
    sign = persistent_signs(n, rho, rng)
    surprise = sign - rho * np.append(0.0, sign[:-1])
    efficient = np.cumsum(theta * surprise + rng.standard_normal(n))
    trades = trades_of([simulated_tape(sign, np.ones(n), efficient, efficient + phi * sign)])
    found = by_name(madhavan(trades, BLOCK_S, rng))
    for name, truth in (("mrr_theta", theta), ("mrr_phi", phi), ("sign_autocorrelation", rho)):
        assert found[name].estimate.value == pytest.approx(truth, abs=0.05), name
        assert contains(found[name], truth), name
    assert found["mrr_permanent_share"].estimate.value == pytest.approx(theta / (theta + phi), abs=0.02)


def test_hasbrouck_finds_the_long_run_of_a_known_autoregression():
    # r_t = 0.3 r_{t-1} + 0.5 x_t - 0.2 x_{t-1} + v1, signs Markov with rho 0.4: cumulating by hand gives the long run
    rng = np.random.default_rng(3)
    n, a, b0, b1, rho = 60_000, 0.3, 0.5, -0.2, 0.4
    sign = persistent_signs(n, rho, rng)
    change, noise = np.zeros(n), rng.standard_normal(n)
    for t in range(1, n):
        change[t] = a * change[t - 1] + b0 * sign[t] + b1 * sign[t - 1] + noise[t]
    mid = np.append(0.0, np.cumsum(change))[:-1]
    found = by_name(hasbrouck(trades_of([simulated_tape(sign, np.ones(n), mid)]), BLOCK_S, rng))
    per_surprise = (b0 + b1) / (1.0 - a) / (1.0 - rho)
    from_trades, from_noise = per_surprise**2 * (1.0 - rho**2), (1.0 / (1.0 - a)) ** 2
    assert found["hasbrouck_response"].estimate.value == pytest.approx(per_surprise, rel=0.05)
    share = from_trades / (from_trades + from_noise)
    assert found["trade_correlated_share"].estimate.value == pytest.approx(share, abs=0.02)
    assert contains(found["hasbrouck_response"], per_surprise)


def test_vpin_of_random_equal_trades_is_that_of_a_fair_coin():
    rng = np.random.default_rng(4)
    n = 50 * 400
    found = vpin([simulated_tape(rng.choice([-1.0, 1.0], n), np.ones(n), np.zeros(n))], BLOCK_S, rng)[0]
    assert found.estimate.value == pytest.approx(np.sqrt(2.0 / np.pi / 400), rel=0.25)


def test_vpin_of_one_side_is_one_and_of_alternating_small_trades_nearly_zero():
    rng, n = np.random.default_rng(5), 50 * 100
    assert vpin([simulated_tape(np.ones(n), np.ones(n), np.zeros(n))], BLOCK_S, rng)[0].estimate.value == 1.0
    turns = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    assert vpin([simulated_tape(turns, np.ones(n), np.zeros(n))], BLOCK_S, rng)[0].estimate.value < 0.011


def test_markouts_and_half_spreads_are_those_planted():
    # each order pays 2 bps, moves the mid by 1 for good and by 1 that is gone before the next order, 10 s later
    rng = np.random.default_rng(6)
    n = 5_000
    sign = rng.choice([-1.0, 1.0], n)
    before = np.append(0.0, np.cumsum(1.0 * sign))[:-1]
    tape = simulated_tape(sign, np.ones(n), before, before + 2.0 * sign, before + 2.0 * sign, step_s=10.0)
    curve = markout_curve([tape], BLOCK_S, rng, (1.0, 5.0, 60.0))
    assert curve.effective.estimate.value == pytest.approx(2.0, abs=1e-3)
    assert curve.markout[0].estimate.value == pytest.approx(2.0, abs=1e-3)
    assert curve.realised[0].estimate.value == pytest.approx(0.0, abs=1e-3)
    assert contains(curve.markout[2], 1.0)


def test_a_markout_never_crosses_the_end_of_trading():
    rng = np.random.default_rng(7)
    n = 600
    tape = simulated_tape(np.ones(n), np.ones(n), np.zeros(n), step_s=60.0)
    curve = markout_curve([tape], BLOCK_S, rng, (60.0, 1800.0))
    assert [m.estimate.n for m in curve.markout] == [n - 2, n - 31]


def test_too_few_rows_are_said_and_not_measured():
    rng = np.random.default_rng(8)
    tape = simulated_tape(np.ones(20), np.ones(20), np.zeros(20))
    trades = trades_of([tape])
    measures = [*kyle([tape], 60.0, rng), *vpin([tape], 60.0, rng), *markout_curve([tape], 60.0, rng).measures]
    for estimator in (glosten_harris, madhavan, hasbrouck):
        measures += estimator(trades, 60.0, rng)
    assert all("needs" in m.reason for m in measures)
    assert all(m.does_not_prove.endswith(".") for m in measures)


def test_differences_never_cross_sessions():
    first = simulated_tape([1, 1, -1], [1, 1, 1], [0.0, 1.0, 2.0])
    second = simulated_tape([1, 1, -1], [1, 1, 1], [500.0, 501.0, 502.0])
    trades = trades_of([first, second])
    assert trades.with_past(1).tolist() == [1, 2, 4, 5]
    assert trades.with_past(1, ahead=1).tolist() == [1, 4]
