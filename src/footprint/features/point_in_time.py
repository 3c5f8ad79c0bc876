"""Does a feature table know the future? Two checks, each of which a planted leak must fail.

- Recomputed: values are computed once more from data that ends at the row's `known_ns`. A feature that looked further
  comes out otherwise (`check_point_in_time`).
- Read again: what a read as of t gave must be what it gives after any number of writes. Rows that were slipped in later
  with an earlier `known_ns` change it (`rewritten_past`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from footprint.errors import DataRefused
from footprint.features.feature_table import ENTITY, EVENT_NS, KNOWN_NS, FeatureSet, FeatureTable

Recompute = Callable[[str, int, int], np.ndarray]


class LookAhead(DataRefused):
    """A stored feature holds what was not known at its `known_ns`."""


def check_point_in_time(
    rows: pl.DataFrame, features: FeatureSet, recompute: Recompute, relative_tolerance: float = 1e-9
) -> None:
    """Recompute every row from the data up to its `known_ns` and compare.

    Args:
        rows: rows of a table, or a sample of them.
        recompute: (entity, event_ns, known_ns) -> float64 values in the order of `features.names`, nan where unknown,
            made from nothing later than known_ns.
        relative_tolerance: difference that rounding explains, relative to the larger of 1 and the value.

    Raises:
        LookAhead: naming the first entity, instant and feature that differs.
    """
    stored = rows.select(features.names).to_numpy().astype(np.float64)
    keys = rows.select(ENTITY, EVENT_NS, KNOWN_NS).rows()
    for values, (entity, event_ns, known_ns) in zip(stored, keys, strict=True):
        again = np.asarray(recompute(entity, event_ns, known_ns), np.float64)
        near = np.isclose(values, again, rtol=relative_tolerance, atol=relative_tolerance, equal_nan=True)
        if not near.all():
            first = int(np.flatnonzero(~near)[0])
            raise LookAhead(
                f"{entity} at {event_ns}: not what the data up to {known_ns} gives",
                field=features.names[first],
                found=values[first],
                allowed=f"{again[first]}",
            )


def rewritten_past(
    table: FeatureTable, earlier: int, later: int, entities: Sequence[str] | None = None
) -> pl.DataFrame:
    """Rows of version `later` that change what version `earlier` had already answered.

    An answer as of t is final for an entity once it has a row known after t: a row that comes later and claims to have
    been known before that was not there when it was asked for.

    Returns:
        The rows of the later reading that the earlier one did not give, empty when the past stands.
    """
    before, after = table.rows(entities, earlier), table.rows(entities, later)
    settled = before.group_by(ENTITY).agg((pl.col(KNOWN_NS).max() - 1).alias("_settled_ns"))
    final = after.join(settled, on=ENTITY).filter(pl.col(KNOWN_NS) <= pl.col("_settled_ns")).drop("_settled_ns")
    return final.join(before, on=(ENTITY, EVENT_NS, KNOWN_NS), how="anti")
