"""Crypto bars in the LEAN layout: `crypto/<venue>/{second,minute}/<pair>/<day>_{trade,quote}.zip`, one headerless csv.

Times are ms after midnight UTC, prices and sizes plain numbers (equities of the same name scale prices by 10,000, so
that the folder decides). An interval without a trade has no row.
"""

from __future__ import annotations

from pathlib import Path

from footprint.data.readers import lean_archive
from footprint.data.readers.lean_bar_rows import INTERVAL_NS, QUOTE_COLUMNS, TRADE_COLUMNS, bar_table
from footprint.data.readers.table_files import TableFiles
from footprint.data.tables import Table
from footprint.data.verdict import Finding
from footprint.errors import DataRefused

FOLDERS = ("crypto", "cryptofuture")
_KINDS = ("trade", "quote")


class LeanBarsReader(TableFiles):
    """Second and minute bars of one pair and day; one table a file."""

    name = "lean_bars"

    def recognise(self, path: Path) -> bool:
        """True for a zip below a folder of crypto data whose csv is named as LEAN names bars."""
        if not set(FOLDERS) & set(path.parts):
            return False
        found = lean_archive.kind_of(path, _folder(path))
        return found is not None and found.type == "single" and found.kind in _KINDS and found.resolution != "tick"

    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """Its table and the findings."""
        table, findings = _read_file(path)
        return [table], findings


def _folder(path: Path) -> str:
    return next((folder for folder in FOLDERS if folder in path.parts), FOLDERS[0])


def _read_file(path: Path) -> tuple[Table, list[Finding]]:
    folder = _folder(path)
    found = lean_archive.kind_of(path, folder)
    quotes = found is not None and found.kind == "quote"
    kind, columns = ("quote", QUOTE_COLUMNS) if quotes else ("trade", TRADE_COLUMNS)
    rows = lean_archive.read_rows(path, "single", (kind,), columns)
    if rows.contracts[0].resolution not in INTERVAL_NS:
        raise DataRefused("no bars", path=path, found=rows.contracts[0].resolution, allowed="second or minute")
    return bar_table(rows, path, LeanBarsReader.name, lean_archive.venue(path, folder), 1)
