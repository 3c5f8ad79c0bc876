"""Compiled loops over ITCH messages: one pass that checks and counts, one that writes events.

Both run over pieces of a file and keep their state in arrays, so that a day of any size passes through. Executions,
cancels, deletes and replaces name an order by reference only: side, price and shares left come from a hash table of
the orders that rest.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numba import njit

from footprint.data.readers.held import SLACK_EVENTS
from footprint.data.readers.itch_messages import LENGTH_BYTES, MAX_PRICE, message_lengths, offset
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind

LOCATES = 1 << 16
MAX_CROSS_SHARES = 1 << 40
ORDER_FIELDS = 4

_S, _R, _H, _h = (ord(letter) for letter in "SRHh")
_A, _F, _E, _C, _X, _D, _U, _P, _Q, _B = (ord(letter) for letter in "AFECXDUPQB")
_BUY, _SELL, _YES, _NO, _TRADING = (ord(letter) for letter in "BSYNT")

_ADD, _CANCEL, _DELETE = int(EventKind.ADD), int(EventKind.CANCEL), int(EventKind.DELETE)
_FILL, _TRADE = int(EventKind.FILL), int(EventKind.TRADE)
_HALT, _RESUME = int(EventKind.HALT), int(EventKind.RESUME)
_LAST, _SIDE_GIVEN = int(EventFlag.LAST), int(EventFlag.SIDE_GIVEN)
_HIDDEN, _AUCTION = int(EventFlag.HIDDEN), int(EventFlag.AUCTION)

_LENGTHS = message_lengths()
_LOCATE, _TIME = offset("S", "stock_locate"), offset("S", "time_high")
_REFERENCE = offset("A", "reference")
_ADD_SIDE, _ADD_SHARES, _ADD_PRICE = (offset("A", name) for name in ("side", "shares", "price"))
_DONE_SHARES = offset("E", "shares")
_PRINTABLE, _DONE_PRICE = offset("C", "printable"), offset("C", "price")
_NEW_REFERENCE, _NEW_SHARES, _NEW_PRICE = (offset("U", name) for name in ("new_reference", "shares", "price"))
_CROSS_SHARES, _CROSS_PRICE = offset("Q", "shares"), offset("Q", "price")
_EVENT, _STATE = offset("S", "event"), offset("H", "state")
_HALT_MARKET, _HALT_ACTION = offset("h", "market"), offset("h", "action")
_ROUND_LOT = offset("R", "round_lot_size")


def _places(letters: str, field: str) -> np.ndarray:
    """Byte of a field in messages of each of these types by letter, 0 for the other types."""
    places = np.zeros(256, np.int64)
    for letter in letters:
        places[ord(letter)] = offset(letter, field)
    return places


_STOCKS = _places("RHYKJhAFPQINO", "stock")
_SIDES = _places("AFP", "side")
_SHARES = _places("AFECXUP", "shares")
_PRICES = _places("AFCUP", "price")
_MAKES = np.zeros(256, np.int64)  # events at most; those of the types in _RARE depend on what they say
for _letter, _most in {"A": 1, "F": 1, "X": 1, "D": 1, "P": 1, "E": 2, "C": 2, "U": 2}.items():
    _MAKES[ord(_letter)] = _most
_RARE = np.isin(np.arange(256), [ord(letter) for letter in "SRHhQBC"])


class Fault(IntEnum):
    """Why a message refuses its file."""

    NONE = 0
    TYPE = 1
    LENGTH = 2
    CLOCK = 3
    SIDE = 4
    SHARES = 5
    PRICE = 6
    PRINTABLE = 7
    AFTER_END = 8


_NONE, _BAD_TYPE, _BAD_LENGTH, _BAD_CLOCK, _BAD_SIDE, _BAD_SHARES, _BAD_PRICE, _BAD_PRINTABLE, _AFTER_END = map(
    int, Fault
)


class Count(IntEnum):
    """Columns of what is counted per stock locate."""

    EVENTS = 0  # at most so many
    ORDERS = 1  # messages that add or change an order, or print
    SYMBOL = 2  # 8 bytes, 0 before the first message that names it
    OTHER_SYMBOL = 3  # messages that name another one
    ROUND_LOT = 4
    BROKEN = 5
    HALTS = 6
    UNKNOWN = 7  # messages on orders that do not rest: no event
    OVERSIZED = 8  # executions and cancels of more than is left
    NOT_PRINTED = 9  # executions that the tape does not show: no trade
    TRADES = 10
    REUSED = 11  # added although it rests: no event


(
    _EVENTS,
    _ORDERS,
    _SYMBOL,
    _OTHER_SYMBOL,
    _LOTS,
    _BROKEN,
    _HALTS,
    _UNKNOWN,
    _OVERSIZED,
    _NOT_PRINTED,
    _TRADES,
    _REUSED,
) = map(int, Count)


class Progress(NamedTuple):
    """What a pass remembers between pieces.

    Attributes:
        counts: int64 of shape (LOCATES, len(Count)).
        types: messages by letter, int64 of shape (256,).
        system_ns: time of the first system event by letter, since midnight, -1 before it; int64 of shape (256,).
        state: int64 of shape (3,): messages so far, time of the last one, whether the end was marked.
    """

    counts: np.ndarray
    types: np.ndarray
    system_ns: np.ndarray
    state: np.ndarray


_MESSAGES, _CLOCK, _ENDED = range(3)
KEY, PRICE, LEFT, OWNER = range(ORDER_FIELDS)  # OWNER: 2 * locate + 1 for a bid, plus 1; 0 marks a free place
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)


def new_progress() -> Progress:
    """Nothing read yet."""
    return Progress(
        np.zeros((LOCATES, len(Count)), np.int64), np.zeros(256, np.int64), np.full(256, -1), np.zeros(3, np.int64)
    )


# indices are unsigned: only then does the compiler see one big-endian load instead of bytes put together
@njit(cache=True, inline="always")
def _u16(flat, at):  # type: ignore[no-untyped-def]
    i = np.uint64(at)
    return (np.int64(flat[i]) << 8) | np.int64(flat[i + np.uint64(1)])


@njit(cache=True, inline="always")
def _u32(flat, at):  # type: ignore[no-untyped-def]
    i = np.uint64(at)
    return np.int64(
        (np.uint32(flat[i]) << np.uint32(24))
        | (np.uint32(flat[i + np.uint64(1)]) << np.uint32(16))
        | (np.uint32(flat[i + np.uint64(2)]) << np.uint32(8))
        | np.uint32(flat[i + np.uint64(3)])
    )


@njit(cache=True, inline="always")
def _u64(flat, at):  # type: ignore[no-untyped-def]
    """As int64: the bits count, not the sign."""
    return (_u32(flat, at) << 32) | _u32(flat, at + 4)


@njit(cache=True, inline="always")
def _time(flat, at):  # type: ignore[no-untyped-def]
    return (_u16(flat, at + _TIME) << 32) | _u32(flat, at + _TIME + 2)


@njit(cache=True)
def survey_messages(flat: np.ndarray, progress: Progress, market: int) -> tuple[int, int]:
    """Check and count the whole messages of a piece.

    Args:
        flat: uint8 of shape (n,), begins with the length of a message.
        progress: changed.
        market: letter of the market of the file in operational halts.

    Returns:
        Bytes used and Fault; with a fault, the bytes before the message at fault.
    """
    counts, types, system_ns, state = progress
    at, size = 0, len(flat)
    while at + LENGTH_BYTES <= size:
        length = _u16(flat, at)
        if state[_ENDED]:
            return at, _AFTER_END
        if length == 0:
            state[_ENDED] = 1
            at += LENGTH_BYTES
            continue
        if at + LENGTH_BYTES >= size:
            break
        here = at + LENGTH_BYTES
        letter = flat[here]
        if _LENGTHS[letter] == 0:
            return at, _BAD_TYPE
        if length != _LENGTHS[letter]:
            return at, _BAD_LENGTH
        if here + length > size:
            break
        now = _time(flat, here)
        if now < state[_CLOCK]:
            return at, _BAD_CLOCK
        # no branch here depends on the type of an order message: types alternate, so it would be mispredicted
        place = _SIDES[letter]
        side = flat[here + place]
        if (place != 0) & (side != _BUY) & (side != _SELL):
            return at, _BAD_SIDE
        place = _SHARES[letter]
        if (place != 0) & (_u32(flat, here + place) == 0):
            return at, _BAD_SHARES
        place = _PRICES[letter]
        price = _u32(flat, here + place)
        if (place != 0) & ((price == 0) | (price > MAX_PRICE)):
            return at, _BAD_PRICE
        locate = _u16(flat, here + _LOCATE)
        place = _STOCKS[letter]
        symbol, known = _u64(flat, here + place), counts[locate, _SYMBOL]
        counts[locate, _OTHER_SYMBOL] += (place != 0) & (known != 0) & (symbol != known)
        if known == 0 and place != 0:
            counts[locate, _SYMBOL] = symbol
        makes = _MAKES[letter]
        counts[locate, _ORDERS] += makes != 0
        if _RARE[letter]:
            fault = _count_rare(flat, here, letter, locate, now, counts, system_ns, market)
            if fault != _NONE:
                return at, fault
        counts[locate, _EVENTS] += makes
        state[_MESSAGES] += 1
        state[_CLOCK] = now
        types[letter] += 1
        at = here + length
    return at, _NONE


@njit(cache=True)
def _count_rare(  # type: ignore[no-untyped-def]
    flat, here, letter, locate, now, counts, system_ns, market
) -> int:
    """Check and count a message whose events depend on what it says."""
    events = orders = 0
    if letter == _C:
        printable = flat[here + _PRINTABLE]
        if printable != _YES and printable != _NO:
            return _BAD_PRINTABLE
    elif letter == _Q:
        shares, price = _u64(flat, here + _CROSS_SHARES), _u32(flat, here + _CROSS_PRICE)
        if shares < 0 or shares > MAX_CROSS_SHARES:
            return _BAD_SHARES
        if shares > 0:
            events = orders = 1
            if price == 0 or price > MAX_PRICE:
                return _BAD_PRICE
    elif letter == _H:
        events = 1
        counts[locate, _HALTS] += flat[here + _STATE] != _TRADING
    elif letter == _h:
        events = 1 if flat[here + _HALT_MARKET] == market else 0
        counts[locate, _HALTS] += events if flat[here + _HALT_ACTION] != _TRADING else 0
    elif letter == _B:
        counts[locate, _BROKEN] += 1
    elif letter == _R:
        counts[locate, _LOTS] = _u32(flat, here + _ROUND_LOT)
    elif system_ns[flat[here + _EVENT]] < 0:
        system_ns[flat[here + _EVENT]] = now
    counts[locate, _EVENTS] += events
    counts[locate, _ORDERS] += orders
    return _NONE


def new_orders(places: int) -> np.ndarray:
    """An empty table of orders: int64 of shape (places, ORDER_FIELDS), places a power of two."""
    return np.zeros((places, ORDER_FIELDS), np.int64)


@njit(cache=True, inline="always")
def _home(reference, mask):  # type: ignore[no-untyped-def]
    return np.int64((np.uint64(reference) * _HASH) >> np.uint64(32)) & mask


@njit(cache=True, inline="always")
def _find(orders, reference):  # type: ignore[no-untyped-def]
    """Place of an order, or the free place where it would go."""
    mask = len(orders) - 1
    at = _home(reference, mask)
    while orders[at, OWNER] != 0 and orders[at, KEY] != reference:
        at = (at + 1) & mask
    return at


@njit(cache=True)
def _remove(orders: np.ndarray, hole: int) -> None:
    """Remove by shifting later entries of the run back, so that no tombstones pile up."""
    mask = len(orders) - 1
    at = (hole + 1) & mask
    while orders[at, OWNER] != 0:
        home = _home(orders[at, KEY], mask)
        if ((at - home) & mask) >= ((at - hole) & mask):
            for field in range(ORDER_FIELDS):
                orders[hole, field] = orders[at, field]
            hole = at
        at = (at + 1) & mask
    orders[hole, OWNER] = 0


@njit(cache=True)
def rehash(old: np.ndarray, new: np.ndarray) -> None:
    """Put every order of one table into an empty larger one."""
    for i in range(len(old)):
        if old[i, OWNER] != 0:
            at = _find(new, old[i, KEY])
            for field in range(ORDER_FIELDS):
                new[at, field] = old[i, field]


@njit(cache=True, inline="always")
def _put(e, kind, side, flags, price, size, order_id, now, row):  # type: ignore[no-untyped-def]  # a numba record
    e.exchange_time_ns = now
    e.receive_time_ns = UNKNOWN_TIME
    e.kind = kind
    e.side = side
    e.flags = flags
    e.price_ticks = price
    e.size_lots = size
    e.order_id = order_id
    e.sequence = row
    e.row = row


@njit(cache=True)
def write_messages(  # type: ignore[no-untyped-def]
    flat, midnight_ns, market, cursors, orders, live, row, counts, events
) -> tuple[int, int, int, int]:
    """Write the events of the whole messages of a piece that was surveyed before.

    Args:
        flat: as in `survey_messages`.
        midnight_ns: midnight in New York, ns UTC.
        cursors: next free place in `events` of each stock locate, -1 for one that is not wanted; moved on.
        orders: table of resting orders, changed.
        live: orders in the table.
        row: messages before this piece.
        counts: as in `Progress`; UNKNOWN, OVERSIZED, NOT_PRINTED, TRADES and REUSED are added to.
        events: EVENT_DTYPE with SLACK_EVENTS behind the last one; every field of every place is written.

    Returns:
        Bytes used, orders in the table, messages so far, and 1 when the table is too full to go on, else 0.
    """
    at, size, room = 0, len(flat), len(orders) // 2
    while at + LENGTH_BYTES < size:
        length = _u16(flat, at)
        here = at + LENGTH_BYTES
        if length == 0 or here + length > size:
            break
        if live >= room:
            return at, live, row, 1
        at = here + length
        row += 1
        locate = _u16(flat, here + _LOCATE)
        out = cursors[locate]
        if out < 0 or out + SLACK_EVENTS > len(events):
            continue
        letter = flat[here]
        if _LENGTHS[letter] < 19 or letter == _R:
            continue
        now = midnight_ns + _time(flat, here)
        if letter in (_A, _F):
            reference = _u64(flat, here + _REFERENCE)
            price, shares = _u32(flat, here + _ADD_PRICE), _u32(flat, here + _ADD_SHARES)
            bid = flat[here + _ADD_SIDE] == _BUY
            place = _find(orders, reference)
            if orders[place, OWNER] != 0:
                counts[locate, _REUSED] += 1
                continue
            _rest(orders, place, reference, price, shares, locate, bid)
            live += 1
            _put(events[out], _ADD, 1 if bid else -1, _LAST, price, shares, np.uint64(reference), now, row)
            cursors[locate] = out + 1
        elif letter in (_E, _C, _X, _D, _U):
            reference = _u64(flat, here + _REFERENCE)
            place = _find(orders, reference)
            owner = orders[place, OWNER]
            if owner == 0 or (owner - 1) >> 1 != locate:
                counts[locate, _UNKNOWN] += 1
                continue
            bid = (owner - 1) & 1
            side = 1 if bid else -1
            price, left = orders[place, PRICE], orders[place, LEFT]
            if letter in (_D, _U):
                _remove(orders, place)
                live -= 1
                flags = _LAST if letter == _D else 0
                _put(events[out], _DELETE, side, flags, price, left, np.uint64(reference), now, row)
                out += 1
                if letter == _U:
                    reference = _u64(flat, here + _NEW_REFERENCE)
                    price, shares = _u32(flat, here + _NEW_PRICE), _u32(flat, here + _NEW_SHARES)
                    place = _find(orders, reference)
                    if orders[place, OWNER] != 0:
                        counts[locate, _REUSED] += 1
                        events[out - 1].flags = _LAST
                    else:
                        _rest(orders, place, reference, price, shares, locate, bid)
                        live += 1
                        _put(events[out], _ADD, side, _LAST, price, shares, np.uint64(reference), now, row)
                        out += 1
            else:
                shares = _u32(flat, here + _DONE_SHARES)
                if shares > left:
                    counts[locate, _OVERSIZED] += 1
                if shares >= left:
                    _remove(orders, place)
                    live -= 1
                else:
                    orders[place, LEFT] = left - shares
                if letter == _X:
                    _put(events[out], _CANCEL, side, _LAST, price, shares, np.uint64(reference), now, row)
                    out += 1
                else:
                    printed = letter == _E or flat[here + _PRINTABLE] == _YES
                    flags = 0 if printed else _LAST
                    _put(events[out], _FILL, side, flags, price, shares, np.uint64(reference), now, row)
                    out += 1
                    if printed:
                        if letter == _C:
                            price = _u32(flat, here + _DONE_PRICE)
                        _put(events[out], _TRADE, -side, _LAST | _SIDE_GIVEN, price, shares, np.uint64(0), now, row)
                        out += 1
                        counts[locate, _TRADES] += 1
                    else:
                        counts[locate, _NOT_PRINTED] += 1
            cursors[locate] = out
        elif letter == _P:
            price, shares = _u32(flat, here + _ADD_PRICE), _u32(flat, here + _ADD_SHARES)
            _put(events[out], _TRADE, 0, _LAST | _HIDDEN, price, shares, np.uint64(0), now, row)
            counts[locate, _TRADES] += 1
            cursors[locate] = out + 1
        elif letter == _Q:
            crossed = _u64(flat, here + _CROSS_SHARES)
            if crossed > 0:
                price = _u32(flat, here + _CROSS_PRICE)
                _put(events[out], _TRADE, 0, _LAST | _AUCTION, price, crossed, np.uint64(0), now, row)
                counts[locate, _TRADES] += 1
                cursors[locate] = out + 1
        elif letter == _H or (letter == _h and flat[here + _HALT_MARKET] == market):
            trading = flat[here + (_STATE if letter == _H else _HALT_ACTION)] == _TRADING
            _put(events[out], _RESUME if trading else _HALT, 0, _LAST, 0, 0, np.uint64(0), now, row)
            cursors[locate] = out + 1
    return at, live, row, 0


@njit(cache=True, inline="always")
def _rest(orders, place, reference, price, shares, locate, bid):  # type: ignore[no-untyped-def]
    orders[place, KEY] = reference
    orders[place, PRICE] = price
    orders[place, LEFT] = shares
    orders[place, OWNER] = 2 * locate + bid + 1
