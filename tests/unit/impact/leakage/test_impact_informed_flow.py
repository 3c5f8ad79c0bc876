"""The split of flow finds the volume whose price stays, and invents none."""

import numpy as np
import pytest
from simulated_tape import simulated_tape

from footprint.impact.leakage.informed_flow import informed_flow

BLOCK_S = 1800.0


def split(stays, rng, n=8_000):
    """Orders of size 4 (a third of them) and 1; `stays` says which of the two move the mid for good, by 2 bps."""
    large = rng.random(n) < 1 / 3
    sign = rng.choice([-1.0, 1.0], n)
    lasting = np.where(np.where(large, *stays), 2.0 * sign, 0.0)
    before = np.append(0.0, np.cumsum(lasting + 0.5 * rng.standard_normal(n)))[:-1]
    soon = before + 2.0 * sign  # at once the mid moves after every order
    tape = simulated_tape(sign, np.where(large, 4.0, 1.0), before, before + 2.0 * sign, soon, step_s=10.0)
    return {m.name: m.estimate for m in informed_flow([tape], BLOCK_S, rng)}, large


def test_large_orders_that_stay_are_the_informed_volume():
    found, large = split((True, False), np.random.default_rng(0))
    volume = 4.0 * large.sum() / (4.0 * large.sum() + (~large).sum())
    assert found["informed_volume_share"].value == pytest.approx(volume, abs=0.02)
    assert found["informed_markout"].value == pytest.approx(2.0, abs=0.3)
    assert found["uninformed_markout"].low <= 0.0 <= found["uninformed_markout"].high


def test_when_nothing_stays_nothing_is_informed():
    found, _ = split((False, False), np.random.default_rng(1))
    assert found["informed_volume_share"].value < 0.1


def test_when_everything_stays_all_of_it_is():
    found, _ = split((True, True), np.random.default_rng(2))
    assert found["informed_volume_share"].value == pytest.approx(1.0, abs=0.01)


def test_a_trend_informs_nobody():
    rng = np.random.default_rng(3)
    n = 8_000
    sign = np.where(rng.random(n) < 0.9, 1.0, -1.0)  # nearly everybody buys in a rising market
    before = 0.05 * np.arange(n) + 0.2 * rng.standard_normal(n)
    tape = simulated_tape(sign, np.ones(n), before, before + sign, before + 0.5 * sign, step_s=10.0)
    found = {m.name: m.estimate for m in informed_flow([tape], BLOCK_S, rng)}
    assert found["informed_volume_share"].value < 0.2
