"""Exponential windows against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from footprint.features.windows import (
    FLOW,
    MARK_MEAN,
    TIME_MEAN,
    flow_rate,
    flow_sum,
    hold,
    lost_weight,
    mark,
    mark_mean,
    pour,
    time_mean,
)

MINUTE = 60 * 10**9


def fresh_mean():
    mean = np.zeros(1, TIME_MEAN)
    mean["value"] = np.nan
    return mean[0]


def test_half_the_weight_is_lost_in_a_half_life():
    assert lost_weight(MINUTE, float(MINUTE)) == pytest.approx(0.5)
    assert lost_weight(1, float(MINUTE)) == pytest.approx(math.log(2) / MINUTE, rel=1e-9)
    assert lost_weight(-5, float(MINUTE)) == 0.0


def test_time_mean_weighs_by_time_and_age():
    mean = fresh_mean()
    hold(mean, 0, 10.0, MINUTE)
    hold(mean, MINUTE, 20.0, MINUTE)
    # the older minute weighs 0.25, the younger 0.5
    assert time_mean(mean, 2 * MINUTE, MINUTE) == pytest.approx((0.25 * 10 + 0.5 * 20) / 0.75)


def test_time_mean_is_unbiased_from_the_first_instant():
    mean = fresh_mean()
    hold(mean, 10**18, 7.0, MINUTE)
    assert time_mean(mean, 10**18, MINUTE) == 7.0
    assert time_mean(mean, 10**18 + 1000, MINUTE) == pytest.approx(7.0)


def test_unknown_time_weighs_nothing():
    mean = fresh_mean()
    hold(mean, 0, 10.0, MINUTE)
    hold(mean, MINUTE, np.nan, MINUTE)
    hold(mean, 3 * MINUTE, 20.0, MINUTE)
    # 10 held the minute that is three minutes old: 0.5 / 8; 20 holds the last minute: 0.5
    assert time_mean(mean, 4 * MINUTE, MINUTE) == pytest.approx((0.5 / 8 * 10 + 0.5 * 20) / (0.5 / 8 + 0.5))


def test_time_mean_never_known_and_long_unknown_are_nan():
    mean = fresh_mean()
    assert np.isnan(time_mean(mean, MINUTE, MINUTE))
    hold(mean, 0, 10.0, MINUTE)
    hold(mean, MINUTE, np.nan, MINUTE)
    assert time_mean(mean, 20 * MINUTE, MINUTE) == pytest.approx(10.0)
    assert np.isnan(time_mean(mean, 60 * MINUTE, MINUTE))


def test_mark_mean():
    mean = np.zeros(1, MARK_MEAN)[0]
    assert np.isnan(mark_mean(mean))
    mark(mean, 0, 30.0, 1.0, MINUTE)
    mark(mean, MINUTE, 60.0, 1.0, MINUTE)
    assert mark_mean(mean) == pytest.approx((0.5 * 30 + 60) / 1.5)


def test_flow_sum_and_unbiased_rate():
    flow = np.zeros(1, FLOW)[0]
    pour(flow, 0, 100.0, MINUTE)
    assert flow_sum(flow, 2 * MINUTE, MINUTE) == pytest.approx(25.0)
    assert np.isnan(flow_rate(flow, 0, 0, MINUTE))
    steady = np.zeros(1, FLOW)[0]
    for second in range(30):
        pour(steady, second * 10**9, 4.0, MINUTE)
    assert flow_rate(steady, 0, 30 * 10**9, MINUTE) == pytest.approx(4.0, rel=0.01)
