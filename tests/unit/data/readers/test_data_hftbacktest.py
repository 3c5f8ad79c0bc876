"""hftbacktest npz: both layouts event by event, clears, clocks, end-of-day snapshots, the real pair."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from footprint.book.price_levels import PriceLevelBook
from footprint.data.readers.hftbacktest import HftbacktestReader
from footprint.data.readers.hftbacktest_file import BUY_BIT, EVENT_DTYPE, EXCHANGE_BIT, LOCAL_BIT, SELL_BIT, HftEvent
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Verdict
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.testing.check_reader import check_reader

US0 = 1_680_652_700_000_000
BOTH = EXCHANGE_BIT | LOCAL_BIT
LAST, SNAPSHOT, GIVEN = int(EventFlag.LAST), int(EventFlag.SNAPSHOT), int(EventFlag.SIDE_GIVEN)
LEVEL, CLEAR, TRADE, QUOTE = EventKind.LEVEL, EventKind.CLEAR, EventKind.TRADE, EventKind.QUOTE
NAME = "btcusdt_20230404.npz"


def flat(
    event: int, ms: float, side: int, price: float, quantity: float, *, exchange: bool = True, local: bool = True
) -> tuple:
    """A row of the first layout; the local time is 10 ms after the exchange's."""
    time = US0 + ms * 1000
    return (event, time if exchange else -1, time + 10_000 if local else -1, side, price, quantity)


def named(event: int, ms: float, bits: int, price: float, quantity: float, order_id: int = 0) -> tuple:
    """A row of the present layout, in ns."""
    time = (US0 + int(ms * 1000)) * 1000
    return (event | bits, time, time + 10_000_000, price, quantity, order_id, 0, 0.0)


def write(folder: Path, rows: list[tuple], name: str = NAME) -> Path:
    path = folder / name
    data = np.array(rows, np.float64) if rows and len(rows[0]) == 6 else np.array(rows, EVENT_DTYPE)
    np.savez_compressed(path, data=data)
    return path


def only(*paths: Path) -> Session:
    (session,) = HftbacktestReader().sessions(paths)
    return session


def codes(verdict: FileVerdict) -> dict[str, int]:
    return {finding.code: finding.count for finding in verdict.findings}


def fields(session: Session, *names: str) -> list[tuple]:
    return [tuple(int(event[name]) for name in names) for event in session.events]


def test_first_layout(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            flat(HftEvent.TRADE, 0, -1, 99.5, 0.25),
            flat(HftEvent.DEPTH_SNAPSHOT, 1, 1, 99.5, 1),
            flat(HftEvent.DEPTH_SNAPSHOT, 1, -1, 100, 2),
            flat(HftEvent.DEPTH, 2, 1, 99, 3),
            flat(HftEvent.DEPTH, 2, 1, 99.5, 0),
            flat(HftEvent.TRADE, 3, 1, 100, 0),
            flat(100, 3, 0, 0, 0),
        ],
    )
    assert HftbacktestReader().recognise(path)
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "row") == [
        (TRADE, -1, LAST | GIVEN, 995, 25, 1),
        (LEVEL, 1, SNAPSHOT, 995, 100, 2),
        (LEVEL, -1, SNAPSHOT | LAST, 1000, 200, 3),
        (LEVEL, 1, 0, 990, 300, 4),
        (LEVEL, 1, LAST, 995, 0, 5),
    ]
    assert session.events["exchange_time_ns"][[0, 4]].tolist() == [US0 * 1000, (US0 + 2000) * 1000]
    assert session.events["receive_time_ns"][0] == (US0 + 10_000) * 1000
    assert (session.instrument.symbol, session.day) == ("BTCUSDT", date(2023, 4, 4))
    found = codes(HftbacktestReader().audit([path])[0])
    assert found["user_defined_rows"] == found["zero_size_dropped"] == found["time_unit"] == found["no_venue"] == 1
    check_reader(HftbacktestReader(), [path])


def test_present_layout_by_level(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            named(HftEvent.DEPTH_CLEAR, 0, BOTH, 0, 0),
            named(HftEvent.DEPTH_SNAPSHOT, 0, BOTH | BUY_BIT, 99, 1),
            named(HftEvent.DEPTH_SNAPSHOT, 0, BOTH | SELL_BIT, 101, 1),
            named(HftEvent.DEPTH, 1, BOTH | BUY_BIT, 100, 2),
            named(HftEvent.TRADE, 2, BOTH | SELL_BIT, 100, 1),
            named(HftEvent.TRADE, 3, BOTH, 100, 1),
            named(HftEvent.DEPTH_BBO, 4, BOTH | SELL_BIT, 101, 5),
            named(HftEvent.DEPTH, 5, EXCHANGE_BIT | BUY_BIT, 98, 1),
        ],
    )
    assert HftbacktestReader().recognise(path)
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots") == [
        (CLEAR, 0, 0, 0, 0),
        (LEVEL, 1, SNAPSHOT, 99, 1),
        (LEVEL, -1, SNAPSHOT | LAST, 101, 1),
        (LEVEL, 1, LAST, 100, 2),
        (TRADE, -1, LAST | GIVEN, 100, 1),
        (TRADE, 0, LAST, 100, 1),
        (QUOTE, -1, LAST, 101, 5),
    ]
    assert session.counts["exchange_only_rows"] == 1
    (verdict,) = HftbacktestReader().audit([path])
    assert "times are read as ns" in next(f.text for f in verdict.findings if f.code == "time_unit")
    assert {Analysis.SIGNED_TRADES, Analysis.QUEUE} <= set(verdict.voids)


def test_present_layout_order_by_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            named(HftEvent.ADD_ORDER, 0, BOTH | BUY_BIT, 99, 5, 7),
            named(HftEvent.ADD_ORDER, 1, BOTH | SELL_BIT, 101, 5, 8),
            named(HftEvent.MODIFY_ORDER, 2, BOTH | BUY_BIT, 99, 3, 7),
            named(HftEvent.FILL, 3, BOTH | BUY_BIT, 99, 1, 7),
            named(HftEvent.CANCEL_ORDER, 4, BOTH | BUY_BIT, 99, 3, 7),
        ],
    )
    session = only(path)
    assert fields(session, "kind", "side", "order_id", "size_lots") == [
        (EventKind.ADD, 1, 7, 5),
        (EventKind.ADD, -1, 8, 5),
        (EventKind.MODIFY, 1, 7, 3),
        (EventKind.FILL_NOTICE, 1, 7, 1),
        (EventKind.DELETE, 1, 7, 3),
    ]
    assert Analysis.QUEUE not in HftbacktestReader().audit([path])[0].voids


def test_a_clear_with_a_price_removes_the_levels_up_to_it(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            *(flat(HftEvent.DEPTH, 0, 1, price, 1) for price in (95, 98, 99)),
            flat(HftEvent.DEPTH, 0, -1, 101, 1),
            flat(HftEvent.DEPTH_CLEAR, 1, 1, 97, 0),
            flat(HftEvent.DEPTH_SNAPSHOT, 1, 1, 98, 7),
            flat(HftEvent.DEPTH_CLEAR, 2, -1, 0, 0),
        ],
    )
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots")[4:] == [
        (LEVEL, 1, SNAPSHOT, 99, 0),
        (LEVEL, 1, SNAPSHOT, 98, 0),
        (LEVEL, 1, SNAPSHOT | LAST, 98, 7),
        (LEVEL, -1, SNAPSHOT | LAST, 101, 0),
    ]
    book = PriceLevelBook()
    book.apply(session.events)
    assert book.levels(1, 9).tolist() == [[98, 7], [95, 1]]
    assert len(book.levels(-1, 9)) == 0


def test_rows_split_by_the_repair_of_hftbacktest_are_told_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            flat(HftEvent.DEPTH, 5, 1, 99, 1, local=False),
            flat(HftEvent.DEPTH, 6, 1, 98, 1),
            flat(HftEvent.DEPTH, 9, 1, 99, 1, exchange=False),
        ],
    )
    session = only(path)
    assert session.events["row"].tolist() == [2, 3]
    assert session.events["exchange_time_ns"][1] == UNKNOWN_TIME
    assert (session.counts["exchange_only_rows"], session.counts["local_only_rows"]) == (1, 1)


def test_a_local_clock_that_goes_back_is_repaired_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, [flat(HftEvent.DEPTH, ms, 1, 99, ms + 1) for ms in (5, 3, 4, 6)])
    session = only(path)
    assert ((session.events["receive_time_ns"] - US0 * 1000) // 10**6).tolist() == [15, 15, 15, 16]
    found = codes(HftbacktestReader().audit([path])[0])
    assert (found["clock_repaired"], found["exchange_clock_back"]) == (2, 1)


def test_without_local_times_the_exchange_clock_orders(tmp_path: Path) -> None:
    path = write(tmp_path, [flat(HftEvent.DEPTH, ms, 1, 99, 1, local=False) for ms in (0, 1)])
    session = only(path)
    assert (session.events["receive_time_ns"] == UNKNOWN_TIME).all()
    assert "no_receive_time" in codes(HftbacktestReader().audit([path])[0])


def test_the_end_of_a_day_opens_the_next(tmp_path: Path) -> None:
    snapshot = [
        flat(HftEvent.DEPTH_SNAPSHOT, 0, side, price, 0.5, local=False) for side, price in ((1, 99), (-1, 101.5))
    ]
    eod = write(tmp_path, snapshot, "btcusdt_20230403_eod.npz")
    day = write(tmp_path, [flat(HftEvent.DEPTH, 5, 1, 100, 2)])
    session = only(day, eod)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots") == [
        (CLEAR, 0, SNAPSHOT, 0, 0),
        (LEVEL, 1, SNAPSHOT, 990, 5),
        (LEVEL, -1, SNAPSHOT | LAST, 1015, 5),
        (LEVEL, 1, LAST, 1000, 20),
    ]
    assert (session.events["receive_time_ns"] == session.events["receive_time_ns"][0]).all()
    verdicts = HftbacktestReader().audit([eod, day])
    assert verdicts[0].verdict is Verdict.ACCEPTED
    assert "no_snapshot" not in codes(verdicts[1])
    (alone,) = HftbacktestReader().audit([eod])
    assert set(alone.voids) == set(Analysis)
    assert list(HftbacktestReader().sessions([eod])) == []


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([flat(7, 0, 1, 99, 1)], "row 1, field event: unknown event"),
        ([flat(1.5, 0, 1, 99, 1)], "row 1, field event: unknown event"),
        ([flat(1, 0, 2, 99, 1)], "row 1, field side: unknown side"),
        ([flat(1, 0, 0, 99, 1)], "row 1, field side: unknown side"),
        ([flat(1, 0, 1, 99, 1), flat(1, 0, 1, np.nan, 1)], "row 2, field price: not a finite number"),
        ([flat(1, 0, 1, 0, 1)], "row 1, field price: price not positive"),
        ([flat(1, 0, 1, 99, -1)], "row 1, field quantity: negative value"),
        ([flat(1, 0, 1, 99, 1), flat(1, -1.7e12, 1, 99, 1)], "row 2, field"),
        ([flat(1, 0, 1, 99, 1, exchange=False, local=False)], "time out of range"),
        (
            [flat(1, 0, 1, 99, 1), flat(1, 0, 1, 99, 1, exchange=False, local=False)],
            "row 2, field local time: row without",
        ),
        ([named(1, 0, BOTH | BUY_BIT | SELL_BIT, 99, 1)], "row 1, field ev: unknown side"),
        ([named(1, 0, BUY_BIT, 99, 1)], "row 1, field ev: row of nobody"),
        ([named(1, 0, BOTH | BUY_BIT | 1 << 40, 99, 1)], "row 1, field ev: unknown event"),
        ([named(1, 0, BOTH | BUY_BIT, 1e300, 1)], "row 1, field price: value too large"),
        (
            [named(10, 0, BOTH | BUY_BIT, 9, 1, 1), named(3, 0, BOTH | BUY_BIT, 0, 0)],
            "row 2, field side: clear of one side",
        ),
        ([named(100, 0, BOTH, 0, 0)], "no rows"),
    ],
)
def test_refusals(tmp_path: Path, rows: list[tuple], reason: str) -> None:
    (verdict,) = HftbacktestReader().audit([write(tmp_path, rows)])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 6), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1, 6), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 5), }",
        b"{'descr': __import__('os'), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 6), ",  # no end of the expression
    ],
)
def test_headers_that_lie_are_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / NAME
    text = header.ljust(117) + b"\n"
    body = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(96)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.npy", body)
    (verdict,) = HftbacktestReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED


def test_other_archives_are_refused_or_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "weights.npz"
    np.savez(other, a=np.zeros(3), b=np.zeros(3))
    assert not HftbacktestReader().recognise(other)
    assert "wrong members" in HftbacktestReader().audit([other])[0].findings[0].text
    path = write(tmp_path, [flat(1, ms, 1, 99, ms) for ms in range(100)])
    path.write_bytes(path.read_bytes()[:-20])
    assert HftbacktestReader().recognise(path)
    assert "truncated or damaged archive" in HftbacktestReader().audit([path])[0].findings[0].text
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], object))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.npy", pickled.getvalue())
    assert HftbacktestReader().audit([path])[0].verdict is Verdict.REFUSED


@pytest.fixture(scope="module")
def pair(shared_data: Path) -> tuple[Path, Path]:
    folder = shared_data / "hftbacktest_npz"
    return folder / NAME, folder / "btcusdt_20230404_eod.npz"


def test_the_final_book_is_the_end_of_day_snapshot(pair: tuple[Path, Path]) -> None:
    (session,) = check_reader(HftbacktestReader(), pair)
    book = PriceLevelBook()
    book.apply(session.events)
    replayed = {(side, p): q for side in (1, -1) for p, q in book.levels(side, 10_000).tolist()}
    snapshot = np.load(pair[1], allow_pickle=False)["data"]
    assert replayed == {(int(r[3]), round(r[4] * 10)): round(r[5] * 1000) for r in snapshot}
    assert len(replayed) == 4_097


def test_the_real_day(pair: tuple[Path, Path]) -> None:
    verdict, eod = HftbacktestReader().audit(pair)
    assert verdict.counts["rows"] == 71_019
    assert (verdict.counts["exchange_only_rows"], verdict.counts["local_only_rows"]) == (542, 542)
    assert verdict.counts["trades"] == 2_197
    assert "times are read as us" in next(f.text for f in verdict.findings if f.code == "time_unit")
    assert not {"crossed_book", "clock_repaired", "receive_before_exchange"} & set(codes(verdict))
    assert set(eod.voids) == set(Analysis)
