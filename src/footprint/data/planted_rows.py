"""Hundreds of thousands of true metaorders measured on planted tapes, block of days by block of days.

Peaks and paths are differences of the tape's mid, diffusion and overlapping metaorders included; no formula of the
law is evaluated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from footprint.data.children import ChildTape
from footprint.data.planted import PlantedLaw
from footprint.data.planted_tape import PlantedTape, planted_tape
from footprint.data.tape_shape import TapeShape
from footprint.units import NS_PER_DAY

LAGS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ROWS_SHAPE = TapeShape()
_DAYS_PER_BLOCK = 500


@dataclass(frozen=True, slots=True)
class PlantedRows:
    """True metaorders of a planted tape, arrays of shape (rows,) unless said; impacts are signed to the order.

    Attributes:
        participation: Q / V_D.
        duration: last child minus first child, fraction of the day.
        peak: log mid after the last child minus log mid strictly before the first, in units of sigma_D.
        path: the same `lags` durations after the end, shape (rows, len(lags)); nan after the close.
        day: day number; days are independent.
        lags: in durations of the order.
    """

    participation: np.ndarray
    duration: np.ndarray
    peak: np.ndarray
    path: np.ndarray
    day: np.ndarray
    lags: tuple[float, ...] = LAGS

    def __len__(self) -> int:
        return len(self.participation)


def planted_rows(
    law: PlantedLaw, rows: int, rng: np.random.Generator, shape: TapeShape = ROWS_SHAPE, lags: tuple[float, ...] = LAGS
) -> PlantedRows:
    """Draw tapes until they hold `rows` metaorders and measure them; memory is that of one block of days.

    Args:
        law: the planted truth.
        rows: number of metaorders.
        rng: the only source of randomness.
        shape: order flow and noise.
        lags: where the path after the end is read, in durations of the order, increasing.
    """
    blocks: list[PlantedRows] = []
    missing, first_day = rows, 0
    while missing > 0:
        days = min(_DAYS_PER_BLOCK, -(-missing // shape.parents_per_day))
        tape = planted_tape(law, shape, days, rng, lags=lags)
        blocks.append(_measure(tape, law, shape, lags, first_day))
        missing -= len(blocks[-1])
        first_day += days
    columns = {
        name: np.concatenate([getattr(block, name) for block in blocks])[:rows]
        for name in ("participation", "duration", "peak", "path", "day")
    }
    return PlantedRows(**columns, lags=lags)


def _measure(
    tape: PlantedTape, law: PlantedLaw, shape: TapeShape, lags: tuple[float, ...], first_day: int
) -> PlantedRows:
    parents = tape.parents
    children = np.flatnonzero(tape.parent >= 0)
    owner = tape.parent[children]
    first, last = np.empty(len(parents), np.int64), np.empty(len(parents), np.int64)
    first[owner[::-1]] = children[::-1]  # the earliest child is written last and stays
    last[owner] = children
    arrival = tape.before[first]
    readings = np.flatnonzero(tape.reading >= 0)
    mids = np.full((len(parents), len(lags)), np.nan)
    mids.flat[tape.reading[readings]] = tape.before[readings]
    in_law_units = parents.sign / law.volatility
    return PlantedRows(
        participation=parents.quantity / law.day_volume,
        duration=parents.duration_ns / 1e9 / shape.session_s,
        peak=in_law_units * (tape.after[last] - arrival),
        path=in_law_units[:, None] * (mids - arrival[:, None]),
        day=parents.day + first_day,
        lags=lags,
    )


def child_tapes(tape: PlantedTape) -> list[ChildTape]:
    """The tape as procedures for real data see it: one `ChildTape` a day, with mids around 100 and true parent ids.

    Trades are priced at the mid before them (the planted tape has no spread); `event_index` is the row of the tape.
    """
    bounds = np.searchsorted(tape.day, np.arange(tape.day[-1] + 2))
    return [_child_tape(tape, slice(first, last)) for first, last in pairwise(bounds) if last > first]


def _child_tape(tape: PlantedTape, rows: slice) -> ChildTape:
    trades = rows.start + np.flatnonzero(tape.sign[rows])
    price = 100.0 * np.exp(tape.before[trades])
    return ChildTape(
        time_ns=_clock_ns(tape, trades),
        sign=tape.sign[trades],
        quantity=tape.quantity[trades],
        price=price,
        mid_before=price,
        known_mid=price,
        event_index=trades,
        segment=np.zeros(len(trades), np.int64),
        parent_id=tape.parent[trades],
        mid_time_ns=_clock_ns(tape, rows),
        mid=100.0 * np.exp(tape.after[rows]),
    )


def _clock_ns(tape: PlantedTape, rows: np.ndarray | slice) -> np.ndarray:
    """One time axis for all days."""
    return tape.day[rows] * NS_PER_DAY + tape.time_ns[rows]
