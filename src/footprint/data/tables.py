"""Market data that is no stream of events: option chains, funding rates, official auctions, orders and their fills.

A table is a polars frame of one kind; the kind fixes names, order and types of the columns. Times are int64 ns UTC.
`known_at_ns` is when an observer could first have read a row: using it earlier would be look-ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from footprint.data.verdict import FileVerdict
from footprint.errors import DataRefused


class TableKind(Enum):
    """What the rows of a table are."""

    OPTION_CHAIN = "option_chain"
    FUNDING = "funding"
    OPENING_AUCTION = "opening_auction"
    OPEN_INTEREST = "open_interest"
    BAR = "bar"
    ORDER = "order"
    FILL = "fill"


TableColumn = pl.Series | str | int | float | None  # all rows, or one value for all of them

_KNOWN = {"symbol": pl.String, "venue": pl.String, "known_at_ns": pl.Int64}

SCHEMAS: Mapping[TableKind, Mapping[str, type[pl.DataType]]] = {
    # one row an option and snapshot; prices in `currency`, null where nobody quotes
    TableKind.OPTION_CHAIN: _KNOWN
    | {
        "underlying": pl.String,
        "expiry_ns": pl.Int64,
        "strike": pl.Float64,
        "call": pl.Boolean,
        "currency": pl.String,
        "bid": pl.Float64,
        "ask": pl.Float64,
        "mark": pl.Float64,
        "underlying_price": pl.Float64,
        "implied_volatility_fraction": pl.Float64,
        "delta": pl.Float64,
        "vega": pl.Float64,
        "open_interest": pl.Float64,
        "volume": pl.Float64,
    },
    # paid by the long to the short once per interval that ends at known_at_ns; negative the other way
    TableKind.FUNDING: _KNOWN | {"rate_fraction": pl.Float64, "interval_s": pl.Int64},
    TableKind.OPENING_AUCTION: _KNOWN | {"price": pl.Float64, "quantity": pl.Float64},
    TableKind.OPEN_INTEREST: _KNOWN | {"open_interest": pl.Float64},
    TableKind.BAR: _KNOWN
    | {
        "start_ns": pl.Int64,
        "what": pl.String,  # "trade", "bid" or "ask"
        "open": pl.Float64,
        "high": pl.Float64,
        "low": pl.Float64,
        "close": pl.Float64,
        "quantity": pl.Float64,
    },
    # side +1 buy, -1 sell; limit_price null for a market order; quantity_currency null for the instrument's own unit
    TableKind.ORDER: _KNOWN
    | {
        "order_id": pl.String,
        "parent_id": pl.String,
        "side": pl.Int8,
        "quantity": pl.Float64,
        "quantity_currency": pl.String,
        "limit_price": pl.Float64,
        "event": pl.String,  # "new", "replace", "cancel", "done"
        "bid": pl.Float64,
        "ask": pl.Float64,
        "broker": pl.String,
        "strategy": pl.String,
    },
    TableKind.FILL: _KNOWN
    | {
        "fill_id": pl.String,
        "order_id": pl.String,
        "side": pl.Int8,
        "quantity": pl.Float64,
        "quantity_currency": pl.String,
        "price": pl.Float64,
        "bid": pl.Float64,
        "ask": pl.Float64,
        "broker": pl.String,
    },
}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind from one or more files.

    Attributes:
        frame: the columns of `SCHEMAS[kind]`, sorted by (known_at_ns, symbol).
        source: name of the reader.
        counts: what was read and what was dropped, by reason.
    """

    kind: TableKind
    frame: pl.DataFrame
    source: str
    counts: Mapping[str, int] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        wanted = pl.Schema(SCHEMAS[self.kind])
        if self.frame.schema != wanted:
            raise DataRefused(f"not a table of {self.kind.value}", found=self.frame.schema, allowed=str(wanted))


def sorted_table(
    kind: TableKind,
    columns: Mapping[str, TableColumn],
    source: str,
    counts: Mapping[str, int],
    paths: tuple[Path, ...],
) -> Table:
    """A table out of its columns; a single value fills its column, a column that is not given is null.

    Rows of one (known_at_ns, symbol) keep the order of the columns.
    """
    typed = [
        (pl.lit(value) if not isinstance(value, pl.Series) else value).cast(dtype).alias(name)
        for name, dtype in SCHEMAS[kind].items()
        for value in [columns.get(name)]
    ]
    frame = pl.select(typed).sort("known_at_ns", "symbol", maintain_order=True)
    return Table(kind, frame, source, counts, paths)


@runtime_checkable
class TableReader(Protocol):
    """One file format whose content is a table; the rules of `data.session.Reader` hold."""

    @property
    def name(self) -> str:
        """Name of the format, as in `FORMAT:PATH`."""
        ...

    def recognise(self, path: Path) -> bool:
        """True when the file is of this format."""
        ...

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        ...

    def tables(self, paths: Sequence[Path]) -> Iterator[Table]:
        """Tables in order of the files; holds one in memory at a time."""
        ...
