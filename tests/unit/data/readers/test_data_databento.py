"""DBN files made by the vendor's own library: every action, flag, side and schema, and every refusal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import databento_dbn as dbn
import numpy as np
import pytest
import zstandard
from dbn_tape import (
    ASK,
    BID,
    LAST,
    NONE,
    PRICE,
    SNAPSHOT,
    START,
    A,
    C,
    F,
    Level,
    M,
    N,
    R,
    T,
    definition,
    metadata,
    order,
    sample,
    trade,
    window,
    write,
)

from footprint.book.price_levels import PriceLevelBook
from footprint.data.readers import databento
from footprint.data.readers.databento import DatabentoReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.market.instruments import AssetClass
from footprint.testing.check_reader import check_reader
from footprint.units import NS_PER_DAY

K, FLAG = EventKind, EventFlag
READER = DatabentoReader()
TICK = 0.25
DAY_US = NS_PER_DAY // 1000


def only(path: Path, *more: Path) -> Session:
    (session,) = READER.sessions([path, *more])
    return session


def rows(session: Session) -> list[tuple[int, ...]]:
    """kind, side, flags, price in quarters of a dollar, size, order id of each event."""
    events = session.events
    quarters = np.rint(events["price_ticks"] * session.instrument.tick_size / TICK).astype(int)
    columns = (events["kind"], events["side"], events["flags"], quarters, events["size_lots"], events["order_id"])
    return [tuple(map(int, row)) for row in zip(*columns, strict=True)]


def codes(path: Path, *more: Path) -> dict[str, tuple[Analysis, ...]]:
    return {finding.code: finding.voids for finding in READER.audit([path, *more])[0].findings}


def test_every_action_of_mbo(tmp_path: Path) -> None:
    records = [
        order(0, R, NONE, None, 0, 0, flags=0),
        order(1, A, BID, 10.00, 5, 1),
        order(2, A, ASK, 10.50, 7, 2),
        order(3, M, ASK, 10.25, 4, 2),
        order(4, T, BID, 10.25, 3, 9, flags=0),
        order(4, F, ASK, 10.25, 3, 2, flags=0),
        order(4, C, ASK, 10.25, 3, 2),
        order(5, C, BID, 10.00, 5, 1, flags=0),
        order(5, N, NONE, None, 0, 0),
        order(6, T, NONE, 10.25, 8, 0),
        order(7, T, ASK, 10.25, 0, 0),
    ]
    path = write(tmp_path / "a.mbo.dbn", metadata("mbo"), records)
    session = check_reader(READER, [path])[0]
    last = int(FLAG.LAST)
    assert rows(session) == [
        (K.CLEAR, 0, 0, 0, 0, 0),
        (K.ADD, 1, last, 40, 5, 1),
        (K.ADD, -1, last, 42, 7, 2),
        (K.MODIFY, -1, last, 41, 4, 2),
        (K.TRADE, 1, FLAG.SIDE_GIVEN, 41, 3, 9),
        (K.FILL_NOTICE, -1, 0, 41, 3, 2),
        (K.CANCEL, -1, last, 41, 3, 2),
        (K.CANCEL, 1, last, 40, 5, 1),  # LAST came with the record that has no action
        (K.TRADE, 0, last | FLAG.AUCTION, 41, 8, 0),  # CME names no aggressor in auctions only
    ]
    assert session.events["exchange_time_ns"].tolist() == [START + t * 1000 for t in (0, 1, 2, 3, 4, 4, 4, 5, 6)]
    assert (session.events["receive_time_ns"] == session.events["exchange_time_ns"] + 1000).all()
    assert session.events["row"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert session.counts["no_action_dropped"] == 1
    assert session.counts["zero_size_trades_dropped"] == 1
    assert session.instrument.symbol == "ESU4"
    assert session.instrument.tick_size == TICK


def test_side_less_prints_of_other_venues_are_no_auctions(tmp_path: Path) -> None:
    head = metadata("mbo", {77: "MSFT"}, dataset="XNAS.ITCH")
    path = write(tmp_path / "a.dbn", head, [order(1, A, BID, 10.0, 5, 1), order(2, T, NONE, 10.0, 8, 0)])
    session = only(path)
    assert session.events["flags"][1] == FLAG.LAST
    assert session.instrument.asset_class is AssetClass.EQUITY
    assert (session.open_ns, session.close_ns) == (START + 48_600 * 10**9, START + 72_000 * 10**9)  # 13:30 to 20:00 UTC


def test_a_snapshot_replaces_the_book(tmp_path: Path) -> None:
    parts = {"flags": SNAPSHOT | 8}
    records = [
        order(1, A, BID, 10.0, 5, 1),
        order(2, A, BID, 10.0, 5, 2, **parts),
        order(2, A, ASK, 11.0, 5, 3, **parts),
        order(3, C, BID, 10.0, 5, 2),
        order(4, R, NONE, None, 0, 0, **parts),
        order(4, A, BID, 10.0, 5, 4, **parts),
    ]
    session = only(write(tmp_path / "a.dbn", metadata("mbo"), records))
    snapshot, last = int(FLAG.SNAPSHOT), int(FLAG.LAST)
    assert [(row[0], row[2]) for row in rows(session)] == [
        (K.ADD, last),
        (K.CLEAR, snapshot),  # the source did not clear
        (K.ADD, snapshot),
        (K.ADD, snapshot | last),  # its last record ends the snapshot, flagged or not
        (K.CANCEL, last),
        (K.CLEAR, snapshot),
        (K.ADD, snapshot | last),  # so does the end of the file
    ]


def test_top_of_book_and_aggregated_records(tmp_path: Path) -> None:
    top = {"flags": LAST | dbn.F_TOB}
    records = [
        order(1, A, BID, 10.0, 5, 0, **top),
        order(2, A, BID, None, 0, 0, **top),
        order(3, A, ASK, 11.0, 2, 0, **top),
    ]
    path = write(tmp_path / "a.dbn", metadata("mbo"), records)
    assert [row[:2] + row[3:5] for row in rows(only(path))] == [
        (K.QUOTE, 1, 40, 5),
        (K.QUOTE, 1, 0, 0),
        (K.QUOTE, -1, 44, 2),
    ]
    path = write(tmp_path / "b.dbn", metadata("mbo"), [order(1, A, BID, 10.0, 5, 1, flags=LAST | dbn.F_MBP)])
    assert Analysis.BOOK in codes(path)["aggregated_levels"]


def test_flags_become_findings(tmp_path: Path) -> None:
    records = [
        order(1, A, BID, 10.0, 5, 1, flags=LAST | dbn.F_BAD_TS_RECV),
        order(2, A, ASK, 11.0, 5, 2, flags=LAST | dbn.F_MAYBE_BAD_BOOK),
        order(3, C, ASK, 11.0, 5, 3),
        order(4, A, ASK, 11.0, 5, 2),
        order(6, T, BID, 11.0, 5, 2, ts_recv=START + 5999),
    ]
    found = codes(write(tmp_path / "a.dbn", metadata("mbo"), records))
    assert Analysis.LATENCY in found["bad_receive_time"]
    assert Analysis.LATENCY in found["receive_before_exchange"]
    assert Analysis.BOOK in found["gap"]
    assert Analysis.BOOK in found["unknown_orders"]
    assert Analysis.QUEUE in found["duplicate_orders"]


def test_prices_not_positive_void_the_book(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbn", metadata("mbo"), [order(1, A, BID, -0.25, 5, 1), order(2, T, BID, 0.0, 5, 1)])
    assert Analysis.BOOK in codes(path)["price_not_positive"]
    assert [row[3] for row in rows(only(path))] == [-1, 0]


BOOK: list[Level] = [(10.0, 5, 10.25, 6), (9.75, 4, 10.5, 3), (9.5, 1, 10.75, 2)]


def test_mbp_1_is_quotes_then_the_print(tmp_path: Path) -> None:
    records = [
        window(1, A, BID, 10.0, 5, [(10.0, 5, 10.25, 6)]),
        window(2, T, BID, 10.25, 6, [(10.0, 5, 10.25, 6)], flags=0),
        window(2, C, ASK, 10.25, 6, [(10.0, 5, 10.5, 3)]),
        window(3, C, BID, 10.0, 5, [(None, 0, 10.5, 3)]),
        window(4, R, NONE, 0.25, 0, [(None, 0, None, 0)]),
    ]
    path = write(tmp_path / "a.dbn.zst", metadata("mbp-1"), records)
    session = check_reader(READER, [path])[0]
    last = int(FLAG.LAST)
    assert rows(session) == [
        (K.QUOTE, 1, 0, 40, 5, 0),
        (K.QUOTE, -1, last, 41, 6, 0),
        (K.TRADE, 1, FLAG.SIDE_GIVEN, 41, 6, 0),
        (K.QUOTE, -1, last, 42, 3, 0),
        (K.QUOTE, 1, last, 0, 0, 0),
        (K.CLEAR, 0, last, 0, 0, 0),
    ]
    assert set(codes(path)["top_of_book"]) == {Analysis.DEPTH, Analysis.QUEUE}


def test_mbp_10_replays_to_its_own_windows(tmp_path: Path) -> None:
    """Random windows: after the events of each record the book is the window of that record."""
    rng = np.random.default_rng(5)
    records, windows = [], []
    for at in range(200):
        levels = []
        bids = 100 - np.sort(rng.choice(30, 10, replace=False))
        asks = 101 + np.sort(rng.choice(30, 10, replace=False))
        shown = rng.integers(0, 11, 2)
        for k in range(10):
            bid = float(bids[k] * TICK) if k < shown[0] else None
            ask = float(asks[k] * TICK) if k < shown[1] else None
            sizes = rng.integers(1, 9, 2).tolist()
            levels.append((bid, sizes[0] if bid else 0, ask, sizes[1] if ask else 0))
        windows.append(levels)
        records.append(window(at, A, BID, 25.0, 1, levels))
    session = only(write(tmp_path / "a.dbn", metadata("mbp-10"), records))
    book = PriceLevelBook()
    for row, levels in enumerate(windows, start=1):
        book.apply(session.events[session.events["row"] == row])
        for side, column in ((1, 0), (-1, 2)):
            held = [(round(level[column] / TICK), level[column + 1]) for level in levels if level[column] is not None]
            assert [tuple(level) for level in book.levels(side, 20).tolist()] == held
    assert set(session.events["kind"]) == {K.LEVEL}


def test_trades_and_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "t.dbn", metadata("trades"), [trade(1, BID, 10.25, 3), trade(2, ASK, 10.0, 4)])
    signed = int(FLAG.LAST | FLAG.SIDE_GIVEN)
    assert rows(check_reader(READER, [path])[0]) == [(K.TRADE, 1, signed, 41, 3, 0), (K.TRADE, -1, signed, 40, 4, 0)]
    assert Analysis.BOOK in codes(path)["no_quotes"]
    path = write(tmp_path / "b.dbn", metadata("bbo-1s"), [sample(1, (10.0, 5, 10.25, 6), 10.0, 1, ASK)])
    session = check_reader(READER, [path])[0]
    assert [row[0] for row in rows(session)] == [K.QUOTE, K.QUOTE]
    assert (session.events["exchange_time_ns"] == UNKNOWN_TIME).all()
    assert READER.audit([path])[0].voids == tuple(Analysis)
    quotes = [window(1, T, BID, 10.25, 6, [(10.0, 5, 10.25, 6)], flags=0)]
    path = write(tmp_path / "q.dbn", metadata("tbbo"), quotes)
    assert [row[0] for row in rows(only(path))] == [K.QUOTE, K.QUOTE, K.TRADE]
    assert "quotes_at_prints" in codes(path)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_versions(tmp_path: Path, version: int) -> None:
    path = write(tmp_path / "a.dbn", metadata("mbo", version=version), [order(1, A, BID, 10.0, 5, 1)])
    assert rows(only(path)) == [(K.ADD, 1, FLAG.LAST, 40, 5, 1)]
    assert only(path).instrument.symbol == "ESU4"


def test_send_times_and_unknown_clocks(tmp_path: Path) -> None:
    records = [
        order(1, A, BID, 10.0, 5, 1, ts_out=START),
        order(2, A, ASK, 11.0, 5, 2, ts_out=START, ts_recv=dbn.UNDEF_TIMESTAMP),
    ]
    assert len(records[0]) == 64
    session = only(write(tmp_path / "a.dbn", metadata("mbo", ts_out=True), records))
    assert session.events["receive_time_ns"].tolist() == [START + 2000, UNKNOWN_TIME]


def test_records_of_other_types_are_counted(tmp_path: Path) -> None:
    """A live capture has messages of the gateway between the records; blocks end anywhere."""
    note = bytes(dbn.SystemMsg(START, "heartbeat"))
    records = [note]
    for at in range(6000):
        records += [order(at, A, BID, 10.0, 5, at + 1), note] if at % 7 == 0 else [order(at, A, BID, 10.0, 5, at + 1)]
    path = write(tmp_path / "a.dbn", metadata("mbo"), records)
    session = only(path)
    assert session.events["order_id"].tolist() == list(range(1, 6001))
    assert session.events["row"][:3].tolist() == [2, 4, 5]
    (finding,) = (f for f in READER.audit([path])[0].findings if f.code == "other_records")
    assert finding.count == 859


def test_one_session_per_publisher_instrument_and_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = []
    for at, instrument, publisher in (
        (1, 88, 1),
        (2, 77, 1),
        (3, 77, 2),
        (4, 88, 1),
        (DAY_US + 5, 77, 1),
        (DAY_US + 6, 88, 1),
    ):
        records.append(order(at, A, BID, 10.0, 5, at, instrument_id=instrument, publisher_id=publisher))
    path = write(tmp_path / "a.dbn", metadata("mbo", {77: "ESU4", 88: "NQU4"}), records)
    sessions = list(READER.sessions([path]))
    held = [(s.instrument.symbol, s.instrument.venue, s.day.day, s.events["row"].tolist()) for s in sessions]
    assert held == [
        ("ESU4", "GLBX-1", 1, [2]),
        ("ESU4", "GLBX-2", 1, [3]),
        ("ESU4", "GLBX-1", 2, [5]),
        ("NQU4", "GLBX-1", 1, [1, 4]),
        ("NQU4", "GLBX-1", 2, [6]),
    ]
    monkeypatch.setattr(databento, "held_together", lambda plans: [[plan] for plan in plans])
    for whole, alone in zip(sessions, READER.sessions([path]), strict=True):
        np.testing.assert_array_equal(whole.events, alone.events)


def test_a_file_of_several_publishers_is_told(tmp_path: Path) -> None:
    records = [trade(1, BID, 10.25, 3), trade(2, BID, 10.25, 3, publisher_id=2)]
    path = write(tmp_path / "a.dbn", metadata("trades"), records)
    assert [s.instrument.venue for s in READER.sessions([path])] == ["GLBX-1", "GLBX-2"]
    assert "several_publishers" in codes(path)
    assert "several_publishers" not in codes(write(tmp_path / "b.dbn", metadata("trades"), records[:1]))


def test_symbols_come_from_mappings_then_definitions_then_the_id(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbn", metadata("mbo", {}), [order(1, A, BID, 10.0, 5, 1)])
    assert only(path).instrument.symbol == "77"
    path = write(tmp_path / "b.dbn", metadata("mbo", {77: "ES.C.0", 88: "ES.C.0"}), [
        order(1, A, BID, 10.0, 5, 1), order(2, A, BID, 10.0, 5, 1, instrument_id=88)
    ])  # fmt: skip
    assert [s.instrument.symbol for s in READER.sessions([path])] == ["ES.C.0#77", "ES.C.0#88"]
    late = metadata("mbo", days=(date(2024, 7, 5), date(2024, 7, 6)))
    assert only(write(tmp_path / "c.dbn", late, [order(1, A, BID, 10.0, 5, 1)])).instrument.symbol == "77"


def test_the_deepest_schema_is_used_and_files_that_follow_are_joined(tmp_path: Path) -> None:
    first = write(tmp_path / "1.dbn", metadata("mbo"), [order(1, A, BID, 10.0, 5, 1), order(5, A, BID, 10.0, 5, 2)])
    second = write(tmp_path / "2.dbn", metadata("mbo"), [order(6, C, BID, 10.0, 5, 1)])
    again = write(tmp_path / "3.dbn", metadata("mbo"), [order(2, A, BID, 10.0, 5, 1)])
    trades = write(tmp_path / "4.dbn", metadata("trades"), [trade(1, BID, 10.25, 3)])
    files = [trades, again, second, first]
    (session,) = READER.sessions(files)
    assert session.paths == (first, second)
    assert session.events["order_id"].tolist() == [1, 2, 1]
    superseded = {v.path.name for v in READER.audit(files) if any(f.code == "superseded" for f in v.findings)}
    assert superseded == {"3.dbn", "4.dbn"}


def test_schemas_without_events_are_limited(tmp_path: Path) -> None:
    for schema in ("status", "statistics", "imbalance", "ohlcv-1d", "cmbp-1", "cbbo-1s", "tcbbo", None):
        path = write(tmp_path / "a.dbn", metadata(schema), [])
        (verdict,) = READER.audit([path])
        assert verdict.verdict is Verdict.LIMITED
        assert verdict.voids == tuple(Analysis)
        assert [f.code for f in verdict.findings] == ["no_events"]
        assert list(READER.sessions([path])) == []
    path = write(tmp_path / "a.dbn", metadata("mbo"), [])
    assert READER.audit([path])[0].voids == tuple(Analysis)


ONE = order(1, A, BID, 10.0, 5, 1)


def patched(record: bytes, offset: int, value: bytes) -> bytes:
    return record[:offset] + value + record[offset + len(value) :]


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([ONE, ONE[:-3]], ", row 2: truncated record, found '53 bytes', allowed: a whole record"),
        ([ONE, patched(ONE, 0, b"\x01")], ", row 2, field length: wrong record length, found '4'"),
        ([ONE, patched(ONE, 0, b"\x0f") + bytes(4)], ", row 2, field length: wrong record length, found '60'"),
        ([patched(ONE, 38, b"Z")], ", row 1, field action: unknown action, found 'Z', allowed: A, C, M, T, F, R or N"),
        ([patched(ONE, 39, b"Z")], ", row 1, field side: unknown side, found 'Z', allowed: A or B, N"),
        ([order(1, A, NONE, 10.0, 5, 1)], ", row 1, field side: unknown side, found 'N', allowed: A or B"),
        ([ONE, order(2, A, BID, None, 5, 2)], ", row 2, field price: undefined price, allowed: a price"),
        ([ONE, order(2, M, BID, None, 5, 2)], ", row 2, field price: undefined price"),
        ([ONE, order(2, T, BID, None, 5, 2)], ", row 2, field price: undefined price"),
        ([ONE, order(0, C, BID, 10.0, 5, 1)], f", row 2, field ts_recv: clock goes back, found '{START + 1000}'"),
        ([order(1, A, BID, 10.0, 5, 1, ts_recv=1 << 63)], ", row 1, field ts_recv: time out of range"),
        ([ONE, order(2, A, BID, 10 + 1e-9, 5, 2)], ", row 2, field price: price off every grid"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, records: list[bytes], reason: str) -> None:
    path = write(tmp_path / "a.dbn", metadata("mbo"), records)
    assert refusal(path).startswith(reason)


def refusal(path: Path) -> str:
    (verdict,) = READER.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    with pytest.raises(DataRefused) as caught:
        READER.sessions([path])
    assert verdict.findings[0].text == str(caught.value)
    return str(caught.value).removeprefix(str(path))


def test_damaged_files(tmp_path: Path) -> None:
    head = metadata("mbo")
    path = tmp_path / "a.dbn"
    for content, reason in (
        (b"", ": empty file"),
        (b"DBN\x03", ": truncated metadata"),
        (b"DBN\x09" + head[4:], ", field version: unknown DBN version, found '9', allowed: 1, 2 or 3"),
        (b"XYZ" + head[3:], ", field magic: no DBN file"),
        (head[:4] + b"\xff\xff\xff\xff" + head[8:], ", field length: metadata too long"),
        (head[:-20], ": truncated metadata"),
        (patched(head, len(head) - 71, b"\xff" * 60), ", field metadata: damaged metadata"),
    ):
        path.write_bytes(content)
        assert refusal(path).startswith(reason)
    packed = zstandard.ZstdCompressor().compress(head + ONE * 3000)
    path = tmp_path / "a.dbn.zst"
    path.write_bytes(packed[:-4])
    assert refusal(path).startswith(": truncated or damaged archive")
    assert READER.recognise(path)
    path.write_bytes(packed[:3])
    assert READER.recognise(path)  # by its name
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    assert not READER.recognise(tmp_path / "b.csv")


def test_prices_are_whole_ticks(tmp_path: Path) -> None:
    """The coarsest usual tick that divides all prices, whatever step these happen to make together."""
    for prices, tick in (((10.0, 13.0), 1.0), ((0.0375, 0.075), 0.0025), ((110.0078125, 110.015625), 1 / 128)):
        records = [order(at, A, BID, price, 1, at + 1) for at, price in enumerate(prices)]
        session = only(write(tmp_path / "a.dbn", metadata("mbo"), records))
        assert session.instrument.tick_size == tick
        assert (session.events["price_ticks"] * tick).tolist() == list(prices)


def test_many_blocks_are_one_file(tmp_path: Path) -> None:
    """Records across the ends of blocks: 40,000 of them are more than two megabytes."""
    count = 40_000
    records = [order(at, A, BID, 10.0 + TICK * (at % 5), at % 9 + 1, at + 1) for at in range(count)]
    for name in ("a.dbn", "a.dbn.zst"):
        session = only(write(tmp_path / name, metadata("mbo"), records))
        assert session.events["order_id"].tolist() == list(range(1, count + 1))
        assert session.events["row"].tolist() == list(range(1, count + 1))
        assert session.events["size_lots"].tolist() == [at % 9 + 1 for at in range(count)]
        assert round(PRICE * session.instrument.tick_size) == PRICE // 4


def test_a_file_that_grows_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbn", metadata("mbo"), [ONE])
    sessions = READER.sessions([path])
    write(path, metadata("mbo"), [order(at, A, BID, 10.0, 5, at) for at in range(500)])
    with pytest.raises(DataRefused, match="file changed while it was read"):
        next(sessions)


def test_definitions(tmp_path: Path) -> None:
    """By instrument id, the newest one known at the end of the session; ticks only where the prices keep to them."""
    kinds = dbn.InstrumentClass
    records = [
        definition(0, "OLD", 0.5, kinds.FUTURE),
        definition(5, "ESM4 C5000", 0.125, kinds.CALL, unit_of_measure_qty=50 * PRICE),
        definition(DAY_US, "LATER", 1.0, kinds.FUTURE, contract_multiplier=7),
        definition(0, "OTHER", 0.05, kinds.FUTURE, instrument_id=88),
    ]
    names = write(tmp_path / "d.dbn", metadata("definition"), records)
    path = write(tmp_path / "a.dbn", metadata("mbo", {}), [order(9, A, BID, 10.25, 5, 1)])
    instrument = only(path, names).instrument
    assert (instrument.symbol, instrument.currency, instrument.multiplier) == ("ESM4 C5000", "EUR", 50.0)
    assert (instrument.asset_class, instrument.tick_size) == (AssetClass.OPTION, 0.125)
    path = write(tmp_path / "a.dbn", metadata("mbo", {}), [order(2 * DAY_US, A, BID, 10.25, 5, 1)])
    instrument = only(path, names).instrument
    assert (instrument.symbol, instrument.multiplier, instrument.asset_class) == ("LATER", 7.0, AssetClass.FUTURE)
    assert (instrument.tick_size, instrument.quote_increment_ticks) == (0.25, 4)
    assert "off_tick" in codes(path, names)
    assert READER.audit([names])[0].symbols == ("ESM4 C5000", "LATER", "OLD", "OTHER")
    assert READER.audit([names])[0].counts == {"definitions": 4}
    cut = write(tmp_path / "c.dbn", metadata("definition"), [records[0][:-4]])
    assert refusal(cut).startswith(", row 1: truncated record")
    nonsense = write(tmp_path / "e.dbn", metadata("definition"), [patched(records[0], 238, b"\xff" * 60)])
    assert refusal(nonsense).startswith(", row 1: damaged definition")
