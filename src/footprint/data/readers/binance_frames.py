"""Raw Binance frames, one a line: `<local time> <json>`; local time in ns (19 digits) or us (16 digits).

A frame is what one WebSocket message or one REST answer said, still in the exchange's own words; prices and sizes are
whole multiples of 1e-8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from footprint.data.files.lines import read_lines
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME
from footprint.units import NS_PER_MILLISECOND

UNITS_PER_ONE = 100_000_000  # prices and sizes are read in 1e-8
MAX_INT = 2**63 - 1

FIRST_LINE = re.compile(rb'\d{16}(\d{3})? \{"(stream|lastUpdateId)"')
_DECIMAL = re.compile(r"(\d{1,18})(?:\.(\d{1,8})0*)?")
_NS_PER_STAMP = {19: 1, 16: 1000}


class Frame(NamedTuple):
    """One line.

    Attributes:
        row: 1-based line in the file.
        receive_ns: local time, ns UTC.
        event: "depthUpdate", "bookTicker", "trade", "markPriceUpdate", "snapshot", or another name of the exchange.
        body: the payload.
    """

    row: int
    receive_ns: int
    event: str
    body: dict[str, Any]


class BadValue(Exception):
    """A value inside a frame that cannot be used; `read_frames` callers turn it into DataRefused with the row."""

    def __init__(self, reason: str, found: object, allowed: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.found, self.allowed, self.field = reason, found, allowed, field


def read_frames(path: Path) -> Iterator[Frame]:
    """The frames of a file in order.

    Raises:
        DataRefused: empty or truncated file, a line that is not `<time> <json object>`, a local clock that goes back.
    """
    previous_ns = 0
    for row, line in enumerate(read_lines(path), start=1):
        frame = parse_line(line, row, previous_ns, path)
        previous_ns = frame.receive_ns
        yield frame
    refuse_empty(previous_ns, path)


def parse_line(line: bytes, row: int, previous_ns: int, path: Path) -> Frame:
    """One line.

    Args:
        previous_ns: local time of the line before it; 0 for the first.

    Raises:
        DataRefused: not `<time> <json object>`, or the local clock goes back.
    """
    stamp, _, text = line.partition(b" ")
    scale = _NS_PER_STAMP.get(len(stamp))
    if scale is None or not stamp.isdigit():
        raise _bad_time("wrong columns", path, row, _text(stamp), "local time of 16 (us) or 19 (ns) digits")
    receive_ns = int(stamp) * scale
    if receive_ns < previous_ns:
        raise _bad_time("clock goes back", path, row, receive_ns, f"not before {previous_ns} of the row above")
    if receive_ns > MAX_INT:
        raise _bad_time("value too large", path, row, receive_ns, f"at most {MAX_INT}")
    try:
        message = json.loads(text)
        body = message.get("data", message)
        event = body.get("e") or _unnamed_event(body)
    except (ValueError, AttributeError, RecursionError):
        raise DataRefused("not a frame", path=path, row=row, found=_text(text), allowed="a JSON object") from None
    return Frame(row, receive_ns, event, body)


def refuse_empty(last_ns: int, path: Path) -> None:
    """Raise DataRefused when no frame came: the local time of the last one is still 0."""
    if not last_ns:
        raise DataRefused("empty file", path=path, allowed="at least one frame")


def _unnamed_event(body: dict[str, Any]) -> str:
    """Spot bookTicker frames and REST snapshots carry no event name."""
    if "lastUpdateId" in body:
        return "snapshot"
    return "bookTicker" if "B" in body and "A" in body else "unnamed"


def _bad_time(reason: str, path: Path, row: int, found: object, allowed: str) -> DataRefused:
    return DataRefused(reason, path=path, row=row, field="local time", found=found, allowed=allowed)


def _text(raw: bytes) -> str:
    return raw[:40].decode("utf-8", "replace")


@lru_cache(maxsize=1 << 18)
def units(text: str) -> int:
    """A decimal text as a whole number of 1e-8; exact, unlike a float.

    Raises:
        BadValue: negative, not a number, finer than 1e-8, or beyond 64 bits.

    >>> units("61800.20")
    6180020000000
    """
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        reason = "negative value" if str(text).startswith("-") else "not a number"
        raise BadValue(reason, text, "a decimal of at least 0 in steps of 1e-8")
    whole, fraction = match.groups()
    return _within_64_bits(int(whole) * UNITS_PER_ONE + int((fraction or "").ljust(8, "0")), text)


def whole_number(body: dict[str, Any], field: str) -> int:
    """An integer field of a frame.

    Raises:
        BadValue: missing, not an integer, or beyond 64 bits.
    """
    value = body.get(field)
    if type(value) is not int:
        raise BadValue("missing value" if value is None else "not a number", value, "a whole number", field)
    return _within_64_bits(value, value, field)


def exchange_time_ns(body: dict[str, Any]) -> int:
    """When the exchange says that it happened: the transaction time, else the event time, else UNKNOWN_TIME.

    Raises:
        BadValue: not an integer, or beyond 64 bits in nanoseconds.
    """
    field = "T" if "T" in body else "E"
    if field not in body:
        return UNKNOWN_TIME
    value = whole_number(body, field)
    return _within_64_bits(value * NS_PER_MILLISECOND, value, field)


def _within_64_bits(value: int, found: object, field: str | None = None) -> int:
    if abs(value) > MAX_INT:
        raise BadValue("value too large", found, f"at most {MAX_INT} in the unit of the reader", field)
    return value


def refused(error: Exception, frame: Frame, path: Path) -> DataRefused:
    """What to raise when the values of a frame could not be used: names row, field, found and allowed."""
    if isinstance(error, BadValue):
        reason, field, found, allowed = error.reason, error.field, error.found, error.allowed
        field = field or _field_of(frame.body, found)
    elif isinstance(error, KeyError):
        field = allowed = str(error.args[0])
        reason, found = "wrong columns", "no such key"
    else:
        reason, field, found, allowed = "wrong columns", frame.event, str(frame.body), "the fields of Binance"
    return DataRefused(reason, path=path, row=frame.row, field=field, found=found, allowed=allowed)


def _field_of(body: dict[str, Any], found: object) -> str | None:
    for name, value in body.items():
        if value == found or (isinstance(value, list) and any(found in level for level in value)):
            return name
    return None
