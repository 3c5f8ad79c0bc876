"""The compiled loop behind `stationary_book.py`: a book on a window of ticks, and the flow that meets it.

Inside it a side is 0 for bid and 1 for ask, and a price is its distance from the lower end of the window.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from footprint.market.events import EventFlag, EventKind
from footprint.units import NS_PER_SECOND

Record: TypeAlias = Any  # one row of a structured array, passed between kernels by reference

PLACE, TAKE = 1, 2
ACTION = np.dtype(
    [
        ("time_ns", np.int64),  # after the start
        ("what", np.int64),  # PLACE a limit order that is withdrawn after its life, TAKE with a market order
        ("side", np.int64),  # of the order
        ("distance_ticks", np.int64),  # of a limit order behind the best price of its side
        ("lots", np.int64),
        ("life_ns", np.int64),
    ],
    align=True,
)
# a row of the kernel's output
TIME, KIND, SIDE, PRICE, LOTS, BID, ASK, BID_LOTS, ASK_LOTS, FLAGS, WIDTH = range(11)
_LEVEL, _TRADE = int(EventKind.LEVEL), int(EventKind.TRADE)
_LAST, _SNAPSHOT, _GIVEN = int(EventFlag.LAST), int(EventFlag.SNAPSHOT), int(EventFlag.SIDE_GIVEN)

WINDOW_TICKS = 1 << 13  # the book is a window of that many prices around the open
_CLOSER = 0.25  # of the geometric distance from the opposite best
_FARTHEST = 15  # ticks from there; also the levels at the start
_REACH = 60  # levels that a cancellation or the next best price is looked for in
_ROOM = 1024  # brief orders
FLOW = np.dtype(
    [
        (name, np.float64)
        for name in (
            "orders_per_s",
            "takes_per_s",
            "cancel_per_s",
            "fleeting_share",
            "fleeting_s",
            "order_lots",
            "take_lots",
            "tail",
            "persistence",
            "branching",
            "memory_s",
        )
    ],
    align=True,
)  # the fields of `BookShape` that say something of the flow
_BRIEF = np.dtype([("due_ns", np.int64), ("side", np.int64), ("price", np.int64), ("lots", np.int64)], align=True)
BOOK = np.dtype(
    [
        ("low", np.int64),
        ("best", np.int64, (2,)),
        ("resting", np.int64, (2, WINDOW_TICKS)),  # lots of lasting orders
        ("brief", np.int64, (2, WINDOW_TICKS)),  # lots of orders with a time to go
        ("held", np.int64),  # sum of resting
        ("orders", _BRIEF, (_ROOM,)),
        ("pending", np.int64),  # how many of them
        ("sign", np.int64),  # of the last market order
        ("excitement", np.float64),  # of the flow, as a share of its base rate
        ("rows", np.int64),  # written
        ("edge", np.bool_),  # the price came to an end of the window
    ],
    align=True,
)


@njit(cache=True)
def _emit(b: Record, rows: np.ndarray, time_ns: int, kind: int, sign: int, price: int, lots: int, flags: int) -> None:
    row = rows[b.rows]
    b.rows += 1
    row[TIME], row[KIND], row[SIDE], row[PRICE], row[LOTS], row[FLAGS] = (
        time_ns, kind, sign, b.low + price, lots, flags,
    )  # fmt: skip
    row[BID], row[ASK] = b.low + b.best[0], b.low + b.best[1]
    row[BID_LOTS], row[ASK_LOTS] = _total(b, 0, b.best[0]), _total(b, 1, b.best[1])


@njit(cache=True)
def _total(b: Record, side: int, price: int) -> int:
    return b.resting[side, price] + b.brief[side, price]


@njit(cache=True)
def _behind(b: Record, side: int, distance: int) -> int:
    """Price that many ticks worse than the best of the side."""
    return b.best[side] + (-distance if side == 0 else distance)


@njit(cache=True)
def _next_level(b: Record, side: int) -> int:
    """First price behind the best one that holds something, -1 when there is none within reach."""
    for distance in range(1, _REACH):
        if _total(b, side, _behind(b, side, distance)) > 0:
            return _behind(b, side, distance)
    return -1


@njit(cache=True)
def _show(b: Record, rows: np.ndarray, time_ns: int, side: int, price: int, flags: int) -> None:
    """Move the best price to where it is now and report the level."""
    lots = _total(b, side, price)
    if lots == 0 and price == b.best[side]:
        b.best[side] = _next_level(b, side)
    elif lots > 0 and (price - b.best[side]) * (1 - 2 * side) > 0:
        b.best[side] = price
    _emit(b, rows, time_ns, _LEVEL, 1 - 2 * side, price, lots, flags)


@njit(cache=True)
def _may_go(b: Record, side: int, price: int, lots: int) -> bool:
    """A side never becomes empty."""
    return price != b.best[side] or _total(b, side, price) > lots or _next_level(b, side) >= 0


@njit(cache=True)
def _draw_lots(rng: np.random.Generator, mean_lots: float, flow: Record) -> int:
    if np.isinf(flow.tail):
        return int(np.ceil(mean_lots * rng.standard_exponential()))
    least = mean_lots * (flow.tail - 1.0) / flow.tail
    return int(np.ceil(least * (1.0 - rng.random()) ** (-1.0 / flow.tail)))


@njit(cache=True)
def _open(b: Record, rows: np.ndarray, rng: np.random.Generator, flow: Record) -> None:
    b.best[0], b.best[1], b.sign = WINDOW_TICKS // 2 - 1, WINDOW_TICKS // 2 + 1, 1
    for distance in range(_FARTHEST):
        for side in range(2):
            lots = _draw_lots(rng, flow.order_lots, flow)
            b.resting[side, _behind(b, side, distance)] += lots
            b.held += lots
    for distance in range(_FARTHEST):
        for side in range(2):
            _show(b, rows, 0, side, _behind(b, side, distance), _LAST | _SNAPSHOT)


@njit(cache=True)
def _place(b: Record, rows: np.ndarray, time_ns: int, side: int, price: int, lots: int, life_ns: int) -> None:
    """A limit order; a negative life means that it lasts."""
    if life_ns < 0 or b.pending == _ROOM:
        b.resting[side, price] += lots
        b.held += lots
    else:
        b.brief[side, price] += lots
        order = b.orders[b.pending]
        b.pending += 1
        order.due_ns, order.side, order.price, order.lots = time_ns + life_ns, side, price, lots
    _show(b, rows, time_ns, side, price, _LAST)


@njit(cache=True)
def _withdraw(b: Record, rows: np.ndarray, time_ns: int, i: int) -> None:
    """A brief order is due; what would leave its side empty becomes a lasting order."""
    side, price, lots = b.orders[i].side, b.orders[i].price, b.orders[i].lots
    b.pending -= 1
    last = b.orders[b.pending]
    b.orders[i].due_ns, b.orders[i].side, b.orders[i].price, b.orders[i].lots = (
        last.due_ns, last.side, last.price, last.lots,
    )  # fmt: skip
    if lots == 0:
        return
    may_go = _may_go(b, side, price, lots)
    b.brief[side, price] -= lots
    if may_go:
        _show(b, rows, time_ns, side, price, _LAST)
    else:
        b.resting[side, price] += lots
        b.held += lots


@njit(cache=True)
def _take(b: Record, rows: np.ndarray, time_ns: int, sign: int, lots: int) -> None:
    """A market order; it stops before the last level. Lasting orders of a level go before brief ones."""
    side = 1 if sign > 0 else 0
    while lots > 0 and _next_level(b, side) >= 0:
        price = b.best[side]
        done = min(lots, _total(b, side, price))
        _emit(b, rows, time_ns, _TRADE, sign, price, done, _LAST | _GIVEN)
        lots -= done
        lasting = min(done, b.resting[side, price])
        b.resting[side, price] -= lasting
        b.held -= lasting
        b.brief[side, price] -= done - lasting
        left = done - lasting
        for i in range(b.pending):
            order = b.orders[i]
            if left > 0 and order.side == side and order.price == price:
                filled = min(left, order.lots)
                order.lots -= filled
                left -= filled
        _show(b, rows, time_ns, side, price, _LAST)


@njit(cache=True)
def _cancel(b: Record, rows: np.ndarray, time_ns: int, rng: np.random.Generator, flow: Record) -> None:
    """A lot of the lasting orders is drawn, and an order of random size there goes."""
    left = rng.random() * b.held
    for place in range(2 * _REACH):
        side, price = place % 2, _behind(b, place % 2, place // 2)
        left -= b.resting[side, price]
        if left < 0.0:
            lots = min(_draw_lots(rng, flow.order_lots, flow), b.resting[side, price])
            if _may_go(b, side, price, lots):
                b.resting[side, price] -= lots
                b.held -= lots
                _show(b, rows, time_ns, side, price, _LAST)
            return


@njit(cache=True)
def _limit(b: Record, rows: np.ndarray, time_ns: int, rng: np.random.Generator, flow: Record) -> None:
    side = 0 if rng.random() < 0.5 else 1
    distance = min(rng.geometric(_CLOSER), _FARTHEST)
    price = b.best[1 - side] + (-distance if side == 0 else distance)
    life_ns = -1
    if rng.random() < flow.fleeting_share:
        life_ns = int(flow.fleeting_s * NS_PER_SECOND * rng.standard_exponential())
    _place(b, rows, time_ns, side, price, _draw_lots(rng, flow.order_lots, flow), life_ns)


@njit(cache=True)
def _act(b: Record, rows: np.ndarray, time_ns: int, action: Record) -> None:
    side = 0 if action.side > 0 else 1
    if action.what == TAKE:
        _take(b, rows, time_ns, action.side, action.lots)
    else:
        _place(b, rows, time_ns, side, _behind(b, side, action.distance_ticks), action.lots, action.life_ns)


@njit(cache=True)
def simulate(
    rng: np.random.Generator, flows: np.ndarray, books: np.ndarray, actions: np.ndarray, duration_ns: int
) -> np.ndarray:
    """Rows of what happened, shape (n, WIDTH), until the time is over or `edge` is set."""
    flow, b = flows[0], books[0]
    rows = np.zeros((1 << 14, WIDTH), np.int64)
    _open(b, rows, rng, flow)
    base_rate = flow.orders_per_s + flow.takes_per_s
    # lasting and brief orders all go again, so events come at about twice the rate of orders
    jump = flow.branching / (flow.memory_s * 2.0 * base_rate)
    time_ns, done = 0, 0
    while True:
        if b.rows > len(rows) - 4 * _REACH:
            longer = np.zeros((2 * len(rows), WIDTH), np.int64)
            longer[: b.rows] = rows[: b.rows]
            rows = longer
        cancel_rate = flow.cancel_per_s * b.held / flow.order_lots
        rate = (base_rate + cancel_rate) * (1.0 + b.excitement)
        flow_ns = time_ns + int(NS_PER_SECOND * rng.standard_exponential() / rate) + 1
        due = -1
        due_ns = duration_ns
        for i in range(b.pending):
            if b.orders[i].due_ns < due_ns:
                due, due_ns = i, b.orders[i].due_ns
        action_ns = actions[done].time_ns if done < len(actions) else duration_ns
        now_ns = min(flow_ns, due_ns, action_ns)
        b.edge = min(b.best[0], WINDOW_TICKS - b.best[1]) < 2 * _REACH
        if now_ns >= duration_ns or b.edge:
            return rows[: b.rows]
        bound = 1.0 + b.excitement
        b.excitement *= math.exp(-(now_ns - time_ns) / (flow.memory_s * NS_PER_SECOND))
        time_ns = now_ns
        if now_ns == due_ns:
            _withdraw(b, rows, now_ns, due)
        elif now_ns == action_ns:
            _act(b, rows, now_ns, actions[done])
            done += 1
        elif rng.random() * bound <= 1.0 + b.excitement:  # thinning: excitement has faded since the draw
            b.excitement += jump
            chosen = rng.random() * (base_rate + cancel_rate)
            if chosen >= base_rate:
                _cancel(b, rows, now_ns, rng, flow)
            elif chosen >= flow.takes_per_s:
                _limit(b, rows, now_ns, rng, flow)
            else:
                if rng.random() > flow.persistence:
                    b.sign = 1 if rng.random() < 0.5 else -1
                _take(b, rows, now_ns, b.sign, _draw_lots(rng, flow.take_lots, flow))
