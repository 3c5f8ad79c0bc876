"""Snapshots of the Deribit option chain: csv (also gz) of one snapshot, or Parquet of many with the column `snapshot`.

One row an option: timestamp (UTC, of the snapshot), instrument_name, underlying_name and futures_price (the future of
that expiry, synthetic where none is listed), option_type, strike, expiry_datetime, bid_price, ask_price, mark_price
(all in the coin `currency`), implied_volatility (a fraction a year), delta, vega, open_interest and volume (in coins).
A side that nobody quotes is empty. The snapshots are half a day apart: a chain to read at a time, no stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.compressed import head, read_all
from footprint.data.files.parquet import column_names, is_parquet, read_parquet
from footprint.data.files.refusals import refuse_where, verdict_or_refusal
from footprint.data.files.table import Column, read_table
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.units import NS_PER_HOUR

MAX_MEDIAN_VOLATILITY = 5.0  # a fraction: 500 % a year; a median above it is a percentage

_COLUMNS = (
    Column("timestamp", str),
    Column("instrument_name", str),
    Column("underlying_name", str),
    Column("option_type", str),
    Column("strike", float, 0),
    Column("expiry_datetime", str),
    Column("bid_price", float, 0, optional=True),
    Column("ask_price", float, 0, optional=True),
    Column("mark_price", float, 0, optional=True),
    Column("futures_price", float, 0),
    Column("implied_volatility", float, 0, optional=True),
    Column("delta", float, -1, optional=True, maximum=1),
    Column("vega", float, 0, optional=True),
    Column("open_interest", float, 0, optional=True),
    Column("volume", float, 0, optional=True),
    Column("currency", str),
)
_DISTINCTIVE = ("instrument_name", "option_type", "implied_volatility", "futures_instrument_name")
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.f%:z"


class DeribitChainReader:
    """Option chains of Deribit; one table a file."""

    name = "deribit_chain"

    def recognise(self, path: Path) -> bool:
        """True when columns are named that only this format has, and for a broken file with its name."""
        names: Sequence[str] = column_names(path)
        if not names and not is_parquet(path):
            names = head(path).content.split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(",")
        known = sum(name in names for name in _DISTINCTIVE) >= 3
        return known or (len(names) < 2 and path.name.startswith("deribit_options_"))

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file; a snapshot that an earlier file holds is named."""
        seen: set[int] = set()
        return [verdict_or_refusal(path, self.name, lambda p: self._verdict(p, seen)) for path in paths]

    def tables(self, paths: Sequence[Path]) -> Iterator[Table]:
        """One table a file, without the snapshots that an earlier file held.

        Raises:
            DataRefused: a file is refused.
        """
        seen: set[int] = set()
        for path in paths:
            table = _without_seen(_read_file(path), seen)
            if not table.frame.is_empty():
                yield table

    def _verdict(self, path: Path, seen: set[int]) -> FileVerdict:
        table = _read_file(path)
        coins = ",".join(table.frame["currency"].unique().sort())
        table = _without_seen(table, seen)
        return FileVerdict(path, self.name, coins, tuple(_findings(table)), table.counts)


def _without_seen(table: Table, seen: set[int]) -> Table:
    """What no earlier file held; a month and one of its snapshots may both be given."""
    held = set(table.frame["known_at_ns"].unique())
    again = held & seen
    seen |= held
    if not again:
        return table
    kept = table.frame.filter(~pl.col("known_at_ns").is_in(list(again)))
    counts = {**table.counts, "repeated_snapshots": len(again)}
    return Table(table.kind, kept, table.source, counts, table.paths)


def _read_file(path: Path) -> Table:
    if is_parquet(path):
        frame, first = read_parquet(path, _COLUMNS), 1
    else:
        frame, first = read_table(read_all(path), _COLUMNS, path, header=True), 2
    time_ns, expiry_ns = (_times(frame[name], path, first) for name in ("timestamp", "expiry_datetime"))
    _refuse_nonsense(frame, time_ns, expiry_ns, path, first)
    counts = {
        "rows": len(frame),
        "snapshots": len(np.unique(time_ns)),
        "no_bid": frame["bid_price"].null_count(),
        "no_ask": frame["ask_price"].null_count(),
        "crossed": int((frame["bid_price"] > frame["ask_price"]).sum()),
    }
    columns: dict[str, TableColumn] = {
        "symbol": frame["instrument_name"],
        "venue": "deribit",
        "known_at_ns": pl.Series(time_ns),
        "underlying": frame["underlying_name"],
        "expiry_ns": pl.Series(expiry_ns),
        "strike": frame["strike"],
        "call": frame["option_type"] == "call",
        "currency": frame["currency"],
        "bid": frame["bid_price"],
        "ask": frame["ask_price"],
        "mark": frame["mark_price"],
        "underlying_price": frame["futures_price"],
        "implied_volatility_fraction": frame["implied_volatility"],
        "delta": frame["delta"],
        "vega": frame["vega"],
        "open_interest": frame["open_interest"],
        "volume": frame["volume"],
    }
    return sorted_table(TableKind.OPTION_CHAIN, columns, DeribitChainReader.name, counts, (path,))


def _times(text: pl.Series, path: Path, first: int) -> np.ndarray:
    time = text.str.to_datetime(_TIME_FORMAT, time_unit="ns", time_zone="UTC", strict=False)
    allowed = "such as 2026-01-01T09:18:35.173006+00:00"
    refuse_where(time.is_null(), text, path, text.name, "not a time", allowed, first_row=first)
    return time.to_physical().to_numpy()


def _refuse_nonsense(frame: pl.DataFrame, time_ns: np.ndarray, expiry_ns: np.ndarray, path: Path, first: int) -> None:
    kind = frame["option_type"]
    refuse_where(
        ~kind.is_in(["call", "put"]), kind, path, kind.name, "unknown option type", "call or put", first_row=first
    )
    for name in ("strike", "futures_price"):
        refuse_where(frame[name] <= 0, frame[name], path, name, f"{name} not positive", "more than 0", first_row=first)
    over = expiry_ns <= time_ns
    expiry = frame["expiry_datetime"]
    refuse_where(over, expiry, path, expiry.name, "expired", "after the snapshot", first_row=first)
    twice = pl.DataFrame({"time": time_ns, "name": frame["instrument_name"]}).is_duplicated()
    names = frame["instrument_name"]
    refuse_where(twice, names, path, names.name, "option twice in a snapshot", "once", first_row=first)
    middle = frame["implied_volatility"].median()
    if isinstance(middle, float) and middle > MAX_MEDIAN_VOLATILITY:
        raise DataRefused(
            "volatility in percent",
            path=path,
            field="implied_volatility",
            found=f"median {middle:g}",
            allowed=f"a fraction, median below {MAX_MEDIAN_VOLATILITY:g}",
        )


def _findings(table: Table) -> list[Finding]:
    counts, findings = table.counts, []
    for name, text in (("no_bid", "options have no bid"), ("no_ask", "options have no ask")):
        if counts[name]:
            findings.append(Finding(name, f"{counts[name] / counts['rows']:.1%} of the {text}", counts[name]))
    if counts["crossed"]:
        findings.append(Finding("crossed_quote", f"bid above ask in {counts['crossed']} rows", counts["crossed"]))
    if counts.get("repeated_snapshots"):
        repeated = counts["repeated_snapshots"]
        findings.append(
            Finding("repeated_snapshots", f"snapshots that are in an earlier file too: {repeated}, dropped", repeated)
        )
    steps = np.diff(np.unique(table.frame["known_at_ns"].to_numpy())) / NS_PER_HOUR
    if len(steps):
        text = f"snapshots {np.median(steps):.1f} hours apart ({steps.min():.1f} to {steps.max():.1f}): no stream"
        findings.append(Finding("sparse_snapshots", text, len(steps) + 1))
    return findings
