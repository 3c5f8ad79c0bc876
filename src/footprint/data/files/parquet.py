"""Typed Parquet tables: every column is there and holds what it may, or the first thing that is wrong is named.

Files are decoded by Arrow, not by polars: a damaged file makes polars 2.1 end the whole process (it asks for memory
that a broken page header claims), Arrow raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from footprint.data.files.refusals import refuse_where
from footprint.data.files.table import Column
from footprint.errors import DataRefused

MAGIC = b"PAR1"
# Run-length encoding packs a constant column into almost nothing; what a file claims beyond this is not read.
MAX_CELLS_PER_BYTE = 2_000

_DAMAGED = (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, KeyError)


def is_parquet(path: Path) -> bool:
    """True when the file begins like a Parquet file."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def column_names(path: Path) -> tuple[str, ...]:
    """Names of the columns, () when the file is no Parquet file or its footer cannot be read."""
    if not is_parquet(path):
        return ()
    try:
        with pq.ParquetFile(path) as file:
            return tuple(file.schema_arrow.names)
    except _DAMAGED:
        return ()


def read_parquet(path: Path, columns: Sequence[Column], times: Sequence[str] = ()) -> pl.DataFrame:
    """The named columns of a Parquet file.

    Args:
        columns: numbers and texts; int, float and str become Int64, Float64 and String.
        times: columns of dates or times without a zone; they become Datetime("ns") without a zone.

    Raises:
        DataRefused: damaged, a missing column, a column of another type, or the first cell that is not allowed.
    """
    frame = read_columns(path, [c.name for c in columns] + list(times))
    typed = [_typed(frame[c.name], c, path) for c in columns] + [_time(frame[name], path) for name in times]
    return pl.DataFrame(typed)


def read_columns(path: Path, wanted: Sequence[str]) -> pl.DataFrame:
    """The named columns as the file types them.

    Raises:
        DataRefused: damaged, empty, or a column is missing.
    """
    if not is_parquet(path):
        raise DataRefused("not a Parquet file", path=path, allowed=f"a file that begins with {MAGIC.decode()}")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            held = file.schema_arrow.names
            missing = [name for name in wanted if name not in held]
            if not missing:
                _refuse_bomb(file.metadata.num_rows * len(wanted), path)
                table = file.read(columns=list(dict.fromkeys(wanted)), use_threads=False)
                table.validate(full=True)
                # without the metadata of the fields, which may be no text
                bare = pa.table({name: table.column(name) for name in wanted})
                return _not_empty(pl.DataFrame(pl.from_arrow(bare)), path)
    except _DAMAGED as error:
        said = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise DataRefused(f"truncated or damaged archive ({said})", path=path, allowed="a whole file") from error
    raise DataRefused("wrong columns", path=path, field=missing[0], found=",".join(held), allowed=",".join(wanted))


def _not_empty(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    if frame.is_empty():
        raise DataRefused("no rows", path=path, allowed="at least one row")
    return frame


def _refuse_bomb(cells: int, path: Path) -> None:
    limit = MAX_CELLS_PER_BYTE * path.stat().st_size
    if cells > limit:
        raise DataRefused("too many rows for its size", path=path, found=cells, allowed=f"at most {limit} cells")


def _typed(values: pl.Series, column: Column, path: Path) -> pl.Series:
    dtype = values.dtype
    if column.kind is str:
        if dtype not in (pl.String, pl.Categorical):
            raise _wrong_type(values, "text", path)
        values = values.cast(pl.String)
    else:
        fits = dtype.is_integer() if column.kind is int else dtype.is_numeric()
        if not fits:
            raise _wrong_type(values, "whole numbers" if column.kind is int else "numbers", path)
        values = values.cast(pl.Int64 if column.kind is int else pl.Float64, strict=False)
    name = column.name
    if not column.optional:
        refuse_where(values.is_null(), values, path, name, "missing value", "a value")
    if column.kind is not str:
        if column.kind is float:
            refuse_where(~values.is_finite(), values, path, name, "not a finite number", "a finite number")
        refuse_where(values > column.maximum, values, path, name, "value too large", f"at most {column.maximum}")
        if column.minimum is not None:
            low = f"at least {column.minimum:g}"
            refuse_where(values < column.minimum, values, path, name, "value too small", low)
    return values


def _time(values: pl.Series, path: Path) -> pl.Series:
    if values.dtype != pl.Date and not (isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is None):
        raise _wrong_type(values, "dates or times without a zone", path)
    # beyond these years nanoseconds leave 64 bits
    years = values.dt.year()
    refuse_where((years < 1900) | (years > 2200), values, path, values.name, "not a time", "a year from 1900 to 2200")
    refuse_where(values.is_null(), values, path, values.name, "missing value", "a time")
    return values.cast(pl.Datetime("ns"))


def _wrong_type(values: pl.Series, allowed: str, path: Path) -> DataRefused:
    return DataRefused("wrong type", path=path, field=values.name, found=values.dtype, allowed=allowed)
