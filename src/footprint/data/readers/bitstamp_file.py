"""Lines of a Bitstamp order log, or rows of the order life cycle made from one, as the same messages.

- log: `<local ms> <event> <json>`; order_created, order_changed and order_deleted with price, amount (what is left),
  datetime (exchange second in which the order was made), id, order_type (0 bid, 1 ask); trade with price, amount, id
  and no side; order_book with the best 20 levels a side. Source: Bitstamp, "Websocket API v1, live full order book".
- csv: id, timestamp (local ms), exchange.timestamp (ms, whole seconds), price, volume (1e-8), action (created, changed,
  deleted), direction (bid, ask). Source: package ob-analytics.

Numbers that the venue printed as floats are rounded to 1e-8, which is what it trades in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from footprint.data.files.compressed import head, read_all
from footprint.data.files.decimals import whole
from footprint.data.files.lines import read_lines
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.errors import DataRefused
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND

PLACES = 8

_LINE = re.compile(rb"\d{13} (order_created|order_changed|order_deleted|trade|order_book) \{")
_CSV = "id,timestamp,exchange.timestamp,price,volume,action,direction"
_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,30})?(e-\d{1,2})?")
_MAX_ID = 2**63 - 1
_FIRST_MS, _LAST_MS = 1_000_000_000_000, 4_102_444_800_000  # 2001 to 2100
_COLUMNS = (
    Column("id", int, 1),
    Column("timestamp", int, _FIRST_MS, maximum=_LAST_MS),
    Column("exchange.timestamp", int, _FIRST_MS, maximum=_LAST_MS),
    Column("price", Decimal, 0),
    Column("volume", Decimal, 0),
    Column("action", str),
    Column("direction", str),
)


class Event(Enum):
    """What a message says."""

    CREATED = "order_created"
    CHANGED = "order_changed"
    DELETED = "order_deleted"
    TRADE = "trade"
    BOOK = "order_book"


class Message(NamedTuple):
    """One line; prices and amounts in 1e-8.

    Attributes:
        id: of the order, or of the trade; 0 for BOOK.
        side: +1 bid, -1 ask of an order; 0 else.
        price: of the order or trade; the best bid of BOOK, 0 where there is none.
        amount: what is left of the order, or what traded; the best ask (a price) of BOOK.
        born_ns: exchange second in which the order was made, ns UTC; 0 for TRADE and BOOK.
    """

    row: int
    time_ns: int
    event: Event
    id: int
    side: int
    price: int
    amount: int
    born_ns: int


def is_log(path: Path) -> bool:
    """True when the first line is one of a log."""
    return _LINE.match(head(path).content) is not None


def is_life_cycle(path: Path) -> bool:
    """True when the header is that of the life cycle of orders."""
    return head(path).content.split(b"\n", 1)[0].decode("utf-8", "replace").strip() == _CSV


def first_ms(path: Path) -> int:
    """Local time of the first message, 0 when it cannot be read."""
    match = re.match(rb"(\d{13}) ", head(path).content)
    if match is None:
        match = re.match(rb"[^\n]*\n\d+,(\d{13}),", head(path).content)
    return int(match[1]) if match else 0


def read_messages(path: Path) -> Iterator[Message]:
    """The messages of a file in order.

    Raises:
        DataRefused: empty, truncated, a line that is none, a value that is not allowed, a local clock that goes back.
    """
    return _rows(path) if is_life_cycle(path) else _log(path)


def _log(path: Path) -> Iterator[Message]:
    previous_ns = 0
    for row, line in enumerate(read_lines(path), start=1):
        if _LINE.match(line) is None:
            found = line[:40].decode("utf-8", "replace")
            raise DataRefused("not a line of the log", path=path, row=row, found=found, allowed="<ms> <event> <json>")
        stamp, word, text = line.split(b" ", 2)
        time_ns = int(stamp) * NS_PER_MILLISECOND
        if time_ns < previous_ns:
            raise DataRefused(
                "clock goes back",
                path=path,
                row=row,
                field="local time",
                found=int(stamp),
                allowed=f"not before {previous_ns // NS_PER_MILLISECOND} of the row above",
            )
        previous_ns = time_ns
        try:
            body = json.loads(text, parse_float=str)
            yield _message(row, time_ns, Event(word.decode()), body)
        except _Bad as error:
            reason, field, found = error.args
            raise DataRefused(reason, path=path, row=row, field=field, found=found, allowed=_ALLOWED[field]) from None
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            found = text[:80].decode("utf-8", "replace")
            allowed = f"the fields of {word.decode()} ({type(error).__name__})"
            raise DataRefused("wrong columns", path=path, row=row, found=found, allowed=allowed) from None


class _Bad(Exception):
    """A value that is not allowed: reason, field, what was found."""


_ALLOWED = {
    "price": "a decimal above 0",
    "amount": "a decimal of at least 0",
    "id": "1 to 2^63 - 1",
    "order_type": "0 or 1",
    "datetime": "seconds since 1970, 2001 to 2100",
}


def _message(row: int, time_ns: int, event: Event, body: dict[str, Any]) -> Message:
    if event is Event.BOOK:
        bid, ask = (_number(body[side][0][0], "price") if body[side] else 0 for side in ("bids", "asks"))
        return Message(row, time_ns, event, 0, 0, bid, ask, 0)
    price, amount, order_id = _number(body["price"], "price"), _number(body["amount"], "amount"), body["id"]
    if price <= 0:
        raise _Bad("price not positive", "price", body["price"])
    if type(order_id) is not int or not 0 < order_id <= _MAX_ID:
        raise _Bad("not an id", "id", order_id)
    if event is Event.TRADE:
        if amount == 0:
            raise _Bad("size not positive", "amount", body["amount"])
        return Message(row, time_ns, event, order_id, 0, price, amount, 0)
    kind, born_s = body["order_type"], int(body["datetime"])
    if type(kind) is not int or kind not in (0, 1):
        raise _Bad("unknown side", "order_type", kind)
    if not _FIRST_MS <= born_s * 1000 <= _LAST_MS:
        raise _Bad("time out of range", "datetime", born_s)
    return Message(row, time_ns, event, order_id, 1 - 2 * kind, price, amount, born_s * NS_PER_SECOND)


@lru_cache(maxsize=1 << 16)
def _number(text: str | int, field: str) -> int:
    """A decimal in 1e-8, rounded to the nearest."""
    if type(text) not in (str, int) or _DECIMAL.fullmatch(str(text)) is None:
        raise _Bad("negative value" if str(text).startswith("-") else "not a number", field, text)
    return round(Decimal(text).scaleb(PLACES))


def _rows(path: Path) -> Iterator[Message]:
    table = read_table(read_all(path), _COLUMNS, path, header=True)
    refuse_clock_going_back(table["timestamp"].to_numpy(), path, "timestamp", first_row=2)
    price, volume = (whole(table[name], path) for name in ("price", "volume"))
    if price.places > PLACES or volume.places:
        field, places = ("volume", volume.places) if volume.places else ("price", price.places)
        raise DataRefused("too many decimals", path=path, field=field, found=places, allowed="volume 0, price 8")
    scale = 10 ** (PLACES - price.places)
    words = {"created": Event.CREATED, "changed": Event.CHANGED, "deleted": Event.DELETED}
    sides = {"bid": 1, "ask": -1}
    columns = ("timestamp", "action", "id", "direction", "exchange.timestamp")
    for row, (ms, action, order_id, direction, born_ms) in enumerate(table.select(columns).iter_rows(), start=2):
        if action not in words or direction not in sides:
            field, found, allowed = (
                ("action", action, words) if action not in words else ("direction", direction, sides)
            )
            raise DataRefused(
                f"unknown {field}", path=path, row=row, field=field, found=found, allowed=", ".join(allowed)
            )
        units = int(price.values[row - 2]) * scale
        if units <= 0 or units > 2**62:
            raise DataRefused("price out of range", path=path, row=row, field="price", found=units, allowed="0 to 4e10")
        yield Message(
            row,
            ms * NS_PER_MILLISECOND,
            words[action],
            order_id,
            sides[direction],
            units,
            int(volume.values[row - 2]),
            born_ms * NS_PER_MILLISECOND,
        )
