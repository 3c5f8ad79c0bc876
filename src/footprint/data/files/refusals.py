"""The first row that breaks a rule, named as a refusal; and numbers as whole multiples of a unit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused

_RESIDUE = 1e-6  # of a unit: what a double leaves of a decimal after a division
_RELATIVE_RESIDUE = 8 * float(np.finfo(np.float64).eps)


def refuse_where(
    wrong: np.ndarray | pl.Series,
    values: np.ndarray | pl.Series,
    path: Path,
    field: str,
    reason: str,
    allowed: str,
    *,
    first_row: int = 1,
    lines: np.ndarray | None = None,
) -> None:
    """Raise DataRefused at the first True of `wrong` (null counts as False).

    Args:
        wrong, values: shape (n,).
        first_row: 1-based row in the file of element 0.
        lines: 1-based row of each element, shape (n,), where they do not follow each other.
    """
    mask = wrong.fill_null(False).to_numpy() if isinstance(wrong, pl.Series) else wrong
    if mask.any():
        at = int(np.argmax(mask))
        row = at + first_row if lines is None else int(lines[at])
        raise DataRefused(reason, path=path, row=row, field=field, found=_shown(values, at), allowed=allowed)


def _shown(values: np.ndarray | pl.Series, at: int) -> object:
    """One value as a message shows it; times beyond the years of Python's own type as their number."""
    if isinstance(values, pl.Series) and values.dtype.is_temporal():
        one = values.slice(at, 1)
        dated = isinstance(one.dtype, pl.Datetime | pl.Date) and 1 <= (one.dt.year()[0] or 0) <= 9999
        return one.cast(pl.String)[0] if dated or one.dtype == pl.Time else one.to_physical()[0]
    found = values[at]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def whole_multiples(
    values: np.ndarray,
    unit: float,
    path: Path,
    field: str,
    allowed: str,
    *,
    first_row: int = 1,
    lines: np.ndarray | None = None,
) -> np.ndarray:
    """Float64 of shape (n,) as int64 multiples of `unit`.

    Raises:
        DataRefused: a value is no multiple of the unit.
    """
    multiple = values / unit
    rounded = np.rint(multiple)
    off = np.abs(multiple - rounded) > np.maximum(_RELATIVE_RESIDUE * np.abs(multiple), _RESIDUE)
    refuse_where(off, values, path, field, "not a whole multiple", allowed, first_row=first_row, lines=lines)
    return rounded.astype(np.int64)


def verdict_or_refusal(path: Path, source: str, judge: Callable[[Path], FileVerdict]) -> FileVerdict:
    """What `judge` says of a file, or the verdict that refuses it when reading raises DataRefused."""
    try:
        return judge(path)
    except DataRefused as error:
        return FileVerdict(path, source, "", (Finding.of_refusal(error),))


def refuse_far_prices(
    price: np.ndarray, path: Path, field: str, rows: np.ndarray, *, max_ratio: float = 2.0, unit: float = 1.0
) -> None:
    """One absurd print would own every average of the day: nothing that trades all day halves or doubles within it.

    Args:
        price: positive, in multiples of `unit`, shape (n,).
        rows: 1-based rows in the file, shape (n,).

    Raises:
        DataRefused: a price further than `max_ratio` times from the median.
    """
    if not len(price):
        return
    middle = float(np.median(price))
    far = np.flatnonzero((price > max_ratio * middle) | (price * max_ratio < middle))
    if len(far):
        raise DataRefused(
            "price far from the day's median",
            path=path,
            row=int(rows[far[0]]),
            field=field,
            found=float(price[far[0]] * unit),
            allowed=f"{middle * unit / max_ratio:g} to {middle * unit * max_ratio:g}",
        )
