"""Funding rates of a perpetual in the LEAN layout: `<venue>/margin_interest/<symbol>.csv`, also gz, without a header.

Columns: time (`yyyymmdd HH:MM:SS`, UTC) and the rate, a fraction of the position that longs pay to shorts at that time
(shorts to longs when negative). Bybit settles every eight hours; the most common step of the file is the interval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.compressed import head, read_all
from footprint.data.files.refusals import refuse_where, verdict_or_refusal
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.data.tables import Table, TableColumn, TableKind, sorted_table
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.units import NS_PER_HOUR, NS_PER_SECOND

FOLDER = "margin_interest"
DEFAULT_INTERVAL_NS = 8 * NS_PER_HOUR  # of a file with one row
MAX_MEDIAN_RATE = 0.005  # a fraction per interval; a median beyond it is a percentage or a rate a year

_LINE = re.compile(rb"\d{8} \d\d:\d\d:\d\d,-?[\d.]+(e-?\d+)?\r?", re.IGNORECASE)
_COLUMNS = (Column("time", str), Column("rate", float, -1, maximum=1))


class BybitFundingReader:
    """Funding rates; one table a file."""

    name = "bybit_funding"

    def recognise(self, path: Path) -> bool:
        """True when the first line is a time and a rate, or nothing can be read and the folder is that of rates."""
        first = head(path).content.split(b"\n", 1)[0]
        return _LINE.fullmatch(first) is not None or (path.parent.name == FOLDER and ".csv" in path.suffixes)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [verdict_or_refusal(path, self.name, self._verdict) for path in paths]

    def tables(self, paths: Sequence[Path]) -> Iterator[Table]:
        """One table a file.

        Raises:
            DataRefused: a file is refused.
        """
        for path in paths:
            yield _read_file(path)

    def _verdict(self, path: Path) -> FileVerdict:
        table = _read_file(path)
        symbol = table.frame["symbol"][0]
        return FileVerdict(path, self.name, symbol, tuple(_findings(table)), table.counts)


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
    interval_ns = _most_common(steps) if len(steps) else DEFAULT_INTERVAL_NS
    counts = {"rows": len(frame), "gaps": int((steps > interval_ns).sum()), "early": int((steps < interval_ns).sum())}
    missing = steps[steps > interval_ns] // interval_ns - 1
    counts["missing"] = int(missing.sum())
    columns: dict[str, TableColumn] = {
        "symbol": path.name.split(".")[0].upper(),
        "venue": path.absolute().parent.parent.name if path.absolute().parent.name == FOLDER else "bybit",
        "known_at_ns": pl.Series(time_ns),
        "rate_fraction": frame["rate"],
        "interval_s": interval_ns // NS_PER_SECOND,
    }
    return sorted_table(TableKind.FUNDING, columns, BybitFundingReader.name, counts, (path,))


def _most_common(steps: np.ndarray) -> int:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def _findings(table: Table) -> list[Finding]:
    counts, findings = table.counts, []
    hours = table.frame["interval_s"][0] / 3600
    if counts["gaps"]:
        text = f"{counts['gaps']} steps longer than {hours:g} hours, {counts['missing']} payments are missing"
        findings.append(Finding("interval_gap", text, counts["gaps"]))
    if counts["early"]:
        text = f"{counts['early']} steps shorter than {hours:g} hours: the interval changed"
        findings.append(Finding("interval_change", text, counts["early"]))
    return findings
