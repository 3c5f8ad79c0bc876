"""Real DBN files: every record as the vendor's library reads it, and the book that replaying them gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dbn_tape import decoded

from footprint.book.orders import OrderBook
from footprint.book.replay import views
from footprint.data.files.compressed import read_all
from footprint.data.readers.databento import DatabentoReader
from footprint.data.verdict import Analysis, Verdict
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

READER = DatabentoReader()
SNAPSHOT = "esh4-glbx-mdp3-20231224.mbo.dbn.zst"
DAY = "esh4-glbx-mdp3-20231225.mbo.first60pct.dbn.zst"
LEVELS = "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
TRADES = "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
OPENING_NS = 1_703_545_200_000_000_000  # 23:00 UTC
KIND = {
    "A": EventKind.ADD,
    "C": EventKind.CANCEL,
    "M": EventKind.MODIFY,
    "T": EventKind.TRADE,
    "F": EventKind.FILL_NOTICE,
    "R": EventKind.CLEAR,
}
SIDE = {"B": 1, "A": -1, "N": 0}


@pytest.fixture
def mbo(shared_data: Path) -> Path:
    return shared_data / "databento_mbo"


@pytest.mark.parametrize("name", [SNAPSHOT, DAY])
def test_every_mbo_record(mbo: Path, name: str) -> None:
    (session,) = check_reader(READER, [mbo / name])
    records = decoded(read_all(mbo / name))[1:]
    assert session.events["kind"][0] == EventKind.CLEAR  # put before the snapshot, which does not begin with one
    events = session.events[1:]
    tick = session.instrument.tick_size
    assert len(events) == len(records)
    last = EventFlag.LAST
    for event, record in zip(events.tolist(), records, strict=True):
        exchange, receive, kind, side, flags, price, size, order_id, sequence, _ = event
        assert (exchange, receive) == (record.ts_event, record.ts_recv)
        assert (kind, side) == (KIND[str(record.action)], SIDE[str(record.side)])
        assert price * tick == record.price / 1e9
        assert (size, order_id, sequence) == (record.size, record.order_id, record.sequence)
        assert bool(flags & EventFlag.SNAPSHOT) == bool(record.flags & 32)
        assert flags & last or not record.flags & 128
    ends = np.flatnonzero((events["flags"] & last != 0) & ~np.array([bool(r.flags & 128) for r in records]))
    assert set(ends.tolist()) <= {8724, len(events) - 1}  # the ends of the snapshot and of the file


def test_replayed_book(mbo: Path) -> None:
    """0 unknown ids; crossed before the opening of 23:00 UTC only; prints and contracts as published with the file."""
    (session,) = READER.sessions([mbo / DAY])
    events = session.events
    book = OrderBook()
    book.apply(events)
    assert (book.unknown_ids, book.duplicate_ids) == (0, 0)
    assert 10_000 < book.live_orders < 12_000
    seen = views(events)
    crossed = (seen["bid_ticks"] > seen["ask_ticks"]) & (seen["ask_ticks"] > 0)
    assert crossed.any()
    assert events["receive_time_ns"][crossed].max() < OPENING_NS + 200_000_000
    prints = events[events["kind"] == EventKind.TRADE]
    assert (len(prints), prints["size_lots"].sum()) == (1679, 4823)


def test_a_print_takes_from_the_side_it_hits(mbo: Path) -> None:
    """The side of a print is the aggressor's: the fill notice that follows it is on the other side."""
    (session,) = READER.sessions([mbo / DAY])
    kind, side = session.events["kind"], session.events["side"].astype(int)
    pair = (kind[:-1] == EventKind.TRADE) & (kind[1:] == EventKind.FILL_NOTICE) & (side[:-1] != 0)
    same_order = session.events["order_id"][:-1] == session.events["order_id"][1:]
    pair &= ~same_order  # the aggressor's own fill, when it rests in part
    assert pair.sum() > 1000
    assert (side[1:][pair] == -side[:-1][pair]).mean() > 0.99


def test_snapshot_then_the_next_day(mbo: Path) -> None:
    first, second = READER.sessions([mbo / DAY, mbo / SNAPSHOT])
    assert (first.day.day, second.day.day) == (24, 25)
    alone, chained = OrderBook(), OrderBook()
    alone.apply(second.events)
    chained.apply(np.concatenate((first.events, second.events)))
    assert chained.unknown_ids == chained.duplicate_ids == 0
    for side in (1, -1):
        np.testing.assert_array_equal(chained.levels(side, 1000), alone.levels(side, 1000))
    snapshot, _ = READER.audit([mbo / SNAPSHOT, mbo / DAY])
    assert {"snapshot_only", "no_trades"} <= {f.code for f in snapshot.findings}


def test_levels_end_where_their_file_says(mbo: Path) -> None:
    """The quotes after each record are its own best prices; the prints are those of the trades file."""
    sessions = READER.sessions([mbo / LEVELS, mbo / "futures_definition.dbn.zst"])
    events = np.concatenate([session.events for session in sessions])
    records = decoded(read_all(mbo / LEVELS))[1:]
    best = {1: (0, 0), -1: (0, 0)}
    by_row: dict[int, dict[int, tuple[int, int]]] = {}
    for event in events[events["kind"] == EventKind.QUOTE]:
        best[int(event["side"])] = (int(event["price_ticks"]), int(event["size_lots"]))
        by_row[int(event["row"])] = dict(best)
    for row, record in enumerate(records, start=1):
        best = by_row.get(row, best)
        level = record.levels[0]
        assert best == {
            1: (level.bid_px // 250_000_000, level.bid_sz),
            -1: (level.ask_px // 250_000_000, level.ask_sz),
        }
    prints = events[events["kind"] == EventKind.TRADE]
    trades = np.concatenate([s.events for s in READER.sessions([mbo / TRADES])])
    for name in ("exchange_time_ns", "side", "price_ticks", "size_lots"):
        np.testing.assert_array_equal(prints[name], trades[name])
    assert len(trades) == 120


def test_definitions_scale_the_instrument(mbo: Path) -> None:
    definitions = mbo / "futures_definition.dbn.zst"
    session = next(READER.sessions([mbo / LEVELS, definitions]))
    assert session.instrument.multiplier == 50.0
    assert session.instrument.tick_size == 0.25
    assert session.instrument.currency == "USD"
    assert next(READER.sessions([mbo / LEVELS])).instrument.multiplier == 1.0
    (verdict,) = READER.audit([definitions])
    assert verdict.symbols == ("ESU4", "NQU4")
    assert verdict.voids == tuple(Analysis)


def test_fixtures_of_all_schemas(shared_data: Path) -> None:
    """Versions and packings agree; what holds no events says so; what one file holds is not used twice."""
    folder = shared_data / "databento_fixtures"
    files = sorted(folder.iterdir())
    verdicts = {v.path.name.removeprefix("test_data."): v for v in READER.audit(files)}
    assert all(READER.recognise(path) for path in files)
    assert all(v.verdict is not Verdict.REFUSED for v in verdicts.values())
    silent = {"status", "statistics", "imbalance", "cmbp-1", "cbbo-1s", "definition"}
    for name, verdict in verdicts.items():
        assert (name.split(".")[0] in silent) == any(f.code == "no_events" for f in verdict.findings)
    for schema in ("mbo", "mbp-1", "mbp-10", "tbbo", "trades", "bbo-1s"):
        same = [p for p in files if p.name.removeprefix("test_data.").split(".")[0] == schema]
        sessions = [next(READER.sessions([path])) for path in same]
        assert len(same) >= 2
        for session in sessions:
            np.testing.assert_array_equal(session.events, sessions[0].events)
    (session,) = READER.sessions(files)
    assert session.paths[0].name == "test_data.mbo.dbn"
