"""`footprint.read` as a service: a store, a symbol and a span of time in, sessions out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from footprint.app.cli.options import parse_time
from footprint.data.history import open_history
from footprint.data.session import Session
from footprint.errors import UsageError


def read(
    store: str | Path,
    symbol: str | None,
    start: str | int | datetime | None,
    end: str | int | datetime | None,
    venue: str | None,
    version: str | int | None,
) -> Iterator[Session]:
    """Sessions of a store; see `footprint.read`."""
    start_ns, end_ns = _time_ns(start, "start"), _time_ns(end, "end")
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise UsageError(f"start {start} is not before end {end}")
    return open_history(store).sessions(symbol, start_ns, end_ns, venue, version)


def _time_ns(value: str | int | datetime | None, name: str) -> int | None:
    if value is None:
        return None
    try:
        return parse_time(value.isoformat() if isinstance(value, datetime) else str(value))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
