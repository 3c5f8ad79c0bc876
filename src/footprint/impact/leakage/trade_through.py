"""Trade-through rate: prints worse than the best opposite quote that stood strictly before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.book.view import NO_PRICE
from footprint.data.mid import default_mid_rule
from footprint.data.prepare import PreparedSession
from footprint.impact.leakage.blocks import Blocks
from footprint.impact.leakage.measure import Kind, Measure
from footprint.market.events import EventFlag, EventKind, event_time_ns

MIN_PRINTS = 200

RATE = Kind(
    "trade_through_rate", "share",
    "Does not prove a worse execution than could be had: a sweep of several levels and a quote that had already moved "
    "look the same.",
)  # fmt: skip
KINDS = (RATE,)


@dataclass(frozen=True, slots=True)
class Prints:
    """Signed prints of a session that had an opposite quote before them, arrays of shape (n,).

    Attributes:
        worse: the price was strictly beyond that quote.
    """

    time_ns: np.ndarray
    worse: np.ndarray


def prints_of(prepared: PreparedSession) -> Prints:
    """Prints within the hours of the child tape, each against the quote strictly before its timestamp, less the lag of
    the market's mid rule.
    """
    events, tape = prepared.events, prepared.tape
    time_ns = event_time_ns(events)
    sideless = (events["flags"] & (EventFlag.AUCTION | EventFlag.OFF_EXCHANGE)) != 0
    mine = (events["kind"] == EventKind.TRADE) & (events["side"] != 0) & ~sideless
    if len(tape):
        mine &= (time_ns >= tape.time_ns[0]) & (time_ns <= tape.time_ns[-1])
    place = np.flatnonzero(mine)
    quote = np.searchsorted(time_ns, time_ns[place] - default_mid_rule(prepared.session).lag_ns, side="left") - 1
    side, price = events["side"][place].astype(np.int64), events["price_ticks"][place]
    view = prepared.views[quote]
    opposite = np.where(side > 0, view["ask_ticks"], view["bid_ticks"])
    known = (quote >= 0) & (opposite != NO_PRICE)
    return Prints(time_ns[place][known], (side * (price - opposite) > 0)[known])


def trade_through_rate(prints: Sequence[Prints], block_s: float, rng: np.random.Generator) -> list[Measure]:
    """Share of the prints of several sessions that were beyond the quote."""
    time_ns, worse = np.concatenate([p.time_ns for p in prints]), np.concatenate([p.worse for p in prints])
    if len(worse) < MIN_PRINTS:
        return [RATE.unknown(f"{len(worse)} prints with a quote, needs {MIN_PRINTS}", len(worse), block_s)]
    blocks = Blocks.draw(time_ns, block_s, rng)
    return [RATE.of(blocks.means(worse[:, None].astype(np.float64))[:, 0], blocks)]
