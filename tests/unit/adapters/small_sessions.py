"""Small sessions with every value that a column can hold, and small tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from footprint.data.session import Session
from footprint.data.tables import SCHEMAS, Table, TableKind
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME
from footprint.market.instruments import AssetClass, Instrument, TradingHours

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS


def small_session(seed=0, count=50, symbol="ABC", venue="X", day=date(2024, 1, 8), extra=(), **changes):
    """`count` events in one day, the extremes of every integer type among them."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, EVENT_DTYPE)
    for name in EVENT_DTYPE.names:
        limits = np.iinfo(EVENT_DTYPE[name])
        events[name] = rng.integers(limits.min, limits.max, count, EVENT_DTYPE[name], endpoint=True)
        if count > 2:
            events[name][[1, 2]] = limits.min, limits.max
    open_ns = int(datetime(day.year, day.month, day.day, 9, tzinfo=UTC).timestamp()) * 1_000_000_000
    close_ns = open_ns + 7 * HOUR_NS
    events["receive_time_ns"] = np.sort(rng.integers(open_ns, close_ns, count))
    events["exchange_time_ns"] = np.where(rng.random(count) < 0.2, UNKNOWN_TIME, events["receive_time_ns"] - 5)
    columns = {name: rng.integers(-(2**63), 2**63 - 1, count) for name in extra}
    instrument = Instrument(
        symbol,
        venue,
        "m",
        AssetClass.PERPETUAL,
        "USD",
        0.1 + 0.2,
        1e-8,
        TradingHours("Europe/Paris", 1, 2),
        7,
        0.1,
        True,
    )
    counts, paths = {"trades": count, "dropped": 2}, (Path("in", f"{symbol}_{day}.csv"),)
    session = Session(instrument, day, events, open_ns, close_ns, "small", counts, paths, columns)
    return replace(session, **changes)


def assert_same(left: Session, right: Session) -> None:
    """Equal in every field, the events to the bit of every field."""
    for name in ("instrument", "day", "open_ns", "close_ns", "source", "paths"):
        assert getattr(left, name) == getattr(right, name), name
    assert dict(left.counts) == dict(right.counts)
    assert left.events.dtype == right.events.dtype == EVENT_DTYPE
    assert len(left.events) == len(right.events)
    for name in EVENT_DTYPE.names:
        assert np.array_equal(left.events[name], right.events[name]), name
    assert list(left.extra) == list(right.extra)
    for name in left.extra:
        assert left.extra[name].dtype == right.extra[name].dtype == np.int64
        assert np.array_equal(left.extra[name], right.extra[name]), name


def small_table(kind=TableKind.FUNDING, first_ns=1_700_000_000_000_000_000, symbol="ABC", name="f.csv", changed=0.0):
    """Three rows with a null and awkward texts."""
    values = {
        pl.String: [symbol, symbol, symbol + "/é"],
        pl.Int64: [first_ns, first_ns + 1, first_ns + 2],
        pl.Float64: [0.1 + changed, None, -1e300],
        pl.Boolean: [True, None, False],
        pl.Int8: [1, -1, None],
    }
    frame = pl.DataFrame({column: pl.Series(column, values[dtype], dtype) for column, dtype in SCHEMAS[kind].items()})
    return Table(kind, frame, "small", {"rows": 3}, (Path("in", name),))
