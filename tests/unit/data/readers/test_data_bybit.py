"""Bybit order book archives: every message, gaps, then the real five seconds."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from footprint.book.price_levels import PriceLevelBook
from footprint.data.readers.bybit import BybitReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Verdict
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

MS0 = 1_733_011_200_000
LAST, SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)
LEVEL, CLEAR = EventKind.LEVEL, EventKind.CLEAR


def message(ms: int, u: int, bids: list, asks: list, *, snapshot: bool = False, **more: object) -> dict:
    data = {"s": "XRPUSDT", "b": bids, "a": asks, "u": u, "seq": 10 * u}
    kind = "snapshot" if snapshot else "delta"
    return {"topic": "orderbook.500.XRPUSDT", "type": kind, "ts": MS0 + ms + 2, "data": data, "cts": MS0 + ms} | more


FIRST = message(0, 7, [["1.9531", "5"], ["1.9530", "3"]], [["1.9532", "4.5"]], snapshot=True)


def write(folder: Path, *messages: object) -> Path:
    path = folder / "xrpusdt.zip"
    lines = [m if isinstance(m, str) else json.dumps(m, separators=(",", ":")) for m in messages]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2024-12-01_XRPUSDT_ob500.data", "\n".join(lines) + "\n")
    return path


def only(path: Path) -> Session:
    (session,) = BybitReader().sessions([path])
    return session


def codes(verdict: FileVerdict) -> dict[str, int]:
    return {finding.code: finding.count for finding in verdict.findings}


def fields(session: Session, *names: str) -> list[tuple]:
    return [tuple(int(event[name]) for name in names) for event in session.events]


def test_snapshot_and_changes(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, message(5, 8, [["1.9531", "0"]], [["1.9533", "1"]]), message(6, 9, [], []))
    assert BybitReader().recognise(path)
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "sequence", "row") == [
        (CLEAR, 0, SNAPSHOT, 0, 0, 7, 1),
        (LEVEL, 1, SNAPSHOT, 19531, 50, 7, 1),
        (LEVEL, 1, SNAPSHOT, 19530, 30, 7, 1),
        (LEVEL, -1, SNAPSHOT | LAST, 19532, 45, 7, 1),
        (LEVEL, 1, 0, 19531, 0, 8, 2),
        (LEVEL, -1, LAST, 19533, 10, 8, 2),
    ]
    assert session.events["exchange_time_ns"][[0, 5]].tolist() == [MS0 * 10**6, (MS0 + 5) * 10**6]
    assert (session.instrument.symbol, session.day) == ("XRPUSDT", date(2024, 12, 1))
    check_reader(BybitReader(), [path])


def test_a_jump_of_u_voids_the_book_until_a_snapshot(tmp_path: Path) -> None:
    lost = [message(2, 9, [["1", "1"]], []), message(3, 10, [["1", "2"]], [])]
    again = message(4, 1, [["2", "1"]], [["3", "1"]])  # u of 1: the service was restarted
    path = write(tmp_path, FIRST, *lost, again)
    session = only(path)
    kinds = [EventKind.HALT, CLEAR, EventKind.RESUME, CLEAR, LEVEL, LEVEL]
    assert session.events["kind"][4:].tolist() == kinds
    (verdict,) = BybitReader().audit([path])
    assert codes(verdict)["gap"] == 1
    assert codes(verdict)["no_snapshot"] == 1
    assert {Analysis.BOOK, Analysis.DEPTH} <= set(verdict.voids)


def test_a_clock_that_goes_back_is_repaired_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, message(5, 8, [["1", "1"]], []), message(4, 9, [["1", "2"]], []))
    assert only(path).events["exchange_time_ns"][-1] == (MS0 + 5) * 10**6
    assert codes(BybitReader().audit([path])[0])["clock_repaired"] == 1


def test_without_cts_the_time_of_the_message_stands(tmp_path: Path) -> None:
    first = {name: value for name, value in FIRST.items() if name != "cts"}
    assert only(write(tmp_path, first)).events["exchange_time_ns"][0] == (MS0 + 2) * 10**6


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([message(0, 8, [], [])], "no snapshot"),
        ([FIRST, "{"], "row 2: not a message"),
        ([FIRST, message(1, 8, [["x", "1"]], [])], "row 2, field b: not a number"),
        ([FIRST, message(1, 8, [], [["1", "-1"]])], "row 2, field a: negative value"),
        ([FIRST, message(1, 8, [], [["0", "1"]])], "row 2, field a: price not positive"),
        ([FIRST, message(1, 8, [], [["999999999999", "1"]])], "row 2, field a: value too large"),
        ([FIRST, message(1, 8, [["1"]], [])], "row 2: not a message"),
        ([FIRST, message(1, -8, [], [])], "row 2, field u: not an id"),
        ([FIRST, message(1, 8, [], [], cts=5)], "row 2, field cts: time out of range"),
        ([FIRST, message(1, 8, [], [], topic="orderbook.500.BTCUSDT")], "row 2, field topic: second topic"),
        ([FIRST, message(1, 8, [], [], type="other")], "row 2, field type: unknown type"),
    ],
)
def test_refusals(tmp_path: Path, messages: list[object], reason: str) -> None:
    (verdict,) = BybitReader().audit([write(tmp_path, *messages)])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text


def test_a_cut_off_zip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST)
    path.write_bytes(path.read_bytes()[:-30])
    assert BybitReader().recognise(path)
    assert "truncated or damaged archive" in BybitReader().audit([path])[0].findings[0].text


def test_the_real_five_seconds(shared_data: Path) -> None:
    path = shared_data / "bybit_ob500" / "xrpusdt-ob500.data.zip"
    (session,) = check_reader(BybitReader(), [path])
    assert (session.counts["messages"], session.counts["snapshots"]) == (50, 1)
    assert "gaps" not in session.counts
    assert (session.close_ns - session.open_ns) / 1e9 == pytest.approx(4.9, abs=0.01)
    book = PriceLevelBook()
    book.apply(session.events)
    assert [len(book.levels(side, 1000)) for side in (1, -1)] == [500, 500]
    (verdict,) = BybitReader().audit([path])
    assert "crossed_book" not in codes(verdict)
