"""Local times of a time zone as nanoseconds UTC.

When clocks go back an hour of local time happens twice, when they go forward an hour does not happen. A time of either
kind has no one answer; it is refused, unless a rule that was written down says which is meant.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.files.refusals import refuse_where


class Repeated(Enum):
    """What a local time means that happens twice."""

    REFUSE = "refuse"
    EARLIEST = "earliest"
    LATEST = "latest"


def utc_ns(
    local: pl.Series,
    time_zone: str,
    path: Path,
    field: str,
    *,
    first_row: int = 1,
    repeated: Repeated = Repeated.REFUSE,
) -> np.ndarray:
    """Nanoseconds UTC of times without a zone.

    Args:
        local: Datetime("ns") without a zone, without nulls, shape (n,).
        time_zone: name in the IANA database.
        first_row: 1-based row in the file of element 0.

    Returns:
        int64 of shape (n,).

    Raises:
        DataRefused: a time that does not exist in that zone, or (under REFUSE) one that happens twice.
    """
    ambiguous = "null" if repeated is Repeated.REFUSE else repeated.value
    zoned = local.dt.replace_time_zone(time_zone, ambiguous=ambiguous, non_existent="null")  # type: ignore[arg-type]
    refuse_where(
        zoned.is_null(),
        local,
        path,
        field,
        "local time at a change of clocks",
        f"a time that happens once in {time_zone}",
        first_row=first_row,
    )
    return zoned.to_physical().to_numpy()
