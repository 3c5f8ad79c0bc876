"""Footprint forecasts what a block order will do to the market, as a probability distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from footprint.data.session import Session

__version__ = "0.1.0"


def read(
    store: str | Path,
    symbol: str | None = None,
    start: str | int | datetime | None = None,
    end: str | int | datetime | None = None,
    venue: str | None = None,
    version: str | int | None = None,
) -> Iterator[Session]:
    """Stream the sessions of a history store, in order of (symbol, venue, time), one in memory at a time.

    Args:
        store: folder or address that `footprint ingest` wrote.
        symbol: only this instrument; all when None.
        start, end: only events in [start, end) by event time: ISO 8601 or a datetime, with a zone, or ns UTC. A session
            that is cut at its start has lost what built its book until then.
        venue: only this venue.
        version: the store as it was: a version number, or a time (ISO 8601 with a zone).

    Raises:
        UsageError: no store, no such version, nothing of that symbol and venue, a time that is none, or an empty span.
        DataRefused: what is stored is damaged.
    """
    # by name: this module is below every stage, and importing it must stay cheap
    from importlib import import_module

    return import_module("footprint.app.reading").read(store, symbol, start, end, venue, version)
