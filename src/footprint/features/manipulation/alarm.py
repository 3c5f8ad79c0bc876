"""Which scores are an alarm: thresholds from the tape's own past, at a stated chance of a false one.

The highest scores of short windows of the past are taken, one pattern at a time. What lies beyond their 98 % quantile
(beyond 0 where fewer have a score) follows a generalised Pareto law (Pickands, Ann. Statist. 3, 1975; Davison, Smith,
J. R. Statist. Soc. B 52, 1990), and the chance that a later window goes beyond a threshold is the posterior predictive
one, so that a short past gives a higher threshold and a past without any score the prior's. The prior of the scale is
lognormal around 0.5, that of the shape normal around -0.1 with deviation 0.15: scores are logs of multiples, so shape
0 is a Pareto tail of the multiples (Martins, Stedinger, Water Resour. Res. 36, 2000 restrain the shape likewise). The
threshold of a pattern is where the chance is the level over the number of patterns and of windows to be watched.

What it rests on: the past itself was free of the pattern, and the market goes on as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from footprint.errors import UsageError
from footprint.features.manipulation.candidate import KINDS
from footprint.units import NS_PER_SECOND

LEVEL = 0.05  # chance of any false alarm, of any pattern, in the time watched
WINDOW_S = 10.0
LEAST_WINDOWS = 2_160  # six hours: with three, resampled tapes gave up to 9 % false alarms at a level of 5 %
LEAST_SCORE = math.log(3.0)  # less than three times the usual is nothing, however quiet the past

_TAIL_SHARE, _TAIL_LEAST = 0.02, 20  # windows that make the tail
_SHAPE, _SCALE = (
    grid.ravel()
    for grid in np.meshgrid(np.linspace(-0.6, 0.3, 10) + 1e-6, 0.5 * np.exp(np.linspace(-1.8, 1.8, 25)), indexing="ij")
)
_LOG_PRIOR = -0.5 * ((_SHAPE + 0.1) / 0.15) ** 2 - 0.5 * (np.log(_SCALE / 0.5) / 0.5) ** 2
_HIGHEST, _HALVINGS = 10.0, 30  # bisection for a threshold


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which on a candidate is an alarm.

    Attributes:
        scores: one a pattern, in the order of `KINDS`.
        windows: of the past that they come from.
        watched_s: for how long they hold at the level.
        level: chance of any false alarm in that time.
    """

    scores: tuple[float, ...]
    windows: int
    watched_s: float
    level: float

    def alarms(self, candidates: np.ndarray) -> np.ndarray:
        """The candidates (CANDIDATE) at or above the threshold of their pattern."""
        return candidates[candidates["score"] >= np.array(self.scores)[candidates["kind"]]]


def window_scores(candidates: np.ndarray, start_ns: int, stop_ns: int) -> np.ndarray:
    """Highest score of each whole window from `start_ns` on, float64 of shape (windows, patterns); 0 where none."""
    width_ns = int(WINDOW_S * NS_PER_SECOND)
    count = max((stop_ns - start_ns) // width_ns, 0)
    window = (candidates["known_ns"] - start_ns) // width_ns
    inside = (window >= 0) & (window < count)
    highest = np.zeros((count, len(KINDS)))
    np.maximum.at(highest, (window[inside], candidates["kind"][inside]), candidates["score"][inside])
    return highest


def calibrate(past: np.ndarray, watched_s: float, level: float = LEVEL) -> Thresholds:
    """Thresholds for the time after the past.

    Args:
        past: highest scores by window (`window_scores`), shape (n, patterns), in any order.
        watched_s: for how long they shall hold.
        level: chance of any false alarm in that time.

    Raises:
        UsageError: fewer than `LEAST_WINDOWS` windows, or a level or time out of range.
    """
    if len(past) < LEAST_WINDOWS:
        raise UsageError(f"thresholds need {LEAST_WINDOWS} windows of {WINDOW_S:g} s, there are {len(past)}")
    if not (0.0 < level < 1.0 and watched_s > 0.0):
        raise UsageError(f"level must lie between 0 and 1 and watched_s above 0, not {level} and {watched_s}")
    chance = level / len(KINDS) / max(watched_s / WINDOW_S, 1.0)
    scores = tuple(max(_threshold(past[:, kind], chance), LEAST_SCORE) for kind in KINDS)
    return Thresholds(scores, len(past), watched_s, level)


def _threshold(scores: np.ndarray, chance: float) -> float:
    """The score that a window exceeds with `chance`."""
    place = -1 - max(int(_TAIL_SHARE * len(scores)), _TAIL_LEAST)
    start = float(np.partition(scores, place)[place])
    excess = scores[scores > start] - start
    weight = _posterior(excess)
    beyond = chance * (len(scores) + 1.0) / (len(excess) + 1.0)  # of the windows in the tail
    low, high = 0.0, _HIGHEST
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        survival = weight @ np.maximum(1.0 + _SHAPE * middle / _SCALE, 0.0) ** (-1.0 / _SHAPE)
        low, high = (middle, high) if survival > beyond else (low, middle)
    return start + high


def _posterior(excess: np.ndarray) -> np.ndarray:
    """Weight of each shape and scale of the grid, sum 1."""
    inside = 1.0 + _SHAPE * excess[:, None] / _SCALE
    with np.errstate(invalid="ignore", divide="ignore"):
        log_density = -np.log(_SCALE) - (1.0 + 1.0 / _SHAPE) * np.log(inside)
    log_weight = _LOG_PRIOR + np.where(inside > 0.0, log_density, -np.inf).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()
