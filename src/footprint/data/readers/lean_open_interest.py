"""Open interest in the LEAN layout: archives `<day>_openinterest*.zip` of futures and options, one csv a contract.

Columns: ms after midnight (UTC for futures, New York for options) and contracts. The feed repeats itself within the
day; rows that are the same to the millisecond are dropped and counted.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from footprint.data.files.table import Column
from footprint.data.readers import lean_archive
from footprint.data.readers.table_files import TableFiles
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import Finding

_COLUMNS = (lean_archive.TIME, Column("open_interest", int, 0))
_KIND = "openinterest"


class LeanOpenInterestReader(TableFiles):
    """Open interest of every contract of a day; one table a file."""

    name = "lean_open_interest"

    def recognise(self, path: Path) -> bool:
        """True for a zip whose first csv is named as LEAN names open interest."""
        return any(
            found is not None and found.kind == _KIND
            for found in (lean_archive.kind_of(path, folder) for folder in ("future", "option"))
        )

    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """Its table and the findings."""
        table = _read_file(path)
        repeated, findings = table.counts["repeated_dropped"], []
        if repeated:
            findings.append(Finding("repeated_rows", f"{repeated} rows repeat the one before, time included", repeated))
        return [table], findings


def _read_file(path: Path) -> Table:
    found = next((f for f in (lean_archive.kind_of(path, folder) for folder in ("future", "option")) if f), None)
    type_ = found.type if found else "future"
    rows = lean_archive.read_rows(path, type_, (_KIND,), _COLUMNS)
    frame = pl.DataFrame(
        {"symbol": rows.symbols(), "known_at_ns": rows.frame["time_ns"], "open_interest": rows.frame["open_interest"]}
    )
    kept = frame.unique(maintain_order=True)
    counts = {"rows": len(frame), "repeated_dropped": len(frame) - len(kept), "contracts": len(rows.contracts)}
    columns: dict[str, TableColumn] = {name: kept[name] for name in kept.columns}
    columns["venue"] = lean_archive.venue(path, type_)
    return sorted_table(TableKind.OPEN_INTEREST, columns, LeanOpenInterestReader.name, counts, (path,))
