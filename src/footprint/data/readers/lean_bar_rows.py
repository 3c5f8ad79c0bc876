"""Bars of LEAN archives as rows of a table: trades (open, high, low, close, volume) and quotes (the same of each side).

A quote row has ten fields after the time: open, high, low, close and last size of the bid, then of the ask. A side that
nobody quoted is empty with size 0 and makes no row. A bar is known when its interval is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.table import Column
from footprint.data.readers import lean_archive
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import Finding
from footprint.units import NS_PER_MINUTE, NS_PER_SECOND

INTERVAL_NS = {"second": NS_PER_SECOND, "minute": NS_PER_MINUTE}
_PARTS = ("open", "high", "low", "close")

TRADE_COLUMNS = (
    lean_archive.TIME,
    *(Column(f"trade_{part}", float, 0) for part in _PARTS),
    Column("trade_size", float, 0),
)
QUOTE_COLUMNS = (
    lean_archive.TIME,
    *(
        Column(f"{side}_{part}", float, 0, optional=part != "size")
        for side in ("bid", "ask")
        for part in (*_PARTS, "size")
    ),
)


def bar_table(
    rows: lean_archive.Rows, path: Path, source: str, venue: str, price_scale: int
) -> tuple[Table, list[Finding]]:
    """The bars of an archive.

    Args:
        rows: read with TRADE_COLUMNS or QUOTE_COLUMNS.
        price_scale: prices are written x this.

    Raises:
        DataRefused: a bar whose high or low does not hold its open and close, half a side, or a time off the grid.
    """
    of = rows.contracts[0]
    interval_ns = INTERVAL_NS[of.resolution]
    grid = rows.frame[lean_archive.TIME.name].to_numpy() % (interval_ns // 1_000_000) != 0
    rows.refuse_where(grid, lean_archive.TIME.name, "not the start of a bar", f"whole {of.resolution}s", path)
    sides = ("trade",) if of.kind == "trade" else ("bid", "ask")
    symbols = rows.symbols()
    parts = [_side(rows, side, symbols, path, price_scale) for side in sides]
    stacked = pl.concat(parts)
    counts = {"rows": len(rows.frame), "contracts": len(rows.contracts), "bars": len(stacked)}
    counts |= {f"no_{side}": len(rows.frame) - len(part) for side, part in zip(sides, parts, strict=True)}
    columns: dict[str, TableColumn] = {name: stacked[name] for name in stacked.columns}
    columns |= {"venue": venue, "known_at_ns": stacked["start_ns"] + interval_ns}
    return sorted_table(TableKind.BAR, columns, source, counts, (path,)), _findings(rows, sides, counts)


def _side(rows: lean_archive.Rows, side: str, symbols: pl.Series, path: Path, price_scale: int) -> pl.DataFrame:
    frame = rows.frame
    price = {part: frame[f"{side}_{part}"] for part in _PARTS}
    held = price["open"].is_not_null().to_numpy()
    for part in _PARTS:
        other = price[part].is_not_null().to_numpy() != held
        rows.refuse_where(other, f"{side}_{part}", "half a bar", "all four prices or none", path)
    low, high = (price[part].fill_null(0.0).to_numpy() for part in ("low", "high"))
    for part in ("open", "close"):
        inside = price[part].fill_null(0.0).to_numpy()
        outside = held & ((inside < low) | (inside > high))
        rows.refuse_where(outside, f"{side}_{part}", "outside low and high", "low to high of the bar", path)
    rows.refuse_where(held & (low <= 0), f"{side}_low", "price not positive", "a positive price", path)
    return pl.DataFrame(
        {
            "symbol": symbols,
            "start_ns": frame["time_ns"],
            "what": pl.repeat(side, len(frame), dtype=pl.String, eager=True),
            # numpy divides; polars multiplies by the reciprocal, which is not the nearest double
            **{part: price[part].fill_null(0.0).to_numpy() / price_scale for part in _PARTS},
            "quantity": frame[f"{side}_size"],
        }
    ).filter(held)


def _findings(rows: lean_archive.Rows, sides: Sequence[str], counts: dict[str, int]) -> list[Finding]:
    findings = []
    for side in sides:
        missing = counts[f"no_{side}"]
        if missing:
            share = missing / counts["rows"]
            findings.append(Finding(f"no_{side}", f"nobody {_QUOTING[side]} in {share:.1%} of the bars", missing))
    if "bid" in sides:
        bid, ask = (rows.frame[f"{side}_close"].fill_null(np.nan).to_numpy() for side in ("bid", "ask"))
        for code, wrong, text in (
            ("crossed_quote", bid > ask, "the bid lies above the ask"),
            ("locked_quote", bid == ask, "the bid equals the ask"),
        ):
            if wrong.any():
                count = int(wrong.sum())
                findings.append(Finding(code, f"{text} at the end of {count} of {counts['rows']} bars", count))
    return findings


_QUOTING = {"bid": "bid", "ask": "offered", "trade": "traded"}
