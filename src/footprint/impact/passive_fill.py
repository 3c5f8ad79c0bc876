"""What resting instead of crossing is worth, from virtual orders at the back of the queue of a real tape.

A virtual order of one side joins the best price behind everything displayed there. It fills when the volume traded at
its price exceeds what stood ahead, or when the market prints or quotes through it. Cancellations ahead are not credited
(the careful side); the order's own size is taken as small against what stands ahead (the hopeful side). What does not
fill within the wait is crossed. Per child, in half-spreads at placement,

    cost = p (-1 + a) + (1 - p) c

with p the fill probability, -1 the half-spread earned, a the adverse selection (the mid's move against the order from
placement to a while after the fill), and c the half-spread paid by crossing the rest. The drift that unfilled orders
chase is the mirror of a (optional stopping of a martingale mid) and is counted once, in a.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from footprint.market.events import EventKind, event_time_ns
from footprint.units import NS_PER_SECOND

WAITS_S = (5.0, 15.0, 60.0, 180.0, 600.0)
MARKOUT_S = 10.0
MIN_ORDERS = 100
_TRADE = int(EventKind.TRADE)


@dataclass(frozen=True, slots=True)
class PassiveFill:
    """Estimates per wait; arrays of shape (len(waits_s),), costs in half-spreads at placement.

    Attributes:
        fill_probability: share of virtual orders filled within the wait.
        adverse: mean move of the mid against a filled order until 10 s after its fill, positive hurts.
        crossing: mean half-spread at the end of the wait, of the orders that did not fill.
        cost: p (-1 + a) + (1 - p) c.
        cost_sd: standard deviation of one child's cost.
        orders: number of virtual orders behind each figure.
    """

    waits_s: np.ndarray
    fill_probability: np.ndarray
    adverse: np.ndarray
    crossing: np.ndarray
    cost: np.ndarray
    cost_sd: np.ndarray
    orders: int

    def at(self, wait_s: float) -> tuple[float, float, float]:
        """(fill probability, cost, cost sd) at a wait, linear in its log, held beyond the grid."""
        where = np.log(np.clip(wait_s, self.waits_s[0], self.waits_s[-1]))
        grid = np.log(self.waits_s)
        return (
            float(np.interp(where, grid, self.fill_probability)),
            float(np.interp(where, grid, self.cost)),
            float(np.interp(where, grid, self.cost_sd)),
        )


def passive_fill(
    events: np.ndarray, views: np.ndarray, rng: np.random.Generator, orders: int = 400
) -> PassiveFill | None:
    """Estimate from one stretch of tape; None where it has too few moments with displayed sizes on both sides.

    Args:
        events: EVENT_DTYPE with signed trades, in order of arrival.
        views: VIEW_DTYPE, the book after each event.
        orders: virtual orders, at random events, sides alternating.
    """
    times = event_time_ns(events)
    possible = (
        (views["bid_lots"] > 0)
        & (views["ask_lots"] > 0)
        & (views["spread_ticks"] > 0)
        & (times <= times[-1:] - int((WAITS_S[-1] + MARKOUT_S) * NS_PER_SECOND))
    )
    candidates = np.flatnonzero(possible)
    if len(candidates) < MIN_ORDERS:
        return None
    placed = np.sort(rng.choice(candidates, size=min(orders, len(candidates)), replace=False))
    side = np.where(np.arange(len(placed)) % 2 == 0, 1, -1)
    followed = [_follow(events, views, times, placed, side, wait_s, MARKOUT_S) for wait_s in WAITS_S]
    probability, adverse, crossing, cost, cost_sd = np.array([_estimate(*outcome) for outcome in followed]).T
    return PassiveFill(np.array(WAITS_S), probability, adverse, crossing, cost, cost_sd, len(placed))


def _estimate(
    filled: np.ndarray, adverse: np.ndarray, crossing: np.ndarray
) -> tuple[float, float, float, float, float]:
    """Fill probability, adverse selection, crossing, mean cost and its deviation over the orders with a known end."""
    cost = np.where(filled, adverse - 1.0, crossing)
    known = np.isfinite(cost)
    cost, filled, adverse, crossing = cost[known], filled[known], adverse[known], crossing[known]
    return (
        float(filled.mean()),
        float(adverse[filled].mean()) if filled.any() else 0.0,
        float(crossing[~filled].mean()) if not filled.all() else 0.0,
        float(cost.mean()),
        float(cost.std()),
    )


@njit(cache=True)
def _follow(events, views, times, placed, side, wait_s, markout_s):  # type: ignore[no-untyped-def]
    """Whether each virtual order fills, its adverse move, and the half-spread at the end, in half-spreads."""
    n = placed.shape[0]
    filled = np.zeros(n, np.bool_)
    adverse = np.full(n, np.nan)
    crossing = np.full(n, np.nan)
    for k in range(n):
        i, e = placed[k], side[k]
        start = views[i]
        price = start.bid_ticks if e > 0 else start.ask_ticks
        ahead = start.bid_lots if e > 0 else start.ask_lots
        half = 0.5 * start.spread_ticks
        until = times[i] + np.int64(wait_s * 1e9)
        fill_time = np.int64(-1)
        last = i
        for j in range(i + 1, events.shape[0]):
            if fill_time < 0 and times[j] > until:
                break
            if fill_time >= 0 and times[j] > fill_time + np.int64(markout_s * 1e9):
                break
            last = j
            if fill_time >= 0:
                continue
            event = events[j]
            if event.kind == _TRADE and event.side == -e:
                beyond = e * (event.price_ticks - price)
                if beyond < 0:
                    ahead = np.int64(-1)
                elif beyond == 0:
                    ahead -= event.size_lots
            opposite = views[j].ask_ticks if e > 0 else views[j].bid_ticks
            if ahead < 0 or (opposite > 0 and e * (opposite - price) <= 0):
                fill_time = times[j]
        if fill_time >= 0:
            filled[k] = True
            adverse[k] = -e * (views[last].mid_ticks - start.mid_ticks) / half
        else:
            crossing[k] = 0.5 * views[last].spread_ticks / half
    return filled, adverse, crossing
