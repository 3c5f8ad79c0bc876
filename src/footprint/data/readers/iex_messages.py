"""IEX-TP segments and the messages of DEEP 1.0 and TOPS 1.5/1.6 in them: a compiled loop from payloads to rows.

A segment has a header of 40 bytes (version, message protocol, channel, session, payload length, message count, stream
offset, sequence number of its first message, send time), then messages, each after its length in two bytes; all
integers are little-endian, prices have four implied decimals, times are ns UTC. Messages may grow at their end.
Sources: "IEX Transport Specification" 1.25; "DEEP Specification" 1.08; "TOPS Specification" 1.6 and 1.66.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

import numpy as np
from numba import njit

DEEP_1_0, TOPS_1_6, TOPS_1_5 = 0x8004, 0x8003, 0x8002
PROTOCOL_AT = 2  # where a segment says it
PROTOCOLS: Mapping[int, str] = MappingProxyType({DEEP_1_0: "DEEP 1.0", TOPS_1_6: "TOPS 1.6", TOPS_1_5: "TOPS 1.5"})
MAX_PRICE = 10**15  # far above any price; keeps sums of them within 64 bits
SEGMENT_BYTES = 40

_HEAD = [("type", "S1"), ("flags", "u1"), ("time_ns", "<i8")]
_SYMBOL = ("symbol", "S8")
_PRINT = [_SYMBOL, ("size", "<u4"), ("price", "<i8"), ("trade_id", "<i8")]

LAYOUTS: Mapping[str, np.dtype] = MappingProxyType(
    {
        letter: np.dtype([*_HEAD, *fields])
        for letter, fields in {
            "S": [],
            "D": [_SYMBOL, ("round_lot_size", "<u4"), ("adjusted_close", "<i8"), ("luld_tier", "u1")],
            "H": [_SYMBOL, ("reason", "S4")],
            "I": [_SYMBOL],
            "O": [_SYMBOL],
            "P": [_SYMBOL, ("detail", "S1")],
            "E": [_SYMBOL],
            "8": [_SYMBOL, ("size", "<u4"), ("price", "<i8")],
            "5": [_SYMBOL, ("size", "<u4"), ("price", "<i8")],
            "Q": [_SYMBOL, ("bid_size", "<u4"), ("bid_price", "<i8"), ("ask_price", "<i8"), ("ask_size", "<u4")],
            "T": _PRINT,
            "B": _PRINT,
            "X": [_SYMBOL, ("price", "<i8")],
            "A": [
                _SYMBOL,
                ("paired_shares", "<u4"),
                ("reference_price", "<i8"),
                ("clearing_price", "<i8"),
                ("imbalance_shares", "<u4"),
                ("imbalance_side", "S1"),
                ("extensions", "u1"),
                ("scheduled_time_s", "<u4"),
                ("book_clearing_price", "<i8"),
                ("collar_reference_price", "<i8"),
                ("lower_collar", "<i8"),
                ("upper_collar", "<i8"),
            ],
        }.items()
    }
)
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "S": "system_events",
        "D": "security_directory",
        "H": "trading_status",
        "I": "retail_interest",
        "O": "operational_halt_status",
        "P": "short_sale_status",
        "E": "security_events",
        "8": "bid_levels",
        "5": "ask_levels",
        "Q": "quotes",
        "T": "trade_reports",
        "B": "trade_breaks",
        "X": "official_prices",
        "A": "auction_information",
    }
)

ROW_DTYPE = np.dtype(
    [
        ("type", np.uint8),
        ("flags", np.uint8),
        ("exchange_time_ns", np.int64),
        ("receive_time_ns", np.int64),
        ("symbol", np.uint64),  # 8 bytes, the first one lowest; 0 for messages without one
        ("price", np.int64),
        ("size", np.int64),
        ("ask_price", np.int64),
        ("ask_size", np.int64),
        ("sequence", np.int64),
        ("row", np.int64),  # packet
        ("epoch", np.int64),  # starts of the stream before it
    ],
    align=True,
)


class Fault(IntEnum):
    """Why a segment refuses its file."""

    NONE = 0
    SEGMENT = 1
    PROTOCOL = 2
    MESSAGE = 3
    PRICE = 4
    CLOCK = 5


class Stream(IntEnum):
    """State of the stream, and what was counted in it."""

    PROTOCOL = 0
    SESSION = 1  # channel and session
    NEXT = 2  # sequence number that comes next
    SENT_NS = 3
    EPOCH = 4  # starts of the stream: a new session, or the same one from 1 again
    RECEIVED_NS = 5
    RESTARTS = 6
    GAPS = 7
    MISSING = 8  # messages
    DUPLICATES = 9  # messages seen before: passed over
    HEARTBEATS = 10
    UNKNOWN = 11  # messages of unknown type: passed over
    SEGMENTS = 12


_NONE, _BAD_SEGMENT, _BAD_PROTOCOL, _BAD_MESSAGE, _BAD_PRICE, _BAD_CLOCK = map(int, Fault)
(
    _PROTOCOL,
    _SESSION,
    _NEXT,
    _SENT,
    _EPOCH,
    _RECEIVED,
    _RESTARTS,
    _GAPS,
    _MISSING,
    _DUPLICATES,
    _HEARTBEATS,
    _UNKNOWN,
    _SEGMENTS,
) = map(int, Stream)


def _lengths() -> np.ndarray:
    lengths = np.zeros(256, np.int64)
    for letter, layout in LAYOUTS.items():
        lengths[ord(letter)] = layout.itemsize
    return lengths


_LENGTHS = _lengths()
_Q, _T, _BUY, _SELL, _BREAK, _D, _X = (ord(letter) for letter in "QT85BDX")


@njit(cache=True)
def _int(flat: np.ndarray, at: int, size: int) -> int:
    """Little-endian; signed for 8 bytes."""
    value = 0
    for i in range(size):
        value |= int(flat[at + i]) << (8 * i)
    return value


@njit(cache=True)
def read_segments(  # type: ignore[no-untyped-def]
    flat, start, length, time_ns, packet, stream, types, rows
) -> tuple[int, int, int]:
    """The messages of the segments in some payloads.

    Args:
        flat, start, length, time_ns, packet: as in `pcap.Payloads`.
        stream: int64 of shape (len(Stream),), changed.
        types: messages by letter, int64 of shape (256,), added to.
        rows: ROW_DTYPE with room for every message.

    Returns:
        Messages written, index of the payload at fault, Fault.
    """
    count = 0
    for i in range(len(start)):
        at, end = start[i], start[i] + length[i]
        if length[i] < SEGMENT_BYTES or flat[at] != 1:
            return count, i, _BAD_SEGMENT
        protocol = _int(flat, at + PROTOCOL_AT, 2)
        if stream[_SEGMENTS] == 0:
            stream[_PROTOCOL] = protocol
        if protocol != stream[_PROTOCOL] or protocol not in (DEEP_1_0, TOPS_1_6, TOPS_1_5):
            return count, i, _BAD_PROTOCOL
        if time_ns[i] < stream[_RECEIVED]:
            return count, i, _BAD_CLOCK
        stream[_RECEIVED] = time_ns[i]
        messages = _int(flat, at + 14, 2)
        if SEGMENT_BYTES + _int(flat, at + 12, 2) != length[i]:
            return count, i, _BAD_SEGMENT
        first = _int(flat, at + 24, 8)
        _follow(flat, at, first, messages, stream)
        at += SEGMENT_BYTES
        for number in range(first, first + messages):
            if at + 2 > end:
                return count, i, _BAD_SEGMENT
            size = _int(flat, at, 2)
            here = at + 2
            at = here + size
            if at > end or size == 0:
                return count, i, _BAD_SEGMENT
            letter = flat[here]
            if number < stream[_NEXT]:
                stream[_DUPLICATES] += 1
                continue
            if _LENGTHS[letter] == 0:
                stream[_UNKNOWN] += 1
                continue
            if size < _LENGTHS[letter]:
                return count, i, _BAD_MESSAGE
            types[letter] += 1
            row = rows[count]
            row.exchange_time_ns, row.receive_time_ns = _int(flat, here + 2, 8), time_ns[i]
            row.sequence, row.row, row.epoch = number, packet[i], stream[_EPOCH]
            if not _fill(flat, here, letter, row):
                return count, i, _BAD_PRICE
            if row.exchange_time_ns <= 0:
                return count, i, _BAD_CLOCK
            count += 1
        if at != end:
            return count, i, _BAD_SEGMENT
        stream[_NEXT] = max(stream[_NEXT], first + messages)
    return count, len(start), _NONE


@njit(cache=True)
def _follow(flat, at, first, messages, stream) -> None:  # type: ignore[no-untyped-def]
    """Compare the sequence number of a segment with the one that was due."""
    session, sent = _int(flat, at + 4, 8), _int(flat, at + 32, 8)
    begun = stream[_SEGMENTS] > 0
    stream[_SEGMENTS] += 1
    if messages == 0:
        stream[_HEARTBEATS] += 1
    if not begun or session != stream[_SESSION]:
        stream[_SESSION], stream[_NEXT] = session, first
        stream[_EPOCH] += begun
    elif first == 1 and stream[_NEXT] > 1 and sent > stream[_SENT]:
        # the sender began again; a packet that came twice would carry its old send time
        stream[_RESTARTS] += 1
        stream[_EPOCH] += 1
        stream[_NEXT] = 1
    elif first > stream[_NEXT]:
        stream[_GAPS] += 1
        stream[_MISSING] += first - stream[_NEXT]
        stream[_NEXT] = first
    stream[_SENT] = max(stream[_SENT], sent)


@njit(cache=True)
def _fill(flat, here, letter, row) -> bool:  # type: ignore[no-untyped-def]
    """Write what the type of the message carries; False for a price that cannot be."""
    row.type, row.flags = letter, flat[here + 1]
    row.symbol = np.uint64(0)
    row.price = row.size = row.ask_price = row.ask_size = 0
    if _LENGTHS[letter] > 10:
        row.symbol = np.uint64(_int(flat, here + 10, 8))
    if letter in (_BUY, _SELL, _T, _BREAK, _Q):
        row.size, row.price = _int(flat, here + 18, 4), _int(flat, here + 22, 8)
    if letter == _D:
        row.size = _int(flat, here + 18, 4)
    if letter == _Q:
        row.ask_price, row.ask_size = _int(flat, here + 30, 8), _int(flat, here + 38, 4)
    lowest = 1 if letter in (_T, _BUY, _SELL) else 0
    if letter == _T and row.size == 0:
        return False
    return lowest <= row.price <= MAX_PRICE and 0 <= row.ask_price <= MAX_PRICE
