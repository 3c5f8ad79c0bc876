"""Official opening prices and volumes of US shares: a Parquet file with columns date, ticker, price and volume.

One row a ticker and day, no time of day: the opening auction of the primary listing is over minutes after 09:30 New
York, of a halted share hours later. A row therefore counts as known at the regular close (16:00 New York) of its day.
Prices are USD and seldom whole cents: they are averages over the prints that make the opening. Tickers passed through a
spreadsheet, which turned TRUE into the truth value True; it is read as TRUE.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.local_time import utc_ns
from footprint.data.files.parquet import column_names, read_parquet
from footprint.data.files.refusals import refuse_where, whole_multiples
from footprint.data.files.table import Column
from footprint.data.readers.table_files import TableFiles
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import Finding
from footprint.market.instruments import US_EQUITY_HOURS

CENTS_PER_DOLLAR = 100
CENT_RESIDUE = 1e-4  # of a cent: what a double leaves of a price in cents

_NAMES = {"date", "ticker", "price", "volume"}
_COLUMNS = (Column("ticker", str), Column("price", float, 0), Column("volume", float, 0))
_TICKER = r"^[A-Z][A-Z0-9.\-]*$"


class OpenAuctionReader(TableFiles):
    """Opening auctions of US shares; one table a file."""

    name = "open_auction"

    def recognise(self, path: Path) -> bool:
        """True for a Parquet file with these four columns, and for a broken one with its name."""
        names = column_names(path)
        if names:
            return set(names) == _NAMES
        return path.suffix == ".parquet" and path.name.startswith("open_trade")

    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """Its table and the findings."""
        table = _read_file(path)
        return [table], _findings(table)


def _read_file(path: Path) -> Table:
    frame = read_parquet(path, _COLUMNS, ("date",))
    day = frame["date"]
    refuse_where(day != day.dt.truncate("1d"), day, path, "date", "not a day", "dates without a time of day")
    for name in ("price", "volume"):
        refuse_where(frame[name] <= 0, frame[name], path, name, f"{name} not positive", "more than 0")
    whole_multiples(frame["volume"].to_numpy(), 1.0, path, "volume", "a whole number")
    mangled = frame["ticker"].str.contains("[a-z]")
    ticker = frame["ticker"].str.to_uppercase()
    refuse_where(~ticker.str.contains(_TICKER), frame["ticker"], path, "ticker", "not a ticker", "such as BRK.B")
    twice = pl.DataFrame({"date": day, "ticker": ticker}).is_duplicated()
    refuse_where(twice, ticker, path, "ticker", "ticker twice on a day", "one opening a day")
    close = day.dt.offset_by(f"{US_EQUITY_HOURS.close_s}s")
    cents = frame["price"].to_numpy() * CENTS_PER_DOLLAR
    counts = {
        "rows": len(frame),
        "days": day.n_unique(),
        "tickers": ticker.n_unique(),
        "mangled_tickers": int(mangled.sum()),
        "fractions_of_a_cent": int((np.abs(cents - np.rint(cents)) > CENT_RESIDUE).sum()),
    }
    columns: dict[str, TableColumn] = {
        "symbol": ticker,
        "venue": "US",
        "known_at_ns": pl.Series(utc_ns(close, US_EQUITY_HOURS.time_zone, path, "date")),
        "price": frame["price"],
        "quantity": frame["volume"],
    }
    return sorted_table(TableKind.OPENING_AUCTION, columns, OpenAuctionReader.name, counts, (path,))


def _findings(table: Table) -> list[Finding]:
    counts = table.counts
    findings = [Finding("no_time", "no time of day: rows count as known at the close of their day")]
    if counts["fractions_of_a_cent"]:
        share = counts["fractions_of_a_cent"] / counts["rows"]
        text = f"{share:.0%} of the prices are no whole cents: averages over the prints of the opening"
        findings.append(Finding("averaged_prices", text, counts["fractions_of_a_cent"]))
    if counts["mangled_tickers"]:
        text = f"{counts['mangled_tickers']} tickers in small letters, as a spreadsheet writes TRUE; read in capitals"
        findings.append(Finding("mangled_tickers", text, counts["mangled_tickers"]))
    return findings
