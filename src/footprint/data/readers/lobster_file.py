"""A LOBSTER file as it lies: a zip of a message csv and an order-book csv, one row of each per event.

message: seconds after midnight New York, type, order id, size, price x 10,000, direction of the *resting* order.
order book: ask price, ask size, bid price, bid size per level; row k is the state after message k; a level that does
not exist has price 9999999999 (ask) or -9999999999 (bid) and size 0.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from pathlib import Path

import numpy as np

from footprint.book import invariants
from footprint.book.view import NO_PRICE
from footprint.data.table import Column, read_table, refuse_clock_going_back
from footprint.errors import DataRefused
from footprint.units import NS_PER_SECOND

NO_LEVEL = 9_999_999_999

MEMBER = re.compile(
    r"(?P<symbol>[A-Za-z0-9.\-]+)_(?P<day>\d{4}-\d{2}-\d{2})_\d+_\d+_(message|orderbook)_(?P<n>\d+)\.csv"
)
_MESSAGE_COLUMNS = (
    Column("time", float, 0),
    Column("type", int, 1),
    Column("order id", int, 0),
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
    except (zipfile.BadZipFile, OSError):
        return []


def _members(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole zip") from error
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
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole zip") from error


def _read_messages(path: Path, member: str) -> np.ndarray:
    source = path / member
    table = read_table(_unzip(path, member), _MESSAGE_COLUMNS, source, header=False)
    message = np.empty((len(table), 6), np.int64)
    message[:, 0] = np.rint(table["time"].to_numpy() * NS_PER_SECOND)
    for column, name in enumerate(table.columns[1:], start=1):
        message[:, column] = table[name].to_numpy()
    _, kind, _, size, price, direction = message.T
    refuse_clock_going_back(message[:, 0], source, "time", first_row=1)
    order = kind <= MessageType.HIDDEN_EXECUTION
    _refuse_first(kind > MessageType.HALT, kind, source, "type", "unknown message type", "1 to 7")
    _refuse_first(np.abs(direction) != 1, direction, source, "direction", "unknown direction", "1 or -1")
    _refuse_first(order & (price <= 0), price, source, "price", "price not positive", "more than 0")
    _refuse_first(order & (size <= 0), size, source, "size", "size not positive", "more than 0")
    return message


def _read_book(path: Path, member: str, levels: int) -> np.ndarray:
    source = path / member
    names = [
        f"{field} {n}" for n in range(1, levels + 1) for field in ("ask price", "ask size", "bid price", "bid size")
    ]
    columns = [Column(name, int, 0 if "size" in name else None) for name in names]
    book = read_table(_unzip(path, member), columns, source, header=False).to_numpy().astype(np.int64)
    for side, first in ((-1, 0), (1, 2)):
        price = book[:, first::4]
        missing = price == -side * NO_LEVEL
        book[:, first::4][missing] = NO_PRICE
        book[:, first + 1 :: 4][missing] = 0
        bad = (~missing & (price <= 0)).any(axis=1)
        _refuse_first(bad, price.min(axis=1), source, names[first][:-2], "price not positive", "more than 0 or none")
        bad = invariants.misordered(price, side)
        _refuse_first(bad, price[:, 0], source, names[first][:-2], "levels out of order", "best first, strictly")
    return book


def _refuse_first(bad: np.ndarray, value: np.ndarray, path: Path, field: str, reason: str, allowed: str) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        raise DataRefused(reason, path=path, row=at + 1, field=field, found=int(value[at]), allowed=allowed)
