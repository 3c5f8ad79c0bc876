"""Planted brokers stand out from the same brokers scrambled."""

import numpy as np
import pytest
from simulated_tape import simulated_tape

from footprint.impact.leakage.broker_check import KINDS, broker_check

BLOCK_S = 1800.0


def planted(rng, n=4_000, brokers=10, children=8):
    """Every broker works one side for `children` orders, then turns; every order moves the mid by 1 bps for good."""
    sender = rng.integers(brokers, size=n)
    count, sign = np.zeros(brokers, np.int64), np.zeros(n)
    first = rng.choice([-1.0, 1.0], brokers)
    for i, who in enumerate(sender):
        sign[i] = first[who] * (1 if (count[who] // children) % 2 == 0 else -1)
        count[who] += 1
    mid = np.append(0.0, np.cumsum(sign + 0.5 * rng.standard_normal(n)))[:-1]
    return simulated_tape(sign, rng.lognormal(0.0, 0.5, n), mid, step_s=6.0), sender


@pytest.fixture(scope="module")
def checks():
    rng = np.random.default_rng(0)
    tape, sender = planted(rng)
    found = broker_check([tape], [sender], BLOCK_S, rng)
    return {check.source: {m.name: m for m in check.measures} for check in found}


def test_the_planted_orders_are_counted_by_their_brokers_alone(checks):
    own, scrambled = checks["brokers"], checks["brokers, scrambled"]
    assert own["children_per_metaorder"].estimate.value == pytest.approx(8.0, abs=0.1)
    assert own["metaorders_per_1000_children"].estimate.value == pytest.approx(125.0, abs=8.0)
    assert scrambled["children_per_metaorder"].estimate.high < 5.0


def test_every_source_has_every_figure_with_its_sentence(checks):
    assert list(checks)[2:] == ["5 imaginary traders", "20 imaginary traders", "80 imaginary traders"]
    for measures in checks.values():
        assert list(measures) == [kind.name for kind in KINDS]
        assert all(m.does_not_prove.endswith(".") for m in measures.values())


def test_impact_of_steady_orders_builds_up_in_a_straight_line(checks):
    linearity = checks["brokers"]["profile_linearity"].estimate
    assert linearity.low < 0.5 < linearity.high
    assert checks["brokers"]["peak_impact"].estimate.low > 0.0


def test_few_metaorders_are_said_and_not_measured():
    rng = np.random.default_rng(1)
    tape, sender = planted(rng, n=120)
    own = broker_check([tape], [sender], 60.0, rng)[0]
    assert all("metaorders, needs 30" in m.reason for m in own.measures)
