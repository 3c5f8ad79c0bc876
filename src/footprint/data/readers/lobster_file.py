"""A LOBSTER file as it lies: a zip of a message csv and an order-book csv, one row of each per event.

message: seconds after midnight New York, type, order id, size, price x 10,000, direction of the *resting* order.
The pseudo order of a cross has an id below 0. Source: LOBSTER, "Output structure" and "Event type 6".
order book: ask price, ask size, bid price, bid size per level; row k is the state after message k; a level that does
not exist has price 9999999999 (ask) or -9999999999 (bid) and size 0.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from pathlib import Path

import numpy as np
from numba import njit

from footprint.book import invariants
from footprint.book.view import NO_PRICE
from footprint.data.files.compressed import MAX_UNPACKED_PER_BYTE
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.data.readers.lobster_scan import parse_numbers
from footprint.errors import DataRefused
from footprint.units import NS_PER_SECOND

NO_LEVEL = 9_999_999_999

# what the library raises on a damaged archive: also for an unknown method, an encrypted member and a broken header
_DAMAGED = (
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    struct.error,
)
_CHUNK_BYTES = 1 << 18

MEMBER = re.compile(
    r"(?P<symbol>[A-Za-z0-9.\-]+)_(?P<day>\d{4}-\d{2}-\d{2})_\d+_\d+_(message|orderbook)_(?P<n>\d+)\.csv"
)
_LAST_CROSS_ID = -4  # -1 opening cross, -2 closing cross, -3 and -4 crosses within the day
_MESSAGE_COLUMNS = (
    Column("time", float, 0, maximum=10**9),  # as nanoseconds it fits 64 bits
    Column("type", int, 1),
    Column("order id", int, _LAST_CROSS_ID),
    Column("size", int, 0),
    Column("price", int),
    Column("direction", int),
)


class MessageType(IntEnum):
    """LOBSTER's own message types."""

    NEW = 1
    PARTIAL_CANCEL = 2
    DELETE = 3
    EXECUTION = 4
    HIDDEN_EXECUTION = 5
    CROSS = 6
    HALT = 7


_NEW, _HIDDEN, _CROSS, _HALT = (
    int(t) for t in (MessageType.NEW, MessageType.HIDDEN_EXECUTION, MessageType.CROSS, MessageType.HALT)
)


@dataclass(frozen=True, slots=True)
class LobsterDay:
    """One file as it lies.

    Attributes:
        message: int64 of shape (n, 6): ns after midnight New York, type, order id, size, price ticks, direction.
        book: int64 of shape (n, 4 * levels): ask price, ask size, bid price, bid size per level, NO_PRICE and 0 where
            there is none.
    """

    path: Path
    symbol: str
    day: date
    levels: int
    message: np.ndarray
    book: np.ndarray


def read_day(path: Path) -> LobsterDay:
    """Read and check a file.

    Raises:
        DataRefused: truncated zip, missing member, wrong columns, a bad value, clock going back, different lengths of
            message and book, levels out of order.
    """
    message_name, book_name = _members(path)
    match = MEMBER.fullmatch(Path(message_name).name)
    if match is None:
        raise DataRefused(
            "wrong name inside", path=path, found=message_name, allowed="<symbol>_<date>_..._message_<n>.csv"
        )
    levels = int(match["n"])
    message = _read_messages(path, message_name)
    book = _read_book(path, book_name, levels)
    if len(message) != len(book):
        found = f"{len(message)} messages and {len(book)} book rows"
        raise DataRefused(
            "row count mismatch", path=path, row=min(len(message), len(book)) + 1, found=found, allowed="equal"
        )
    return LobsterDay(path, match["symbol"].upper(), date.fromisoformat(match["day"]), levels, message, book)


def member_names(path: Path) -> list[str]:
    """Names inside the zip, none when it cannot be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [Path(name).name for name in archive.namelist()]
    except _DAMAGED:
        return []


def _members(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            unpacked = sum(info.file_size for info in archive.infolist())
    except _DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole zip") from error
    limit = MAX_UNPACKED_PER_BYTE * path.stat().st_size
    if unpacked > limit:
        raise DataRefused("archive too large unpacked", path=path, found=unpacked, allowed=f"at most {limit} bytes")
    found = []
    for kind in ("message", "orderbook"):
        of_kind = [name for name in names if f"_{kind}_" in name and name.endswith(".csv")]
        if len(of_kind) != 1:
            raise DataRefused("wrong members", path=path, found=names, allowed=f"one ..._{kind}_<n>.csv")
        found.append(of_kind[0])
    return found[0], found[1]


def _unzip(path: Path, member: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    except _DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole zip") from error


def _read_plain(
    path: Path, member: str, columns: int, *, time_first: bool, signed: tuple[int, ...]
) -> np.ndarray | None:
    """A member of plain numbers, unpacked piece by piece; None when it is for the general parser."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            chunks = iter(lambda: file.read(_CHUNK_BYTES), b"")
            total_bytes = archive.getinfo(member).file_size
            source = path / member
            return parse_numbers(chunks, total_bytes, columns, source, time_first=time_first, signed=signed)
    except _DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole zip") from error


def _read_messages(path: Path, member: str) -> np.ndarray:
    source = path / member
    message = _read_plain(path, member, len(_MESSAGE_COLUMNS), time_first=True, signed=(2, 4, 5))
    if message is None:
        table = read_table(_unzip(path, member), _MESSAGE_COLUMNS, source, header=False)
        message = np.empty((len(table), len(_MESSAGE_COLUMNS)), np.int64)
        message[:, 0] = np.rint(table["time"].to_numpy() * NS_PER_SECOND)
        for column, name in enumerate(table.columns[1:], start=1):
            message[:, column] = table[name].to_numpy()
    bad = first_bad_message(message)
    if bad < len(message):
        _refuse_message(message[: bad + 1], source)
    return message


def _refuse_message(message: np.ndarray, source: Path) -> None:
    """Say what is wrong with the last of these messages."""
    time_ns, kind, order_id, size, price, direction = message.T
    refuse_clock_going_back(time_ns, source, "time", first_row=1)
    order = (kind >= MessageType.NEW) & (kind <= MessageType.HIDDEN_EXECUTION)
    unknown = (kind < MessageType.NEW) | (kind > MessageType.HALT)
    _refuse_first(unknown, kind, source, "type", "unknown message type", "1 to 7")
    no_id = (order_id < 0) & (kind < MessageType.CROSS)
    _refuse_first(no_id, order_id, source, "order id", "negative value", "at least 0")
    _refuse_first(np.abs(direction) != 1, direction, source, "direction", "unknown direction", "1 or -1")
    _refuse_first(order & (price <= 0), price, source, "price", "price not positive", "more than 0")
    _refuse_first(order & (size <= 0), size, source, "size", "size not positive", "more than 0")


def _read_book(path: Path, member: str, levels: int) -> np.ndarray:
    source = path / member
    book = _read_plain(path, member, 4 * levels, time_first=False, signed=tuple(range(0, 4 * levels, 2)))
    if book is None:
        fields = ("ask price", "ask size", "bid price", "bid size")
        names = [f"{field} {n}" for n in range(1, levels + 1) for field in fields]
        columns = [Column(name, int, 0 if "size" in name else None) for name in names]
        book = read_table(_unzip(path, member), columns, source, header=False).to_numpy(order="c").astype(np.int64)
    bad = empty_missing_levels(book, NO_LEVEL)
    if bad < len(book):
        _refuse_book_row(book[bad : bad + 1], bad + 1, source)
    return book


def _refuse_book_row(row: np.ndarray, number: int, source: Path) -> None:
    for side, first, field in ((-1, 0, "ask price"), (1, 2, "bid price")):
        price = row[:, first::4].copy()
        price[price == -side * NO_LEVEL] = NO_PRICE
        negative = (price < 0) | (row[:, first::4] == NO_PRICE)
        _refuse_first(
            negative.any(axis=1), price.min(axis=1), source, field, "price not positive", "more than 0 or none", number
        )
        bad = invariants.misordered(price, side)
        _refuse_first(bad, price[:, 0], source, field, "levels out of order", "best first, strictly", number)


def _refuse_first(
    bad: np.ndarray, value: np.ndarray, path: Path, field: str, reason: str, allowed: str, first_row: int = 1
) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        raise DataRefused(reason, path=path, row=at + first_row, field=field, found=int(value[at]), allowed=allowed)


@njit(cache=True)
def first_bad_message(message: np.ndarray) -> int:
    """Index of the first message that must be refused, else their number."""
    previous_ns = message[0, 0]
    for k in range(len(message)):
        time_ns, kind, order_id, size, price, direction = message[k]
        if time_ns < previous_ns or kind < _NEW or kind > _HALT or (direction != 1 and direction != -1):
            return k
        if order_id < 0 and kind < _CROSS:
            return k
        if kind <= _HIDDEN and (price <= 0 or size <= 0):
            return k
        previous_ns = time_ns
    return len(message)


@njit(cache=True)
def empty_missing_levels(book: np.ndarray, no_level: int) -> int:
    """Make price and size of levels that do not exist NO_PRICE and 0, row by row.

    Returns:
        Index of the first row whose prices are not positive or not strictly best first (it is left as it was), else
        their number.
    """
    levels = book.shape[1] // 4
    for k in range(len(book)):
        row = book[k]
        for side, first in ((-1, 0), (1, 2)):
            held = 0
            while held < levels and row[first + 4 * held] != -side * no_level:
                price = row[first + 4 * held]
                if price <= 0 or (held and side * price >= side * row[first + 4 * (held - 1)]):
                    return k
                held += 1
            for j in range(held, levels):
                if row[first + 4 * j] != -side * no_level:
                    return k
        for side, first in ((-1, 0), (1, 2)):
            for j in range(levels):
                if row[first + 4 * j] == -side * no_level:
                    row[first + 4 * j], row[first + 4 * j + 1] = NO_PRICE, 0
    return len(book)
