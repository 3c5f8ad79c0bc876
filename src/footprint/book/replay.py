"""The view of the book after each event: one compiled loop over a whole session.

Three sources of the book, one rule each:

- QUOTE events give the top of the book only;
- LEVEL events give a price-level book; when the same stream also carries quotes (a Binance bookTicker beside the depth
  stream), best prices and sizes come from the newest quote and depth sums from the price-level book;
- ADD, CANCEL, MODIFY, FILL events give an order-by-order book, used when the stream has neither quotes nor levels.

The book is consistent after an event flagged LAST only, so the view moves on there and is repeated in between: no row
shows half a message. A view without both sides, crossed, or inside a halt has no mid; a locked one has (spread 0).
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from footprint.book import ladder, order_kernels
from footprint.book.compiled import inlined, kernel
from footprint.book.orders import OrderBook
from footprint.book.price_levels import (
    PriceLevelBook,
    best_price,
    best_size,
    depth_of_levels,
    depth_within,
    set_level,
)
from footprint.book.view import NO_PRICE, SIZE_UNKNOWN, VIEW_DTYPE, empty_views
from footprint.errors import UsageError
from footprint.market.events import EventFlag, EventKind

DEPTH_LEVELS = 5
DEPTH_BPS = 10.0

_LEVEL, _QUOTE, _CLEAR = int(EventKind.LEVEL), int(EventKind.QUOTE), int(EventKind.CLEAR)
_HALT, _RESUME = int(EventKind.HALT), int(EventKind.RESUME)
_LAST, _NO_SIZE = int(EventFlag.LAST), int(EventFlag.SIZE_UNKNOWN)


class BookKind(Enum):
    """Which events carry the book."""

    LEVELS = "quotes and price levels"
    ORDERS = "order by order"


def book_kind(events: np.ndarray) -> BookKind:
    """ORDERS when a stream has order events and neither quotes nor levels, else LEVELS."""
    held = np.bincount(events["kind"], minlength=16)
    by_order = held[[EventKind.ADD, EventKind.CANCEL, EventKind.DELETE, EventKind.MODIFY, EventKind.FILL]].sum()
    return BookKind.ORDERS if by_order and not held[_LEVEL] and not held[_QUOTE] else BookKind.LEVELS


def views(events: np.ndarray, kind: BookKind | None = None) -> np.ndarray:
    """The book after each event of a session.

    Args:
        events: EVENT_DTYPE of shape (n,), in order of arrival.
        kind: which events carry the book; found by `book_kind` when None.

    Returns:
        VIEW_DTYPE array of shape (n,). `mid_ticks` is the mean of best bid and ask, `spread_ticks` their difference,
        both nan while a side is empty, the book is crossed or trading is halted.

    Raises:
        UsageError: no event is flagged LAST, so the book would never be consistent.
    """
    kind = kind or book_kind(events)
    if len(events) and not (events["flags"] & _LAST).any():
        raise UsageError("no event is flagged EventFlag.LAST: the end of every message must be marked")
    return BookReplay(kind).update(events)


class BookReplay:
    """A book fed by events in pieces of any length; single events, chunks and a whole day give the same views."""

    def __init__(self, kind: BookKind) -> None:
        self.kind = kind
        self.book: PriceLevelBook | OrderBook = PriceLevelBook() if kind is BookKind.LEVELS else OrderBook()
        self._view = empty_views(1)
        self._state = np.zeros(_STATE_SIZE, np.int64)

    def update(self, events: np.ndarray) -> np.ndarray:
        """Views (VIEW_DTYPE, same length) after each of the events (EVENT_DTYPE)."""
        rows = np.empty(len(events), VIEW_DTYPE)
        done = self._run(events, 0, rows)
        while done < len(events):
            self.book.grow()
            done = self._run(events, done, rows)
        return rows

    def _run(self, events: np.ndarray, start: int, rows: np.ndarray) -> int:
        book = self.book
        if isinstance(book, PriceLevelBook):
            return _replay_levels(events, start, *book.ladder, self._state, self._view, rows)
        return _replay_orders(events, start, *book.arrays, self._state, self._view, rows)


# Replay state, int64: the newest quote by side, whether any quote came, whether trading is halted, whether the book
# has changed since the view was last made.
_BID, _ASK, _BID_LOTS, _ASK_LOTS, _QUOTED, _HALTED, _DIRTY, _STATE_SIZE = range(8)


@kernel
def _set_quote(state: np.ndarray, side: int, price: int, size: int, size_unknown: bool) -> None:
    empty = price <= 0 or (size <= 0 and not size_unknown)
    shown = SIZE_UNKNOWN if size_unknown else size
    state[_QUOTED] = 1
    if side > 0:
        state[_BID] = NO_PRICE if empty else price
        state[_BID_LOTS] = 0 if empty else shown
    else:
        state[_ASK] = NO_PRICE if empty else price
        state[_ASK_LOTS] = 0 if empty else shown


@inlined
def _set_mid(view, halted: bool) -> None:  # type: ignore[no-untyped-def]  # a numba record
    bid, ask = view.bid_ticks, view.ask_ticks
    if bid == NO_PRICE or ask == NO_PRICE or bid > ask or halted:
        view.mid_ticks = np.nan
        view.spread_ticks = np.nan
    else:
        view.mid_ticks = (bid + ask) / 2
        view.spread_ticks = float(ask - bid)


@inlined
def _view_levels(view, sides, cells, state) -> None:  # type: ignore[no-untyped-def]
    if state[_QUOTED]:
        view.bid_ticks, view.ask_ticks = state[_BID], state[_ASK]
        view.bid_lots, view.ask_lots = state[_BID_LOTS], state[_ASK_LOTS]
    else:
        view.bid_ticks, view.ask_ticks = best_price(sides, 1), best_price(sides, -1)
        view.bid_lots, view.ask_lots = best_size(sides, cells, 1), best_size(sides, cells, -1)
    _set_mid(view, state[_HALTED] != 0)
    view.bid_depth_5_lots = depth_of_levels(sides, cells, 1, DEPTH_LEVELS)
    view.ask_depth_5_lots = depth_of_levels(sides, cells, -1, DEPTH_LEVELS)
    view.bid_depth_10bps_lots = SIZE_UNKNOWN
    view.ask_depth_10bps_lots = SIZE_UNKNOWN
    if not np.isnan(view.mid_ticks):
        view.bid_depth_10bps_lots = depth_within(sides, cells, 1, view.mid_ticks, DEPTH_BPS)
        view.ask_depth_10bps_lots = depth_within(sides, cells, -1, view.mid_ticks, DEPTH_BPS)


@kernel
def _replay_levels(events, start, sides, cells, state, view, rows) -> int:  # type: ignore[no-untyped-def]
    """Quotes and price levels; the index of the first event that did not fit the book, or len(events)."""
    for i in range(start, len(events)):
        event = events[i]
        kind = event.kind
        if kind == _LEVEL:
            if not set_level(sides, cells, event.side, event.price_ticks, event.size_lots):
                return i
            state[_DIRTY] = 1
        elif kind == _QUOTE:
            _set_quote(state, event.side, event.price_ticks, event.size_lots, event.flags & _NO_SIZE != 0)
            state[_DIRTY] = 1
        elif kind == _CLEAR:
            ladder.clear(sides, cells)
            state[_BID : _ASK_LOTS + 1] = 0
            state[_DIRTY] = 1
        elif kind in (_HALT, _RESUME):
            state[_HALTED] = kind == _HALT
            state[_DIRTY] = 1
        if state[_DIRTY] and event.flags & _LAST:
            _view_levels(view[0], sides, cells, state)
            state[_DIRTY] = 0
        rows[i] = view[0]
    return len(events)


@inlined
def _view_orders(view, sides, cells, levels, state) -> None:  # type: ignore[no-untyped-def]
    view.bid_ticks, view.bid_lots = order_kernels.best_level(sides, cells, levels, 1)
    view.ask_ticks, view.ask_lots = order_kernels.best_level(sides, cells, levels, -1)
    _set_mid(view, state[_HALTED] != 0)
    view.bid_depth_5_lots = order_kernels.depth_of_levels(sides, cells, levels, 1, DEPTH_LEVELS)
    view.ask_depth_5_lots = order_kernels.depth_of_levels(sides, cells, levels, -1, DEPTH_LEVELS)
    view.bid_depth_10bps_lots = SIZE_UNKNOWN
    view.ask_depth_10bps_lots = SIZE_UNKNOWN
    if not np.isnan(view.mid_ticks):
        view.bid_depth_10bps_lots = order_kernels.depth_within(sides, cells, levels, 1, view.mid_ticks, DEPTH_BPS)
        view.ask_depth_10bps_lots = order_kernels.depth_within(sides, cells, levels, -1, view.mid_ticks, DEPTH_BPS)


@kernel
def _replay_orders(  # type: ignore[no-untyped-def]
    events, start, sides, cells, levels, orders, table, book_state, state, view, rows
) -> int:
    """Order by order; the index of the first event that did not fit the book, or len(events)."""
    for i in range(start, len(events)):
        event = events[i]
        kind, side, price, size = event.kind, event.side, event.price_ticks, event.size_lots
        if kind in (_HALT, _RESUME):
            state[_HALTED] = kind == _HALT
        elif not order_kernels.apply_order_event(
            sides, cells, levels, orders, table, book_state, kind, event.order_id, side, price, size
        ):
            return i
        if event.flags & _LAST:
            _view_orders(view[0], sides, cells, levels, state)
        rows[i] = view[0]
    return len(events)
