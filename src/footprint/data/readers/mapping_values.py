"""Cells of a mapped file as numbers, times, sides: what the mapping says of a column, held against the column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.compressed import head, read_all
from footprint.data.files.local_time import utc_ns
from footprint.data.files.parquet import is_parquet, read_columns
from footprint.data.files.refusals import refuse_where
from footprint.data.files.table import MAX_NUMBER
from footprint.data.readers.mapping import UNITS, Column, Document, SideSpec, TimeSpec, as_word
from footprint.errors import DataRefused

NS_PER_UNIT = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
# A time since 1970 outside these years is of another unit.
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_FIRST_NS, _LAST_NS = (int(np.datetime64(f"{year}-01-01", "ns").astype(np.int64)) for year in (_FIRST_YEAR, _LAST_YEAR))
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_NS_PER_DAY = 86_400 * 10**9
_LARGEST_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns of a file that a mapping names, by name or position; texts where the file is a csv.

    Attributes:
        first_row: 1-based row in the file of element 0.
    """

    path: Path
    frame: pl.DataFrame
    first_row: int

    def column(self, name: Column) -> pl.Series:
        """A column as the file has it, empty cells null."""
        return self.frame[str(name)]

    def words(self, name: Column) -> pl.Series:
        """A column as texts to compare, null becomes ""."""
        values = self.column(name).cast(pl.String).fill_null("")
        unique = values.unique()
        return values.replace_strict(unique, [as_word(text) for text in unique], return_dtype=pl.String)

    def numbers(self, name: Column, *, optional: bool = False) -> np.ndarray:
        """A column as float64, nan where an optional cell is empty.

        Raises:
            DataRefused: a cell that is no finite number, or is empty and must not be.
        """
        values = self.column(name)
        allowed = "a finite number" + (" or nothing" if optional else "")
        if not (values.dtype.is_numeric() or values.dtype == pl.String):
            found = str(values.dtype)
            raise DataRefused("wrong type", path=self.path, field=str(name), found=found, allowed="numbers")
        numbers = values.cast(pl.Float64, strict=False)
        wrong = (numbers.is_null() & values.is_not_null()) | ~numbers.is_finite().fill_null(optional)
        self.refuse(wrong, name, "not a number", allowed)
        self.refuse(numbers.abs() > MAX_NUMBER, name, "value too large", f"at most {MAX_NUMBER}")
        return numbers.fill_null(np.nan).to_numpy()

    def multiples(self, name: Column, unit: float, factor: float, *, optional: bool = False) -> np.ndarray:
        """A column x `factor` as int64 multiples of `unit`; 0 where an optional cell is empty.

        Raises:
            DataRefused: a cell that is no multiple.
        """
        numbers = self.numbers(name, optional=optional)
        # the ratio first: 0.0001 / 0.01 in doubles is no whole power of ten
        scaled = np.nan_to_num(numbers) * float(Decimal(repr(factor)) / Decimal(repr(unit)))
        whole = np.rint(scaled)
        off = np.abs(scaled - whole) > np.maximum(1e-6, 8 * np.finfo(np.float64).eps * np.abs(scaled))
        allowed = f"a multiple of {unit:g}" + (f" (1 in the column is {factor:g})" if factor != 1 else "")
        self.refuse(off, name, "not a whole multiple", allowed)
        return whole.astype(np.int64)

    def integers(self, name: Column, place: np.ndarray) -> np.ndarray:
        """A column of whole numbers as int64, exactly, at some rows; what other rows have in it is of no matter.

        Args:
            place: 0-based rows.

        Raises:
            DataRefused: a cell that is none, or does not fit.
        """
        whole = self.column(name).cast(pl.String).str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
        wrong = np.zeros(len(whole), bool)
        wrong[place] = whole.is_null().to_numpy()[place]
        self.refuse(wrong, name, "not a whole number", "a whole number of up to 18 digits")
        return whole.fill_null(0).to_numpy()[place]

    def identities(self, name: Column, place: np.ndarray) -> np.ndarray:
        """Order ids as uint64: the numbers themselves; of a text 63 bits of its BLAKE2b hash, above all usual numbers.

        So an id is the same in every file, whatever else is in it.

        Args:
            place: 0-based rows; what other rows have in the column is of no matter.

        Raises:
            DataRefused: an empty cell.
        """
        values = self.column(name)
        wrong = np.zeros(len(values), bool)
        wrong[place] = values.is_null().to_numpy()[place]
        self.refuse(wrong, name, "missing value", "an order id")
        text = values.gather(place).cast(pl.String).str.replace(r"\.0*$", "")
        whole = text.cast(pl.UInt64, strict=False)
        if not whole.is_null().any():
            return whole.to_numpy()
        words = text.filter(whole.is_null()).unique()
        ids = pl.Series([_word_id(word) for word in words], dtype=pl.UInt64)
        return whole.fill_null(text.replace_strict(words, ids, default=None, return_dtype=pl.UInt64)).to_numpy()

    def refuse(self, wrong: np.ndarray | pl.Series, name: Column, reason: str, allowed: str) -> None:
        """Raise DataRefused at the first True of `wrong`."""
        refuse_where(wrong, self.column(name), self.path, str(name), reason, allowed, first_row=self.first_row)


def _word_id(word: str) -> int:
    return (1 << 63) | (int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big") >> 1)


def read_cells(path: Path, document: Document) -> Cells:
    """The columns that a mapping names.

    Raises:
        DataRefused: damaged, empty, ragged, or a column is missing.
    """
    columns = document.columns()
    if is_parquet(path):
        if not document.header:
            raise DataRefused("columns by position", path=path, allowed="names, for a Parquet file has a header")
        return Cells(path, read_columns(path, [str(name) for name in columns]), 1)
    return _csv(path, document, columns)


def _csv(path: Path, document: Document, columns: list[Column]) -> Cells:
    content = read_all(path)
    if not content.strip():
        raise DataRefused("empty file", path=path, allowed="at least one row")
    try:
        frame = pl.read_csv(
            content,
            separator=document.delimiter,
            has_header=document.header,
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise DataRefused(f"unreadable csv ({said})", path=path, allowed="rows of one width") from error
    if not document.header:
        frame.columns = [str(at) for at in range(1, frame.width + 1)]
    held = [name.strip() for name in frame.columns]
    for column in columns:
        if str(column) not in frame.columns:
            found = document.delimiter.join(held)
            raise DataRefused("wrong columns", path=path, row=1, field=str(column), found=found, allowed="that column")
        if f"{column}_duplicated_0" in frame.columns:
            raise DataRefused("column twice", path=path, row=1, field=str(column), allowed="each column once")
    if frame.is_empty():
        raise DataRefused("no rows", path=path, allowed="at least one row")
    return Cells(path, frame.select([str(column) for column in columns]), 1 + document.header)


def times_ns(cells: Cells, spec: TimeSpec) -> np.ndarray:
    """A clock as int64 ns UTC.

    Raises:
        DataRefused: a cell that is no such time, a local time at a change of clocks, or a unit that cannot be meant.
    """
    values = cells.column(spec.column)
    cells.refuse(values.is_null(), spec.column, "missing value", "a time")
    if spec.format:
        return _from_text(cells, spec)
    if spec.unit:
        return _from_midnight(cells, spec) if spec.from_midnight else _since_1970(cells, spec)
    if not isinstance(values.dtype, pl.Datetime | pl.Date):
        allowed = "unit or format in the mapping"
        raise DataRefused("times of no type", path=cells.path, field=str(spec.column), found=values[0], allowed=allowed)
    return _typed(cells, spec, values)


def _from_text(cells: Cells, spec: TimeSpec) -> np.ndarray:
    # Python's %f counts microseconds, the parser's %.f takes any number of digits with their point
    pattern = (spec.format or "").replace(".%f", "%.f")
    text = cells.column(spec.column).cast(pl.String)
    zoned = spec.zone is None
    time = text.str.to_datetime(pattern, time_unit="ns", time_zone="UTC" if zoned else None, strict=False)
    cells.refuse(time.is_null(), spec.column, "not a time", f"the format {spec.format}")
    return time.to_physical().to_numpy() if zoned else _local(cells, spec, time)


def _typed(cells: Cells, spec: TimeSpec, values: pl.Series) -> np.ndarray:
    zone = getattr(values.dtype, "time_zone", None)
    years = values.dt.year()
    cells.refuse((years < 1900) | (years > _LAST_YEAR), spec.column, "not a time", f"1900 to {_LAST_YEAR}")
    if zone is not None:
        if spec.zone is not None:
            raise DataRefused("zone twice", path=cells.path, field=str(spec.column), found=zone, allowed="no zone")
        return values.dt.convert_time_zone("UTC").dt.cast_time_unit("ns").to_physical().to_numpy()
    if spec.zone is None:
        allowed = "zone in the mapping"
        raise DataRefused("local times", path=cells.path, field=str(spec.column), found=values[0], allowed=allowed)
    return _local(cells, spec, values.cast(pl.Datetime("ns")))


def _local(cells: Cells, spec: TimeSpec, local: pl.Series) -> np.ndarray:
    zone = spec.zone or "UTC"
    first_row = cells.first_row
    return utc_ns(local, zone, cells.path, str(spec.column), first_row=first_row, repeated=spec.repeated)


def _since_1970(cells: Cells, spec: TimeSpec) -> np.ndarray:
    unit = spec.unit or "ns"
    value = _exact(cells, spec.column, NS_PER_UNIT[unit])
    outside = (value < _FIRST_NS) | (value > _LAST_NS)
    if outside.any():
        at = int(np.argmax(outside))
        found = cells.column(spec.column)[at]
        guess = next((other for other in UNITS if _plausible(found, other)), None)
        allowed = f"{_FIRST_YEAR} to {_LAST_YEAR}" + (f"; it looks like {guess}" if guess else "")
        raise DataRefused(
            f"no time in {unit}",
            path=cells.path,
            row=at + cells.first_row,
            field=str(spec.column),
            found=found,
            allowed=allowed,
        )
    return value


def _plausible(found: object, unit: str) -> bool:
    try:
        return _FIRST_NS <= float(str(found)) * NS_PER_UNIT[unit] <= _LAST_NS
    except ValueError:
        return False


def _from_midnight(cells: Cells, spec: TimeSpec) -> np.ndarray:
    since = _exact(cells, spec.column, NS_PER_UNIT[spec.unit or "ns"])
    outside = (since < 0) | (since >= _NS_PER_DAY)
    cells.refuse(outside, spec.column, "not a time of day", f"{spec.unit} from 0 to 24 hours")
    midnight = pl.Series([_day(cells.path, spec)]).cast(pl.Datetime("ns")).to_physical()[0]
    return _local(cells, spec, pl.Series(since + midnight).cast(pl.Datetime("ns")))


def _day(path: Path, spec: TimeSpec) -> datetime:
    text = spec.day or ""
    if text == "name":
        names = (path.name, head(path).name)
        match = next((found for name in names if (found := _DAY_IN_NAME.search(name))), None)
        if match is None:
            raise DataRefused("no day in the name", path=path, found=path.name, allowed="yyyymmdd in it")
        text = "-".join(match.groups())
    try:
        return datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        raise DataRefused("not a day", path=path, found=text, allowed="yyyy-mm-dd") from None


def _exact(cells: Cells, column: Column, factor: int) -> np.ndarray:
    """Numbers x `factor` as int64, without a double in between where the file is a text or holds whole numbers.

    What is beyond the range that any time can have ends at its limits.
    """
    values = cells.column(column)
    if values.dtype.is_integer():
        series, scale = values.cast(pl.Int128), 1
    elif values.dtype == pl.String:
        decimal = values.cast(pl.Decimal(38, 9), strict=False)
        cells.refuse(decimal.is_null(), column, "not a number", "a number")
        series, scale = decimal.to_physical(), 10**9
    else:
        number = cells.numbers(column)
        return np.rint(np.clip(number * factor, -_LARGEST_NS, _LARGEST_NS)).astype(np.int64)
    wide = [pl.lit(number, pl.Int128) for number in (factor, scale, -_LARGEST_NS, _LARGEST_NS)]
    exact = pl.DataFrame({"x": series}).select((pl.col("x") * wide[0] // wide[1]).clip(wide[2], wide[3]))["x"]
    return exact.cast(pl.Int64).to_numpy()


def sides(cells: Cells, spec: SideSpec) -> tuple[np.ndarray, np.ndarray]:
    """+1 and -1 where a cell names a side, 0 elsewhere; and where it names none.

    Returns:
        int8 and bool arrays of shape (n,). The aggressor's side of a trade, whatever side the cells name.
    """
    words = cells.words(spec.column)
    buy, sell = (words.is_in(list(values)).to_numpy() for values in (spec.buy, spec.sell))
    return np.where(buy, 1, np.where(sell, -1, 0)).astype(np.int8), ~(buy | sell)
