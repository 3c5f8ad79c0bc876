"""Exponentially weighted windows over continuous time, with O(1) state and no bias in the first minutes.

An observation of age a weighs 2^(-a / half-life). Means divide by the weight that has accumulated, so that a window
that has seen ten seconds averages those ten seconds. The states are numpy records; the functions are compiled and run
inside the kernels of the families:

* `TIME_MEAN`, `hold`, `time_mean`: mean over time of a step function (a spread, a depth, a mid);
* `MARK_MEAN`, `mark`, `mark_mean`: mean over marks (trade sizes, markouts), each mark weighing the same when fresh;
* `FLOW`, `pour`, `flow_sum`, `flow_rate`: decayed sum of impulses (volume, counts) and its rate per second.

Times are ns UTC; a time before the last one seen counts as that last one.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from footprint.units import NS_PER_MINUTE, NS_PER_SECOND

Record: TypeAlias = Any  # one row of a structured array, passed between kernels by reference

ONE_MINUTE = 1.0 * NS_PER_MINUTE
FIVE_MINUTES = 5.0 * NS_PER_MINUTE
THIRTY_MINUTES = 30.0 * NS_PER_MINUTE
HALF_LIVES_NS = (ONE_MINUTE, FIVE_MINUTES, THIRTY_MINUTES)

TIME_MEAN = np.dtype(
    [("last_ns", np.int64), ("value", np.float64), ("weight", np.float64), ("sum", np.float64)], align=True
)
MARK_MEAN = np.dtype([("last_ns", np.int64), ("weight", np.float64), ("sum", np.float64)], align=True)
FLOW = np.dtype([("last_ns", np.int64), ("sum", np.float64)], align=True)

_FORGOTTEN = 2.0**-30  # below this weight (30 half-lives without a value) a time mean knows nothing


@njit(cache=True)
def lost_weight(elapsed_ns: int, half_life_ns: float) -> float:
    """1 - 2^(-elapsed / half-life), accurate for short times; 0 for a time that runs backwards."""
    if elapsed_ns <= 0:
        return 0.0
    return -math.expm1(-math.log(2.0) * elapsed_ns / half_life_ns)


@njit(cache=True)
def hold(mean: Record, time_ns: int, value: float, half_life_ns: float) -> None:
    """Let the step function take `value` (nan = unknown, weighs nothing) from `time_ns` on."""
    lost = lost_weight(time_ns - mean.last_ns, half_life_ns)
    mean.weight *= 1.0 - lost
    mean.sum *= 1.0 - lost
    if not math.isnan(mean.value):
        mean.weight += lost
        mean.sum += lost * mean.value
    mean.value = value
    mean.last_ns = max(time_ns, mean.last_ns)


@njit(cache=True)
def time_mean(mean: Record, now_ns: int, half_life_ns: float) -> float:
    """The mean as known at `now_ns`; the value itself when it has only just become known, nan when never known."""
    lost = lost_weight(now_ns - mean.last_ns, half_life_ns)
    weight, total = mean.weight * (1.0 - lost), mean.sum * (1.0 - lost)
    if not math.isnan(mean.value):
        weight, total = weight + lost, total + lost * mean.value
    return total / weight if weight > _FORGOTTEN else mean.value


@njit(cache=True)
def mark(mean: Record, time_ns: int, value: float, weight: float, half_life_ns: float) -> None:
    """Add `value` with `weight` (a weight of 0 adds to the sum of a mark that is already counted)."""
    kept = 1.0 - lost_weight(time_ns - mean.last_ns, half_life_ns)
    mean.weight = mean.weight * kept + weight
    mean.sum = mean.sum * kept + value
    mean.last_ns = max(time_ns, mean.last_ns)


@njit(cache=True)
def mark_mean(mean: Record) -> float:
    """The mean of the marks, nan before the first. Time alone does not move it."""
    return mean.sum / mean.weight if mean.weight > 0.0 else np.nan


@njit(cache=True)
def pour(flow: Record, time_ns: int, amount: float, half_life_ns: float) -> None:
    """Add an impulse."""
    flow.sum = flow.sum * (1.0 - lost_weight(time_ns - flow.last_ns, half_life_ns)) + amount
    flow.last_ns = max(time_ns, flow.last_ns)


@njit(cache=True)
def flow_sum(flow: Record, now_ns: int, half_life_ns: float) -> float:
    """The decayed sum at `now_ns`."""
    return flow.sum * (1.0 - lost_weight(now_ns - flow.last_ns, half_life_ns))


@njit(cache=True)
def flow_rate(flow: Record, start_ns: int, now_ns: int, half_life_ns: float) -> float:
    """Impulses per second, unbiased for a stream watched since `start_ns`; nan before any time has passed."""
    seen = lost_weight(now_ns - start_ns, half_life_ns)
    if seen == 0.0:
        return np.nan
    return flow_sum(flow, now_ns, half_life_ns) / seen * math.log(2.0) * NS_PER_SECOND / half_life_ns
