"""The peers of the books' benchmark, each fed the way its own documentation says: hftbacktest and nautilus_trader.

Rows are put into a peer's own form before the clock starts, and its compiled code has run once by then. What is timed
is the way from an empty book to the end of the rows.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from footprint.app import book_stream
from footprint.app.book_stream import Columns

PEERS = ("hftbacktest", "nautilus_trader")

_TICK = 0.01
_LATENCY_NS = 100_000
_STEP_NS = 100_000_000
_WARM_ROWS = 2_000
_NAUTILUS_ROWS_A_CALL = 1_000
_NAUTILUS_LAST = 128  # flag of the last delta of an event


def installed(name: str) -> bool:
    """The package can be imported."""
    return importlib.util.find_spec(name) is not None


def hftbacktest_run(rows: Columns, dense: bool) -> Callable[[], float]:
    """What replays a feed and gives the CPU time, ns.

    The package applies each row to two books, that of the exchange and a delayed one of its own.

    Args:
        rows: the order feed (L3), or the level feed (L2, without order ids).
        dense: books as arrays over a range of prices, else as hash maps.
    """
    import hftbacktest

    events = _hftbacktest_events(hftbacktest, rows)
    book = hftbacktest.ROIVectorMarketDepthBacktest if dense else hftbacktest.HashMapMarketDepthBacktest
    drain = _drain()

    def run(part: np.ndarray) -> float:
        backtest = book([_hftbacktest_asset(hftbacktest, part, rows.order_id is not None, dense)])
        start_ns = time.process_time_ns()
        drain(backtest, _STEP_NS)
        spent_ns = time.process_time_ns() - start_ns
        backtest.close()
        return spent_ns

    run(events[:_WARM_ROWS])
    return lambda: run(events)


def _drain() -> Callable:
    from numba import njit

    @njit
    def drain(backtest, step_ns):  # type: ignore[no-untyped-def]
        while backtest.elapse(step_ns) == 0:
            pass

    return drain


def _hftbacktest_events(package: Any, rows: Columns) -> np.ndarray:
    if rows.order_id is None:
        kinds = {book_stream.SET: package.DEPTH_EVENT, book_stream.PRINTED: package.TRADE_EVENT}
    else:
        kinds = {
            book_stream.ADDED: package.ADD_ORDER_EVENT,
            book_stream.DELETED: package.CANCEL_ORDER_EVENT,
            book_stream.REDUCED: package.MODIFY_ORDER_EVENT,
            book_stream.FILLED: package.FILL_EVENT,
            book_stream.TRADED: package.TRADE_EVENT,
        }
    codes = np.array([kinds[kind] for kind in sorted(kinds)], np.uint64)
    side = np.where(rows.side == book_stream.BUY, package.BUY_EVENT, package.SELL_EVENT).astype(np.uint64)
    events = np.zeros(len(rows.kind), package.event_dtype)
    events["ev"] = codes[rows.kind] | side | np.uint64(package.EXCH_EVENT) | np.uint64(package.LOCAL_EVENT)
    events["exch_ts"], events["local_ts"] = rows.time_ns, rows.time_ns + _LATENCY_NS
    events["px"], events["qty"] = rows.price_ticks * _TICK, rows.size_lots
    if rows.order_id is not None:
        events["order_id"] = rows.order_id
    return events


def _hftbacktest_asset(package: Any, events: np.ndarray, by_order: bool, dense: bool) -> Any:
    asset = (
        package.BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(_LATENCY_NS, _LATENCY_NS)
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(_TICK)
        .lot_size(1.0)
        .last_trades_capacity(0)
    )
    asset = asset.l3_fifo_queue_model() if by_order else asset.risk_adverse_queue_model()
    return asset.roi_lb(0.0).roi_ub(2 * book_stream.CENTRE_TICKS * _TICK) if dense else asset


def nautilus_run(rows: Columns) -> Callable[[], float]:
    """What applies a feed to an order book, 1,000 rows a call, and gives the CPU time, ns.

    Its book takes no prints and no notices of fills, so those rows are left out.
    """
    from nautilus_trader.model.book import OrderBook
    from nautilus_trader.model.data import OrderBookDeltas
    from nautilus_trader.model.enums import BookType
    from nautilus_trader.test_kit.providers import TestInstrumentProvider

    instrument = TestInstrumentProvider.equity(symbol="XYZ", venue="SIM").id
    kind = BookType.L2_MBP if rows.order_id is None else BookType.L3_MBO
    deltas = _nautilus_deltas(instrument, rows)
    calls = [
        OrderBookDeltas(instrument, deltas[at : at + _NAUTILUS_ROWS_A_CALL])
        for at in range(0, len(deltas), _NAUTILUS_ROWS_A_CALL)
    ]

    def run() -> float:
        book = OrderBook(instrument, kind)
        start_ns = time.process_time_ns()
        for call in calls:
            book.apply_deltas(call)
        return time.process_time_ns() - start_ns

    return run


def _nautilus_deltas(instrument: Any, rows: Columns) -> list:
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, OrderSide
    from nautilus_trader.model.objects import Price, Quantity

    sides = {book_stream.BUY: OrderSide.BUY, book_stream.SELL: OrderSide.SELL}
    if rows.order_id is None:
        taken = rows.kind == book_stream.SET
        actions = np.where(rows.size_lots > 0, BookAction.UPDATE, BookAction.DELETE)
        ids = np.zeros(len(rows.kind), np.int64)
    else:
        taken = rows.kind < book_stream.FILLED
        actions = np.array([BookAction.ADD, BookAction.DELETE, BookAction.UPDATE])[np.minimum(rows.kind, 2)]
        ids = rows.order_id
    columns = (actions, rows.side, rows.price_ticks, rows.size_lots, ids, rows.time_ns)
    prices = {price: Price(price * _TICK, 2) for price in np.unique(rows.price_ticks).tolist()}
    sizes = {size: Quantity.from_int(size) for size in np.unique(rows.size_lots).tolist()}
    return [
        OrderBookDelta(
            instrument,
            BookAction(action),
            BookOrder(sides[side], prices[price], sizes[size], order_id),
            _NAUTILUS_LAST,
            number,
            time_ns,
            time_ns,
        )
        for number, (action, side, price, size, order_id, time_ns) in enumerate(
            zip(*(column[taken].tolist() for column in columns), strict=True)
        )
    ]
