"""A child tape made of signs, sizes, mids and prices that a test has drawn from a known law."""

from __future__ import annotations

import numpy as np

from footprint.data.children import ChildTape
from footprint.units import BPS, NS_PER_SECOND

START_NS = 19_000 * 86_400 * NS_PER_SECOND


def simulated_tape(
    sign, size, mid_before_bps, price_bps=None, mid_after_bps=None, step_s=2.0, time_s=None
) -> ChildTape:
    """Market orders `step_s` apart; log mids and prices in bps around 100."""
    n = len(sign)
    second = step_s * np.arange(n) if time_s is None else time_s
    time_ns = START_NS + (second * NS_PER_SECOND).astype(np.int64)
    mid = 100.0 * np.exp(np.asarray(mid_before_bps) / BPS)
    price = mid if price_bps is None else 100.0 * np.exp(np.asarray(price_bps) / BPS)
    after = np.append(mid[1:], mid[-1]) if mid_after_bps is None else 100.0 * np.exp(np.asarray(mid_after_bps) / BPS)
    none = np.zeros(n, np.int64)
    return ChildTape(
        time_ns=time_ns, sign=np.asarray(sign, np.int8), quantity=np.asarray(size, np.float64), price=price,
        mid_before=mid, known_mid=mid, event_index=np.arange(n), segment=none, parent_id=none - 1,
        mid_time_ns=time_ns, mid=after,
    )  # fmt: skip


def persistent_signs(n: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Markov signs with autocorrelation rho."""
    return rng.choice([-1.0, 1.0]) * np.cumprod(np.where(rng.random(n) < (1.0 - rho) / 2.0, -1.0, 1.0))


def contains(measure, truth: float) -> bool:
    """The interval holds the truth."""
    return measure.estimate.low <= truth <= measure.estimate.high
