"""Orders that a user has worked, from a csv or Parquet file: the input of `footprint leakage --orders`.

Columns: order_id, symbol, side (buy, sell), start, end (ISO 8601 with a zone, or nanoseconds UTC), quantity, and
aggression where it is known: the share of the quantity that took liquidity, 0 to 1; without it all of it did.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from footprint.app.cli.options import parse_quantity, parse_side, parse_time
from footprint.data.files.parquet import column_names, is_parquet, read_columns
from footprint.data.files.table import Column, read_table
from footprint.errors import DataRefused, UsageError
from footprint.impact.leakage.orders import WorkedOrders

COLUMNS = ("order_id", "symbol", "side", "start", "end", "quantity")
AGGRESSION = "aggression"

T = TypeVar("T")


def read_orders(path: Path) -> dict[str, WorkedOrders]:
    """Orders by symbol (upper case), each in order of their start.

    Raises:
        UsageError: no such file.
        DataRefused: a missing column, a value that cannot be read, an end that is not after its start, an id twice.
    """
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    frame, first_row = _texts(path)
    side, quantity = (
        _parsed(frame, "side", parse_side, path, first_row),
        _parsed(frame, "quantity", parse_quantity, path, first_row),
    )
    start, end = (_parsed(frame, name, parse_time, path, first_row) for name in ("start", "end"))
    aggression = (
        _parsed(frame, AGGRESSION, _share, path, first_row) if AGGRESSION in frame.columns else [1.0] * len(frame)
    )
    _refuse_first(
        frame["order_id"].is_duplicated().to_numpy(), frame["order_id"], path, first_row, "id twice", "each once"
    )
    late = np.array(end) <= np.array(start)
    _refuse_first(late, frame["end"], path, first_row, "ends before it starts", "after its start")
    orders = WorkedOrders(
        np.array(side, np.float64), np.array(start), np.array(end), np.array(quantity), np.array(aggression)
    )
    symbols = np.array([symbol.upper() for symbol in frame["symbol"]])
    by_start = np.argsort(orders.start_ns, kind="stable")
    return {str(s): orders.take(by_start[symbols[by_start] == s]) for s in np.unique(symbols)}


def _texts(path: Path) -> tuple[pl.DataFrame, int]:
    """Every column as text, and the 1-based row of the first order."""
    if is_parquet(path):
        optional = [AGGRESSION] if AGGRESSION in column_names(path) else []
        frame = read_columns(path, [*COLUMNS, *optional])
        return frame.select(_text(frame[name], path) for name in frame.columns), 1
    content = path.read_bytes()
    header = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(",")
    names = [*COLUMNS, *([AGGRESSION] if AGGRESSION in header else [])]
    return read_table(content, [Column(name, str) for name in names], path, header=True), 2


def _text(values: pl.Series, path: Path) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone is None:
            raise DataRefused(
                "times without a zone", path=path, field=values.name, allowed="a zone, or nanoseconds UTC"
            )
        values = values.dt.epoch("ns")
    return values.cast(pl.String).fill_null("").alias(values.name)


def _parsed(frame: pl.DataFrame, field: str, parse: Callable[[str], T], path: Path, first_row: int) -> list[T]:
    parsed = []
    for row, text in enumerate(frame[field], first_row):
        try:
            parsed.append(parse(text))
        except ValueError as error:
            raise DataRefused(str(error), path=path, row=row, field=field) from None
    return parsed


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{text!r} is not a share, allowed: 0 to 1")
    return value


def _refuse_first(wrong: np.ndarray, values: pl.Series, path: Path, first_row: int, reason: str, allowed: str) -> None:
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataRefused(reason, path=path, row=at + first_row, field=values.name, found=values[at], allowed=allowed)
