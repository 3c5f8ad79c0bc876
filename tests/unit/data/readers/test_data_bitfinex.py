"""Bitfinex raw book frames: every frame of the protocol, then the real capture."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from footprint.book.orders import OrderBook
from footprint.book.replay import views
from footprint.data.prepare import prepare
from footprint.data.readers.bitfinex import UNKNOWN_DAY, BitfinexReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, Verdict
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.testing.check_reader import check_reader

ADD, MODIFY, DELETE, CLEAR = EventKind.ADD, EventKind.MODIFY, EventKind.DELETE, EventKind.CLEAR
LAST, SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)
INFO = {"event": "info", "version": 2, "serverId": "x", "platform": {"status": 1}}
SUBSCRIBED = {"event": "subscribed", "channel": "book", "chanId": 7, "symbol": "tBTCUSD", "prec": "R0", "len": "25"}
FIRST = [7, [[11, 100, 0.5], [12, 99.5, 1], [21, 101, -0.25]]]


def write(folder: Path, *frames: object, name: str = "capture_2021-09-01.jsonl.gz") -> Path:
    path = folder / name
    lines = [frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":")) for frame in frames]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return path


def only(path: Path) -> Session:
    (session,) = BitfinexReader().sessions([path])
    return session


def fields(session: Session, *names: str) -> list[tuple]:
    return [tuple(int(event[name]) for name in names) for event in session.events]


def test_every_frame(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        INFO,
        SUBSCRIBED,
        FIRST,
        [7, "hb"],
        [7, [13, 100.25, 2]],
        [7, [21, 101, -0.75]],
        [7, [13, 0, 1]],
        [7, [99, 0, -1]],  # nobody knows it
        [7, "cs", -123],
        [7, [12, 102, -3]],  # the other side now
        [8, [1, 1, 1]],  # another channel
        [7, [[31, 98, 1]]],  # a new snapshot
    )
    assert BitfinexReader().recognise(path)
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "order_id", "row") == [
        (CLEAR, 0, SNAPSHOT, 0, 0, 0, 3),
        (ADD, 1, SNAPSHOT, 10000, 50, 11, 3),
        (ADD, 1, SNAPSHOT, 9950, 100, 12, 3),
        (ADD, -1, SNAPSHOT | LAST, 10100, 25, 21, 3),
        (ADD, 1, LAST, 10025, 200, 13, 5),
        (MODIFY, -1, LAST, 10100, 75, 21, 6),
        (DELETE, 1, LAST, 0, 0, 13, 7),
        (DELETE, 1, 0, 0, 0, 12, 10),
        (ADD, -1, LAST, 10200, 300, 12, 10),
        (CLEAR, 0, SNAPSHOT, 0, 0, 0, 12),
        (ADD, 1, SNAPSHOT | LAST, 9800, 100, 31, 12),
    ]
    assert session.instrument.symbol == "BTCUSD"
    (verdict,) = BitfinexReader().audit([path])
    found = {f.code: f.count for f in verdict.findings}
    assert found["unknown_deletes"] == found["side_changes"] == found["other_channel_frames"] == 1


def test_no_time_is_known_and_the_audit_voids_what_needs_one(tmp_path: Path) -> None:
    path = write(tmp_path, SUBSCRIBED, FIRST)
    session = only(path)
    assert (session.events["exchange_time_ns"] == UNKNOWN_TIME).all()
    assert (session.events["receive_time_ns"] == UNKNOWN_TIME).all()
    assert (session.open_ns, session.close_ns, session.day) == (UNKNOWN_TIME, UNKNOWN_TIME, date(2021, 9, 1))
    assert only(write(tmp_path, SUBSCRIBED, FIRST, name="x.jsonl.gz")).day == UNKNOWN_DAY
    (verdict,) = BitfinexReader().audit([path])
    wanted = {Analysis.LATENCY, Analysis.FORECAST, Analysis.LAW, Analysis.SIGNED_TRADES, Analysis.QUEUE}
    assert set(verdict.voids) == wanted


def test_a_bare_capture_takes_its_symbol_from_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, [7, [11, 0, 1]], name="bitfinex_tETHUSD_R0.jsonl.gz")
    assert BitfinexReader().recognise(path)
    assert only(path).instrument.symbol == "ETHUSD"


def test_a_capture_that_begins_in_the_middle(tmp_path: Path) -> None:
    frames = [7, "hb"], [7, [60504617884, 100, -0.5]], [7, [60504617885, 0, 1]], [7, [60504617884, 101, -0.5]]
    path = write(tmp_path, *frames, name="bitfinex_tETHUSD_R0.last40pct.jsonl.gz")
    assert BitfinexReader().recognise(path)
    session = only(path)
    assert fields(session, "kind", "side", "price_ticks", "row") == [(ADD, -1, 100, 2), (MODIFY, -1, 101, 4)]
    (verdict,) = BitfinexReader().audit([path])
    assert {Analysis.BOOK, Analysis.DEPTH} <= set(verdict.voids)
    found = {f.code: f.count for f in verdict.findings}
    assert (found["no_snapshot"], found["unknown_deletes"]) == (3, 1)


def test_a_book_by_price_is_not_one_of_orders(tmp_path: Path) -> None:
    assert not BitfinexReader().recognise(write(tmp_path, [7, [60977, 3, -0.5]]))


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([SUBSCRIBED], "no book frames"),
        ([SUBSCRIBED, FIRST, [7, [11, -100, 1]]], "row 3: negative value, found '-100'"),
        ([SUBSCRIBED, FIRST, [7, [11, 100, 0]]], "row 3: amount is 0"),
        ([SUBSCRIBED, FIRST, [7, [-1, 100, 1]]], "row 3: not an id"),
        ([SUBSCRIBED, FIRST, [7, [11, 1e30, 1]]], "row 3: value out of range"),
        ([SUBSCRIBED, FIRST, [7, [11, "a", 1]]], "row 3: not a frame"),
        ([SUBSCRIBED, FIRST, [7, [11, 100]]], "row 3: not a frame"),
        ([SUBSCRIBED, FIRST, [7, [11, 100, 1], 5]], "row 3: more than an entry"),
        ([SUBSCRIBED, FIRST, "[7,[11,"], "row 3: not a frame"),
        ([SUBSCRIBED, [7, [[11, 100, 1], [11, 100, 1]]]], "row 2: order twice in a snapshot"),
        ([SUBSCRIBED, [7, [[11, 0, 1]]]], "row 2: order without a price or amount"),
        ([SUBSCRIBED, FIRST, SUBSCRIBED | {"chanId": 9}], "row 3: second book in one file"),
        ([SUBSCRIBED, FIRST, SUBSCRIBED | {"prec": "P0"}], "row 3: not a raw book"),
    ],
)
def test_refusals(tmp_path: Path, frames: list[object], reason: str) -> None:
    (verdict,) = BitfinexReader().audit([write(tmp_path, *frames)])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text


@pytest.fixture(scope="module")
def capture(shared_data: Path) -> Path:
    return shared_data / "bitfinex_l3" / "bitfinex_tBTCUSD_R0.first30000.jsonl.gz"


def test_the_capture_has_no_unknown_delete_and_never_crosses(capture: Path) -> None:
    (session,) = check_reader(BitfinexReader(), [capture])
    assert session.counts["frames"] == 30_000
    assert "unknown_deletes" not in session.counts
    replayed = OrderBook()
    replayed.apply(session.events)
    assert (replayed.unknown_ids, replayed.duplicate_ids) == (0, 0)
    book_after = views(session.events)
    sided = (book_after["bid_ticks"] > 0) & (book_after["ask_ticks"] > 0)
    assert not (sided & (book_after["bid_ticks"] >= book_after["ask_ticks"])).any()


def test_the_later_part_of_the_capture_alone(capture: Path, tmp_path: Path) -> None:
    lines = gzip.decompress(capture.read_bytes()).splitlines(keepends=True)
    part = tmp_path / "bitfinex_tBTCUSD_R0.rest.jsonl.gz"
    part.write_bytes(gzip.compress(b"".join(lines[12_000:])))
    assert BitfinexReader().recognise(part)
    (session,) = check_reader(BitfinexReader(), [part])
    seen = views(session.events)
    sided = (seen["bid_ticks"] > 0) & (seen["ask_ticks"] > 0)
    assert not (sided & (seen["bid_ticks"] >= seen["ask_ticks"])).any()
    whole = views(only(capture).events)
    assert (seen[-1]["bid_ticks"], seen[-1]["ask_ticks"]) == (whole[-1]["bid_ticks"], whole[-1]["ask_ticks"])


def test_the_window_holds_25_orders_a_side(capture: Path) -> None:
    session = only(capture)
    assert session.counts["window"] == 25
    assert session.counts["most_orders"] <= 52  # an order that enters is told before the one it pushes out


def test_a_session_without_times_can_be_prepared(capture: Path) -> None:
    prepared = prepare(only(capture))
    assert len(prepared.tape.time_ns) == 0
    assert np.isfinite(prepared.views["mid_ticks"][3:]).mean() > 0.99
