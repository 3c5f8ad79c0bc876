"""Compiled parser of the Binance frames that make up a recording: depth updates, best quotes and trades.

It reads a strict subset of JSON, exactly, and stops at the first line that is anything else: a snapshot, another event,
an unusual number, a mistake. That line is for `binance_frames.parse_line`, which knows all of JSON and says what is
wrong. So a line means the same whoever reads it.

Subset: `<16 or 19 digits> {"stream":"...","data":{...}}` with blanks between tokens; names of one or two letters, none
twice; texts of printable ASCII without escapes; whole numbers of at most 18 digits; true, false; lists of
`["<decimal>","<decimal>"]`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.market.events import UNKNOWN_TIME
from footprint.units import NS_PER_MILLISECOND

DEPTH, QUOTE, TRADE, DROPPED = 1, 2, 3, 4  # kinds of frame; DROPPED is a print that is no trade

FRAME_DTYPE = np.dtype(
    [
        ("receive_ns", np.int64),
        ("time_ns", np.int64),  # of the exchange, UNKNOWN_TIME when the frame has none
        ("previous", np.int64),  # depth: id before the first that the update covers
        ("last", np.int64),  # depth: last id; quote: update id; trade: trade id
        ("row", np.int64),  # 1-based line
        ("level", np.int64),  # where its prices and sizes begin: bids, then asks; a trade has one
        ("bids", np.int32),
        ("asks", np.int32),
        ("kind", np.uint8),
        ("side", np.int8),  # trade: aggressor
        ("flags", np.uint16),  # EventFlag of every event of the frame
    ],
    align=True,
)

_MAX_INT_DIGITS = 18
_MAX_WHOLE_DIGITS = 10  # of a decimal, so that it fits 64 bits in units of 1e-8
_FRACTION_DIGITS = 8
_MAX_MS = 9_200_000_000_000  # so that nanoseconds fit
_NS_DIGITS, _US_DIGITS = 19, 16

_BLANK, _TAB, _RETURN, _NEWLINE = ord(" "), ord("\t"), ord("\r"), ord("\n")
_QUOTE_MARK, _ESCAPE, _COMMA, _COLON, _DOT, _ZERO, _NINE = ord('"'), ord("\\"), ord(","), ord(":"), ord("."), 48, 57
_LIST, _LIST_END, _OBJECT, _OBJECT_END = ord("["), ord("]"), ord("{"), ord("}")
_DELETE = 127

# what the fields of a frame hold: their place in `slots`, and the kind of value found there
_FIELDS = "eETsUubaBAtpqXm"
_PU = len(_FIELDS)
_e, _E, _T, _s, _U, _u, _b, _a, _B, _A, _t, _p, _q, _X, _m = range(_PU)
_SLOT_OF = np.full(128, -1, np.int64)
_SLOT_OF[[ord(name) for name in _FIELDS]] = range(_PU)
SLOTS_SHAPE = (3, _PU + 1)  # kind of value; value, or where it begins; where it ends
PADDING = 4
MIN_PAIR_BYTES = len('["1","1"]')
_ABSENT, _TEXT, _INT, _BOOL, _LEVELS, _OTHER = range(6)

_TRUE, _FALSE, _NULL = (np.frombuffer(word, np.uint8) for word in (b"true", b"false", b"null"))
_STREAM, _DATA = (np.frombuffer(word, np.uint8) for word in (b'"stream"', b'"data"'))
_DEPTH_NAME, _QUOTE_NAME, _TRADE_NAME, _MARKET = (
    np.frombuffer(word, np.uint8) for word in (b"depthUpdate", b"bookTicker", b"trade", b"MARKET")
)


@njit(cache=True)
def scan(text, at, stop, row, previous_ns, symbol, frames, prices, sizes, slots):  # type: ignore[no-untyped-def]
    """Parse lines from `at` on, up to `stop` or the first line that is not of the subset.

    Args:
        text: uint8, whole lines with their ends, and PADDING bytes more, so that no look ahead leaves it.
        at: where a line begins.
        stop: where the last line ends.
        row: 1-based number of that line.
        previous_ns: local time of the line before; time must not go back.
        symbol: uint8, the only symbol allowed.
        frames: FRAME_DTYPE, at least as many as lines.
        prices, sizes: int64 in 1e-8, room for every pair that `text` can hold.
        slots: int64 of shape (SLOTS_SHAPE), scratch.

    Returns:
        Where the first line begins that was not parsed (`stop` when all were), frames and pairs written.
    """
    count = levels = 0
    while at < stop:
        end, receive_ns = _stamp(text, at)
        if end < 0 or receive_ns < previous_ns:
            break
        end, used = _message(text, end, slots, prices, sizes, levels)
        if end < 0 or not _same(text, slots[0, _s], slots[1, _s], slots[2, _s], symbol):
            break
        frame = frames[count]
        frame.level = levels
        used = _fill(text, slots, frame, prices, sizes, levels, used)
        if used < 0:
            break
        frame.receive_ns, frame.row = receive_ns, row + count
        previous_ns = receive_ns
        levels = used
        count += 1
        at = end
    return at, count, levels


@njit(cache=True)
def _skip(text, at):  # type: ignore[no-untyped-def]
    while text[at] == _BLANK or text[at] == _TAB or text[at] == _RETURN:
        at += 1
    return at


@njit(cache=True)
def _token(text, at, token):  # type: ignore[no-untyped-def]
    """After blanks, the token and blanks again; -1 when something else stands there."""
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == token else -1


@njit(cache=True)
def _word(text, at, word):  # type: ignore[no-untyped-def]
    for i in range(len(word)):
        if text[at + i] != word[i]:
            return -1
    return at + len(word)


@njit(cache=True)
def _same(text, kind, start, end, word):  # type: ignore[no-untyped-def]
    if kind != _TEXT or end - start != len(word):
        return False
    return _word(text, start, word) == end


@njit(cache=True)
def _stamp(text, at):  # type: ignore[no-untyped-def]
    """Local time in ns and the blank after it."""
    start, value = at, 0
    while _ZERO <= text[at] <= _NINE and at - start < _NS_DIGITS:
        value = value * 10 + (text[at] - _ZERO)
        at += 1
    if text[at] != _BLANK or value <= 0:
        return -1, 0
    if at - start == _US_DIGITS and value < _MAX_MS * 1000:
        return at + 1, value * 1000
    # 19 digits that begin with 9 might not fit 64 bits
    return (at + 1, value) if at - start == _NS_DIGITS and text[start] < _NINE else (-1, 0)


@njit(cache=True)
def _text_end(text, at):  # type: ignore[no-untyped-def]
    """The quotation mark that ends the text whose first character is at `at`."""
    while text[at] != _QUOTE_MARK:
        if text[at] < _BLANK or text[at] >= _DELETE or text[at] == _ESCAPE:
            return -1
        at += 1
    return at


@njit(cache=True)
def _integer(text, at):  # type: ignore[no-untyped-def]
    start, value = at, 0
    while _ZERO <= text[at] <= _NINE and at - start <= _MAX_INT_DIGITS:
        value = value * 10 + (text[at] - _ZERO)
        at += 1
    digits = at - start
    if digits == 0 or digits > _MAX_INT_DIGITS or (digits > 1 and text[start] == _ZERO):
        return -1, 0
    return at, value


@njit(cache=True)
def _decimal(text, at):  # type: ignore[no-untyped-def]
    """A decimal in quotation marks as a whole number of 1e-8, and the place behind it."""
    if text[at] != _QUOTE_MARK:
        return -1, 0
    at += 1
    start, value = at, 0
    while _ZERO <= text[at] <= _NINE and at - start <= _MAX_WHOLE_DIGITS:
        value = value * 10 + (text[at] - _ZERO)
        at += 1
    if at == start or at - start > _MAX_WHOLE_DIGITS:
        return -1, 0
    digits = 0
    if text[at] == _DOT:
        at += 1
        start = at
        while _ZERO <= text[at] <= _NINE and digits < _FRACTION_DIGITS:
            value = value * 10 + (text[at] - _ZERO)
            at += 1
            digits += 1
        while text[at] == _ZERO:
            at += 1
        if at == start:
            return -1, 0
    for _ in range(digits, _FRACTION_DIGITS):
        value *= 10
    return (at + 1, value) if text[at] == _QUOTE_MARK else (-1, 0)


@njit(cache=True)
def _pairs(text, at, prices, sizes, used):  # type: ignore[no-untyped-def]
    """A list of [price, size] from its bracket on; the place behind it and the pairs held afterwards."""
    at = _skip(text, at + 1)
    if text[at] == _LIST_END:
        return at + 1, used
    while True:
        at = _token(text, at, _LIST)
        if at < 0:
            return -1, 0
        at, prices[used] = _decimal(text, at)
        if at < 0 or prices[used] == 0:
            return -1, 0
        at = _token(text, at, _COMMA)
        if at < 0:
            return -1, 0
        at, sizes[used] = _decimal(text, at)
        if at < 0:
            return -1, 0
        at = _token(text, at, _LIST_END)
        if at < 0:
            return -1, 0
        used += 1
        if text[at] == _LIST_END:
            return at + 1, used
        if text[at] != _COMMA:
            return -1, 0
        at += 1


@njit(cache=True)
def _message(text, at, slots, prices, sizes, used):  # type: ignore[no-untyped-def]
    """`{"stream":"...","data":{...}}` up to the next line; fills `slots` and the pairs of "b" and "a"."""
    at = _token(text, at, _OBJECT)
    if at < 0:
        return -1, 0
    at = _word(text, at, _STREAM)
    if at < 0:
        return -1, 0
    at = _token(text, at, _COLON)
    if at < 0 or text[at] != _QUOTE_MARK:
        return -1, 0
    at = _text_end(text, at + 1)
    if at < 0:
        return -1, 0
    at = _token(text, at + 1, _COMMA)
    if at < 0:
        return -1, 0
    at = _word(text, at, _DATA)
    if at < 0:
        return -1, 0
    at = _token(text, at, _COLON)
    if at < 0 or text[at] != _OBJECT:
        return -1, 0
    at, used = _fields(text, at + 1, slots, prices, sizes, used)
    if at < 0:
        return -1, 0
    at = _token(text, at, _OBJECT_END)
    return (at + 1, used) if at >= 0 and text[at] == _NEWLINE else (-1, 0)


@njit(cache=True)
def _fields(text, at, slots, prices, sizes, used):  # type: ignore[no-untyped-def]
    """The fields of an object up to its end."""
    slots[0] = _ABSENT
    while True:
        at = _skip(text, at)
        if text[at] != _QUOTE_MARK:
            return -1, 0
        slot, end = _field_name(text, at + 1)
        if end < 0 or (slot >= 0 and slots[0, slot] != _ABSENT):
            return -1, 0
        at = _token(text, end, _COLON)
        if at < 0:
            return -1, 0
        kind, value, stop, at, used = _value(text, at, slot, prices, sizes, used)
        if at < 0:
            return -1, 0
        if slot >= 0:
            slots[0, slot], slots[1, slot], slots[2, slot] = kind, value, stop
        at = _skip(text, at)
        if text[at] == _OBJECT_END:
            return at + 1, used
        if text[at] != _COMMA:
            return -1, 0
        at += 1


@njit(cache=True)
def _field_name(text, at):  # type: ignore[no-untyped-def]
    """Slot (-1 when the field is of no interest) and the place behind the name; longer names are not of the subset."""
    if text[at + 1] == _QUOTE_MARK:
        plain = _BLANK <= text[at] < _DELETE and text[at] != _ESCAPE and text[at] != _QUOTE_MARK
        return (_SLOT_OF[text[at]], at + 2) if plain else (-1, -1)
    first, second = text[at], text[at + 1]
    if text[at + 2] != _QUOTE_MARK or first != ord("p"):
        return -1, -1
    if second == ord("u"):
        return _PU, at + 3
    return (-1, at + 3) if second == ord("s") else (-1, -1)


@njit(cache=True)
def _value(text, at, slot, prices, sizes, used):  # type: ignore[no-untyped-def]
    """Kind, value, end of the value, the place behind it and the pairs held afterwards."""
    first = text[at]
    if first == _QUOTE_MARK:
        end = _text_end(text, at + 1)
        return _TEXT, at + 1, end, (end + 1 if end >= 0 else -1), used
    if _ZERO <= first <= _NINE:
        end, value = _integer(text, at)
        return _INT, value, end, end, used
    if first == _LIST and slot in (_b, _a):
        end, now = _pairs(text, at, prices, sizes, used)
        return _LEVELS, used, now, end, now
    if first == ord("t"):
        end = _word(text, at, _TRUE)
        return _BOOL, 1, end, end, used
    if first == ord("f"):
        end = _word(text, at, _FALSE)
        return _BOOL, 0, end, end, used
    if first == ord("n"):
        end = _word(text, at, _NULL)
        return _OTHER, 0, end, end, used
    return _OTHER, 0, -1, -1, used


@njit(cache=True)
def _fill(text, slots, frame, prices, sizes, level, used):  # type: ignore[no-untyped-def]
    """The frame out of its fields; the pairs held afterwards, -1 when it is not one of the subset."""
    clock = _T if slots[0, _T] != _ABSENT else _E
    frame.time_ns = UNKNOWN_TIME
    if slots[0, clock] != _ABSENT:
        if slots[0, clock] != _INT or slots[1, clock] > _MAX_MS:
            return -1
        frame.time_ns = slots[1, clock] * NS_PER_MILLISECOND
    frame.previous = frame.side = frame.flags = 0
    kind, start, end = slots[0, _e], slots[1, _e], slots[2, _e]
    if _same(text, kind, start, end, _DEPTH_NAME):
        return _fill_depth(slots, frame, used)
    if _same(text, kind, start, end, _TRADE_NAME):
        return _fill_trade(text, slots, frame, prices, sizes, level)
    # spot does not name its best quotes
    unnamed = kind == _ABSENT and slots[0, _B] != _ABSENT and slots[0, _A] != _ABSENT
    if unnamed or _same(text, kind, start, end, _QUOTE_NAME):
        return _fill_quote(text, slots, frame, prices, sizes, level)
    return -1


@njit(cache=True)
def _fill_depth(slots, frame, used):  # type: ignore[no-untyped-def]
    if slots[0, _u] != _INT or slots[0, _b] != _LEVELS or slots[0, _a] != _LEVELS or slots[1, _a] < slots[1, _b]:
        return -1
    if slots[0, _PU] == _INT:
        frame.previous = slots[1, _PU]
    elif slots[0, _PU] == _ABSENT and slots[0, _U] == _INT:
        frame.previous = slots[1, _U] - 1
    else:
        return -1
    frame.kind, frame.last = DEPTH, slots[1, _u]
    frame.bids, frame.asks = slots[2, _b] - slots[1, _b], slots[2, _a] - slots[1, _a]
    return used


@njit(cache=True)
def _fill_quote(text, slots, frame, prices, sizes, level):  # type: ignore[no-untyped-def]
    if slots[0, _u] != _INT:
        return -1
    for i, price_slot, size_slot in ((0, _b, _B), (1, _a, _A)):
        if slots[0, price_slot] != _TEXT or slots[0, size_slot] != _TEXT:
            return -1
        at, prices[level + i] = _decimal(text, slots[1, price_slot] - 1)
        end, sizes[level + i] = _decimal(text, slots[1, size_slot] - 1)
        if at < 0 or end < 0:
            return -1
    frame.kind, frame.last, frame.bids, frame.asks = QUOTE, slots[1, _u], 1, 1
    return level + 2


@njit(cache=True)
def _fill_trade(text, slots, frame, prices, sizes, level):  # type: ignore[no-untyped-def]
    if slots[0, _t] != _INT or slots[0, _m] != _BOOL or slots[0, _p] != _TEXT or slots[0, _q] != _TEXT:
        return -1
    # another X is no trade: not of the subset
    if slots[0, _X] != _ABSENT and not _same(text, slots[0, _X], slots[1, _X], slots[2, _X], _MARKET):
        return -1
    at, prices[level] = _decimal(text, slots[1, _p] - 1)
    end, sizes[level] = _decimal(text, slots[1, _q] - 1)
    if at < 0 or end < 0 or prices[level] == 0 or sizes[level] == 0:
        return -1
    frame.kind, frame.last, frame.bids, frame.asks = TRADE, slots[1, _t], 1, 0
    frame.side = -1 if slots[1, _m] else 1  # the buyer is the maker: a seller was the aggressor
    return level + 1
