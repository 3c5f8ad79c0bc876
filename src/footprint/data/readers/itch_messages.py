"""Messages of NASDAQ TotalView-ITCH 5.0: layout of every type, byte by byte.

Integers are big-endian, prices have four implied decimals (eight in the circuit breaker levels), text is padded with
spaces on the right, a timestamp is 6 bytes of nanoseconds since midnight in New York. Source: "Nasdaq TotalView-ITCH
5.0", sections 1.1 to 1.8, revision with message O.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

MAX_PRICE = 2_000_000_000  # 200,000.0000 USD, the highest price of the specification
LENGTH_BYTES = 2  # each message in a file is preceded by its length

_HEAD = [
    ("type", "S1"),
    ("stock_locate", ">u2"),
    ("tracking_number", ">u2"),
    ("time_high", ">u2"),  # the timestamp is time_high * 2^32 + time_low
    ("time_low", ">u4"),
]
_REFERENCE = ("reference", ">u8")
_STOCK = ("stock", "S8")
_ADD = [_REFERENCE, ("side", "S1"), ("shares", ">u4"), _STOCK, ("price", ">u4")]
_EXECUTED = [_REFERENCE, ("shares", ">u4"), ("match_number", ">u8")]

LAYOUTS: Mapping[str, np.dtype] = MappingProxyType(
    {
        letter: np.dtype([*_HEAD, *fields])
        for letter, fields in {
            "S": [("event", "S1")],
            "R": [
                _STOCK,
                ("market_category", "S1"),
                ("financial_status", "S1"),
                ("round_lot_size", ">u4"),
                ("round_lots_only", "S1"),
                ("issue_classification", "S1"),
                ("issue_sub_type", "S2"),
                ("authenticity", "S1"),
                ("short_sale_threshold", "S1"),
                ("ipo_flag", "S1"),
                ("luld_tier", "S1"),
                ("etp_flag", "S1"),
                ("etp_leverage", ">u4"),
                ("inverse", "S1"),
            ],
            "H": [_STOCK, ("state", "S1"), ("reserved", "S1"), ("reason", "S4")],
            "Y": [_STOCK, ("action", "S1")],
            "L": [("mpid", "S4"), _STOCK, ("primary", "S1"), ("mode", "S1"), ("state", "S1")],
            "V": [("level_1", ">u8"), ("level_2", ">u8"), ("level_3", ">u8")],
            "W": [("level", "S1")],
            "K": [_STOCK, ("release_time_s", ">u4"), ("qualifier", "S1"), ("price", ">u4")],
            "J": [_STOCK, ("reference_price", ">u4"), ("upper", ">u4"), ("lower", ">u4"), ("extension", ">u4")],
            "h": [_STOCK, ("market", "S1"), ("action", "S1")],
            "A": _ADD,
            "F": [*_ADD, ("attribution", "S4")],
            "E": _EXECUTED,
            "C": [*_EXECUTED, ("printable", "S1"), ("price", ">u4")],
            "X": [_REFERENCE, ("shares", ">u4")],
            "D": [_REFERENCE],
            "U": [_REFERENCE, ("new_reference", ">u8"), ("shares", ">u4"), ("price", ">u4")],
            "P": [*_ADD, ("match_number", ">u8")],
            "Q": [("shares", ">u8"), _STOCK, ("price", ">u4"), ("match_number", ">u8"), ("cross_type", "S1")],
            "B": [("match_number", ">u8")],
            "I": [
                ("paired_shares", ">u8"),
                ("imbalance_shares", ">u8"),
                ("direction", "S1"),
                _STOCK,
                ("far_price", ">u4"),
                ("near_price", ">u4"),
                ("reference_price", ">u4"),
                ("cross_type", "S1"),
                ("variation", "S1"),
            ],
            "N": [_STOCK, ("interest", "S1")],
            "O": [
                _STOCK,
                ("open_eligible", "S1"),
                ("minimum_price", ">u4"),
                ("maximum_price", ">u4"),
                ("near_price", ">u4"),
                ("near_time_ns", ">u8"),
                ("lower_collar", ">u4"),
                ("upper_collar", ">u4"),
            ],
        }.items()
    }
)

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "S": "system_events",
        "R": "stock_directory",
        "H": "trading_actions",
        "Y": "short_sale_restrictions",
        "L": "participant_positions",
        "V": "breaker_levels",
        "W": "breaker_status",
        "K": "ipo_quoting",
        "J": "auction_collars",
        "h": "operational_halts",
        "A": "adds",
        "F": "attributed_adds",
        "E": "executions",
        "C": "executions_with_price",
        "X": "cancels",
        "D": "deletes",
        "U": "replaces",
        "P": "hidden_trades",
        "Q": "crosses",
        "B": "broken_trades",
        "I": "imbalances",
        "N": "retail_interest",
        "O": "direct_listings",
    }
)


def message_lengths() -> np.ndarray:
    """Bytes of each message type by its letter, int64 of shape (256,), 0 for a letter that is none."""
    lengths = np.zeros(256, np.int64)
    for letter, layout in LAYOUTS.items():
        lengths[ord(letter)] = layout.itemsize
    return lengths


def offset(letter: str, field: str) -> int:
    """Byte of a field in a message of that type."""
    fields = LAYOUTS[letter].fields
    assert fields is not None
    return int(fields[field][1])


def decode(message: bytes) -> dict[str, int | str]:
    """One message as plain values: text without its padding, `timestamp` in ns since midnight, prices in 1e-4 USD.

    Raises:
        ValueError: no message type, or a wrong length.
    """
    layout = LAYOUTS.get(message[:1].decode("latin-1"))
    if layout is None or len(message) != layout.itemsize:
        raise ValueError(f"no message of ITCH 5.0: type {message[:1]!r}, {len(message)} bytes")
    record = np.frombuffer(message, layout)[0]
    assert layout.names is not None
    values: dict[str, int | str] = {"timestamp": (int(record["time_high"]) << 32) | int(record["time_low"])}
    for name in layout.names:
        if not name.startswith("time_"):
            value = record[name]
            values[name] = value.decode("latin-1").rstrip(" ") if isinstance(value, bytes) else int(value)
    return values
