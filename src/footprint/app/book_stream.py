"""Seeded order flow for the benchmark of the books: one market, seen as order entry, as order feed and as level feed.

Orders arrive around a touch that they move themselves: limit orders at an exponential distance behind it, or one tick
inside a wider spread; cancels hit any resting order alike; market orders lean against a touch that has wandered off.
Sizes and times between messages are exponential too. The book behind it is plain Python and slow, written to be read,
and its last state is what every fast book is checked against. The draws follow one fixed order, so that a seed gives
the same columns wherever this flow is implemented.
"""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

LIMIT, CANCEL, MARKET = range(3)  # kinds of order entry
ADDED, DELETED, REDUCED, FILLED, TRADED = range(5)  # kinds of the order feed; REDUCED gives the lots left
SET, PRINTED = range(2)  # kinds of the level feed
BUY, SELL = range(2)

CENTRE_TICKS = 20_000
_START_NS, _MEAN_GAP_NS = 1_000_000_000, 20_000
_MEAN_LOTS, _MEAN_MARKET_LOTS = 100, 150


class Columns(NamedTuple):
    """One view of the market, arrays of one length; the level feed has no order ids (None).

    Attributes:
        kind, side: int8, the codes above.
        price_ticks, size_lots: int32.
        order_id, time_ns: int64.
    """

    kind: np.ndarray
    side: np.ndarray
    price_ticks: np.ndarray
    size_lots: np.ndarray
    order_id: np.ndarray | None
    time_ns: np.ndarray


class Stream(NamedTuple):
    """The three views of one market and what its book holds in the end.

    Attributes:
        entry, orders, levels: what the exchange receives, what it publishes order by order and level by level.
        live_orders: orders resting in the end.
        book: int64 of shape (levels, 3): side (BUY, SELL), ticks, lots, sorted.
    """

    entry: Columns
    orders: Columns
    levels: Columns
    live_orders: int
    book: np.ndarray


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of messages, how many orders shall rest, and where.

    Attributes:
        cancel, market: shares of cancels and market orders; limit orders are the rest.
        resting: cancels become more likely above so many orders and less below; None lets the book grow.
        distance_ticks: mean distance of a limit order behind the touch.
        prefill: limit orders before the mix sets in.
    """

    cancel: float
    market: float
    resting: int | None
    distance_ticks: float = 4.0
    prefill: int = 500


STEADY = Mix(cancel=0.46, market=0.04, resting=2_000)
GROWING = Mix(cancel=0.25, market=0.05, resting=None)


@dataclass(slots=True)
class _Order:
    side: int
    price: int
    lots: int
    place: int  # in the list of resting ids


@dataclass(slots=True)
class _Tape:
    """Rows of one view as they come."""

    columns: tuple[array, ...] = field(default_factory=lambda: tuple(array(code) for code in "bbiiqq"))

    def row(self, *values: int) -> None:
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    def arrays(self, with_ids: bool) -> Columns:
        kind, side, price, size, order_id, time = (np.array(column) for column in self.columns)
        return Columns(kind, side, price, size, order_id if with_ids else None, time)


class OrderFlow:
    """A market that can be run on; each seed and mix has one history, of which a shorter run sees the beginning."""

    def __init__(self, mix: Mix, seed: int = 7) -> None:
        self.mix = mix
        self._random = random.Random(seed)
        self._entry, self._feed, self._level_feed = _Tape(), _Tape(), _Tape()
        self._orders: dict[int, _Order] = {}
        self._resting: list[int] = []
        self._queues: tuple[dict[int, dict[int, None]], ...] = ({}, {})  # price -> ids in order of arrival
        self._sizes: tuple[dict[int, int], ...] = ({}, {})
        self._best = [CENTRE_TICKS - 1, CENTRE_TICKS + 1]
        self._time_ns, self._next_id = _START_NS, 1
        for number in range(mix.prefill):
            side = number % 2
            behind = 1 + self._exponential(mix.distance_ticks)
            self._limit(side, CENTRE_TICKS - behind if side == BUY else CENTRE_TICKS + behind)
            self._time_ns += 1

    def run(self, steps: int) -> None:
        """Let so many messages arrive; one that would empty a side does not happen."""
        for _ in range(steps):
            self._time_ns += 1 + self._exponential(_MEAN_GAP_NS)
            self._step()

    def stream(self) -> Stream:
        """Everything so far."""
        book = [(side, price, self._sizes[side][price]) for side in (BUY, SELL) for price in sorted(self._sizes[side])]
        return Stream(
            self._entry.arrays(True),
            self._feed.arrays(True),
            self._level_feed.arrays(False),
            len(self._resting),
            np.array(book, np.int64),
        )

    def _step(self) -> None:
        cancel = self.mix.cancel
        if self.mix.resting is not None:
            cancel += 0.06 if len(self._resting) > self.mix.resting else -0.06
        draw = self._random.random()
        if len(self._resting) < 50 or draw >= cancel + self.mix.market:
            side = BUY if self._random.random() < 0.5 else SELL
            self._limit(side, self._limit_price(side))
        elif draw < cancel:
            self._cancel(self._resting[int(self._random.random() * len(self._resting))])
        else:
            self._market()

    def _exponential(self, mean: float) -> int:
        return int(self._random.expovariate(1.0 / mean))

    def _limit_price(self, side: int) -> int:
        inside = self._best[SELL] - self._best[BUY] > 1 and self._random.random() < 0.3
        behind = -1 if inside else self._exponential(self.mix.distance_ticks)
        if side == BUY:
            return max(1, self._best[BUY] - behind)
        return min(2 * CENTRE_TICKS - 1, self._best[SELL] + behind)

    def _limit(self, side: int, price: int) -> None:
        lots, order_id = 1 + self._exponential(_MEAN_LOTS), self._take_id()
        self._entry.row(LIMIT, side, price, lots, order_id, self._time_ns)
        self._feed.row(ADDED, side, price, lots, order_id, self._time_ns)
        self._queues[side].setdefault(price, {})[order_id] = None
        self._orders[order_id] = _Order(side, price, lots, len(self._resting))
        self._resting.append(order_id)
        better = price > self._best[BUY] if side == BUY else price < self._best[SELL]
        if better:
            self._best[side] = price
        self._set_level(side, price, self._sizes[side].get(price, 0) + lots)

    def _cancel(self, order_id: int) -> None:
        order = self._orders[order_id]
        if len(self._queues[order.side]) == 1 and len(self._queues[order.side][order.price]) == 1:
            return
        self._entry.row(CANCEL, order.side, order.price, order.lots, order_id, self._time_ns)
        self._feed.row(DELETED, order.side, order.price, 0, order_id, self._time_ns)
        self._remove(order_id)
        self._set_level(order.side, order.price, self._sizes[order.side][order.price] - order.lots)

    def _market(self) -> None:
        lean = max(-0.4, min(0.4, (self._best[BUY] - CENTRE_TICKS) / 200.0))
        side = BUY if self._random.random() < 0.5 - lean else SELL
        against = 1 - side
        if len(self._queues[against]) < 6:
            return
        left = 1 + self._exponential(_MEAN_MARKET_LOTS)
        self._entry.row(MARKET, side, 0, left, self._take_id(), self._time_ns)
        while left and len(self._queues[against]) > 2:
            left -= self._take_from(side, against, self._best[against], left)

    def _take_from(self, side: int, against: int, price: int, wanted: int) -> int:
        """Trade at one price; the lots traded."""
        shown = self._sizes[against][price]
        printed = min(wanted, shown)
        self._feed.row(TRADED, side, price, printed, 0, self._time_ns)
        self._level_feed.row(PRINTED, side, price, printed, 0, self._time_ns)
        for order_id, lots in self._oldest(against, price, printed):
            order = self._orders[order_id]
            order.lots -= lots
            self._feed.row(FILLED, against, price, lots, order_id, self._time_ns)
            if order.lots:
                self._feed.row(REDUCED, against, price, order.lots, order_id, self._time_ns)
            else:
                self._feed.row(DELETED, against, price, 0, order_id, self._time_ns)
                self._remove(order_id)
        self._set_level(against, price, shown - printed)
        return printed

    def _oldest(self, side: int, price: int, lots: int) -> list[tuple[int, int]]:
        """Ids at a price and the lots of each, oldest first, up to a total."""
        taken: list[tuple[int, int]] = []
        for order_id in self._queues[side][price]:
            taken.append((order_id, min(lots, self._orders[order_id].lots)))
            lots -= taken[-1][1]
            if not lots:
                break
        return taken

    def _remove(self, order_id: int) -> None:
        order = self._orders.pop(order_id)
        queue = self._queues[order.side][order.price]
        del queue[order_id]
        last = self._resting.pop()
        if last != order_id:
            self._resting[order.place] = last
            self._orders[last].place = order.place
        if not queue:
            self._close_level(order.side, order.price)

    def _close_level(self, side: int, price: int) -> None:
        queues, step = self._queues[side], -1 if side == BUY else 1
        del queues[price]
        if price == self._best[side] and queues:
            while price not in queues:
                price += step
            self._best[side] = price

    def _set_level(self, side: int, price: int, lots: int) -> None:
        self._level_feed.row(SET, side, price, lots, 0, self._time_ns)
        if lots:
            self._sizes[side][price] = lots
        else:
            del self._sizes[side][price]

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def make_stream(mix: Mix, steps: int, seed: int = 7) -> Stream:
    """The market of a seed after so many messages."""
    flow = OrderFlow(mix, seed)
    flow.run(steps)
    return flow.stream()
