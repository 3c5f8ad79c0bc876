"""A level sampled on a regular grid, so that what happens inside a step (bounce, flicker) does not count.

A step closes when an event comes after it. Steps without any event join the next one that has some: a silence is
unknown, not calm.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.windows import Record

_BEFORE_EVERYTHING = -(2**62)

GRID = np.dtype(
    [
        ("origin_ns", np.int64),
        ("step_ns", np.int64),
        ("closed_step", np.int64),  # number of the grid point of `closed`
        ("closed", np.float64),  # nan before the first
        ("step", np.int64),  # step in which `level` was last seen
        ("level", np.float64),  # nan before the first
        ("change", np.float64),  # change of the level over the steps that the last close covered
    ],
    align=True,
)


@njit(cache=True)
def close_steps(grid: Record, time_ns: int) -> int:
    """Close the step of the last level seen if `time_ns` lies after it.

    Returns:
        how many steps `grid.change` now covers; 0 when nothing closed, or when there was no earlier grid point.
    """
    if math.isnan(grid.level) or (time_ns - grid.origin_ns) // grid.step_ns <= grid.step:
        return 0
    if grid.step < grid.closed_step:  # already closed
        return 0
    covered = grid.step + 1 - grid.closed_step if not math.isnan(grid.closed) else 0
    grid.change = grid.level - grid.closed
    grid.closed, grid.closed_step = grid.level, grid.step + 1
    return covered


@njit(cache=True)
def see(grid: Record, time_ns: int, level: float) -> None:
    """Take a new level; nan leaves the old one and does not count as seen."""
    if not math.isnan(level):
        grid.level = level
        grid.step = (time_ns - grid.origin_ns) // grid.step_ns


def fresh_grid(origin_ns: int, step_ns: int) -> np.ndarray:
    """A grid that has seen nothing, as a record array of shape (1,)."""
    grid = np.zeros(1, GRID)
    grid["origin_ns"], grid["step_ns"] = origin_ns, step_ns
    grid["closed_step"] = _BEFORE_EVERYTHING
    grid["closed"] = grid["level"] = np.nan
    return grid
