"""A synthetic tape in three market regimes whose times are known exactly.

A continuous-time Markov chain moves between calm, normal and stressed. A regime sets the rate of trades and of quote
changes, volatility, spread, depth, how long a spread stays wide after a large trade, and which share of the variance
trades cause. That share makes the impact: with signs that persist, the mean move of an order in units of volatility
grows with the root of the share, so the prefactor of the square-root law is another one in each regime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from footprint.data.session import Session
from footprint.data.synthetic import FIRST_DAY, SYNTHETIC, SYNTHETIC_HOURS
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.units import BPS, NS_PER_SECOND

REGIMES = ("calm", "normal", "stressed")
_WIDER = 2.5  # times the usual spread, after a large trade
_LARGE = 2.0  # times the mean size
_SIZE_SIGMA = 0.8  # sd of the log trade size
_BLOCK_S = 45.0  # spread and depth wander from one block of time to the next
_WIDE_BLOCKS = 0.4  # share of the blocks in which the spread is a tick wider
_DEPTH_SIGMA = 0.5  # sd of the log size at a touch
_DEPTH_BLOCK_SIGMA = 0.25  # sd of its mean from one block to the next
_QUOTE_DELAY_NS = 50_000
_ROW_GAP_NS = 100_000
_DAYS_OF_WEEK = 5


@dataclass(frozen=True, slots=True)
class RegimeShape:
    """The planted truth; each tuple has one value a regime.

    Attributes:
        trades_per_s, refreshes_per_s: market orders, and quote changes that follow none.
        volatility: bps per sqrt(second).
        spread_ticks: usual spread.
        depth_lots: median size at a touch.
        repair_s: mean time for which the spread stays wide after a large trade.
        trade_share: share of the variance that trades cause.
        dwell_s: mean stay.
        moves: chance of the next regime, row = present one; the diagonal is 0.
        persistence: chance that a trade takes the side of the one before instead of a fair draw.
        open_ticks, mean_lots: price at the first open, mean trade size.
    """

    trades_per_s: tuple[float, ...] = (0.15, 0.3, 0.6)
    refreshes_per_s: tuple[float, ...] = (0.2, 0.3, 0.5)
    volatility: tuple[float, ...] = (0.6, 0.9, 1.7)
    spread_ticks: tuple[int, ...] = (2, 3, 4)
    depth_lots: tuple[float, ...] = (3_000.0, 2_000.0, 1_000.0)
    repair_s: tuple[float, ...] = (1.0, 3.0, 9.0)
    trade_share: tuple[float, ...] = (0.05, 0.25, 0.7)
    dwell_s: tuple[float, ...] = (2_400.0, 2_400.0, 1_800.0)
    moves: tuple[tuple[float, ...], ...] = ((0.0, 0.7, 0.3), (0.5, 0.0, 0.5), (0.3, 0.7, 0.0))
    persistence: float = 0.6
    open_ticks: float = 10_000.0
    mean_lots: float = 200.0


@dataclass(frozen=True, slots=True)
class RegimeDay:
    """A trading day and its truth: regime number `regime[i]` from `since_ns[i]` (ns UTC) on, shape (k,)."""

    session: Session
    since_ns: np.ndarray
    regime: np.ndarray

    def at(self, time_ns: np.ndarray) -> np.ndarray:
        """Regime in force at each time, number in `REGIMES`."""
        return self.regime[np.searchsorted(self.since_ns, time_ns, side="right") - 1]


def planted_regime_days(days: int, rng: np.random.Generator, shape: RegimeShape = RegimeShape()) -> Iterator[RegimeDay]:
    """Weekdays of "SYNTH" from 2024-01-08 on, about 25,000 events each.

    The regime at an open is drawn afresh; the price goes on where it closed.
    """
    mid_ticks = shape.open_ticks
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number + 2 * (number // _DAYS_OF_WEEK))
        open_ns, close_ns = SYNTHETIC_HOURS.on(day)
        span_s = (close_ns - open_ns) / NS_PER_SECOND
        since_s, regime = _regime_path(span_s, shape, rng)
        events, mid_ticks = _day_events(since_s, regime, span_s, mid_ticks, shape, rng)
        for clock in ("exchange_time_ns", "receive_time_ns"):
            events[clock] += open_ns
        trades = int(np.count_nonzero(events["kind"] == EventKind.TRADE))
        counts = {"trades": trades, "quotes": len(events) - trades}
        session = Session(SYNTHETIC, day, events, open_ns, close_ns, "synthetic", counts)
        yield RegimeDay(session, open_ns + (since_s * NS_PER_SECOND).astype(np.int64), regime)


def _regime_path(span_s: float, shape: RegimeShape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Start of each stay, seconds after the open, and its regime."""
    since, regime = [0.0], [int(rng.integers(len(REGIMES)))]
    while True:
        time_s = since[-1] + rng.exponential(shape.dwell_s[regime[-1]])
        if time_s >= span_s:
            return np.array(since), np.array(regime)
        since.append(time_s)
        regime.append(int(rng.choice(len(REGIMES), p=shape.moves[regime[-1]])))


def _day_events(
    since_s: np.ndarray,
    regime: np.ndarray,
    span_s: float,
    mid_ticks: float,
    shape: RegimeShape,
    rng: np.random.Generator,
) -> tuple[np.ndarray, float]:
    """Events of one day on a clock from 0, and the last mid."""
    trade_s = _arrivals(since_s, regime, span_s, np.array(shape.trades_per_s), rng)
    blocks_s = np.arange(_BLOCK_S, span_s, _BLOCK_S)
    refresh_s = np.concatenate((blocks_s, _arrivals(since_s, regime, span_s, np.array(shape.refreshes_per_s), rng)))
    lots = np.maximum(np.rint(rng.lognormal(-0.5 * _SIZE_SIGMA**2, _SIZE_SIGMA, len(trade_s)) * shape.mean_lots), 1.0)
    large_s = trade_s[lots > _LARGE * shape.mean_lots]
    repair_s = np.array(shape.repair_s)[_state(since_s, regime, large_s)]
    repaired_s = large_s + rng.exponential(repair_s)

    time_s = np.concatenate(([0.0], trade_s, refresh_s, repaired_s))
    signed = np.concatenate(([0.0], lots * _signs(len(lots), shape.persistence, rng), np.zeros(len(time_s))))
    order = np.argsort(time_s, kind="stable")
    order = order[time_s[order] < span_s - 1.0]
    time_s, signed = time_s[order], signed[: len(time_s)][order]
    state = _state(since_s, regime, time_s)
    mid = mid_ticks * np.exp(np.cumsum(_moves(time_s, signed, state, shape, rng)) / BPS)
    wide = _open_count(large_s, repaired_s, time_s) > 0
    block = (time_s / _BLOCK_S).astype(np.int64)
    more = (rng.random(len(blocks_s) + 1) < _WIDE_BLOCKS)[block]
    spread = np.rint((np.array(shape.spread_ticks)[state] + more) * np.where(wide, _WIDER, 1.0))
    bid = np.rint(mid - 0.5 * spread).astype(np.int64)
    ask = bid + spread.astype(np.int64)
    deep = np.array(shape.depth_lots)[state] * rng.lognormal(0.0, _DEPTH_BLOCK_SIGMA, len(blocks_s) + 1)[block]
    sizes = deep * rng.lognormal(0.0, _DEPTH_SIGMA, (2, len(state)))
    time_ns = _apart((time_s * NS_PER_SECOND).astype(np.int64))
    return _events(time_ns, signed, bid, ask, np.maximum(np.rint(sizes), 1).astype(np.int64)), float(mid[-1])


def _state(since_s: np.ndarray, regime: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    return regime[np.searchsorted(since_s, time_s, side="right") - 1]


def _arrivals(
    since_s: np.ndarray, regime: np.ndarray, span_s: float, rate_per_s: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Poisson arrivals at the rate of the regime in force, sorted."""
    length = np.diff(since_s, append=span_s)
    count = rng.poisson(rate_per_s[regime] * length)
    return np.sort(np.repeat(since_s, count) + rng.random(count.sum()) * np.repeat(length, count))


def _signs(count: int, persistence: float, rng: np.random.Generator) -> np.ndarray:
    """Markov signs, +1 or -1."""
    fresh = np.where(rng.random(count) < 0.5, -1, 1)
    drawn = np.where(rng.random(count) < persistence, 0, np.arange(count))
    return fresh[np.maximum.accumulate(drawn)]


def _moves(
    time_s: np.ndarray, signed: np.ndarray, state: np.ndarray, shape: RegimeShape, rng: np.random.Generator
) -> np.ndarray:
    """Log-mid move of every row, bps: diffusion since the row before, and sign x root of size for a trade."""
    volatility, share = np.array(shape.volatility), np.array(shape.trade_share)
    adds_up = (1.0 + shape.persistence) / (1.0 - shape.persistence)  # variance of a sum of persistent signs
    nudge = volatility * np.sqrt(share / (np.array(shape.trades_per_s) * adds_up))
    diffusion = volatility[state] * np.sqrt((1.0 - share[state]) * np.diff(time_s, prepend=0.0))
    impact = nudge[state] * np.sign(signed) * np.sqrt(np.abs(signed) / shape.mean_lots)
    return diffusion * rng.standard_normal(len(time_s)) + impact


def _open_count(start_s: np.ndarray, end_s: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """How many of the intervals [start, end) hold each time."""
    begun = np.searchsorted(start_s, time_s, side="right")
    return begun - np.searchsorted(np.sort(end_s), time_s, side="right")


def _apart(time_ns: np.ndarray) -> np.ndarray:
    """The same times, moved later so that neighbours are at least one row gap apart."""
    steps = np.arange(len(time_ns)) * _ROW_GAP_NS
    return np.maximum.accumulate(time_ns - steps) + steps


def _events(time_ns: np.ndarray, signed: np.ndarray, bid: np.ndarray, ask: np.ndarray, lots: np.ndarray) -> np.ndarray:
    """Per row: the trade (if any) at the touch on display, then both sides of the new best quote."""
    grid = empty_events(3 * len(time_ns)).reshape(-1, 3)
    rising = np.concatenate(([False], bid[1:] > bid[:-1]))
    every, bid_slot = np.arange(len(time_ns)), np.where(rising, 2, 1)  # the order that never crosses the book
    side = np.sign(signed).astype(np.int8)
    touch = np.where(side > 0, np.roll(ask, 1), np.roll(bid, 1))
    for slot, kind, of_side, price, size in (
        (np.zeros_like(bid_slot), EventKind.TRADE, side, touch, np.abs(signed)),
        (bid_slot, EventKind.QUOTE, 1, bid, lots[0]),
        (3 - bid_slot, EventKind.QUOTE, -1, ask, lots[1]),
    ):
        for field, value in (("kind", kind), ("side", of_side), ("price_ticks", price), ("size_lots", size)):
            grid[field][every, slot] = value
    grid["flags"][:, 0] = EventFlag.SIDE_GIVEN | EventFlag.LAST
    grid["flags"][:, 2] = EventFlag.LAST
    grid["exchange_time_ns"] = time_ns[:, None] + np.array([0, _QUOTE_DELAY_NS, _QUOTE_DELAY_NS])
    kept = np.ones(grid.shape, bool)
    kept[:, 0] = side != 0
    events = grid[kept]
    events["receive_time_ns"] = events["exchange_time_ns"]
    events["sequence"] = events["row"] = np.arange(1, len(events) + 1)
    return events
