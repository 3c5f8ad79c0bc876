"""The price levels of a book in order of price: what a price-level and an order-by-order book have in common.

A side is kept by `key = side * price`, so that a greater key is a better price on either side and one kernel serves
both. A level is a key and a value above 0: its size (L2), or the number of its record (L3).

Near the touch the values lie in an array by distance from a moving lower end (the window, a power of two of ticks),
with one bit a price to find the next level. Levels below the window lie in arrays sorted by key (`far`), as many as
there may be levels, so that memory is bounded however far apart prices are. What holds at all times:

- no level lies above the window, and where there are levels at all the best one lies in it;
- `far` has room for every level of its side, so that the window can always be moved.

The window moves up when a level is set above it, down when it runs empty, and down when the touch has sunk into its
lower half while a level below it changes. When many changes still fall below, the ladder asks for a wider window.

Kernels take the two arrays one by one, as everything in `book/` does: a tuple would be taken apart at every call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from footprint.book.bits import highest_bit
from footprint.book.compiled import inlined, kernel

BID_ROW = 0
ASK_ROW = 1

# a level's place on its side: its distance in the window, or -2 less its position in `far`
NO_PLACE = -1

MIN_WINDOW, MAX_WINDOW = 1 << 12, 1 << 18  # ticks; the widest is 4 % of a price of 60,000.00 and 2 MiB a side

# one side of a ladder; the last six fields say where its parts begin in `cells`
SIDE_DTYPE = np.dtype(
    [
        ("low", np.int64),  # key at the lower end of the window
        ("best", np.int64),  # distance of the best level from there, -1 when there is no level
        ("near_levels", np.int64),  # levels in the window
        ("far_levels", np.int64),  # levels below it
        ("misses", np.int64),  # changes below the window since it has its width
        ("patience", np.int64),  # misses at which a wider window is asked for
        ("window", np.int64),  # ticks
        ("capacity", np.int64),  # levels at most
        ("near", np.int64),  # value by distance, 0 where there is no level
        ("words", np.int64),  # a bit for each value of the window
        ("blocks", np.int64),  # a bit for each word that is not 0
        ("sums", np.int64),  # of the values of each word
        ("far_keys", np.int64),  # ascending
        ("far_values", np.int64),
    ],
    align=True,
)

_KEY_MIN, _KEY_MAX = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_ONE = np.uint64(1)


class Ladder(NamedTuple):
    """Both sides of a book.

    Attributes:
        sides: SIDE_DTYPE of shape (2,); row 0 bids, row 1 asks.
        cells: int64, the parts of both sides one after another.
    """

    sides: np.ndarray
    cells: np.ndarray


def make_ladder(window: int, capacity: int) -> Ladder:
    """An empty ladder.

    Args:
        window: ticks held by distance, a power of two from MIN_WINDOW to MAX_WINDOW.
        capacity: levels a side at most.
    """
    parts = {
        "near": window,
        "words": window >> 6,
        "blocks": window >> 12,
        "sums": window >> 6,
        "far_keys": capacity,
        "far_values": capacity,
    }
    sides = np.zeros(2, SIDE_DTYPE)
    sides["best"] = -1
    sides["patience"] = window >> 2 if window < MAX_WINDOW else _KEY_MAX
    sides["window"], sides["capacity"] = window, capacity
    at = 0
    for row in (BID_ROW, ASK_ROW):
        for name, length in parts.items():
            sides[name][row] = at
            at += length
    return Ladder(sides, np.zeros(at, np.int64))


def wants_wider(ladder: Ladder) -> bool:
    """Changes fall below a window so often that one twice as wide pays."""
    return bool((ladder.sides["misses"] >= ladder.sides["patience"]).any())


def is_full(ladder: Ladder) -> bool:
    """A side holds as many levels as it can."""
    sides = ladder.sides
    return bool((sides["near_levels"] + sides["far_levels"] == sides["capacity"]).any())


def grown(ladder: Ladder, capacity: int) -> Ladder:
    """The levels of a ladder, which is used up, in one with a wider window where that was asked for, else with room
    for more levels.
    """
    window, held = int(ladder.sides["window"][0]), int(ladder.sides["capacity"][0])
    wider = make_ladder(2 * window, held) if wants_wider(ladder) else make_ladder(window, capacity)
    _move_levels(*ladder, *wider)
    return wider


def levels_of(sides: np.ndarray, cells: np.ndarray, row: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys and values of the best `count` levels of a side (fewer when there are fewer), best first: int64 each."""
    held = min(count, int(level_count(sides, row)))
    keys, values = np.empty(held, np.int64), np.empty(held, np.int64)
    _write_levels(sides, cells, row, keys, values)
    return keys, values


@kernel
def _move_levels(sides, cells, to_sides, to_cells) -> None:  # type: ignore[no-untyped-def]
    """Take every level into an empty ladder that has room for them."""
    for row in range(2):
        source, target = sides[row], to_sides[row]
        if source.best < 0:
            continue
        best = source.low + source.best
        _empty_window(sides, cells, row)
        for j in range(source.far_levels):
            to_cells[target.far_keys + j] = cells[source.far_keys + j]
            to_cells[target.far_values + j] = cells[source.far_values + j]
        target.far_levels = source.far_levels
        _move_window(to_sides, to_cells, row, best)


@inlined
def fits(sides: np.ndarray, row: int) -> bool:
    """A level can be taken out and another one put on this side."""
    side = sides[row]
    return side.near_levels + side.far_levels < side.capacity and side.misses < side.patience


@inlined
def level_count(sides: np.ndarray, row: int) -> int:
    """Levels held on a side."""
    return sides[row].near_levels + sides[row].far_levels


@inlined
def best_key(sides: np.ndarray, row: int) -> int:
    """Key of the best level of a side that has one."""
    return sides[row].low + sides[row].best


@inlined
def best_value(sides: np.ndarray, cells: np.ndarray, row: int) -> int:
    """Value of the best level, 0 when the side is empty."""
    side = sides[row]
    return cells[side.near + side.best] if side.best >= 0 else 0


@inlined
def get(sides: np.ndarray, cells: np.ndarray, row: int, key: int) -> int:
    """Value at a key, 0 when there is no level."""
    side = sides[row]
    distance = key - side.low
    if np.uint64(distance) < np.uint64(side.window):
        return cells[side.near + distance]
    at = _far_position(side, cells, key)
    known = at < side.far_levels and cells[side.far_keys + at] == key
    return cells[side.far_values + at] if known else 0


@inlined
def put(sides: np.ndarray, cells: np.ndarray, row: int, key: int, value: int) -> bool:
    """Set the value at a key; 0 takes the level out. False, with nothing changed, when the ladder has to be `grown`."""
    distance = key - sides[row].low
    if np.uint64(distance) < np.uint64(sides[row].window):
        return _put_near(sides, cells, row, distance, value)
    return _put_outside(sides, cells, row, key, value)


@inlined
def _put_near(sides: np.ndarray, cells: np.ndarray, row: int, distance: int, value: int) -> bool:
    side = sides[row]
    at = side.near + distance
    old = cells[at]
    if old == 0 and value != 0:
        if side.near_levels + side.far_levels == side.capacity:
            return False
        _open(side, cells, distance)
    cells[at] = value
    cells[side.sums + (distance >> 6)] += value - old
    if old != 0 and value == 0:
        _close(sides, cells, row, distance)
    return True


@inlined
def _open(side, cells: np.ndarray, distance: int) -> None:  # type: ignore[no-untyped-def]  # a numba record
    _set_bit(side, cells, distance)
    side.near_levels += 1
    if distance > side.best:
        side.best = distance


@inlined
def _close(sides: np.ndarray, cells: np.ndarray, row: int, distance: int) -> None:
    side = sides[row]
    _clear_bit(side, cells, distance)
    side.near_levels -= 1
    if distance == side.best:
        side.best = _next_below(side, cells, distance)
        if side.best < 0 and side.far_levels > 0:
            _move_window(sides, cells, row, cells[side.far_keys + side.far_levels - 1])


@inlined
def _set_bit(side, cells: np.ndarray, distance: int) -> None:  # type: ignore[no-untyped-def]
    word = distance >> 6
    cells[side.words + word] |= 1 << (distance & 63)
    cells[side.blocks + (word >> 6)] |= 1 << (word & 63)


@inlined
def _clear_bit(side, cells: np.ndarray, distance: int) -> None:  # type: ignore[no-untyped-def]
    word = distance >> 6
    cells[side.words + word] &= ~(1 << (distance & 63))
    if cells[side.words + word] == 0:
        cells[side.blocks + (word >> 6)] &= ~(1 << (word & 63))


@inlined
def _next_below(side, cells: np.ndarray, distance: int) -> int:  # type: ignore[no-untyped-def]
    """Distance of the next level below one in the window, -1 when the window has none."""
    word = distance >> 6
    bits = _bits_below(cells[side.words + word], distance)
    if bits != 0:
        return (word << 6) + highest_bit(bits)
    block = word >> 6
    bits = _bits_below(cells[side.blocks + block], word)
    while bits == 0:
        if block == 0:
            return -1
        block -= 1
        bits = np.uint64(cells[side.blocks + block])
    word = (block << 6) + highest_bit(bits)
    return (word << 6) + highest_bit(np.uint64(cells[side.words + word]))


@inlined
def _bits_below(word: int, position: int) -> np.uint64:
    return np.uint64(word) & ((_ONE << np.uint64(position & 63)) - _ONE)


@kernel
def _far_position(side, cells: np.ndarray, key: int) -> int:  # type: ignore[no-untyped-def]
    """First position in `far` whose key is not below `key`."""
    low, high = 0, side.far_levels
    while low < high:
        middle = (low + high) >> 1
        if cells[side.far_keys + middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _put_outside(sides: np.ndarray, cells: np.ndarray, row: int, key: int, value: int) -> bool:
    """`put` outside the window, which moves first when that brings the key into it."""
    side = sides[row]
    above = key > side.low
    if side.best < 0 or above:
        if value == 0:
            return True
        if side.near_levels + side.far_levels == side.capacity:
            return False
        _move_window(sides, cells, row, key)
    elif side.best < side.window >> 1:
        _move_window(sides, cells, row, side.low + side.best)
    if key >= side.low:
        return _put_near(sides, cells, row, key - side.low, value)
    return _put_far(side, cells, key, value)


@kernel
def _put_far(side, cells: np.ndarray, key: int, value: int) -> bool:  # type: ignore[no-untyped-def]
    at = _far_position(side, cells, key)
    keys, values, count = side.far_keys, side.far_values, side.far_levels
    known = at < count and cells[keys + at] == key
    if value != 0 and (side.misses > side.patience or (not known and side.near_levels + count == side.capacity)):
        return False
    side.misses += 1
    if known and value == 0:
        for j in range(at, count - 1):
            cells[keys + j], cells[values + j] = cells[keys + j + 1], cells[values + j + 1]
        side.far_levels = count - 1
    elif value != 0:
        if not known:
            for j in range(count, at, -1):
                cells[keys + j], cells[values + j] = cells[keys + j - 1], cells[values + j - 1]
            cells[keys + at] = key
            side.far_levels = count + 1
        cells[values + at] = value
    return True


@kernel
def _move_window(sides: np.ndarray, cells: np.ndarray, row: int, best: int) -> None:
    """Lay the window so that a key stands three quarters up in it."""
    side = sides[row]
    _empty_window(sides, cells, row)
    depth = side.window - (side.window >> 2)
    low = best - depth if best >= _KEY_MIN + depth else _KEY_MIN
    side.low = min(low, _KEY_MAX - side.window + 1)
    at = side.far_levels
    while at > 0 and cells[side.far_keys + at - 1] >= side.low:
        at -= 1
        distance = cells[side.far_keys + at] - side.low
        value = cells[side.far_values + at]
        cells[side.near + distance] = value
        cells[side.sums + (distance >> 6)] += value
        _open(side, cells, distance)
    side.far_levels = at


@kernel
def _empty_window(sides: np.ndarray, cells: np.ndarray, row: int) -> None:
    """Append the levels of the window to `far`, whose keys are all lower."""
    side = sides[row]
    count = side.far_levels + side.near_levels
    at, distance = count, side.best
    while distance >= 0:
        at -= 1
        cells[side.far_keys + at] = side.low + distance
        cells[side.far_values + at] = cells[side.near + distance]
        cells[side.near + distance] = 0
        cells[side.sums + (distance >> 6)] = 0
        below = _next_below(side, cells, distance)
        _clear_bit(side, cells, distance)
        distance = below
    side.far_levels, side.near_levels, side.best = count, 0, -1


@inlined
def place_after(sides: np.ndarray, cells: np.ndarray, row: int, place: int) -> int:
    """Place of the next worse level, NO_PLACE after the last one. The place of the best level is `sides[row].best`."""
    side = sides[row]
    if place >= 0:
        below = _next_below(side, cells, place)
        return below if below >= 0 or side.far_levels == 0 else -1 - side.far_levels
    return place + 1


@inlined
def key_at(sides: np.ndarray, cells: np.ndarray, row: int, place: int) -> int:
    """Key of the level at a place."""
    side = sides[row]
    return side.low + place if place >= 0 else cells[side.far_keys + (-2 - place)]


@inlined
def value_at(sides: np.ndarray, cells: np.ndarray, row: int, place: int) -> int:
    """Value of the level at a place."""
    side = sides[row]
    return cells[side.near + place] if place >= 0 else cells[side.far_values + (-2 - place)]


@kernel
def sum_from(sides: np.ndarray, cells: np.ndarray, row: int, limit: float) -> tuple[int, bool]:
    """Sum of the values at keys not below a limit, and whether a level lies below it."""
    side = sides[row]
    if side.best < 0 or side.low + side.best < limit:
        return 0, side.best >= 0
    total, word = 0, -1
    if limit > side.low:
        first = np.int64(np.ceil(limit)) - side.low
        word = first >> 6
        for distance in range(first, (word + 1) << 6):
            total += cells[side.near + distance]
    for later in range(word + 1, (side.best >> 6) + 1):
        total += cells[side.sums + later]
    if word >= 0:
        return total, side.far_levels > 0 or _next_below(side, cells, first) >= 0
    at = side.far_levels
    while at > 0 and cells[side.far_keys + at - 1] >= limit:
        at -= 1
        total += cells[side.far_values + at]
    return total, at > 0


@kernel
def _write_levels(sides: np.ndarray, cells: np.ndarray, row: int, keys: np.ndarray, values: np.ndarray) -> None:
    place = sides[row].best
    for j in range(len(keys)):
        keys[j], values[j] = key_at(sides, cells, row, place), value_at(sides, cells, row, place)
        place = place_after(sides, cells, row, place)


@kernel
def clear(sides: np.ndarray, cells: np.ndarray) -> None:
    """Take every level out."""
    for row in range(2):
        _empty_window(sides, cells, row)
        sides[row].far_levels = 0
