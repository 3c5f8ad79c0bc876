"""How much of an order's outcome is its own: overlapping orders share the market's path."""

from __future__ import annotations

import numpy as np

from footprint.impact.rows import RELAXATION_S, Rows
from footprint.units import NS_PER_SECOND


def uniqueness(rows: Rows, target: str) -> np.ndarray:
    """Average over each row's window of 1 / (number of windows of its tape open at that time), shape (n,), in (0, 1].

    A window runs from the forecast to the instant at which the target is read. The sum over a tape is the number of
    windows that would fit side by side: the count of observations that a likelihood may take for independent (López de
    Prado 2018, Advances in Financial Machine Learning, section 4.4). A row copied twice counts once.
    """
    start_ns = rows.start_ns
    end_ns = np.maximum(rows.end_ns + int(RELAXATION_S[target] * NS_PER_SECOND), start_ns + NS_PER_SECOND)
    out = np.empty(len(rows))
    for name in np.unique(rows.tape):
        mine = rows.tape == name
        out[mine] = _average_uniqueness(start_ns[mine], end_ns[mine])
    return out


def _average_uniqueness(start_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
    instants = np.unique(np.concatenate([start_ns, end_ns]))
    first, last = np.searchsorted(instants, start_ns), np.searchsorted(instants, end_ns)
    change = np.bincount(first, minlength=len(instants)) - np.bincount(last, minlength=len(instants))
    open_windows = np.cumsum(change)[:-1]
    share = np.where(open_windows > 0, np.diff(instants) / np.maximum(open_windows, 1), 0.0)
    cumulated = np.concatenate([[0.0], np.cumsum(share)])
    return (cumulated[last] - cumulated[first]) / (end_ns - start_ns)
