"""Does the leakage of an order show when it is planted, and nothing when there is none?

A planted market has a busy and a quiet time, volatility that wanders, and market orders of persistent signs that move
the mid. Orders are worked by resting, so that they print nothing themselves. When they leak, market orders of other
people come on their side, from five minutes before the start to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.blocks import BLOCK_S
from footprint.impact.leakage.matched import LEAD_S
from footprint.impact.leakage.measure import Measure
from footprint.impact.leakage.order_leakage import NULLS, order_leakage
from footprint.impact.leakage.orders import WorkedOrders
from footprint.units import BPS, NS_PER_DAY, NS_PER_SECOND

DAYS = 5
DAY_S = 23_400
ORDERS_A_DAY = 10
ORDER_S = (300.0, 900.0)
RATE_PER_S = 0.2
IMPACT_BPS = 0.3  # of a market order of mean size
NOISE_BPS = 0.5  # per root second, of nobody
FIRST_DAY_NS = 19_000 * NS_PER_DAY + 14 * 3600 * NS_PER_SECOND


class PlantedMarket(NamedTuple):
    """Sessions in order of time, and the orders worked in them."""

    tapes: list[ChildTape]
    orders: WorkedOrders


def planted_market(leak: float, rng: np.random.Generator, days: int = DAYS) -> PlantedMarket:
    """Draw a market.

    Args:
        leak: additional market orders on an order's side, in units of the usual rate of one side; 0 is no leak.
    """
    parts = [_day(day, leak, rng) for day in range(days)]
    columns = zip(*(part.orders for part in parts), strict=True)
    return PlantedMarket([part.tape for part in parts], WorkedOrders(*(np.concatenate(column) for column in columns)))


def found(leak: float, seed: int, days: int = DAYS) -> list[Measure]:
    """The leakage figures of one planted market."""
    rng = np.random.default_rng(seed)
    market = planted_market(leak, rng, days)
    return order_leakage(market.tapes, market.orders, BLOCK_S, rng)


def detections(leak: float, seeds: Sequence[int], days: int = DAYS) -> dict[str, float]:
    """Share of the seeds in which the interval of each figure excludes "nothing was seen"."""
    runs = [found(leak, seed, days) for seed in seeds]
    return {kind.name: float(np.mean([run[k].excludes(null) for run in runs])) for k, (kind, null) in enumerate(NULLS)}


class _Day(NamedTuple):
    tape: ChildTape
    orders: tuple[np.ndarray, ...]


def _day(day: int, leak: float, rng: np.random.Generator) -> _Day:
    second = np.arange(DAY_S)
    busy = 1.0 + 0.6 * (2.0 * second / DAY_S - 1.0) ** 2 + 0.3 * np.sin(rng.uniform(0, 7) + second / 1500.0)
    start, end, side = _orders(rng)
    towards = np.zeros(DAY_S)
    for a, b, e in zip(start, end, side, strict=True):
        towards[int(max(a - LEAD_S, 0)) : int(b)] += e
    usual, extra = rng.poisson(RATE_PER_S * busy), rng.poisson(leak * np.abs(towards) * RATE_PER_S / 2.0)
    at = np.concatenate([np.repeat(second, usual), np.repeat(second, extra)])
    sign = np.concatenate([_persistent(usual.sum(), rng), np.repeat(np.sign(towards), extra)])
    moment = at + rng.random(len(at))
    order = np.argsort(moment, kind="stable")
    moment, sign = moment[order], sign[order]
    size = rng.lognormal(0.0, 0.7, len(moment))
    noise = NOISE_BPS * np.sqrt(np.diff(moment, prepend=0.0) * busy[moment.astype(np.int64)])
    before = np.cumsum(noise * rng.standard_normal(len(moment)) + np.append(0.0, IMPACT_BPS * (sign * size)[:-1]))
    after = before + IMPACT_BPS * sign * size
    open_ns = FIRST_DAY_NS + day * NS_PER_DAY
    time_ns = open_ns + (moment * NS_PER_SECOND).astype(np.int64)
    mid = 100.0 * np.exp(before / BPS)
    nobody = np.zeros(len(moment), np.int64)
    tape = ChildTape(
        time_ns=time_ns,
        sign=sign.astype(np.int8),
        quantity=size,
        price=mid * (1.0 + sign / BPS),
        mid_before=mid,
        known_mid=mid,
        event_index=np.arange(len(moment)),
        segment=nobody,
        parent_id=nobody - 1,
        mid_time_ns=time_ns,
        mid=100.0 * np.exp(after / BPS),
    )
    clock = [open_ns + (t * NS_PER_SECOND).astype(np.int64) for t in (start, end)]
    return _Day(tape, (side, *clock, np.full(len(side), 100.0), np.zeros(len(side))))


def _orders(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start and end, seconds after the open, and side: one order in each equal part of the day."""
    part = (DAY_S - LEAD_S) / ORDERS_A_DAY
    length = rng.uniform(*ORDER_S, ORDERS_A_DAY)
    start = LEAD_S + part * np.arange(ORDERS_A_DAY) + rng.uniform(0, part - length - LEAD_S)
    return start, start + length, rng.choice([-1.0, 1.0], ORDERS_A_DAY)


def _persistent(count: int, rng: np.random.Generator) -> np.ndarray:
    """Signs that repeat the last one with probability 0.65."""
    turns = np.where(rng.random(count) < 0.35, -1.0, 1.0)
    return rng.choice([-1.0, 1.0]) * np.cumprod(turns)
