"""Compiled loops from DBN records to events: one pass that checks and counts, one that writes.

Both know a record's slot: the (publisher, instrument, day) it belongs to. Price-level records carry the whole window
of levels after each change, so the events are what sets a window apart from the one before it.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import njit

from footprint.data.readers.databento_file import (
    FLAG_AGGREGATED,
    FLAG_BAD_RECEIVE_TIME,
    FLAG_LAST,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_SNAPSHOT,
    FLAG_TOP_OF_BOOK,
    UNDEF_PRICE,
)
from footprint.data.readers.held import SLACK_EVENTS
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind

_A, _C, _M, _T, _F, _R, _N, _B = (ord(letter) for letter in "ACMTFRNB")

_ADD, _CANCEL, _MODIFY = int(EventKind.ADD), int(EventKind.CANCEL), int(EventKind.MODIFY)
_TRADE, _NOTICE, _CLEAR = int(EventKind.TRADE), int(EventKind.FILL_NOTICE), int(EventKind.CLEAR)
_QUOTE, _LEVEL = int(EventKind.QUOTE), int(EventKind.LEVEL)
_LAST, _SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)
_SIDE_GIVEN, _AUCTION = int(EventFlag.SIDE_GIVEN), int(EventFlag.AUCTION)


class Stat(IntEnum):
    """Columns of the statistics of a slot."""

    RECORDS = 0
    EVENTS = 1
    DIVISOR = 2  # greatest common divisor of its prices, 1e-9 units
    FIRST_NS = 3
    LAST_NS = 4
    ADDS = 5
    CANCELS = 6
    MODIFIES = 7
    TRADES = 8
    FILLS = 9
    CLEARS = 10
    NOTHING = 11  # action N
    SNAPSHOT = 12  # records of a snapshot
    IN_SNAPSHOT = 13  # state: the record before was part of one
    BAD_RECEIVE_TIME = 14  # flagged so outside a snapshot
    EARLY = 15  # received before they happened
    MAYBE_BAD_BOOK = 16
    AGGREGATED = 17
    NO_SIDE_TRADES = 18
    NOT_POSITIVE = 19  # prices
    EMPTY_TRADES = 20  # prints without a size: dropped
    DIVISOR_ROW = 21  # row of the price that made the divisor what it is


(
    _RECORDS,
    _EVENTS,
    _DIVISOR,
    _FIRST,
    _LAST_NS,
    _ADDS,
    _CANCELS,
    _MODIFIES,
    _TRADES,
    _FILLS,
    _CLEARS,
    _NOTHING,
    _SNAPSHOTS,
    _IN_SNAPSHOT,
    _BAD_TIME,
    _EARLY,
    _MAYBE_BAD,
    _AGGREGATED_RECORDS,
    _NO_SIDE,
    _NOT_POSITIVE,
    _EMPTY,
    _DIVISOR_ROW,
) = map(int, Stat)


class Fault(IntEnum):
    """Why a record refuses its file."""

    NONE = 0
    ACTION = 1
    SIDE = 2
    PRICE = 3
    CLOCK = 4


_NO_FAULT, _BAD_ACTION, _BAD_SIDE, _BAD_PRICE, _BAD_CLOCK = map(int, Fault)


@njit(cache=True)
def _divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return abs(a)


@njit(cache=True)
def _ticks(price: int, tick: int) -> int:
    """Price in ticks; UNDEF_PRICE is 0."""
    if price == UNDEF_PRICE:
        return 0
    return price // tick


@njit(cache=True)
def _see_price(stats: np.ndarray, slot: int, price: int, row: int) -> None:
    if price == UNDEF_PRICE:
        return
    known = stats[slot, _DIVISOR]
    if known == 0 or price % known != 0:
        stats[slot, _DIVISOR], stats[slot, _DIVISOR_ROW] = _divisor(price, known), row
    if price <= 0:
        stats[slot, _NOT_POSITIVE] += 1


@njit(cache=True)
def _see_clock(stats, slot, received, happened, flags) -> bool:  # type: ignore[no-untyped-def]
    """Count what the clocks show; False when they go back."""
    now = happened if received == UNKNOWN_TIME else received
    if stats[slot, _RECORDS] == 0:
        stats[slot, _FIRST] = now
    elif now < stats[slot, _LAST_NS]:
        return False
    stats[slot, _LAST_NS] = now
    stats[slot, _RECORDS] += 1
    if flags & FLAG_SNAPSHOT:
        stats[slot, _SNAPSHOTS] += 1
    else:
        if flags & FLAG_BAD_RECEIVE_TIME:
            stats[slot, _BAD_TIME] += 1
        if received != UNKNOWN_TIME and received < happened:
            stats[slot, _EARLY] += 1
    if flags & FLAG_MAYBE_BAD_BOOK:
        stats[slot, _MAYBE_BAD] += 1
    if flags & FLAG_AGGREGATED:
        stats[slot, _AGGREGATED_RECORDS] += 1
    return True


@njit(cache=True)
def survey_orders(records: np.ndarray, rows: np.ndarray, slots: np.ndarray, stats: np.ndarray) -> tuple[int, int]:
    """Check and count MBO records.

    Args:
        records: MBO_DTYPE of shape (n,).
        rows: place of each in the file, shape (n,).
        slots: slot of each, shape (n,).
        stats: int64 of shape (slots, len(Stat)), added to.

    Returns:
        Index of the first record that refuses the file and its Fault; (n, NONE) when there is none.
    """
    for i in range(len(records)):
        r = records[i]
        slot = slots[i]
        action, flags, price = r.action, r.flags, r.price
        if r.side != _A and r.side != _B and r.side != _N:
            return i, _BAD_SIDE
        if not _see_clock(stats, slot, np.int64(r.ts_recv), np.int64(r.ts_event), flags):
            return i, _BAD_CLOCK
        if flags & FLAG_SNAPSHOT and not stats[slot, _IN_SNAPSHOT] and action != _R:
            stats[slot, _EVENTS] += 1
        stats[slot, _IN_SNAPSHOT] = flags & FLAG_SNAPSHOT
        stats[slot, _EVENTS] += 1
        if action == _A:
            stats[slot, _ADDS] += 1
            if r.side == _N:
                return i, _BAD_SIDE
            if price == UNDEF_PRICE and not flags & FLAG_TOP_OF_BOOK:
                return i, _BAD_PRICE
        elif action == _C:
            stats[slot, _CANCELS] += 1
        elif action == _M:
            stats[slot, _MODIFIES] += 1
            if price == UNDEF_PRICE:
                return i, _BAD_PRICE
        elif action == _T:
            stats[slot, _NO_SIDE] += r.side == _N
            if r.size == 0:
                stats[slot, _EMPTY] += 1
                stats[slot, _EVENTS] -= 1
            else:
                stats[slot, _TRADES] += 1
            if price == UNDEF_PRICE:
                return i, _BAD_PRICE
        elif action == _F:
            stats[slot, _FILLS] += 1
        elif action == _R:
            stats[slot, _CLEARS] += 1
        elif action == _N:
            stats[slot, _NOTHING] += 1
            stats[slot, _EVENTS] -= 1
        else:
            return i, _BAD_ACTION
        if action != _N and action != _R:
            _see_price(stats, slot, price, rows[i])
    return len(records), _NO_FAULT


@njit(cache=True)
def _sign(side: int) -> int:
    return 1 if side == _B else -1 if side == _A else 0


@njit(cache=True)
def write_orders(  # type: ignore[no-untyped-def]
    records, rows, slots, cursors, starts, in_snapshot, ticks, auctions, events
) -> None:
    """Write the events of MBO records.

    Args:
        records, rows, slots: as in `survey_orders`.
        cursors: next free place in `events` of each slot, -1 for a slot that is not wanted; moved on.
        starts: first place of each slot.
        in_snapshot: state of each slot, int64, zeros before its first record.
        ticks: tick of each slot, 1e-9 units.
        auctions: prints without a side are auctions.
        events: EVENT_DTYPE with SLACK_EVENTS behind the last one; every field of every place is written.
    """
    for i in range(len(records)):
        slot = slots[i]
        at = cursors[slot]
        if at < 0 or at + SLACK_EVENTS > len(events):
            continue
        r = records[i]
        action, flags = r.action, r.flags
        snapshot = flags & FLAG_SNAPSHOT
        if snapshot and not in_snapshot[slot] and action != _R:
            _stamp(events[at], r, rows[i])
            events[at].kind, events[at].side, events[at].flags = _CLEAR, 0, _SNAPSHOT
            events[at].price_ticks, events[at].size_lots, events[at].order_id = 0, 0, 0
            at += 1
        if not snapshot and in_snapshot[slot] and at > starts[slot]:
            events[at - 1].flags |= _LAST
        in_snapshot[slot] = snapshot
        if action == _N or (action == _T and r.size == 0):
            if flags & FLAG_LAST and at > starts[slot]:
                events[at - 1].flags |= _LAST
            cursors[slot] = at
            continue
        e = events[at]
        _stamp(e, r, rows[i])
        side = _sign(r.side)
        marks = (_LAST if flags & FLAG_LAST else 0) | (_SNAPSHOT if snapshot else 0)
        e.price_ticks = _ticks(r.price, ticks[slot])
        e.size_lots = r.size
        e.order_id = r.order_id
        if action == _A:
            e.kind = _QUOTE if flags & FLAG_TOP_OF_BOOK else _ADD
        elif action == _C:
            e.kind = _CANCEL
        elif action == _M:
            e.kind = _MODIFY
        elif action == _F:
            e.kind = _NOTICE
        elif action == _T:
            e.kind = _TRADE
            marks |= _SIDE_GIVEN if side != 0 else _AUCTION if auctions else 0
        else:
            e.kind, side = _CLEAR, 0
            e.price_ticks, e.size_lots, e.order_id = 0, 0, 0
        e.side = side
        e.flags = marks
        cursors[slot] = at + 1


@njit(cache=True)
def _stamp(e, r, row) -> None:  # type: ignore[no-untyped-def]  # numba records
    e.exchange_time_ns = np.int64(r.ts_event)
    e.receive_time_ns = np.int64(r.ts_recv)
    e.sequence = r.sequence
    e.row = row


@njit(cache=True)
def survey_levels(  # type: ignore[no-untyped-def]
    records, prices, rows, slots, stats, sampled
) -> tuple[int, int]:
    """Check price-level records and trades; events are counted by `write_levels`.

    Args:
        records: PRINT_DTYPE of shape (n,).
        prices: bid and ask of each level, int64 of shape (n, 2 * levels).
        rows, slots, stats: as in `survey_orders`.
        sampled: the records are states at the end of intervals: no action, no print.

    Returns:
        As `survey_orders`.
    """
    for i in range(len(records)):
        r = records[i]
        slot = slots[i]
        if r.side != _A and r.side != _B and r.side != _N:
            return i, _BAD_SIDE
        happened = UNKNOWN_TIME if sampled else np.int64(r.ts_event)
        if not _see_clock(stats, slot, np.int64(r.ts_recv), happened, r.flags):
            return i, _BAD_CLOCK
        for j in range(prices.shape[1]):
            _see_price(stats, slot, prices[i, j], rows[i])
        if sampled:
            continue
        action = r.action
        if action == _T:
            stats[slot, _NO_SIDE] += r.side == _N
            stats[slot, _EMPTY if r.size == 0 else _TRADES] += 1
            if r.price == UNDEF_PRICE:
                return i, _BAD_PRICE
            _see_price(stats, slot, r.price, rows[i])
        elif action == _A:
            stats[slot, _ADDS] += 1
        elif action == _C:
            stats[slot, _CANCELS] += 1
        elif action == _M:
            stats[slot, _MODIFIES] += 1
        elif action == _R:
            stats[slot, _CLEARS] += 1
        elif action == _F:
            stats[slot, _FILLS] += 1
        elif action == _N:
            stats[slot, _NOTHING] += 1
        else:
            return i, _BAD_ACTION
    return len(records), _NO_FAULT


@njit(cache=True)
def write_levels(  # type: ignore[no-untyped-def]
    records, prices, sizes, rows, slots, cursors, starts, window_prices, window_sizes, ticks, auctions, sampled,
    filtered, events,
) -> None:  # fmt: skip
    """Write the events of price-level records and trades, or only move the cursors on.

    For each record: CLEAR for action R, what changed in the window (bids before asks; QUOTE for one level a side,
    LEVEL for more), then the print: the window that comes with a print is the one before its effect.

    Args:
        records, prices, rows, slots: as in `survey_levels`.
        sizes: int64 of the shape of `prices`.
        cursors, starts, ticks, auctions: as in `write_orders`.
        window_prices, window_sizes: last window of each slot, int64 of shape (slots, 2 * levels), UNDEF_PRICE and 0
            at first; changed.
        filtered: each record stands for itself, so its last event always ends a message.
        events: EVENT_DTYPE with SLACK_EVENTS behind the last one; of length 0 to count only.
    """
    levels = prices.shape[1] // 2
    writes = len(events) > 0
    undefined = np.full(2 * levels, UNDEF_PRICE)
    nothing = np.zeros(2 * levels, np.int64)
    for i in range(len(records)):
        slot = slots[i]
        at = cursors[slot]
        if at < 0 or (writes and at + SLACK_EVENTS > len(events)):
            continue
        r = records[i]
        before = at
        if not sampled and r.action == _R:
            if writes:
                _put(events[at], r, rows[i], sampled, _CLEAR, 0, 0, 0)
            window_prices[slot], window_sizes[slot] = undefined, nothing
            at += 1
        at = _changes(
            r, rows[i], prices[i], sizes[i], window_prices[slot], window_sizes[slot], levels, ticks[slot], sampled,
            events, at, writes,
        )  # fmt: skip
        window_prices[slot], window_sizes[slot] = prices[i], sizes[i]
        if not sampled and r.action == _T and r.size > 0:
            if writes:
                side = _sign(r.side)
                _put(events[at], r, rows[i], sampled, _TRADE, side, _ticks(r.price, ticks[slot]), r.size)
                events[at].flags |= _SIDE_GIVEN if side != 0 else _AUCTION if auctions else 0
            at += 1
        ends = filtered or r.flags & FLAG_LAST
        if writes and ends and at > starts[slot]:
            events[at - 1].flags |= _LAST
        if writes and r.flags & FLAG_SNAPSHOT:
            for j in range(before, at):
                events[j].flags |= _SNAPSHOT
        cursors[slot] = at


@njit(cache=True)
def _put(e, r, row, sampled, kind, side, price, size) -> None:  # type: ignore[no-untyped-def]
    _stamp(e, r, row)
    if sampled:
        e.exchange_time_ns = UNKNOWN_TIME
    e.kind, e.side, e.flags = kind, side, 0
    e.price_ticks, e.size_lots, e.order_id = price, size, 0


@njit(cache=True)
def _changes(  # type: ignore[no-untyped-def]
    r, row, prices, sizes, old_prices, old_sizes, levels, tick, sampled, events, at, writes
) -> int:
    """Events that turn the old window into the new one; the place after the last."""
    kind = _QUOTE if levels == 1 else _LEVEL
    for column in range(2):
        side = 1 - 2 * column
        i = j = 0
        while i < levels or j < levels:
            was = old_prices[2 * i + column] if i < levels else UNDEF_PRICE
            now = prices[2 * j + column] if j < levels else UNDEF_PRICE
            if was == UNDEF_PRICE and now == UNDEF_PRICE:
                break
            price, size = now, 0
            changed = True
            if now == UNDEF_PRICE or (was != UNDEF_PRICE and side * was > side * now):
                price = was
                i += 1
            elif was == UNDEF_PRICE or side * now > side * was:
                size = sizes[2 * j + column]
                j += 1
            else:
                size = sizes[2 * j + column]
                changed = size != old_sizes[2 * i + column]
                i += 1
                j += 1
            if levels == 1:
                price, size = now, 0 if now == UNDEF_PRICE else sizes[column]
                changed = was != now or size != old_sizes[column]
                i = j = 1
            if changed:
                if writes:
                    _put(events[at], r, row, sampled, kind, side, _ticks(price, tick), size)
                at += 1
    return at
