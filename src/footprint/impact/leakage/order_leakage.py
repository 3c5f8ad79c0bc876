"""What an order gives away: drift before it, the growth of other people's flow on its side, and being told apart.

Every figure is a difference between orders and their matched windows (`matched.py`), so that 0, and 0.5 for the
classifier, mean nothing was seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.active_order import AUC, active_order_auc
from footprint.impact.leakage.market import Market, market_of
from footprint.impact.leakage.matched import LEAD_S, Matched, match
from footprint.impact.leakage.measure import Kind, Measure
from footprint.impact.leakage.orders import WorkedOrders
from footprint.units import NS_PER_SECOND

MIN_ORDERS = 10

DRIFT = Kind(
    "pre_arrival_drift", "bps",
    "Does not prove that anybody knew of the order: the same news may have moved the price and caused the order.",
)  # fmt: skip
GROWTH = Kind(
    "same_side_growth_of_others", "share of the usual one-sided volume",
    "Does not prove that others followed the order: they may have had the same reason, and an order may be worked "
    "because its side is busy.",
)  # fmt: skip
OPPOSITE = Kind(
    "opposite_side_growth", "share of the usual one-sided volume",
    "Growing as much as the same side does not prove that nobody noticed: both sides may trade on the news of it.",
)  # fmt: skip
# kind and the value that says nothing was seen
NULLS = ((DRIFT, 0.0), (GROWTH, 0.0), (OPPOSITE, 0.0), (AUC, 0.5))

_LEAD_NS = int(LEAD_S * NS_PER_SECOND)


def order_leakage(
    tapes: Sequence[ChildTape], orders: WorkedOrders, block_s: float, rng: np.random.Generator
) -> list[Measure]:
    """Pre-arrival drift, growth of the others' flow on the order's side and on the other, AUC.

    Args:
        tapes: sessions of one instrument, in order of time.
        orders: in order of their start; those without a matched window are left out.

    Raises:
        DataRefused: no session with trading and a mid.
    """
    market = market_of(tapes)
    return measured(market, match(market, orders, orders, rng), block_s, rng)


def measured(market: Market, matched: Matched, block_s: float, rng: np.random.Generator) -> list[Measure]:
    """The figures of orders that are matched already, in the order of `NULLS`."""
    count = len(matched.orders)
    if count < MIN_ORDERS:
        reason = f"{count} orders with a matched window, needs {MIN_ORDERS}"
        return [kind.unknown(reason, count, block_s) for kind, _ in NULLS]
    values = (_drifts_bps(market, matched), _rates(market, matched, 1), _rates(market, matched, -1))
    figures = [
        kind.of(*matched.excess(of_orders, of_windows, block_s, rng), count)
        for kind, (of_orders, of_windows) in zip((DRIFT, GROWTH, OPPOSITE), values, strict=True)
    ]
    return [*figures, active_order_auc(market, matched, block_s, rng)]


def _drifts_bps(market: Market, matched: Matched) -> tuple[np.ndarray, np.ndarray]:
    """Move of the mid towards the order in the `LEAD_S` before each order and before each window."""

    def drift(sign: np.ndarray, start_ns: np.ndarray) -> np.ndarray:
        return sign * (market.mid_before(start_ns) - market.mid_before(start_ns - _LEAD_NS))

    own = matched.orders
    return drift(own.sign, own.start_ns), drift(own.sign[matched.order], matched.start_ns)


def _rates(market: Market, matched: Matched, towards: int) -> tuple[np.ndarray, np.ndarray]:
    """Volume rate of others on one side during each order and each window.

    The order's own market orders are taken to be its quantity times its aggression.

    Args:
        towards: +1 for the side of the order, -1 for the other.
    """
    own = matched.orders
    side = towards * own.sign
    unit = market.run_unit[market.run_of(own.start_ns, own.end_ns)]
    taken = own.aggression * own.quantity / unit if towards > 0 else 0.0
    in_orders = market.volume(side, own.start_ns, own.end_ns) - taken
    in_windows = market.volume(side[matched.order], matched.start_ns, matched.end_ns)
    length_s = (own.end_ns - own.start_ns) / NS_PER_SECOND
    return in_orders / length_s, in_windows / length_s[matched.order]
