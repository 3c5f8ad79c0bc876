"""Option bars in the LEAN layout: `option/<market>/minute/<root>/<day>_{quote,trade}_<style>.zip`, one csv a contract.

Times are ms after midnight New York, prices USD x 10,000 (deci-cents), sizes contracts. The name of each csv gives
style, right, strike x 10,000 and expiry; the symbol is built from them as the OCC does it (OSI, without padding).
"""

from __future__ import annotations

from pathlib import Path

from footprint.data.readers import lean_archive
from footprint.data.readers.lean_bar_rows import QUOTE_COLUMNS, TRADE_COLUMNS, bar_table
from footprint.data.readers.table_files import TableFiles
from footprint.data.tables import Table
from footprint.data.verdict import Finding
from footprint.errors import DataRefused

FOLDER = "option"
PRICE_SCALE = 10_000
_KINDS = ("trade", "quote")


class LeanOptionsReader(TableFiles):
    """Minute bars of trades and quotes of every contract of a day; one table a file."""

    name = "lean_options"

    def recognise(self, path: Path) -> bool:
        """True for a zip whose first csv is named as LEAN names option bars."""
        found = lean_archive.kind_of(path, FOLDER)
        return found is not None and found.type == "option" and found.kind in _KINDS

    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """Its table and the findings."""
        table, findings = _read_file(path)
        return [table], findings


def _read_file(path: Path) -> tuple[Table, list[Finding]]:
    found = lean_archive.kind_of(path, FOLDER)
    quotes = found is not None and found.kind == "quote"
    kind, columns = ("quote", QUOTE_COLUMNS) if quotes else ("trade", TRADE_COLUMNS)
    rows = lean_archive.read_rows(path, "option", (kind,), columns)
    if rows.contracts[0].resolution != "minute":
        raise DataRefused("no minute bars", path=path, found=rows.contracts[0].resolution, allowed="minute")
    venue = lean_archive.venue(path, FOLDER) or "USA"
    return bar_table(rows, path, LeanOptionsReader.name, venue, PRICE_SCALE)
