"""How often the leakage figures cry wolf: the same orders at times when nothing was ordered, measured again and again.

Placebo orders are half as many as the real ones, so that quiet time is left to compare them with. They have the lengths
and sides of real ones, lie where a matched window could lie, clear of each other, and have no market orders of their
own. Any leakage found on them is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import beta

from footprint.data.children import ChildTape
from footprint.impact.evaluation.scoring import Estimate
from footprint.impact.leakage.market import Market, market_of
from footprint.impact.leakage.matched import GRID_NS, LEAD_S, Matched, match, overlaps
from footprint.impact.leakage.measure import Measure
from footprint.impact.leakage.order_leakage import MIN_ORDERS, NULLS, measured
from footprint.impact.leakage.orders import WorkedOrders
from footprint.units import NS_PER_SECOND

REPEATS = 100

_LEAD_NS = int(LEAD_S * NS_PER_SECOND)
_TEXT = "Does not bound the error on other days: it is read on the tape of the orders themselves."


def false_positive_rates(
    tapes: Sequence[ChildTape],
    orders: WorkedOrders,
    block_s: float,
    rng: np.random.Generator,
    repeats: int = REPEATS,
) -> list[Measure]:
    """Share of placebo runs whose 95 % interval excludes "nothing was seen", one a figure of `order_leakage`.

    Intervals of the rates are those of Clopper and Pearson (Biometrika 26, 1934).
    """
    market = market_of(tapes)
    runs = [measured(market, _placebo(market, orders, rng), block_s, rng) for _ in range(repeats)]
    return [_rate([run[k] for run in runs], null) for k, (_, null) in enumerate(NULLS)]


def _placebo(market: Market, orders: WorkedOrders, rng: np.random.Generator) -> Matched:
    """Placebo orders with matched windows that avoid them and the real orders."""
    grid = np.concatenate(
        [np.arange(a + _LEAD_NS, b, GRID_NS) for a, b in zip(market.run_start_ns, market.run_end_ns, strict=True)]
    )
    placed: WorkedOrders = orders.take(np.zeros(0, np.int64))
    for i in rng.permutation(len(orders))[: max(MIN_ORDERS, len(orders) // 2)]:
        length = orders.end_ns[i] - orders.start_ns[i]
        start = grid + rng.integers(0, GRID_NS)
        end = start + length
        free = (market.run_of(start - _LEAD_NS, end) >= 0) & ~overlaps(orders, start - _LEAD_NS, end)
        free &= ~overlaps(placed, start - _LEAD_NS, end)
        if free.any():
            at = rng.choice(start[free])
            placed = _merged(
                placed, replace(orders.take(np.array([i])), start_ns=np.array([at]), end_ns=np.array([at + length]))
            )
    silent = replace(placed, aggression=np.zeros(len(placed)))
    return match(market, silent, _merged(orders, silent), rng)


def _merged(a: WorkedOrders, b: WorkedOrders) -> WorkedOrders:
    columns = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in WorkedOrders.__slots__}
    both = WorkedOrders(**columns)
    return both.take(np.argsort(both.start_ns, kind="stable"))


def _rate(runs: list[Measure], null: float) -> Measure:
    found = [run.excludes(null) for run in runs if not run.reason]
    n, hits = len(found), sum(found)
    unknown = Measure(f"false_positives_{runs[0].name}", "share of placebo runs", Estimate(*(float("nan"),) * 3, n, n),
                      runs[0].block_s, _TEXT)  # fmt: skip
    if n < len(runs) / 2:
        return replace(unknown, reason=f"{n} of {len(runs)} placebo runs could be measured")
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return replace(unknown, estimate=Estimate(hits / n, low, high, n, n))
