"""Frames of a recording in blocks of columns, and the events that they stand for.

Nearly all lines of a recording are read by the compiled parser of `binance_scan`. What it leaves comes out between the
blocks as a `Frame` in the exchange's own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from footprint.data.files.lines import read_chunks, whole_lines
from footprint.data.readers import binance_scan
from footprint.data.readers.binance_frames import (
    BadValue,
    Frame,
    exchange_time_ns,
    parse_line,
    refuse_empty,
    units,
    whole_number,
)
from footprint.data.readers.binance_scan import DEPTH, DROPPED, FRAME_DTYPE, QUOTE, TRADE
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind

_MARKET = "MARKET"  # futures prints with another X are not trades (insurance fund, adjustments)
_LAST, _SIDE_GIVEN = int(EventFlag.LAST), int(EventFlag.SIDE_GIVEN)
_LEVEL_EVENT, _QUOTE_EVENT, _TRADE_EVENT = int(EventKind.LEVEL), int(EventKind.QUOTE), int(EventKind.TRADE)


class FrameBlock(NamedTuple):
    """Frames one after another.

    Attributes:
        frames: FRAME_DTYPE of shape (n,); `level` points into the other two.
        prices, sizes: int64 in 1e-8.
    """

    frames: np.ndarray
    prices: np.ndarray
    sizes: np.ndarray

    def one(self, k: int) -> FrameBlock:
        """Frame k alone, in memory of its own."""
        frame = self.frames[k : k + 1].copy()
        start = int(frame["level"][0])
        stop = start + int(frame["bids"][0]) + int(frame["asks"][0])
        frame["level"] = 0
        return FrameBlock(frame, self.prices[start:stop].copy(), self.sizes[start:stop].copy())


def read_blocks(path: Path, symbol: str) -> Iterator[FrameBlock | Frame]:
    """The frames of a file in order: blocks of depth updates, best quotes and trades of `symbol`, and all other frames.

    The arrays of a block are good until the next one is asked for.

    Raises:
        DataRefused: as `binance_frames.read_frames`, or a line of more than `lines.MAX_LINE_BYTES`.
    """
    name = np.frombuffer(symbol.encode(), np.uint8)
    slots = np.zeros(binance_scan.SLOTS_SHAPE, np.int64)
    row, last_ns = 1, 0
    for block in whole_lines(read_chunks(path), path):
        text, stop = np.frombuffer(block + bytes(binance_scan.PADDING), np.uint8), len(block)
        pairs = stop // binance_scan.MIN_PAIR_BYTES + 2
        prices, sizes = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
        frames = np.zeros(block.count(b"\n"), FRAME_DTYPE)
        at = 0
        while at < stop:
            at, count, used = binance_scan.scan(text, at, stop, row, last_ns, name, frames, prices, sizes, slots)
            if count:
                yield FrameBlock(frames[:count], prices[:used], sizes[:used])
                row, last_ns = row + count, int(frames["receive_ns"][count - 1])
            if at < stop:
                end = block.index(b"\n", at)
                frame = parse_line(block[at:end], row, last_ns, path)
                yield frame
                row, last_ns, at = row + 1, frame.receive_ns, end + 1
    refuse_empty(last_ns, path)


def block_of(frame: Frame) -> FrameBlock:
    """A depth update, best quote or trade as a block of one.

    Raises:
        BadValue, KeyError, TypeError, ValueError: a field is not what Binance sends.
    """
    match frame.event:
        case "depthUpdate":
            last, previous = depth_ids(frame.body)
            body = frame.body
            return _block(frame, DEPTH, last, body["b"], body["a"], exchange_time_ns(body), previous=previous)
        case "bookTicker":
            body = frame.body
            last, time_ns = whole_number(body, "u"), exchange_time_ns(body)
            bid, ask = (body["b"], body["B"]), (body["a"], body["A"])
            return _block(frame, QUOTE, last, [bid], [ask], time_ns, may_be_zero=True)
        case "trade":
            return _trade_block(frame)
    raise BadValue("unknown event", frame.event, "depthUpdate, bookTicker or trade", "e")


def snapshot_block(frame: Frame, last_id: int) -> FrameBlock:
    """The levels of a snapshot as if they were a depth update; it has no time of the exchange.

    Raises:
        BadValue, KeyError, TypeError, ValueError: a field is not what Binance sends.
    """
    block = _block(frame, DEPTH, last_id, frame.body["bids"], frame.body["asks"], UNKNOWN_TIME)
    block.frames["flags"] = int(EventFlag.SNAPSHOT)
    return block


def depth_ids(body: dict[str, Any]) -> tuple[int, int]:
    """Last id that a depthUpdate covers, and the one before its first.

    Raises:
        BadValue: an id is missing or no integer.
    """
    previous = whole_number(body, "pu") if "pu" in body else whole_number(body, "U") - 1
    return whole_number(body, "u"), previous


def _trade_block(frame: Frame) -> FrameBlock:
    body = frame.body
    trade_id, time_ns = whole_number(body, "t"), exchange_time_ns(body)
    if body.get("X", _MARKET) != _MARKET:
        return _block(frame, DROPPED, trade_id, [], [], time_ns)
    if type(body["m"]) is not bool:
        raise BadValue("not a flag", body["m"], "true or false", "m")
    for field in ("p", "q"):
        _positive(body[field], field)
    block = _block(frame, TRADE, trade_id, [(body["p"], body["q"])], [], time_ns)
    block.frames["side"] = -1 if body["m"] else 1  # the buyer is the maker: a seller was the aggressor
    return block


def _block(
    frame: Frame,
    kind: int,
    last: int,
    bids: Any,
    asks: Any,
    time_ns: int,
    *,
    previous: int = 0,
    may_be_zero: bool = False,
) -> FrameBlock:
    pairs = [(price, size, "b") for price, size in bids] + [(price, size, "a") for price, size in asks]
    prices = [units(price) if may_be_zero else _positive(price, field) for price, _, field in pairs]
    frames = np.zeros(1, FRAME_DTYPE)
    for name, value in (
        ("receive_ns", frame.receive_ns),
        ("time_ns", time_ns),
        ("previous", previous),
        ("last", last),
        ("row", frame.row),
        ("bids", len(bids)),
        ("asks", len(asks)),
        ("kind", kind),
    ):
        frames[name] = value
    return FrameBlock(frames, np.array(prices, np.int64), np.array([units(size) for _, size, _ in pairs], np.int64))


def _positive(text: Any, field: str) -> int:
    value = units(text)
    if value == 0:
        raise BadValue("not positive", text, "more than 0", field)
    return value


def block_events(block: FrameBlock, used: np.ndarray) -> np.ndarray:
    """The events of the frames that are used, in their order; prices and sizes stay in 1e-8.

    Args:
        used: bool of shape (n,).

    Returns:
        EVENT_DTYPE of shape (m,): LEVEL for each pair of a depth update, two QUOTE for a best quote, TRADE.
    """
    frames = block.frames
    events = np.zeros(int(((frames["bids"] + frames["asks"]) * used).sum()), EVENT_DTYPE)
    _write(frames, block.prices, block.sizes, used, events)
    return events


@njit(cache=True)
def _write(frames, prices, sizes, used, events):  # type: ignore[no-untyped-def]
    at = 0
    for k in range(len(frames)):
        frame = frames[k]
        pairs = frame.bids + frame.asks
        if not used[k] or pairs == 0:
            continue
        kind, flags = _LEVEL_EVENT, frame.flags
        if frame.kind == QUOTE:
            kind = _QUOTE_EVENT
        elif frame.kind == TRADE:
            kind, flags = _TRADE_EVENT, flags | _SIDE_GIVEN
        for i in range(pairs):
            event = events[at]
            event.exchange_time_ns, event.receive_time_ns = frame.time_ns, frame.receive_ns
            event.kind, event.flags = kind, flags
            event.side = 1 if i < frame.bids else -1
            event.price_ticks, event.size_lots = prices[frame.level + i], sizes[frame.level + i]
            event.order_id, event.sequence, event.row = 0, frame.last, frame.row
            at += 1
        events[at - 1].flags |= _LAST
        if frame.kind == TRADE:
            events[at - 1].side = frame.side
