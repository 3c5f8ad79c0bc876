"""Momentum ignition: a burst of one-sided market orders moves the price, which then reverts under opposite trading.

Delegated Regulation (EU) 2016/522, Annex II, Section 1 lists it: orders or transactions likely to start or exacerbate a
trend, so that a position can be closed or opened at a favourable price. On a tape it is a spike with two legs, both
carried by trades. The last minute is kept second by second; at the end of each:

    spike = the lesser of the rise over at most 20 s and the fall since, at most 40 s after (mirrored for a fall)
    multiple = the lesser of spike / usual move and net volume of the rise / usual volume
    share = one-sidedness of the trading in the rise x opposite one-sidedness in the fall
    score = log(multiple x share)

The usual move is the mean absolute one over 10 s, at least half the mean spread; the usual volume is the mean over 10 s
and one typical market order; half-lives are 30 minutes. A spike counts once half of its first leg is back.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.manipulation.candidate import Kind, write
from footprint.features.windows import MARK_MEAN, THIRTY_MINUTES, Record, mark, mark_mean
from footprint.units import NS_PER_SECOND

RING = 64  # seconds kept
FIRST_LEG_S, SECOND_LEG_S, USUAL_S = 20, 40, 10
_LEAST_USUAL_TICKS = 0.5
_KIND = int(Kind.MOMENTUM_IGNITION)

SECONDS = np.dtype(
    [
        ("count", np.int64),  # closed since the ring was last emptied
        ("mid", np.float64, (RING,)),  # at the end of each second, by count modulo RING
        ("bought", np.float64, (RING,)),  # lots in the session until then
        ("sold", np.float64, (RING,)),
        ("foot", np.int64, (2, RING)),  # second of the lowest and of the highest mid of the first leg up to here
        ("move_ticks", MARK_MEAN),
        ("volume", MARK_MEAN),
        ("spread_ticks", MARK_MEAN),
    ],
    align=True,
)


@njit(cache=True)
def close_second(
    log: Record, s: Record, end_ns: int, mid: float, spread: float, bought: float, sold: float, typical_lots: float
) -> float:
    """Add the second that ends and judge the spikes that end with it; the better score, 0 when there is none."""
    if math.isnan(mid):
        s.count = 0  # a spike must be seen whole
        return 0.0
    now = s.count % RING
    s.mid[now], s.bought[now], s.sold[now] = mid, bought, sold
    s.count += 1
    for row in range(2):
        s.foot[row, now] = _foot(s, s.count - 1, 1 - 2 * row)
    if s.count <= USUAL_S:
        return 0.0
    usual_ticks = max(mark_mean(s.move_ticks), 0.5 * mark_mean(s.spread_ticks), _LEAST_USUAL_TICKS)
    usual_lots = mark_mean(s.volume) + typical_lots
    earlier = (s.count - 1 - USUAL_S) % RING
    mark(s.move_ticks, end_ns, abs(mid - s.mid[earlier]), 1.0, THIRTY_MINUTES)
    mark(s.spread_ticks, end_ns, spread, 1.0, THIRTY_MINUTES)
    mark(s.volume, end_ns, bought + sold - s.bought[earlier] - s.sold[earlier], 1.0, THIRTY_MINUTES)
    if math.isnan(usual_ticks) or math.isnan(usual_lots):
        return 0.0
    up = _judge(log, s, end_ns, 1, usual_ticks, usual_lots, typical_lots)
    down = _judge(log, s, end_ns, -1, usual_ticks, usual_lots, typical_lots)
    return max(up, down)


@njit(cache=True)
def _judge(
    log: Record, s: Record, end_ns: int, side: int, usual_ticks: float, usual_lots: float, typical_lots: float
) -> float:
    last = s.count - 1
    peak = _peak(s, last, side)
    base = s.foot[0 if side > 0 else 1, peak % RING]
    now, top, foot = last % RING, peak % RING, base % RING
    rise, fall = side * (s.mid[top] - s.mid[foot]), side * (s.mid[top] - s.mid[now])
    spike = min(rise, fall)
    if not (2.0 * fall >= rise and spike > usual_ticks):
        return 0.0
    with_rise, with_fall = _net(s, foot, top, side), _net(s, top, now, -side)
    multiple = min(spike / usual_ticks, with_rise / usual_lots)
    share = _one_sided(s, foot, top, with_rise, typical_lots) * _one_sided(s, top, now, with_fall, typical_lots)
    if multiple * share <= 1.0:
        return 0.0
    score = math.log(multiple * share)
    start_ns = end_ns - (last - base) * NS_PER_SECOND
    write(log, _KIND, side, start_ns, end_ns, end_ns, score, spike, multiple, share, peak - base)
    return score


@njit(cache=True)
def _foot(s: Record, last: int, side: int) -> int:
    """Second with the lowest (side +1) or highest (-1) mid of the last 20 s, the latest of equals."""
    found = last
    for k in range(last - 1, max(last - FIRST_LEG_S, 0) - 1, -1):
        if side * (s.mid[k % RING] - s.mid[found % RING]) < 0.0:
            found = k
    return found


@njit(cache=True)
def _peak(s: Record, last: int, side: int) -> int:
    """Second of the last 40 s on which the highest spike stands; of equals the one with most net volume until then.

    A price that stands still at the top does not say where the trading turned.
    """
    found, highest, most = last, 0.0, -np.inf
    for k in range(last, max(last - SECOND_LEG_S, 0) - 1, -1):
        i = k % RING
        foot = s.foot[0 if side > 0 else 1, i] % RING
        spike = min(side * (s.mid[i] - s.mid[foot]), side * (s.mid[i] - s.mid[last % RING]))
        net = side * (s.bought[i] - s.sold[i])
        if spike > highest or (spike == highest and net > most):
            found, highest, most = k, spike, net
    return found


@njit(cache=True)
def _net(s: Record, start: int, stop: int, side: int) -> float:
    """Lots of `side` less lots of the other one between two places of the ring, at least 0."""
    return max(side * ((s.bought[stop] - s.bought[start]) - (s.sold[stop] - s.sold[start])), 0.0)


@njit(cache=True)
def _one_sided(s: Record, start: int, stop: int, net: float, typical_lots: float) -> float:
    return net / (s.bought[stop] - s.bought[start] + s.sold[stop] - s.sold[start] + typical_lots)
