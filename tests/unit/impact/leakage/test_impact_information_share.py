"""Information shares of two venues whose price discovery is known."""

import numpy as np
import pytest
from simulated_tape import contains, simulated_tape

from footprint.impact.leakage.information_share import information_share

STEPS = 40_000


def by_name(first, second, rng, **options):
    tapes = [
        [simulated_tape(np.ones(len(p)), np.ones(len(p)), p, mid_after_bps=p, step_s=0.1)] for p in (first, second)
    ]
    return {m.name: m for m in information_share(*tapes, 120.0, rng, **options)}


def test_a_venue_that_copies_has_no_share():
    rng = np.random.default_rng(0)
    leader = np.cumsum(rng.standard_normal(STEPS))
    follower = np.append(0.0, leader[:-1]) + 0.3 * rng.standard_normal(STEPS)
    found = by_name(leader, follower, rng)
    assert found["information_share_low"].estimate.value > 0.97
    assert found["component_share"].estimate.value == pytest.approx(1.0, abs=0.06)
    assert by_name(follower, leader, rng)["information_share_high"].estimate.value < 0.03


def test_twins_share_equally_between_the_bounds():
    rng = np.random.default_rng(1)
    price = np.cumsum(rng.standard_normal(STEPS))
    a, b = (price + rng.standard_normal(STEPS) for _ in range(2))
    found = by_name(a, b, rng)
    assert contains(found["information_share"], 0.5)
    low, high = (found[f"information_share_{end}"].estimate.value for end in ("low", "high"))
    assert low < 0.5 < high
    assert low + high == pytest.approx(1.0, abs=0.05)


def test_share_agrees_with_impulse_responses_of_the_planted_error_correction():
    rng = np.random.default_rng(2)
    alpha, covariance = np.array([-0.05, 0.15]), np.array([[1.0, 0.3], [0.3, 0.8]])
    shocks = rng.multivariate_normal([0.0, 0.0], covariance, STEPS)

    def path(shocks):
        p = np.zeros((len(shocks) + 1, 2))
        for t, shock in enumerate(shocks):
            p[t + 1] = p[t] + alpha * (p[t, 0] - p[t, 1]) + shock
        return p[1:]

    once = np.zeros((400, 2))
    lasting = np.array([path(np.vstack([unit, once]))[-1, 0] for unit in np.eye(2)])  # of a unit shock of each venue
    total = lasting @ covariance @ lasting
    shares = []
    for order in ([0, 1], [1, 0]):
        factor = np.linalg.cholesky(covariance[np.ix_(order, order)])
        shares.append((lasting[order] @ factor)[order.index(0)] ** 2 / total)
    found = by_name(*path(shocks).T, rng, lags=2)
    assert found["information_share_low"].estimate.value == pytest.approx(min(shares), abs=0.05)
    assert found["information_share_high"].estimate.value == pytest.approx(max(shares), abs=0.05)
    assert contains(found["component_share"], lasting[0] / lasting.sum())


def test_tapes_that_never_meet_have_no_share():
    rng = np.random.default_rng(3)
    assert "needs" in by_name(np.zeros(100), np.zeros(100), rng)["information_share"].reason
