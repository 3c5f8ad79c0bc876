"""What LEAN archives of several contracts share: one zip a day and kind, one headerless csv a contract inside.

The name of a csv says what is in it:

    <day>_<root>_<resolution>_<kind>_<expiry yyyymm or yyyymmdd>.csv                      futures, times in UTC
    <day>_<root>_<resolution>_<kind>_<style>_<call or put>_<strike x 10,000>_<expiry>.csv  options, times of New York
    <day>_<root>_<resolution>_<kind>.csv                                                   one instrument

The first column counts milliseconds after midnight. Source: the readme of each folder of LEAN's sample data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.compressed import head
from footprint.data.files.local_time import utc_ns
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.data.files.zip_members import Member, read_members
from footprint.errors import DataRefused

NEW_YORK, UTC = "America/New_York", "UTC"
MS_PER_DAY = 86_400_000
TIME = Column("ms", int, 0, maximum=MS_PER_DAY - 1)

_NAME = re.compile(
    r"(?P<day>\d{8})_(?P<root>[a-z0-9.]+)_(?P<resolution>tick|second|minute)_(?P<kind>trade|quote|openinterest)"
    r"(_(?P<style>american|european)_(?P<right>call|put)_(?P<strike>\d{1,12})_(?P<option_expiry>\d{8})"
    r"|_(?P<expiry>\d{6}|\d{8}))?\.csv",
    re.IGNORECASE,
)
_OUTER_NAME = re.compile(r"\d{8}_(?P<kind>trade|quote|openinterest)(_american|_european)?\.zip")
_STRIKE_UNITS = 10_000


@dataclass(frozen=True, slots=True)
class Contract:
    """What the name of a csv says.

    Attributes:
        type: "future", "option" or "single".
        symbol: root and expiry month of a future; root, expiry, C or P and strike x 1,000 of an option (OSI).
    """

    type: str
    symbol: str
    root: str
    day: str
    resolution: str
    kind: str

    @property
    def time_zone(self) -> str:
        """The zone of the times inside."""
        return NEW_YORK if self.type == "option" else UTC


def contract(name: str) -> Contract | None:
    """What a name says, None when it is no name of LEAN's.

    >>> contract("20131007_gc_tick_trade_201312.csv").symbol
    'GC201312'
    >>> contract("20151224_goog_minute_trade_american_call_7500000_20151224.csv").symbol
    'GOOG151224C00750000'
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    root = match["root"].upper()
    common = (root, match["day"], match["resolution"].lower(), match["kind"].lower())
    if match["strike"]:
        thousandths = int(match["strike"]) * 1_000 // _STRIKE_UNITS
        osi = f"{root}{match['option_expiry'][2:]}{match['right'][0].upper()}{thousandths:08d}"
        return Contract("option", osi, *common)
    if match["expiry"]:
        return Contract("future", root + match["expiry"], *common)
    return Contract("single", root, *common)


def kind_of(path: Path, folder: str) -> Contract | None:
    """What the first csv inside is; for a zip that cannot be opened what its place under `folder` says."""
    start = head(path)
    outer = _OUTER_NAME.fullmatch(path.name)
    if start.name != path.name or not outer:
        return contract(start.name)
    if folder not in path.parts:
        return None
    types = {"future": "future", "option": "option"}
    return Contract(types.get(folder, "single"), "", path.parent.name.upper(), "", "", outer["kind"])


def venue(path: Path, folder: str) -> str:
    """The market of `<folder>/<market>/<resolution>/<root>/<file>`, upper case, "" elsewhere."""
    parents = path.absolute().parents
    return parents[2].name.upper() if len(parents) > 3 and parents[3].name == folder else ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of all contracts of one archive.

    Attributes:
        frame: checked columns in the order of the archive, and `time_ns` (UTC).
        names, contracts: the csv and what their names say, in the order of the archive.
        of: index into `contracts` of each row, shape (n,), never decreasing.
        row: 1-based row in its csv, shape (n,).
    """

    frame: pl.DataFrame
    names: list[str]
    contracts: list[Contract]
    of: np.ndarray
    row: np.ndarray

    def refuse_where(self, wrong: np.ndarray, field: str, reason: str, allowed: str, path: Path) -> None:
        """Raise DataRefused at the first True of `wrong`, naming the csv and the row in it."""
        if wrong.any():
            at = int(np.argmax(wrong))
            inside = f"{path}/{self.names[self.of[at]]}"
            row, found = int(self.row[at]), self.frame[field][at]
            raise DataRefused(reason, path=inside, row=row, field=field, found=found, allowed=allowed)

    def symbols(self) -> pl.Series:
        """The symbol of each row."""
        return pl.Series([c.symbol for c in self.contracts], dtype=pl.String).gather(self.of)


def read_rows(path: Path, type_: str, kinds: Sequence[str], columns: Sequence[Column], only: str | None = None) -> Rows:
    """All rows of an archive.

    Args:
        type_, kinds: what every csv must be.
        columns: of the csv, the first is `TIME`.
        only: the symbol to read; all when None.

    Raises:
        DataRefused: damaged, a foreign csv inside, a contract twice, two days, or a row that is not allowed.
    """
    members = read_members(path)
    contracts = [_checked(member, type_, kinds, path) for member in members]
    if only is not None:
        members = [m for m, c in zip(members, contracts, strict=True) if c.symbol == only]
        contracts = [c for c in contracts if c.symbol == only]
    _refuse_twice(contracts, path)
    contents = [m.content if m.content.endswith(b"\n") else m.content + b"\n" for m in members]
    counts = [content.count(b"\n") if content.strip() else 0 for content in contents]
    used = [content for content, count in zip(contents, counts, strict=True) if count]
    try:
        frame = read_table(b"".join(used), columns, path, header=False)
        if len(frame) != sum(counts):
            raise DataRefused("empty line", path=path, found=len(frame), allowed=f"{sum(counts)} rows")
        of = np.repeat(np.arange(len(members)), counts)
        inside = np.diff(of) == 0
        ms = frame[TIME.name].to_numpy()
        if (inside & (np.diff(ms) < 0)).any():
            raise DataRefused("clock goes back", path=path, field=TIME.name)
    except DataRefused as error:
        raise next(_refusals_inside(members, columns, path), error) from None
    first = np.cumsum([0, *counts])[:-1]
    rows = np.arange(len(frame)) - np.repeat(first, counts) + 1
    time_ns = _times(frame, contracts[0], path)
    frame = frame.with_columns(pl.Series("time_ns", time_ns))
    return Rows(frame, [member.name for member in members], contracts, of, rows)


def _checked(member: Member, type_: str, kinds: Sequence[str], path: Path) -> Contract:
    found = contract(member.name)
    if found is None or found.type != type_ or found.kind not in kinds:
        raise DataRefused(
            "wrong name inside", path=path, found=member.name, allowed=f"{type_} csv of {' or '.join(kinds)}"
        )
    return found


def _refuse_twice(contracts: Sequence[Contract], path: Path) -> None:
    if len({c.day for c in contracts} | {""}) > 2 or len({(c.kind, c.resolution) for c in contracts}) > 1:
        raise DataRefused("several days or kinds in one archive", path=path, allowed="one")
    symbols = [c.symbol for c in contracts]
    if len(set(symbols)) < len(symbols):
        twice = next(s for s in symbols if symbols.count(s) > 1)
        raise DataRefused("contract twice", path=path, found=twice, allowed="each once")


def _refusals_inside(members: Sequence[Member], columns: Sequence[Column], path: Path) -> Iterator[DataRefused]:
    """The refusal of the first csv that is wrong, naming it and the row in it."""
    for member in members:
        inside = Path(f"{path}/{member.name}")
        try:
            if member.content.strip():
                frame = read_table(member.content, columns, inside, header=False)
                refuse_clock_going_back(frame[TIME.name].to_numpy(), inside, TIME.name, first_row=1)
        except DataRefused as error:
            yield error


def _times(frame: pl.DataFrame, of: Contract, path: Path) -> np.ndarray:
    try:
        midnight = datetime.strptime(of.day, "%Y%m%d")
    except ValueError:
        raise DataRefused("not a day", path=path, found=of.day, allowed="yyyymmdd") from None
    since = frame[TIME.name].cast(pl.Duration("ms")).cast(pl.Duration("ns"))
    local = pl.Series(TIME.name, [midnight]).cast(pl.Datetime("ns")).new_from_index(0, len(frame)) + since
    return utc_ns(local, of.time_zone, path, TIME.name)
