"""Decimal prices and sizes as whole numbers, exactly: columns of any precision brought to one tick and one lot.

A column is read in the finest decimal place that its values use, at most the twelfth. Finer digits are what a binary
float leaves behind when it is printed (8.8351857299999992); they are rounded away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from footprint.errors import DataRefused

MAX_PLACES = 12
MAX_WHOLE = 1 << 62  # sums of two stay within 64 bits

_EXACT_DOUBLE = 2.0**53
_RESIDUE_ULPS = 4.0  # what sums and products of decimals leave behind in a double
_COLUMN_PLACES = 18  # scale of pl.Decimal(38, 18), the exact type of `data.table.Column`
_WIDE = pl.Int128


class Whole(NamedTuple):
    """Numbers as `values` x 10^-`places`.

    Attributes:
        values: int64 of shape (n,).
        places: decimal places, 0 to MAX_PLACES; the fewest that hold every value.
    """

    values: np.ndarray
    places: int


class ScaledEvents(NamedTuple):
    """EVENT_DTYPE whose prices and sizes are whole numbers of 10^-`price_places` and 10^-`size_places`."""

    events: np.ndarray
    price_places: int
    size_places: int


def whole(column: pl.Series, path: Path, *, first_row: int = 2) -> Whole:
    """A column of pl.Decimal(38, 18) as whole numbers; null becomes 0.

    Args:
        first_row: 1-based row of the column's first value in the file.

    Raises:
        DataRefused: a value does not fit 62 bits in the place that the column needs.
    """
    rounded = pl.lit(10 ** (_COLUMN_PLACES - MAX_PLACES), _WIDE)
    wide = pl.DataFrame({"x": column.fill_null(0).to_physical()}).select(
        (pl.col("x") + rounded // 2 + pl.when(pl.col("x") < 0).then(pl.lit(-1, _WIDE)).otherwise(0)) // rounded
    )
    places = next(p for p in range(MAX_PLACES + 1) if p == MAX_PLACES or _fits(wide, MAX_PLACES - p))
    values = wide.select(pl.col("x") // pl.lit(10 ** (MAX_PLACES - places), _WIDE))["x"]
    large = values.abs() > MAX_WHOLE
    if large.any():
        at = int(large.arg_max() or 0)
        raise DataRefused(
            "value too large",
            path=path,
            row=at + first_row,
            field=column.name,
            found=column[at],
            allowed=f"below 4.6e18 in the column's finest decimal place ({places})",
        )
    return Whole(values.cast(pl.Int64).to_numpy(), places)


def whole_floats(values: np.ndarray, path: Path, field: str) -> Whole:
    """Finite float64 of shape (n,) that were written from decimals, as whole numbers.

    The decimal place is the first at which every value is a decimal up to a few units in the last place of a double;
    at most the twelfth, and at most the one in which the largest value still is an exact double.

    Raises:
        DataRefused: a value beyond 2^53.
    """
    largest = float(np.abs(values).max()) if len(values) else 0.0
    if largest >= _EXACT_DOUBLE:
        at = int(np.argmax(np.abs(values)))
        raise DataRefused("value too large", path=path, row=at + 1, field=field, found=values[at], allowed="below 2^53")
    # a value far below the twelfth place must not overflow the quotient
    least = max(largest, 10.0**-MAX_PLACES)
    finest = min(MAX_PLACES, int(np.log10(_EXACT_DOUBLE / least))) if largest else 0
    places = next(p for p in range(finest + 1) if p == finest or _decimal(values, p))
    return Whole(np.rint(values * 10.0**places).astype(np.int64), places)


def fewest_places(values: np.ndarray, places: int) -> Whole:
    """Whole numbers of 10^-`places` (int64 of shape (n,)) without the zeros that all of them end in."""
    while places and not (values % 10).any():
        values, places = values // 10, places - 1
    return Whole(values, places)


def on_one_scale(parts: Sequence[ScaledEvents], path: Path) -> tuple[list[np.ndarray], float, float]:
    """Events of several files in common ticks and lots; the arrays are changed in place.

    Returns:
        The events of each part, the tick size and the lot size: the finest decimal place of any price or size.

    Raises:
        DataRefused: a price or size does not fit 62 bits in the common place.
    """
    price_places = max(part.price_places for part in parts)
    size_places = max(part.size_places for part in parts)
    for part in parts:
        for name, more in (
            ("price_ticks", price_places - part.price_places),
            ("size_lots", size_places - part.size_places),
        ):
            values = part.events[name]
            if more and len(values) and int(np.abs(values).max()) > MAX_WHOLE // 10**more:
                raise DataRefused(
                    "value too large", path=path, field=name, allowed="below 4.6e18 in the finest decimal place"
                )
            values *= 10**more
    return [part.events for part in parts], 10.0**-price_places, 10.0**-size_places


def quote_increment(price_ticks: np.ndarray) -> int:
    """The venue's quoting step in ticks, as far as many prices show it; 1 below 100 different prices."""
    prices = np.unique(price_ticks[price_ticks > 0])
    return int(np.gcd.reduce(prices)) if len(prices) >= 100 else 1


def _fits(wide: pl.DataFrame, dropped: int) -> bool:
    """The last `dropped` of the places are zero in every value."""
    return bool(wide.select((pl.col("x") % pl.lit(10**dropped, _WIDE) == 0).all()).item())


def _decimal(values: np.ndarray, places: int) -> bool:
    scale = 10.0**places
    residue = np.abs(np.rint(values * scale) / scale - values)
    return bool((residue <= _RESIDUE_ULPS * np.spacing(np.abs(values))).all())
