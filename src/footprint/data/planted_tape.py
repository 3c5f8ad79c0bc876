"""Trades and a continuous mid under a planted law: many days, many overlapping metaorders, known parents.

The log mid of a day starts at 0 and is a Brownian motion plus the impact paths (`planted.py`) of every metaorder of
that day. Metaorders arrive at random in volume time and overlap freely. With sides drawn independently (persistence 0)
the impact of the others is noise with mean zero to each of them. Background trades may carry a part of the Brownian
motion's variance (`background_share`): each then moves the mid for good, as trades on real tapes do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from footprint.data.planted import PlantedLaw
from footprint.data.tape_shape import TapeShape, clock_to_ns, volume_clock
from footprint.units import NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Parents:
    """The metaorders, shape (p,), in order of (day, start). Times are ns after the open of their day."""

    day: np.ndarray
    sign: np.ndarray
    quantity: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    children: np.ndarray

    def __len__(self) -> int:
        return len(self.day)

    @property
    def duration_ns(self) -> np.ndarray:
        """Last child minus first child."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class PlantedTape:
    """Everything that happens, in order of (day, time); arrays have shape (n,).

    Attributes:
        day: day number from 0.
        time_ns: ns after the open of that day.
        parent: row of `parents`, -1 for background trades and mere readings of the mid.
        sign: aggressor of a trade, 0 for a mere reading.
        quantity: integer units, 0 for a reading.
        before, after: log mid just before and just after, 0 at the open.
        reading: number of the reading (see `planted_tape`), -1 for trades.
    """

    parents: Parents
    day: np.ndarray
    time_ns: np.ndarray
    parent: np.ndarray
    sign: np.ndarray
    quantity: np.ndarray
    before: np.ndarray
    after: np.ndarray
    reading: np.ndarray


@dataclass(frozen=True, slots=True)
class _Intentions:
    """Metaorders before they are worked: `start` and `lasting` are fractions of the day in volume time."""

    day: np.ndarray
    sign: np.ndarray
    quantity: np.ndarray
    start: np.ndarray
    lasting: np.ndarray
    children: np.ndarray


@dataclass(frozen=True, slots=True)
class _Rows:
    """Unsorted rows of one kind; `level` is the signed impact of the parent after this child."""

    day: np.ndarray
    time_ns: np.ndarray
    parent: np.ndarray
    sign: np.ndarray
    quantity: np.ndarray
    level: np.ndarray
    reading: np.ndarray


def planted_tape(
    law: PlantedLaw,
    shape: TapeShape,
    days: int,
    rng: np.random.Generator,
    *,
    lags: tuple[float, ...] = (),
    refreshes: int = 0,
) -> PlantedTape:
    """Draw a tape of `days` days.

    Args:
        law: the impact of the metaorders.
        shape: everything else.
        days: number of days.
        rng: the only source of randomness.
        lags: the mid is also read this many durations after the end of every parent, where the day lasts that long;
            reading number = parent * len(lags) + position of the lag.
        refreshes: further readings a day at random times, numbered from len(parents) * len(lags).
    """
    wanted = _draw_intentions(law, shape, days, rng)
    children = _draw_children(wanted, law, shape, rng)
    parents = _as_worked(wanted, children)
    rows = [
        children,
        _draw_background(shape, days, rng),
        _lag_readings(parents, np.array(lags), shape),
        _random_readings(shape, days, refreshes, len(parents) * len(lags), rng),
    ]
    day, time_ns, parent, sign, quantity, level, reading = (
        np.concatenate([getattr(r, name) for r in rows]) for name in _Rows.__slots__
    )
    order = np.lexsort((time_ns, day))
    day, time_ns, parent, level = day[order], time_ns[order], parent[order], level[order]
    before, after = _impact_paths(
        day, time_ns, parent, level, parents.start_ns, parents.end_ns, parents.children, law.decay
    )
    sign, quantity = sign[order], quantity[order]
    nudge = np.where((parent < 0) & (sign != 0), shape.nudge(law) * sign * np.sqrt(quantity), 0.0)
    diffusion = _diffusion(day, time_ns, shape, shape.diffusion(law) * np.sqrt(1.0 - shape.background_share), rng)
    noise = diffusion + _running(nudge, day)
    return PlantedTape(
        parents=parents,
        day=day,
        time_ns=time_ns,
        parent=parent,
        sign=sign,
        quantity=quantity,
        before=before + noise - nudge,
        after=after + noise,
        reading=reading[order],
    )


def _persistent_signs(count: int, persistence: float, rng: np.random.Generator) -> np.ndarray:
    """Markov signs: with chance `persistence` the previous one again, else a fair draw."""
    fresh = np.where(rng.random(count) < 0.5, -1, 1)
    drawn = np.where(rng.random(count) < persistence, -1, np.arange(count))
    drawn[:1] = 0
    return fresh[np.maximum.accumulate(drawn)].astype(np.int8)


def _draw_intentions(law: PlantedLaw, shape: TapeShape, days: int, rng: np.random.Generator) -> _Intentions:
    count = days * shape.parents_per_day
    share = np.exp(rng.uniform(np.log(shape.smallest), np.log(shape.largest), count))
    quantity = np.maximum(np.rint(share * law.day_volume), 2.0)
    lasting = quantity / law.day_volume / shape.largest * shape.longest
    start = rng.random(count) * (1.0 - lasting)
    day = np.repeat(np.arange(days), shape.parents_per_day)
    order = np.lexsort((start, day))
    quantity, start, lasting = quantity[order], start[order], lasting[order]
    children = np.clip(np.rint(quantity / shape.child_units), 2, np.minimum(shape.most_children, quantity))
    sign = _persistent_signs(count, shape.side_persistence, rng)
    return _Intentions(day, sign, quantity, start, lasting, children.astype(np.int64))


def _draw_children(wanted: _Intentions, law: PlantedLaw, shape: TapeShape, rng: np.random.Generator) -> _Rows:
    """Children at jittered even steps of volume time; the first and the last stand exactly at the ends."""
    owner = np.repeat(np.arange(len(wanted.day)), wanted.children)
    first = np.cumsum(wanted.children) - wanted.children
    k = np.arange(len(owner)) - first[owner]
    count = wanted.children[owner]
    inside = (k > 0) & (k < count - 1)
    step = (k + np.where(inside, rng.uniform(-0.4, 0.4, len(k)), 0.0)) / (count - 1)
    time_ns = clock_to_ns(wanted.start[owner] + step * wanted.lasting[owner], shape)
    done = (k + 1 + np.where(k < count - 1, rng.uniform(-0.3, 0.3, len(k)), 0.0)) / count
    cumulative = np.maximum(np.rint(done * wanted.quantity[owner]), k + 1.0)
    quantity = np.diff(cumulative, prepend=0.0)
    quantity[first] = cumulative[first]
    sign = wanted.sign[owner]
    level = sign * law.impact(cumulative)
    return _Rows(wanted.day[owner], time_ns, owner, sign, quantity, level, np.full(len(owner), -1))


def _as_worked(wanted: _Intentions, children: _Rows) -> Parents:
    """The metaorders with the integer times of their first and last child."""
    last = np.cumsum(wanted.children) - 1
    first = last - wanted.children + 1
    start_ns, end_ns = children.time_ns[first], children.time_ns[last]
    return Parents(wanted.day, wanted.sign, wanted.quantity, start_ns, end_ns, wanted.children)


def _draw_background(shape: TapeShape, days: int, rng: np.random.Generator) -> _Rows:
    count = days * shape.background_trades
    day = np.repeat(np.arange(days), shape.background_trades)
    time_ns = clock_to_ns(rng.random(count), shape)
    time_ns = time_ns[np.lexsort((time_ns, day))]  # signs persist in order of time
    quantity = np.maximum(np.rint(shape.background_units * rng.lognormal(-0.32, 0.8, count)), 1.0)
    sign = _persistent_signs(count, shape.background_persistence, rng)
    nobody = np.full(count, -1)
    return _Rows(day, time_ns, nobody, sign, quantity, np.zeros(count), nobody)


def _readings(day: np.ndarray, time_ns: np.ndarray, number: np.ndarray) -> _Rows:
    nothing = np.zeros(len(day))
    return _Rows(day, time_ns, np.full(len(day), -1), nothing.astype(np.int8), nothing, nothing, number)


def _lag_readings(parents: Parents, lags: np.ndarray, shape: TapeShape) -> _Rows:
    time_ns = parents.end_ns[:, None] + np.rint(parents.duration_ns[:, None] * lags).astype(np.int64)
    owner, lag = np.nonzero(time_ns <= shape.session_s * NS_PER_SECOND)
    return _readings(parents.day[owner], time_ns[owner, lag], owner * len(lags) + lag)


def _random_readings(shape: TapeShape, days: int, each: int, start: int, rng: np.random.Generator) -> _Rows:
    day = np.repeat(np.arange(days), each)
    return _readings(day, clock_to_ns(rng.random(len(day)), shape), start + np.arange(len(day)))


def _diffusion(
    day: np.ndarray, time_ns: np.ndarray, shape: TapeShape, daily_sd: float, rng: np.random.Generator
) -> np.ndarray:
    """Brownian motion in volume time at every row, starting from 0 at each open."""
    clock = volume_clock(time_ns / (shape.session_s * NS_PER_SECOND), shape.u_shape)
    opens = np.flatnonzero(np.diff(day, prepend=-1))
    elapsed = np.diff(clock, prepend=0.0)
    elapsed[opens] = clock[opens]
    steps = daily_sd * np.sqrt(np.maximum(elapsed, 0.0)) * rng.standard_normal(len(day))
    return _running(steps, day)


def _running(steps: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Sum of the steps of the day so far, this row's included."""
    opens = np.flatnonzero(np.diff(day, prepend=-1))
    total = np.cumsum(steps)
    before_open = np.where(opens > 0, total[opens - 1], 0.0)
    return total - np.repeat(before_open, np.diff(opens, append=len(day)))


@njit(cache=True)
def _impact_paths(
    day: np.ndarray,
    time_ns: np.ndarray,
    parent: np.ndarray,
    level: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    children: np.ndarray,
    decay: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of all impact paths of the day just before and just after every row."""
    before = np.empty(len(day))
    after = np.empty(len(day))
    current = np.zeros(len(start_ns))
    left = children.copy()
    finished = np.empty(len(start_ns), np.int64)
    count, working, today = 0, 0.0, -1
    for i in range(len(day)):
        if day[i] != today:
            count, working, today = 0, 0.0, day[i]
        relaxing = 0.0
        for j in range(count):
            p = finished[j]
            relaxing += current[p] * (1.0 + (time_ns[i] - end_ns[p]) / (end_ns[p] - start_ns[p])) ** -decay
        before[i] = after[i] = working + relaxing
        p = parent[i]
        if p < 0:
            continue
        after[i] += level[i] - current[p]
        working += level[i] - current[p]
        current[p] = level[i]
        left[p] -= 1
        if left[p] == 0:
            working -= level[i]
            finished[count] = p
            count += 1
    return before, after
