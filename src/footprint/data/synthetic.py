"""The embedded demonstration market: events of a synthetic instrument whose impact law is planted and known.

Every row of a planted tape becomes a TRADE at the touch on display (nothing for a mere reading) and, 50 microseconds
later, both sides of the new best quote: mid minus and plus a random half-spread, rounded to ticks, with random sizes.
`order_id` of a TRADE is the planted parent + 1, 0 for background.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.signal import lfilter

from footprint.data.planted import PlantedLaw
from footprint.data.planted_tape import PlantedTape, planted_tape
from footprint.data.session import Session
from footprint.data.tape_shape import TapeShape
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import AssetClass, Instrument, TradingHours

SYNTHETIC_HOURS = TradingHours("UTC", 34_200, 57_600)
SYNTHETIC = Instrument(
    symbol="SYNTH",
    venue="synthetic",
    market="synthetic",
    asset_class=AssetClass.SYNTHETIC,
    currency="USD",
    tick_size=0.01,
    lot_size=1.0,
    hours=SYNTHETIC_HOURS,
)
FIRST_DAY = date(2024, 1, 8)

DEMO_SHAPE = TapeShape(
    parents_per_day=30,
    smallest=1e-4,
    child_units=600.0,
    most_children=1_000,
    side_persistence=0.2,
    background_trades=5_000,
    background_share=0.3,
    noise_ratio=3.2,
    u_shape=1.0,
)
_ROW_GAP_NS = 100_000  # two rows of the tape are never closer
_QUOTE_DELAY_NS = 50_000  # the quote follows its cause by this


@dataclass(frozen=True, slots=True)
class QuoteShape:
    """What surrounds the mid: price at the first open and half-spread in ticks, median size at a touch in lots."""

    open_ticks: float = 10_000.0
    half_spread_ticks: float = 1.2
    spread_sigma: float = 0.25  # sd of the log half-spread
    depth_lots: float = 2_000.0
    depth_sigma: float = 0.5  # sd of the fast part of the log size
    depth_memory: float = 0.995  # autocorrelation of the slow part from row to row
    hit_share: float = 0.6  # size left, on average, at the side just traded against


def planted_sessions(
    law: PlantedLaw,
    sessions: int,
    rng: np.random.Generator,
    shape: TapeShape = DEMO_SHAPE,
    quotes: QuoteShape = QuoteShape(),
    refreshes: int = 2_500,
) -> Iterator[Session]:
    """Trading days of "SYNTH", about 32,000 events and 5 million units each, the same for the same generator state.

    Args:
        law: the planted truth.
        rng: the only source of randomness.
        shape: order flow and noise.
        quotes: spread and depth.
        sessions: number of days, from 2024-01-08 on, weekends left out.
        refreshes: quote changes a day that follow no trade.
    """
    tape = planted_tape(law, shape, sessions, rng, refreshes=refreshes)
    open_ticks = quotes.open_ticks
    for number, day in enumerate(_business_days(sessions)):
        rows = slice(*np.searchsorted(tape.day, [number, number + 1]))
        open_ns, close_ns = SYNTHETIC_HOURS.on(day)
        mid_ticks = open_ticks * np.exp(tape.after[rows])
        events = _day_events(tape, rows, mid_ticks, open_ticks, open_ns, close_ns, quotes, rng)
        open_ticks = mid_ticks[-1]
        trades = int(np.count_nonzero(events["kind"] == EventKind.TRADE))
        counts = {"trades": trades, "quotes": len(events) - trades}
        yield Session(SYNTHETIC, day, events, open_ns, close_ns, "synthetic", counts)


def _business_days(count: int) -> Iterator[date]:
    day = FIRST_DAY
    while count > 0:
        if day.weekday() < 5:
            yield day
            count -= 1
        day += timedelta(days=1)


def _day_events(
    tape: PlantedTape,
    rows: slice,
    mid_ticks: np.ndarray,
    open_ticks: float,
    open_ns: int,
    close_ns: int,
    quotes: QuoteShape,
    rng: np.random.Generator,
) -> np.ndarray:
    """Events of one day: an opening quote, then one trade (if any) and one quote pair per row of the tape."""
    mid_ticks = np.concatenate(([open_ticks], mid_ticks))  # row 0 is the open
    sign = np.concatenate(([0], tape.sign[rows]))
    bid, ask = _touches(mid_ticks, quotes, rng)
    bid_lots, ask_lots = _sizes(sign, quotes, rng)
    time_ns = open_ns + _spaced(np.concatenate(([0], tape.time_ns[rows])), close_ns - open_ns)

    # Three slots a row: the trade, then the two sides of the quote in the order that never crosses the book.
    grid = empty_events(3 * len(sign)).reshape(-1, 3)
    rising = np.concatenate(([False], bid[1:] > bid[:-1]))
    ask_slot, bid_slot, every = np.where(rising, 1, 2), np.where(rising, 2, 1), np.arange(len(sign))
    _fill(grid, (every, bid_slot), EventKind.QUOTE, 1, bid, bid_lots)
    _fill(grid, (every, ask_slot), EventKind.QUOTE, -1, ask, ask_lots)
    grid["flags"][:, 2] = EventFlag.LAST
    touch = np.where(sign > 0, np.roll(ask, 1), np.roll(bid, 1))  # on display just before the row
    quantity = np.concatenate(([0.0], tape.quantity[rows])).astype(np.int64)
    _fill(grid, (every, 0), EventKind.TRADE, sign, touch, quantity)
    grid["flags"][:, 0] = EventFlag.SIDE_GIVEN | EventFlag.LAST
    grid["order_id"][1:, 0] = tape.parent[rows] + 1
    grid["exchange_time_ns"] = time_ns[:, None] + np.array([0, _QUOTE_DELAY_NS, _QUOTE_DELAY_NS])

    kept = np.ones(grid.shape, bool)
    kept[:, 0] = sign != 0
    events = grid[kept]
    events["receive_time_ns"] = events["exchange_time_ns"]
    events["sequence"] = events["row"] = np.arange(1, len(events) + 1)
    return events


def _fill(grid: np.ndarray, where: tuple, kind: EventKind, side: object, price: object, size: object) -> None:
    for field, value in (("kind", kind), ("side", side), ("price_ticks", price), ("size_lots", size)):
        grid[field][where] = value


def _spaced(time_ns: np.ndarray, span_ns: int) -> np.ndarray:
    """The same times, moved so that neighbours are at least one row gap apart and all quotes come before the close."""
    steps = np.arange(len(time_ns)) * _ROW_GAP_NS
    forward = np.maximum.accumulate(time_ns - steps) + steps
    return np.minimum(forward, span_ns - _ROW_GAP_NS - steps[::-1])


def _touches(mid_ticks: np.ndarray, quotes: QuoteShape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    half = quotes.half_spread_ticks * rng.lognormal(0.0, quotes.spread_sigma, len(mid_ticks))
    bid = np.rint(mid_ticks - half).astype(np.int64)
    return bid, np.maximum(np.rint(mid_ticks + half).astype(np.int64), bid + 1)


def _sizes(sign: np.ndarray, quotes: QuoteShape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sizes at the bid and the ask: a slow common level, a fast part of each side, less where a trade just took."""
    memory = quotes.depth_memory
    shocks = 0.3 * np.sqrt(1 - memory**2) * rng.standard_normal(len(sign))
    level = np.log(quotes.depth_lots) + lfilter([1.0], [1.0, -memory], shocks)
    fast = quotes.depth_sigma * rng.standard_normal((2, len(sign)))
    taken = np.log(quotes.hit_share) * np.stack([sign < 0, sign > 0])
    bid_lots, ask_lots = np.maximum(np.rint(np.exp(level + fast + taken)), 1).astype(np.int64)
    return bid_lots, ask_lots
