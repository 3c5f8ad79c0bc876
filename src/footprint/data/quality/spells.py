"""Spells: stretches of time in which one thing is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.data.quality import thresholds
from footprint.units import NS_PER_SECOND

SPELL_DTYPE = np.dtype([("start_ns", np.int64), ("end_ns", np.int64), ("row", np.int64)], align=True)


@dataclass(frozen=True, slots=True)
class Spells:
    """All spells of one kind.

    Attributes:
        count: how many.
        total_s, longest_s: seconds.
        messages: messages after which it was so.
        longest: SPELL_DTYPE, the SPELLS_KEPT longest of them in order of time; `row` is that of the source where it
            began.
    """

    count: int
    total_s: float
    longest_s: float
    messages: int
    longest: np.ndarray


def spells_of(start_ns: np.ndarray, end_ns: np.ndarray, row: np.ndarray, messages: int) -> Spells:
    """Sum up spells; arrays of shape (n,)."""
    length_ns = end_ns - start_ns
    kept = np.sort(np.argsort(length_ns, kind="stable")[::-1][: int(thresholds.SPELLS_KEPT.value)])
    longest = np.zeros(len(kept), SPELL_DTYPE)
    longest["start_ns"], longest["end_ns"], longest["row"] = start_ns[kept], end_ns[kept], row[kept]
    return Spells(
        count=len(start_ns),
        total_s=float(length_ns.sum()) / NS_PER_SECOND,
        longest_s=float(length_ns.max(initial=0)) / NS_PER_SECOND,
        messages=messages,
        longest=longest,
    )


def spells_where(state: np.ndarray, time_ns: np.ndarray, row: np.ndarray) -> Spells:
    """Runs of True; each lasts until the first message after it, the last one until the last message.

    Args:
        state: bool, after each message, shape (n,).
        time_ns, row: of each message, shape (n,).
    """
    if not state.any():
        return spells_of(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), 0)
    edges = np.diff(state.astype(np.int8), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    end_ns = time_ns[np.minimum(stops, len(time_ns) - 1)]
    return spells_of(time_ns[starts], end_ns, row[starts], int(state.sum()))


def time_gaps(time_ns: np.ndarray, row: np.ndarray) -> tuple[Spells, float]:
    """Silences far beyond the usual spacing of messages.

    Args:
        time_ns, row: of the messages of regular hours, shape (n,).

    Returns:
        The silences, and the length in seconds beyond which one counts (nan when the messages are too few to tell).
    """
    step_ns = np.diff(time_ns)
    apart = step_ns[step_ns > 0]
    if len(apart) < thresholds.TIME_GAP_MIN_MESSAGES.value:
        return spells_where(np.zeros(len(time_ns), bool), time_ns, row), float("nan")
    usual_s = float(np.quantile(apart, 0.99)) / NS_PER_SECOND
    limit_s = max(thresholds.TIME_GAP_SPACINGS.value * usual_s, thresholds.TIME_GAP_FLOOR_S.value)
    gap = np.flatnonzero(step_ns > limit_s * NS_PER_SECOND)
    return spells_of(time_ns[gap], time_ns[gap + 1], row[gap], len(gap)), limit_s
