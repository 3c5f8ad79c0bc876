"""Hasbrouck's information share: which of two venues moves the price that they have in common.

Log mids p1, p2 of one instrument on two venues on a common grid of the observer's clock follow an error correction,

    dp_t = c + alpha (p1 - p2)_{t-1} + sum G_i dp_{t-i} + e_t,   Var e = Omega,

whose common trend moves by psi e with psi orthogonal to alpha (Johansen 1991). A venue's share is the part of
psi Omega psi' that its innovation causes (Hasbrouck, Journal of Finance 50, 1175-1199, 1995). What both innovations
share is given to the first or the second, which bounds it. psi itself, scaled to add up to 1, is the component share
(Gonzalo and Granger 1995).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.blocks import Blocks, ratio, regress
from footprint.impact.leakage.measure import Kind, Measure
from footprint.units import BPS, NS_PER_SECOND

STEP_S = 0.1
LAGS = 10
MIN_STEPS = 1000

_CLOCKS = "a venue that is recorded later looks like a follower"
LOW = Kind("information_share_low", "share", f"Lower bound over orderings; does not prove who leads: {_CLOCKS}.")
HIGH = Kind("information_share_high", "share", f"Upper bound over orderings; does not prove who leads: {_CLOCKS}.")
MIDDLE = Kind("information_share", "share", f"Middle of the bounds, a convention; does not prove who leads: {_CLOCKS}.")
COMPONENT = Kind("component_share", "share", f"Ignores how much each venue moves; does not prove who leads: {_CLOCKS}.")
KINDS = (MIDDLE, LOW, HIGH, COMPONENT)


def information_share(
    first: Sequence[ChildTape],
    second: Sequence[ChildTape],
    block_s: float,
    rng: np.random.Generator,
    step_s: float = STEP_S,
    lags: int = LAGS,
) -> list[Measure]:
    """Share of the first venue: middle, bounds, and component share; those of the second are 1 minus them.

    Args:
        first, second: sessions of one instrument on two venues, each in order of time, on one observer's clock.
        step_s: grid on which the mids are read; innovations within a step are shared by both.
    """
    parts = [_grid(a, b, step_s) for a in first for b in second]
    parts = [part for part in parts if len(part[0]) > lags + 1]
    rows = [_columns(time_ns, mids, lags) for time_ns, mids in parts]
    count = sum(len(time_ns) for time_ns, _ in rows)
    if count < MIN_STEPS:
        reason = f"{count} steps of {step_s:g} s with both mids, needs {MIN_STEPS}"
        return [kind.unknown(reason, count, block_s) for kind in KINDS]
    time_ns, columns = (np.concatenate(column) for column in zip(*rows, strict=True))
    blocks = Blocks.draw(time_ns, block_s, rng)
    width = columns.shape[1]
    regressors, responses = list(range(width - 2)), [width - 2, width - 1]
    coefficients, noise = regress(blocks.products(columns), regressors, responses)
    low, high, component = _shares(coefficients[:, 1, :], noise)
    values = ((low + high) / 2.0, low, high, component)
    return [kind.of(value, blocks) for kind, value in zip(KINDS, values, strict=True)]


def _grid(a: ChildTape, b: ChildTape, step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Common times of two sessions and both log mids there, bps, shape (steps, 2)."""
    if not (len(a.mid) and len(b.mid)):
        return np.zeros(0, np.int64), np.zeros((0, 2))
    step_ns = int(step_s * NS_PER_SECOND)
    start_ns, end_ns = max(a.mid_time_ns[0], b.mid_time_ns[0]), min(a.mid_time_ns[-1], b.mid_time_ns[-1])
    times = np.arange(-(-start_ns // step_ns), end_ns // step_ns + 1) * step_ns
    return times, BPS * np.log(np.column_stack([a.mid_at(times), b.mid_at(times)]))


def _columns(time_ns: np.ndarray, mids: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Constant, spread of the step before, lagged changes, changes; and the time of each row."""
    changes = np.diff(mids, axis=0)  # change k ends at step k + 1
    rows = np.arange(lags, len(changes))
    spread = (mids[rows, 0] - mids[rows, 1])[:, None]
    spread = spread - spread.mean()  # a level of thousands of bps would drown the products
    past = [changes[rows - lag] for lag in range(1, lags + 1)]
    return time_ns[rows + 1], np.column_stack([np.ones(len(rows)), spread, *past, changes[rows]])


def _shares(alpha: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds of the first venue's share and its component share, from shapes (..., 2) and (..., 2, 2)."""
    p, q = alpha[..., 1], -alpha[..., 0]
    a, b, d = noise[..., 0, 0], noise[..., 0, 1], noise[..., 1, 1]
    total = p**2 * a + 2.0 * p * q * b + q**2 * d
    as_first = ratio((p * a + q * b) ** 2, a * total)
    as_second = ratio(p**2 * (a - ratio(b**2, d)), total)
    return np.minimum(as_first, as_second), np.maximum(as_first, as_second), ratio(p, p + q)
