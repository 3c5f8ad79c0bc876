"""The repair of a clock that goes back: every change is logged and said, and one that was set back is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from footprint.data.quality import thresholds
from footprint.data.verdict import Finding
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME
from footprint.units import NS_PER_SECOND

REPAIR_DTYPE = np.dtype([("index", np.int64), ("from_ns", np.int64), ("to_ns", np.int64)], align=True)


def repair_monotonic(
    time_ns: np.ndarray,
    max_repair_s: float = thresholds.MAX_REPAIR_S.value,
    *,
    path: Path | None = None,
    field: str = "time",
    rows: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Raise every time that lies before an earlier one to it, so that the clock never goes back.

    Args:
        time_ns: int64 of shape (n,); UNKNOWN_TIME is left as it is.
        max_repair_s: a time that would have to be raised by more is not repaired.
        path, field: what a refusal names.
        rows: 1-based row of each time in the file, shape (n,); 1, 2, ... when None.

    Returns:
        The times, and the log: REPAIR_DTYPE, one row for every time that was changed, in order.

    Raises:
        DataRefused: a time lies more than `max_repair_s` before an earlier one.
    """
    repaired = np.maximum.accumulate(time_ns)  # UNKNOWN_TIME is below every time
    repaired[time_ns == UNKNOWN_TIME] = UNKNOWN_TIME
    changed = np.flatnonzero(repaired != time_ns)
    log = np.zeros(len(changed), REPAIR_DTYPE)
    log["index"], log["from_ns"], log["to_ns"] = changed, time_ns[changed], repaired[changed]
    far = np.flatnonzero(log["to_ns"] - log["from_ns"] > max_repair_s * NS_PER_SECOND)
    if len(far):
        at = log[far[0]]
        index = int(at["index"])
        raise DataRefused(
            "clock goes back too far to repair",
            path=path,
            row=index + 1 if rows is None else int(rows[index]),
            field=field,
            found=int(at["from_ns"]),
            allowed=f"at most {max_repair_s:g} s before {int(at['to_ns'])}",
        )
    return repaired, log


def raised_clock(time_ns: np.ndarray, name: str, path: Path, rows: np.ndarray) -> tuple[np.ndarray, list[Finding]]:
    """`repair_monotonic` of one clock of a file, and what an audit says of it.

    Args:
        time_ns, rows: as there.
        name: what the clock is called.

    Raises:
        DataRefused: as there.
    """
    raised, log = repair_monotonic(time_ns, path=path, field=f"{name} time", rows=rows)
    if not len(log):
        return raised, []
    by_s = int((log["to_ns"] - log["from_ns"]).max()) / NS_PER_SECOND
    text = f"the {name} clock goes back at {len(log)} rows, by up to {by_s:g} s: "
    return raised, [Finding("clock_repaired", text + "their times were raised to the latest one before", len(log))]
