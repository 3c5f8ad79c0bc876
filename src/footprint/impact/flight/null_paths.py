"""Moves of a market that goes nowhere, on which the path alarm must stay silent: simulated, and cut from real tapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from footprint.data.children import ChildTape
from footprint.units import BPS, NS_PER_SECOND

Innovations = Literal["gaussian", "student", "clustered"]
_DEGREES = 3.0  # of the t distribution: variance finite, kurtosis not
_PERSISTENCE, _LOG_VOLATILITY_SD = 0.97, 0.7  # of the clusters: log volatility as an autoregression of step to step


def simulated_moves(kind: Innovations, runs: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Independent symmetric moves of variance 1, shape (runs, steps).

    "student": t with 3 degrees of freedom; "clustered": the same times a stochastic volatility whose log is an AR(1).
    """
    if kind == "gaussian":
        return rng.standard_normal((runs, steps))
    moves = rng.standard_t(_DEGREES, (runs, steps)) / np.sqrt(_DEGREES)
    return moves if kind == "student" else moves * _clusters(runs, steps, rng)


def _clusters(runs: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Stochastic volatility whose mean square is 1, shape (runs, steps)."""
    shocks = np.sqrt(1.0 - _PERSISTENCE**2) * rng.standard_normal((runs, steps))
    log_volatility = np.empty((runs, steps))
    log_volatility[:, 0] = rng.standard_normal(runs)
    for k in range(1, steps):
        log_volatility[:, k] = _PERSISTENCE * log_volatility[:, k - 1] + shocks[:, k]
    return np.exp(_LOG_VOLATILITY_SD * log_volatility - _LOG_VOLATILITY_SD**2)


def tape_moves(tape: ChildTape, every_s: float) -> np.ndarray:
    """Moves of a session's mid from one reading to the next, bps, shape (n,)."""
    first, last = (int(t) for t in tape.time_ns[[0, -1]])
    mids = tape.mid_at(np.arange(first, last, int(every_s * NS_PER_SECOND)))
    return BPS * np.diff(np.log(mids[np.isfinite(mids)]))


def resampled_moves(
    sessions: Sequence[np.ndarray], runs: int, steps: int, block: float, rng: np.random.Generator
) -> np.ndarray:
    """Stationary bootstrap of sessions' moves (Politis and Romano 1994), each run with a fair sign.

    Blocks keep what lies within them: ticks, fat tails, clusters and momentum of the tape.

    Args:
        sessions: moves of each, one after the other in time.
        block: mean length of a block, in readings; it starts anywhere and goes on over the end of a session.

    Returns:
        shape (runs, steps), bps.
    """
    pool = np.concatenate(sessions)
    start = rng.integers(len(pool), size=(runs, steps))
    fresh = rng.random((runs, steps)) < 1.0 / block
    fresh[:, 0] = True
    latest = np.maximum.accumulate(np.where(fresh, np.arange(steps), 0), axis=1)
    place = np.take_along_axis(start, latest, axis=1) + np.arange(steps) - latest
    return rng.choice((-1.0, 1.0), (runs, 1)) * pool[place % len(pool)]
