"""Forecast records as one Arrow table, for whoever scores or stores many of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import polars as pl

from footprint.impact.record import ForecastRecord

_NESTED = ("plan", "features", "regime_probabilities")  # maps whose keys differ between versions: kept as JSON text


def to_arrow(records: Sequence[ForecastRecord]) -> bytes:
    """Arrow IPC file, one row a record; the maps (plan, features, regime_probabilities) are JSON text."""
    rows = [
        {
            key: json.dumps(value, separators=(",", ":")) if key in _NESTED else value
            for key, value in r.as_dict().items()
        }
        for r in records
    ]
    buffer = io.BytesIO()
    pl.DataFrame(rows, infer_schema_length=None).write_ipc(buffer)
    return buffer.getvalue()


def from_arrow(data: bytes) -> list[ForecastRecord]:
    """The records that `to_arrow` wrote, equal to the last bit."""
    rows = pl.read_ipc(io.BytesIO(data)).to_dicts()
    return [
        ForecastRecord.from_json(
            json.dumps({key: json.loads(value) if key in _NESTED else value for key, value in row.items()})
        )
        for row in rows
    ]
