"""Time-of-day curves of volume, volatility and spread, in half hours, learned from previous days only.

A curve is relative: volume share over share of the time, volatility and spread over those of the day. A day counts
when something was seen in its first and in its last half hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from scipy.special import stdtrit

from footprint.features.grid import GRID, close_steps, fresh_grid, see
from footprint.features.tape import event_ns, is_print
from footprint.features.windows import Record
from footprint.units import BPS, NS_PER_DAY, NS_PER_SECOND

BUCKET_NS = 1800 * NS_PER_SECOND
MOST_BUCKETS = 48
GRID_NS = 5 * NS_PER_SECOND
CURVES = ("volume", "volatility", "spread")

BUCKET = np.dtype(
    [
        ("seen", np.bool_),
        ("lots", np.float64),
        ("variance", np.float64),  # sum of squared grid returns
        ("variance_s", np.float64),
        ("spread_sum", np.float64),  # bps x seconds
        ("spread_s", np.float64),
    ],
    align=True,
)
STATE = np.dtype(
    [
        ("origin_ns", np.int64),  # start of the first bucket
        ("buckets", np.int64),
        ("continuous", np.bool_),
        ("start_ns", np.int64),  # the session has been watched since
        ("last_ns", np.int64),
        ("session_lots", np.float64),
        ("mid", GRID),
        ("spread_bps", np.float64),
        ("bucket", BUCKET, (MOST_BUCKETS,)),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class CurveEstimate:
    """A curve with its interval, arrays of shape (buckets,); `low` and `high` are nan with fewer than two days."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    days: int


@dataclass(frozen=True, slots=True)
class CurveScore:
    """Walk-forward error of a curve. `skill` is 1 - mae / mae_previous_day; `n` counts scored half hours."""

    mae: float
    mae_previous_day: float
    skill: float
    n: int


def score_curves(days: np.ndarray) -> CurveScore:
    """Score the mean of all previous days against the previous day alone, from the third day on.

    Args:
        days: relative curves in calendar order, shape (days, buckets), nan where unknown (`Curves.history`).

    Returns:
        The score; nan with n = 0 when there are fewer than three days.
    """
    ours, naive = [], []
    for k in range(2, len(days)):
        forecast = np.mean(days[:k], axis=0)
        scored = np.isfinite(days[k]) & np.isfinite(forecast)
        ours.append(np.abs(days[k] - forecast)[scored])
        naive.append(np.abs(days[k] - days[k - 1])[scored])
    n = sum(len(errors) for errors in ours)
    if n == 0:
        return CurveScore(math.nan, math.nan, math.nan, 0)
    mae, mae_naive = float(np.mean(np.concatenate(ours))), float(np.mean(np.concatenate(naive)))
    return CurveScore(mae, mae_naive, 1.0 - mae / mae_naive if mae_naive > 0 else math.nan, n)


@njit(cache=True)
def _bucket(s: Record, time_ns: int) -> int:
    """Half hour of a time, -1 outside the day."""
    bucket = (time_ns - s.origin_ns) // BUCKET_NS
    return bucket if 0 <= bucket < s.buckets else -1


@njit(cache=True)
def _time_passes(s: Record, time_ns: int) -> None:
    """Credit the spread that stood until now (a silence counts to the end of its half hour) and close grid steps."""
    bucket = _bucket(s, s.last_ns)
    if bucket >= 0 and time_ns > s.last_ns and not math.isnan(s.spread_bps):
        end_ns = min(time_ns, s.origin_ns + (bucket + 1) * BUCKET_NS)
        seconds = (end_ns - s.last_ns) / NS_PER_SECOND
        s.bucket[bucket].spread_sum += s.spread_bps * seconds
        s.bucket[bucket].spread_s += seconds
    steps = close_steps(s.mid, time_ns)
    bucket = _bucket(s, s.mid.origin_ns + s.mid.step * GRID_NS)
    if steps > 0 and bucket >= 0:
        s.bucket[bucket].variance += s.mid.change * s.mid.change
        s.bucket[bucket].variance_s += steps * GRID_NS / NS_PER_SECOND


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, start: int, state: np.ndarray) -> int:
    """Feed events from `start`; returns where it stopped: at the end, or before the first event of another UTC day."""
    s = state[0]
    for i in range(start, len(events)):
        time_ns = event_ns(events[i], s.last_ns)
        if s.continuous and time_ns >= s.origin_ns + NS_PER_DAY:
            return i
        s.start_ns = min(s.start_ns, time_ns)
        _time_passes(s, time_ns)
        s.last_ns = time_ns
        bucket = _bucket(s, time_ns)
        if is_print(events[i]):
            s.session_lots += events[i].size_lots
            if bucket >= 0:
                s.bucket[bucket].lots += events[i].size_lots
        if bucket >= 0:
            s.bucket[bucket].seen = True
        s.spread_bps = views[i].spread_ticks / views[i].mid_ticks * BPS
        see(s.mid, time_ns, math.log(views[i].mid_ticks))
    return len(events)


class Curves:
    """Day volume and the three curves at the present half hour.

    `day_volume_previous`: mean volume of previous days, quantity, nan in the first. `day_volume_rate`: volume so far /
    time so far x length of the day. `volume_curve`, `volatility_curve`, `spread_curve`: 1 is an average half hour; 1
    until a day is known. For a venue that never closes (`continuous`) the day is the UTC day, whatever the session.
    """

    names: tuple[str, ...] = (
        "day_volume_previous",
        "day_volume_rate",
        "volume_curve",
        "volatility_curve",
        "spread_curve",
    )

    def __init__(self, continuous: bool = False) -> None:
        self._continuous = continuous
        self._days: list[np.ndarray] = []
        self._volumes: list[float] = []
        self._lot_size = np.nan
        self._length_ns = 0
        self._state = np.zeros(1, STATE)
        self._means: np.ndarray | None = None

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Learn the finished day if it was whole, and forget the rest."""
        self._learn()
        self._lot_size = lot_size
        self._length_ns = NS_PER_DAY if self._continuous else close_ns - open_ns
        self._state = self._fresh(open_ns)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        fed = _update(events, views, 0, self._state)
        while fed < len(events):
            self._learn()
            self._state = self._next_day(int(event_ns(events[fed], 0)))
            fed = _update(events, views, fed, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (5,): two quantities, three ratios."""
        state = self._state[0]
        gone_ns = now_ns - int(state["start_ns"])
        rate = float(state["session_lots"]) * self._lot_size / gone_ns * self._length_ns if gone_ns > 0 else np.nan
        previous = float(np.mean(self._volumes)) if self._volumes else np.nan
        return np.array([previous, rate, *self._at(now_ns)])

    @property
    def history(self) -> np.ndarray:
        """Relative curves of the whole days seen, shape (days, 3, 48) in the order of `CURVES`; nan where unknown."""
        return np.array(self._days).reshape(-1, len(CURVES), MOST_BUCKETS)

    def estimate(self, curve: str, coverage: float = 0.9) -> CurveEstimate:
        """Mean over days and its Student interval.

        Args:
            curve: one of `CURVES`.
            coverage: of the interval for the mean.

        Raises:
            ValueError: another name.
        """
        days = self.history[:, CURVES.index(curve)]
        n = len(days)
        if n == 0:
            unknown = np.full(MOST_BUCKETS, np.nan)
            return CurveEstimate(unknown, unknown, unknown, 0)
        mean = days.mean(axis=0)
        half = stdtrit(n - 1, 0.5 + coverage / 2) * days.std(axis=0, ddof=1) / math.sqrt(n) if n > 1 else np.nan
        return CurveEstimate(mean, mean - half, mean + half, n)

    def volume_between(self, start_ns: int, end_ns: int) -> float:
        """Quantity that this day should trade between two instants of it; nan when nothing is known of its volume."""
        expected, rate = self.values(int(self._state["last_ns"][0]))[:2]
        day_volume = rate if np.isnan(expected) else expected
        origin_ns = int(self._state["origin_ns"][0])
        first_ns = origin_ns + ((start_ns - origin_ns) // BUCKET_NS + 1) * BUCKET_NS
        edges = [start_ns, *range(first_ns, end_ns, BUCKET_NS), end_ns]
        weighted = sum(self._at(a)[0] * (b - a) for a, b in pairwise(edges))
        return day_volume * weighted / self._length_ns

    def _at(self, time_ns: int) -> np.ndarray:
        """The three curves at a time, 1 where nothing is known."""
        state = self._state[0]
        if self._means is None:
            return np.ones(len(CURVES))
        bucket = (time_ns - int(state["origin_ns"])) // BUCKET_NS
        bucket = bucket % MOST_BUCKETS if self._continuous else min(max(bucket, 0), int(state["buckets"]) - 1)
        known = self._means[:, bucket]
        return np.where(np.isnan(known), 1.0, known)

    def _learn(self) -> None:
        """Add the day in the state to the history if it is whole."""
        day = self._state["bucket"][0, : self._state["buckets"][0]]
        if len(day) == 0 or not (day["seen"][0] and day["seen"][-1] and day["lots"].sum() > 0):
            return
        self._days.append(_relative(day, self._length_ns))
        self._volumes.append(float(day["lots"].sum()) * self._lot_size)
        self._means = self.history.mean(axis=0)

    def _fresh(self, open_ns: int) -> np.ndarray:
        state = np.zeros(1, STATE)
        state["origin_ns"] = open_ns // NS_PER_DAY * NS_PER_DAY if self._continuous else open_ns
        state["buckets"] = min(-(-self._length_ns // BUCKET_NS), MOST_BUCKETS)
        state["continuous"] = self._continuous
        state["start_ns"] = state["last_ns"] = open_ns
        state["mid"] = fresh_grid(int(state["origin_ns"][0]), GRID_NS)
        state["spread_bps"] = np.nan
        return state

    def _next_day(self, time_ns: int) -> np.ndarray:
        """A fresh UTC day inside a session: the volume of the session goes on."""
        state = self._fresh(time_ns)
        for name in ("start_ns", "session_lots"):
            state[name] = self._state[name]
        return state


def _relative(day: np.ndarray, length_ns: int) -> np.ndarray:
    """The three curves of one finished day (BUCKET array), shape (3, 48), nan where nothing was measured."""
    time_share = np.clip(length_ns - np.arange(len(day)) * BUCKET_NS, 0, BUCKET_NS) / length_ns
    curves = np.full((len(CURVES), MOST_BUCKETS), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        curves[0, : len(day)] = day["lots"] / day["lots"].sum() / time_share
        per_second = day["variance"] / day["variance_s"]
        curves[1, : len(day)] = np.sqrt(per_second / (day["variance"].sum() / day["variance_s"].sum()))
        mean_spread = day["spread_sum"].sum() / day["spread_s"].sum()
        curves[2, : len(day)] = day["spread_sum"] / day["spread_s"] / mean_spread
    return curves
