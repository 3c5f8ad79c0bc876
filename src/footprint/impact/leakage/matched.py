"""Matched windows: times like that of an order at which no order was worked.

For every order windows of its length that start within half an hour of its time of day, on any session, in the same
tercile of volatility over the half hour before, and that neither overlap an order nor have one in the `LEAD_S` before
them. What an order shows beyond them is neither the time of day nor the state of the market.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.leakage.blocks import Blocks, ratio
from footprint.impact.leakage.market import Market, time_of_day_ns
from footprint.impact.leakage.orders import WorkedOrders
from footprint.units import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND

LEAD_S = 300.0
BAND_NS = 30 * NS_PER_MINUTE
GRID_NS = NS_PER_MINUTE
CONTROLS = 10

_LEAD_NS = int(LEAD_S * NS_PER_SECOND)


@dataclass(frozen=True, slots=True)
class Matched:
    """Orders with at least one matched window, and the windows.

    Attributes:
        orders: those that have one, n of them.
        order: row of `orders` that each window belongs to, shape (k,).
        start_ns, end_ns: of the windows, shape (k,).
    """

    orders: WorkedOrders
    order: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray

    def excess(
        self, of_orders: np.ndarray, of_windows: np.ndarray, block_s: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, Blocks]:
        """Mean over the orders of their value less the mean over their windows, from the data and its replicates.

        Args:
            of_orders: shape (n,), nan where unknown.
            of_windows: shape (k,), nan where unknown.
        """
        return mean_excess(of_orders, self.orders.start_ns, of_windows, self.start_ns, self.order, block_s, rng)


def mean_excess(
    of_orders: np.ndarray,
    order_ns: np.ndarray,
    of_windows: np.ndarray,
    window_ns: np.ndarray,
    order: np.ndarray,
    block_s: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Blocks]:
    """Mean difference of matched sets whose windows may be shared, from the data and its replicates.

    A half hour that serves many orders as a window moves all of them together. So each set's difference counts in the
    block of its order and each window's deviation from its set in the block of the window: orders that share windows
    are then not taken for independent. The interval errs a little to the
    safe side.

    Args:
        of_orders, order_ns: value and time of each order, shape (n,); at least one is known.
        of_windows, window_ns, order: value and time of each window and the order it belongs to, shape (k,).

    Returns:
        Shape (1 + draws,), and the blocks; their rows are orders and windows.
    """
    n, known = len(of_orders), np.isfinite(of_windows)
    count = np.bincount(order[known], minlength=n)
    mean = ratio(np.bincount(order[known], of_windows[known], n), count)
    difference = of_orders - mean
    used = np.isfinite(difference)
    value = difference[used].mean()
    known &= used[order]
    weight = 1.0 / used.sum()
    own = weight * (difference[used] - value)
    shared = -weight * (of_windows[known] - mean[order[known]]) / count[order[known]]
    blocks = Blocks.draw(np.concatenate([order_ns[used], window_ns[known]]), block_s, rng)
    return value + blocks.sums(np.concatenate([own, shared])), blocks


def match(market: Market, orders: WorkedOrders, busy: WorkedOrders, rng: np.random.Generator) -> Matched:
    """Draw at most `CONTROLS` windows an order.

    Args:
        orders: to be matched.
        busy: every order that a window must avoid; `orders` and any others.
        rng: chooses among the windows that match.
    """
    inside = market.run_of(orders.start_ns - _LEAD_NS, orders.end_ns) >= 0
    orders = orders.take(inside)
    grid = np.concatenate(
        [np.arange(a + _LEAD_NS, b, GRID_NS) for a, b in zip(market.run_start_ns, market.run_end_ns, strict=True)]
    )
    volatility = market.volatility_bps(grid)
    grid, volatility = grid[np.isfinite(volatility)], volatility[np.isfinite(volatility)]
    own = market.volatility_bps(orders.start_ns)
    bounds = np.quantile(volatility, [1 / 3, 2 / 3]) if len(volatility) else np.zeros(2)
    tercile, own_tercile = np.searchsorted(bounds, volatility), np.searchsorted(bounds, own)
    clock = time_of_day_ns(grid)
    matched, windows = [], []
    for i in range(len(orders)):
        apart = np.abs(clock - time_of_day_ns(orders.start_ns[i]))
        fits = (np.minimum(apart, NS_PER_DAY - apart) <= BAND_NS) & (tercile == own_tercile[i]) & np.isfinite(own[i])
        start = grid[fits]
        end = start + (orders.end_ns[i] - orders.start_ns[i])
        start = start[(market.run_of(start - _LEAD_NS, end) >= 0) & ~overlaps(busy, start - _LEAD_NS, end)]
        if len(start):
            matched.append(i)
            windows.append(rng.choice(start, min(CONTROLS, len(start)), replace=False))
    kept = orders.take(np.array(matched, np.int64))
    order = np.repeat(np.arange(len(kept)), [len(w) for w in windows])
    start_ns = np.concatenate(windows) if windows else np.zeros(0, np.int64)
    return Matched(kept, order, start_ns, start_ns + (kept.end_ns - kept.start_ns)[order])


def overlaps(busy: WorkedOrders, start_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
    """True for every window [start, end] that an order is worked in."""
    begun = np.searchsorted(busy.start_ns, end_ns, side="right")
    ended = np.searchsorted(np.sort(busy.end_ns), start_ns, side="left")
    return begun > ended
