"""Options that several commands share, and the parsers of what a person types: durations, times, quantities."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from footprint.units import NS_PER_SECOND, side_sign

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_FRACTION = re.compile(r"(?<=\d)\.(\d{1,9})(?=Z|[+-]\d\d:?\d\d$)")
_EPOCH_NS = re.compile(r"\d{18,19}")  # 1973 to 2262; fewer digits are seconds, milliseconds or microseconds

T = TypeVar("T")


def parse_duration(text: str) -> float:
    """Seconds in a duration such as 90s, 30m, 1.5h.

    Raises:
        ValueError: not a positive number with a unit.

    >>> parse_duration("30m")
    1800.0
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not seconds > 0:
        raise ValueError(f"{text!r} is not a duration, allowed: a positive number and a unit, as in 90s, 30m, 2h")
    return seconds


def parse_time(text: str) -> int:
    """Nanoseconds UTC of an ISO 8601 time with a zone, or of an integer that is nanoseconds already.

    Raises:
        ValueError: not a time, or a time without a zone.

    >>> parse_time("2024-03-01T09:30:00.000000001-05:00")
    1709303400000000001
    """
    text = text.strip()
    if _EPOCH_NS.fullmatch(text):
        return int(text)
    fraction = _FRACTION.search(text)
    fraction_ns = int(fraction[1].ljust(9, "0")) if fraction else 0
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.microsecond:
        missing = "has no zone" if moment is not None and moment.tzinfo is None else "is not a time"
        allowed = "ISO 8601 with a zone, as in 2024-03-01T15:30:00Z, or nanoseconds UTC"
        raise ValueError(f"{text!r} {missing}, allowed: {allowed}")
    # whole seconds, and integers from there on: a float would lose nanoseconds
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * NS_PER_SECOND + fraction_ns


def parse_quantity(text: str) -> float:
    """A quantity in the instrument's own unit: positive and finite.

    Raises:
        ValueError: not such a number.

    >>> parse_quantity("100_000")
    100000.0
    """
    value = _number(text)
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{text!r} is not a quantity, allowed: a positive number, as in 100000 or 0.5")
    return value


def parse_bps(text: str) -> float:
    """Basis points, of either sign.

    Raises:
        ValueError: not a finite number.
    """
    value = _number(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number of basis points, allowed: a finite number, as in 10 or 2.5")
    return value


def parse_side(text: str) -> int:
    """+1 for buy, -1 for sell.

    Raises:
        ValueError: any other word.
    """
    try:
        return side_sign(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a side, allowed: buy, sell") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def told(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The same parser for typer, which names the option in front of the parser's own message."""

    def parse_option(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parse_option


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Files, folders or a store; FORMAT:PATH forces a format, MAPPING.yaml:PATH reads any csv or Parquet.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write; an earlier result in it is replaced.")]
