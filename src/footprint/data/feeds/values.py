"""Values inside frames: exact decimals, times in the units that venues use, and JSON without floats."""

from __future__ import annotations

import json
import re
from calendar import timegm
from functools import lru_cache
from typing import Any

from footprint.data.feeds.messages import PRICE_UNITS_PER_ONE, SIZE_UNITS_PER_ONE
from footprint.data.feeds.wire import BadFrame
from footprint.units import NS_PER_SECOND

PRICE_DECIMALS = 12
SIZE_DECIMALS = 8
NS_PER_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}

_MAX_EXPONENT = 18
_DECIMAL = re.compile(r"(-?)(\d{1,19})(?:\.(\d{0,30}))?(?:[eE]([+-]?\d{1,2}))?")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?")


def parse_json(payload: bytes) -> Any:
    """A JSON document whose numbers with a point or an exponent stay texts, so that no digit is lost.

    Raises:
        BadFrame: not JSON.
    """
    try:
        return _JSON.decode(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadFrame("not JSON", payload[:40], "a JSON document") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


_JSON = json.JSONDecoder(parse_float=str, parse_constant=_refuse_constant)


@lru_cache(maxsize=1 << 17, typed=True)
def price(value: str | int) -> int:
    """A price as a whole number of 1e-12.

    Raises:
        BadFrame: not a positive decimal in steps of 1e-12.

    >>> price("0.0000001117")
    111700
    """
    units = _exact(value, PRICE_DECIMALS)
    if units <= 0:
        raise BadFrame("price not positive", value, "more than 0")
    return units


@lru_cache(maxsize=1 << 17, typed=True)
def size(value: str | int) -> int:
    """A size as a whole number of 1e-8.

    Raises:
        BadFrame: not a decimal of at least 0 in steps of 1e-8.

    >>> size("1.20000000"), size("4e-05"), size(3)
    (120000000, 4000, 300000000)
    """
    units = _exact(value, SIZE_DECIMALS)
    if units < 0:
        raise BadFrame("negative size", value, "at least 0")
    return units


@lru_cache(maxsize=1 << 17, typed=True)
def noisy_size(value: str | int) -> int:
    """A size that the venue computes in floats, to the nearest 1e-8; what is not 0 stays above 0.

    Raises:
        BadFrame: negative or no number.

    >>> noisy_size("1.7023900800000002")
    170239008
    """
    units = _nearest(value, SIZE_DECIMALS)
    if units < 0:
        raise BadFrame("negative size", value, "at least 0")
    return units


@lru_cache(maxsize=1 << 17, typed=True)
def noisy_price(value: str | int) -> int:
    """A price that the venue computes in floats, to the nearest 1e-12.

    Raises:
        BadFrame: not positive or no number.
    """
    units = _nearest(value, PRICE_DECIMALS)
    if units <= 0:
        raise BadFrame("price not positive", value, "more than 0")
    return units


def _exact(value: str | int, decimals: int) -> int:
    mantissa, exponent = _parts(value)
    shift = exponent + decimals
    if shift >= 0:
        return mantissa * 10**shift
    whole, rest = divmod(mantissa, 10**-shift)
    if rest:
        raise BadFrame("too many decimals", value, f"steps of 1e-{decimals}")
    return whole


def _nearest(value: str | int, decimals: int) -> int:
    mantissa, exponent = _parts(value)
    shift = exponent + decimals
    if shift >= 0:
        return mantissa * 10**shift
    scale = 10**-shift
    rounded = (2 * mantissa + scale) // (2 * scale)
    return rounded if rounded or not mantissa else 1


def _parts(value: str | int) -> tuple[int, int]:
    """Mantissa and decimal exponent."""
    if type(value) is int:
        if abs(value) > 10**19:
            raise BadFrame("value too large", value, "below 1e19")
        return value, 0
    match = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise BadFrame("not a number", value, "a decimal")
    sign, whole, fraction, exponent = match.groups()
    fraction = fraction or ""
    power = int(exponent or 0)
    if abs(power) > _MAX_EXPONENT:
        raise BadFrame("value too large", value, f"an exponent of at most {_MAX_EXPONENT}")
    mantissa = int(whole + fraction)
    return (-mantissa if sign else mantissa), power - len(fraction)


def whole(value: Any) -> int:
    """An id or a count, as a JSON number or a text of digits.

    Raises:
        BadFrame: no whole number of at least 0.
    """
    if type(value) is int and 0 <= value < 1 << 63:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return whole(int(value))
    raise BadFrame("not a whole number", value, "0 to 2**63 - 1")


def time_ns(value: str | int, unit: str) -> int:
    """A time of a venue in ns UTC.

    Args:
        unit: "s", "ms", "us", "ns" (a number, decimals allowed) or "iso" (2021-04-17T16:43:37.075687Z).

    Raises:
        BadFrame: not a time of this form, or outside of 1990 to 2200.

    >>> time_ns("1618678133.365913", "s"), time_ns("2021-04-17T16:43:37.075Z", "iso")
    (1618678133365913000, 1618677817075000000)
    """
    found = _iso_ns(value) if unit == "iso" else _number_ns(value, NS_PER_UNIT[unit])
    if not _FIRST_NS < found < _LAST_NS:
        raise BadFrame("not a time", value, f"1990 to 2200, in {unit}")
    return found


_FIRST_NS, _LAST_NS = 631_152_000 * NS_PER_SECOND, 7_258_118_400 * NS_PER_SECOND


def _number_ns(value: str | int, scale: int) -> int:
    if type(value) is int:
        return value * scale
    mantissa, exponent = _parts(value)
    return mantissa * scale * 10**exponent if exponent >= 0 else mantissa * scale // 10**-exponent


def _iso_ns(value: object) -> int:
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise BadFrame("not a time", value, "such as 2021-04-17T16:43:37.075687Z")
    *parts, fraction = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        raise BadFrame("not a time", value, "a date that exists")
    seconds = timegm((year, month, day, hour, minute, second))
    return seconds * NS_PER_SECOND + int((fraction or "").ljust(9, "0"))


def text(value: Any) -> str:
    """A name.

    Raises:
        BadFrame: no text, empty, or longer than any venue's names.
    """
    if isinstance(value, str) and 0 < len(value) <= 64:
        return value
    raise BadFrame("not a name", value, "a text of 1 to 64 characters")


def symbol(value: Any) -> str:
    """The venue's own name of an instrument, upper case."""
    return text(value).upper()


def side(value: Any, buy: str, sell: str) -> int:
    """+1 for the venue's word for a bid or a buyer, -1 for its word for an ask or a seller.

    Raises:
        BadFrame: another word.
    """
    if value == buy:
        return 1
    if value == sell:
        return -1
    raise BadFrame("unknown side", value, f"{buy} or {sell}")


def order_number(name: str) -> int:
    """A stable number for an order that is named by a GUID: its last 63 bits, never 0.

    A GUID of version 4 has 122 random bits, so that among 10 million orders two share 63 bits with a chance below 1e-5.

    Raises:
        BadFrame: not a GUID.

    >>> order_number("be3c69b7-1c5e-446f-b80d-8398aae065c5")
    4039029132546303429
    """
    digits = name.replace("-", "") if isinstance(name, str) else ""
    if not _GUID.fullmatch(digits):
        raise BadFrame("not a GUID", name, "32 hexadecimal digits")
    return int(digits[16:], 16) & _LOW_63_BITS or 1


_GUID = re.compile(r"[0-9a-fA-F]{32}")
_LOW_63_BITS = (1 << 63) - 1

assert PRICE_UNITS_PER_ONE == 10**PRICE_DECIMALS
assert SIZE_UNITS_PER_ONE == 10**SIZE_DECIMALS
