"""Typed csv tables: either every cell is what its column allows, or the first bad one is named."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from footprint.errors import DataRefused

MAX_NUMBER = 10**15  # far above any price, size or sequence number; keeps sums of them within 64 bits


@dataclass(frozen=True, slots=True)
class Column:
    """What one column of a csv may hold.

    Attributes:
        kind: int, float, Decimal (exact, for `data.decimals.whole`) or str.
        minimum: smallest number allowed, None for any.
        optional: an empty cell is allowed (null).
        maximum: largest number allowed.
    """

    name: str
    kind: type[int] | type[float] | type[Decimal] | type[str]
    minimum: float | None = None
    optional: bool = False
    maximum: int = MAX_NUMBER


_DTYPES: dict[type, pl.DataType] = {
    int: pl.Int64(),
    float: pl.Float64(),
    Decimal: pl.Decimal(38, 18),
    str: pl.String(),
}
_WORDS = {int: "a whole number", float: "a finite number", Decimal: "a finite number", str: "a text"}


def read_table(content: bytes, columns: Sequence[Column], path: Path, *, header: bool) -> pl.DataFrame:
    """Parse a csv whose columns are known.

    Args:
        content: the unpacked file.
        header: the first line names the columns (they may be in any order); without it the order is that of `columns`.

    Raises:
        DataRefused: no rows, a missing column, a ragged row, or the first cell that its column does not allow.
    """
    if not content.strip():
        raise DataRefused("empty file", path=path, allowed="at least one row")
    _check_width(content, columns, path, header=header)
    frame = _parse(content, columns, header=header)
    if frame is None or _bad(frame, columns):
        raise _first_bad_cell(content, columns, path, header=header)
    if frame.is_empty():
        raise DataRefused("no rows", path=path, allowed="at least one row")
    return frame


def _parse(content: bytes, columns: Sequence[Column], *, header: bool) -> pl.DataFrame | None:
    dtypes = {c.name: _DTYPES[c.kind] for c in columns}
    try:
        if header:
            chosen = pl.read_csv(content, quote_char=None, schema_overrides=dtypes, columns=list(dtypes))
            return chosen.select(list(dtypes))
        return pl.read_csv(content, quote_char=None, has_header=False, schema=dtypes)
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None


def _bad(frame: pl.DataFrame, columns: Sequence[Column]) -> bool:
    checks = [pl.col(c.name).is_null().any() for c in columns if not c.optional]
    checks += [(~pl.col(c.name).is_finite()).any() for c in columns if c.kind is float]
    checks += [(pl.col(c.name) > c.maximum).any() for c in columns if c.kind is not str]
    checks += [(pl.col(c.name) < c.minimum).any() for c in columns if c.minimum is not None]
    return bool(frame.select(pl.any_horizontal(checks).fill_null(False)).item())


def _check_width(content: bytes, columns: Sequence[Column], path: Path, *, header: bool) -> None:
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    found = first.split(",")
    if header:
        missing = [c.name for c in columns if c.name not in found]
        if missing:
            raise DataRefused("wrong columns", path=path, row=1, field=missing[0], found=first, allowed=_names(columns))
    elif len(found) != len(columns):
        raise DataRefused(
            "wrong columns",
            path=path,
            row=1,
            found=f"{len(found)} columns",
            allowed=f"{len(columns)} columns: {_names(columns)}",
        )


def _names(columns: Sequence[Column]) -> str:
    return ",".join(c.name for c in columns)


def _first_bad_cell(content: bytes, columns: Sequence[Column], path: Path, *, header: bool) -> DataRefused:
    """Walk the rows in plain Python; only a file that is going to be refused pays for it."""
    lines = content.decode("utf-8", "replace").removesuffix("\n").split("\n")
    names = lines[0].strip().split(",") if header else [c.name for c in columns]
    places = [(names.index(c.name), c) for c in columns]
    for number, line in enumerate(lines[header:], start=1 + header):
        cells = line.removesuffix("\r").split(",")
        if len(cells) != len(names):
            return DataRefused(
                "wrong columns",
                path=path,
                row=number,
                found=f"{len(cells)} columns",
                allowed=f"{len(names)} columns: {','.join(names)}",
            )
        for place, column in places:
            reason = _reason(cells[place], column)
            if reason:
                return DataRefused(
                    reason, path=path, row=number, field=column.name, found=cells[place], allowed=_allowed(column)
                )
    return DataRefused("unreadable csv", path=path, allowed=_names(columns))


def _reason(cell: str, column: Column) -> str:
    if cell == "":
        return "" if column.optional else "missing value"
    if column.kind is str:
        return "not text" if "\ufffd" in cell else ""  # what bytes that are no UTF-8 decode to
    if re.fullmatch(r" *[\w.+-]+", cell, re.ASCII) is None or "_" in cell:  # Python's own parser forgives more
        return "not a number"
    try:
        number = int(cell) if column.kind is int else float(cell)
    except ValueError:
        return "not a number"
    if not math.isfinite(number):
        return "not a finite number"
    if number > column.maximum:
        return "value too large"
    if column.minimum is not None and number < column.minimum:
        return "negative value" if number < 0 else "value too small"
    return ""


def _allowed(column: Column) -> str:
    bound = "" if column.minimum is None else f" of at least {column.minimum:g}"
    return _WORDS[column.kind] + bound


def refuse_clock_going_back(time: np.ndarray, path: Path, field: str, *, first_row: int) -> None:
    """Raise DataRefused at the first row whose time is before that of the row above it.

    Args:
        time: integer times, shape (n,).
        first_row: 1-based row of `time[0]` in the file.
    """
    back = np.flatnonzero(np.diff(time) < 0)
    if len(back):
        at = int(back[0]) + 1
        raise DataRefused(
            "clock goes back",
            path=path,
            row=at + first_row,
            field=field,
            found=int(time[at]),
            allowed=f"not before {int(time[at - 1])} of the row above",
        )
