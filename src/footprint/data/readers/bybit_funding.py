"""Funding rates of a perpetual in the LEAN layout: `<venue>/margin_interest/<symbol>.csv`, also gz, without a header.

Columns: time (`yyyymmdd HH:MM:SS`, UTC) and the rate, a fraction of the position that longs pay to shorts at that time
(shorts to longs when negative). Venues settle every eight hours or more often, and change it: a step that comes twice
in a row is the interval of its rows; one that stands alone, or is longer than any interval, is a hole.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.compressed import head, read_all
from footprint.data.files.refusals import refuse_where
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.data.readers.table_files import TableFiles
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import Finding
from footprint.errors import DataRefused
from footprint.units import NS_PER_HOUR, NS_PER_SECOND

FOLDER = "margin_interest"
LONGEST_INTERVAL_NS = 8 * NS_PER_HOUR  # also that of a file with one row
MAX_MEDIAN_RATE = 0.005  # a fraction per interval; a median beyond it is a percentage or a rate a year

_LINE = re.compile(rb"\d{8} \d\d:\d\d:\d\d,-?[\d.]+(e-?\d+)?\r?", re.IGNORECASE)
_COLUMNS = (Column("time", str), Column("rate", float, -1, maximum=1))


class BybitFundingReader(TableFiles):
    """Funding rates; one table a file."""

    name = "bybit_funding"

    def recognise(self, path: Path) -> bool:
        """True when the first line is a time and a rate, or nothing can be read and the folder is that of rates."""
        first = head(path).content.split(b"\n", 1)[0]
        return _LINE.fullmatch(first) is not None or (path.parent.name == FOLDER and ".csv" in path.suffixes)

    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """Its table and the findings."""
        table = _read_file(path)
        return [table], _findings(table)


def _read_file(path: Path) -> Table:
    frame = read_table(read_all(path), _COLUMNS, path, header=False)
    text = frame["time"]
    time = text.str.to_datetime("%Y%m%d %H:%M:%S", time_unit="ns", strict=False)
    refuse_where(time.is_null(), text, path, "time", "not a time", "yyyymmdd HH:MM:SS")
    time_ns = time.to_physical().to_numpy()
    refuse_clock_going_back(time_ns, path, "time", first_row=1)
    steps = np.diff(time_ns)
    refuse_where(np.append(False, steps == 0), text, path, "time", "time twice", "one rate a time")
    middle = float(np.median(np.abs(frame["rate"].to_numpy())))
    if middle > MAX_MEDIAN_RATE:
        allowed = f"a fraction per interval, median below {MAX_MEDIAN_RATE}"
        raise DataRefused("rate in another unit", path=path, field="rate", found=f"median {middle:g}", allowed=allowed)
    interval_ns = _intervals(steps)
    longer, shorter = steps > interval_ns[1:], steps < interval_ns[1:]
    counts = {
        "rows": len(frame),
        "gaps": int(longer.sum()),
        "early": int(shorter.sum()),
        "missing": int((steps[longer] // interval_ns[1:][longer] - 1).sum()),
        "interval_changes": int((np.diff(interval_ns) != 0).sum()),
    }
    columns: dict[str, TableColumn] = {
        "symbol": path.name.split(".")[0].upper(),
        "venue": path.absolute().parent.parent.name if path.absolute().parent.name == FOLDER else "bybit",
        "known_at_ns": pl.Series(time_ns),
        "rate_fraction": frame["rate"],
        "interval_s": pl.Series(interval_ns // NS_PER_SECOND),
    }
    return sorted_table(TableKind.FUNDING, columns, BybitFundingReader.name, counts, (path,))


def _intervals(steps: np.ndarray) -> np.ndarray:
    """The interval that each row pays for, ns, shape (n + 1,).

    Args:
        steps: ns from each row to the next, shape (n,).
    """
    again = np.append(steps[1:] == steps[:-1], False)[: len(steps)]
    regular = (again | np.append(False, again[:-1])[: len(steps)]) & (steps <= LONGEST_INTERVAL_NS)
    if not regular.any():
        usual = _most_common(steps) if len(steps) else LONGEST_INTERVAL_NS
        return np.full(len(steps) + 1, min(usual, LONGEST_INTERVAL_NS))
    known = np.flatnonzero(regular)
    newest = known[np.maximum(np.searchsorted(known, np.arange(len(steps)), side="right") - 1, 0)]
    return steps[np.append(newest[0], newest)]


def _most_common(steps: np.ndarray) -> int:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def _findings(table: Table) -> list[Finding]:
    counts, findings = table.counts, []
    if counts["gaps"]:
        text = f"{counts['gaps']} steps longer than the interval, {counts['missing']} payments are missing"
        findings.append(Finding("interval_gap", text, counts["gaps"]))
    if counts["early"]:
        text = f"{counts['early']} steps shorter than the interval"
        findings.append(Finding("early_payment", text, counts["early"]))
    if counts["interval_changes"]:
        hours = ", ".join(f"{s / 3600:g}" for s in table.frame["interval_s"].unique().sort())
        text = f"the interval changes {counts['interval_changes']} times: {hours} hours"
        findings.append(Finding("interval_change", text, counts["interval_changes"]))
    return findings
