"""Tardis csv: every type field by field, then the joined session, then the real samples."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tardis_tape import US0, row, write

from footprint.book.price_levels import PriceLevelBook
from footprint.book.replay import views
from footprint.data.readers.tardis import TardisReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Verdict
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.market.instruments import AssetClass
from footprint.testing.check_reader import check_reader

LAST, SNAPSHOT, GIVEN = int(EventFlag.LAST), int(EventFlag.SNAPSHOT), int(EventFlag.SIDE_GIVEN)
LEVEL, CLEAR, QUOTE, TRADE = EventKind.LEVEL, EventKind.CLEAR, EventKind.QUOTE, EventKind.TRADE


def only(*paths: Path) -> Session:
    (session,) = TardisReader().sessions(paths)
    return session


def codes(verdict: FileVerdict) -> dict[str, int]:
    return {finding.code: finding.count for finding in verdict.findings}


def fields(session: Session, *names: str) -> list[tuple]:
    return [tuple(int(event[name]) for name in names) for event in session.events]


# ---- each type ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_trades(tmp_path: Path, packed: bool) -> None:
    path = write(
        tmp_path,
        "trades",
        row(0, 41, "buy", "9682", "0.132"),
        row(1, 42, "sell", "9682.19", "1e-3"),
        row(2, 43, "unknown", "9682.5", "2"),
        row(2, 45, "buy", "9682.5", "0"),
        packed=packed,
    )
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "sequence", "row") == [
        (TRADE, 1, LAST | GIVEN, 968200, 132, 41, 2),
        (TRADE, -1, LAST | GIVEN, 968219, 1, 42, 3),
        (TRADE, 0, LAST, 968250, 2000, 43, 4),
    ]
    assert session.events["exchange_time_ns"].tolist() == [(US0 + ms * 1000) * 1000 for ms in (0, 1, 2)]
    assert session.events["receive_time_ns"].tolist() == [(US0 + ms * 1000 + 500) * 1000 for ms in (0, 1, 2)]
    assert (session.instrument.tick_size, session.instrument.lot_size) == (0.01, 0.001)
    (verdict,) = TardisReader().audit([path])
    found = codes(verdict)
    assert found["zero_size_dropped"] == found["unsigned"] == found["trade_gap"] == 1
    assert Analysis.SIGNED_TRADES in verdict.voids
    assert Analysis.LAW in verdict.voids


def test_trade_ids_that_are_no_numbers_give_way_to_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "trades", row(0, "ccc3-c1fa", "buy", 10, 1), row(1, "", "sell", 11, 1))
    assert only(path).events["sequence"].tolist() == [2, 3]


def test_ids_that_jump_by_nature_are_no_gaps(tmp_path: Path) -> None:
    path = write(tmp_path, "trades", *(row(n, 10 * n, "buy", 10, 1) for n in range(5)))
    assert "trade_gap" not in codes(TardisReader().audit([path])[0])


def test_quotes(tmp_path: Path) -> None:
    path = write(
        tmp_path, "quotes", row(0, 5494, 8629.3, 8629.2, 806), row(1, "", "", 8629.2, 807), row(2, "", 8630, 8629, 1)
    )
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "row") == [
        (QUOTE, 1, 0, 86292, 806, 2),
        (QUOTE, -1, LAST, 86293, 5494, 2),
        (QUOTE, 1, 0, 86292, 807, 3),
        (QUOTE, -1, LAST, 0, 0, 3),
        (QUOTE, 1, 0, 86290, 1, 4),
        (QUOTE, -1, LAST | int(EventFlag.SIZE_UNKNOWN), 86300, 0, 4),
    ]
    found = codes(TardisReader().audit([path])[0])
    assert found["empty_quote_side"] == 1
    assert found["no_depth"] == found["no_trades"] == 1


def test_incremental_book_clears_at_snapshots_and_ends_messages(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "incremental_book_L2",
        row(0, "false", "bid", 99, 7),  # before any snapshot
        row(1, "true", "ask", 101, 1),
        row(1, "true", "bid", 100, 2),
        row(2, "true", "bid", 99, 3),  # the snapshot goes on
        row(3, "false", "bid", 100, 0),
        row(3, "false", "ask", "100.5", 4),
        row(4, "false", "ask", 101, 5),
        row(5, "true", "ask", 102, 6),  # connection restarted
    )
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "row") == [
        (LEVEL, 1, LAST, 990, 7, 2),
        (CLEAR, 0, SNAPSHOT, 0, 0, 3),
        (LEVEL, -1, SNAPSHOT, 1010, 1, 3),
        (LEVEL, 1, SNAPSHOT | LAST, 1000, 2, 4),
        (LEVEL, 1, SNAPSHOT | LAST, 990, 3, 5),
        (LEVEL, 1, 0, 1000, 0, 6),
        (LEVEL, -1, LAST, 1005, 4, 7),
        (LEVEL, -1, LAST, 1010, 5, 8),
        (CLEAR, 0, SNAPSHOT, 0, 0, 9),
        (LEVEL, -1, SNAPSHOT | LAST, 1020, 6, 9),
    ]
    found = codes(TardisReader().audit([path])[0])
    assert found["late_snapshot"] == 1
    assert session.counts["snapshots"] == 2


def test_snapshots_only_are_found_and_said(tmp_path: Path) -> None:
    """Each message of a file of nothing but snapshots is a book of its own."""
    rows = [row(ms, "true", side, price + ms, 1) for ms in (0, 1) for side, price in (("bid", 10), ("ask", 20))]
    (verdict,) = TardisReader().audit([write(tmp_path, "incremental_book_L2", *rows)])
    finding = next(f for f in verdict.findings if f.code == "snapshots_only")
    assert finding.text.startswith("2 snapshots and no change between them")
    assert set(finding.voids) == {Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST}
    events = only(verdict.path).events
    assert events["kind"].tolist() == [CLEAR, LEVEL, LEVEL] * 2
    assert views(events)[-1]["bid_ticks"] == 11


def test_an_incremental_book_without_a_snapshot_is_limited(tmp_path: Path) -> None:
    (verdict,) = TardisReader().audit([write(tmp_path, "incremental_book_L2", row(0, "false", "bid", 10, 1))])
    assert {Analysis.BOOK, Analysis.DEPTH} <= set(verdict.voids)
    assert "no_snapshot" in codes(verdict)


def test_book_snapshots_become_the_changes_of_their_window(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "book_snapshot_2",
        row(0, 101, 1, 100, 2, 102, 3, 99, 4),
        row(1, 101, 1, 100, 2, 102, 3, 99, 4),  # nothing changed
        row(2, 101, 5, 100, 2, "", "", 98, 6),  # a size; the second ask is gone; 99 left for 98
    )
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "row") == [
        (CLEAR, 0, SNAPSHOT, 0, 0, 2),
        (LEVEL, 1, SNAPSHOT, 100, 2, 2),
        (LEVEL, 1, SNAPSHOT, 99, 4, 2),
        (LEVEL, -1, SNAPSHOT, 101, 1, 2),
        (LEVEL, -1, SNAPSHOT | LAST, 102, 3, 2),
        (LEVEL, 1, 0, 99, 0, 4),
        (LEVEL, 1, 0, 98, 6, 4),
        (LEVEL, -1, 0, 101, 5, 4),
        (LEVEL, -1, LAST, 102, 0, 4),
    ]
    (verdict,) = TardisReader().audit([path])
    text = next(f.text for f in verdict.findings if f.code == "snapshots_only")
    assert "3 pictures of 2 levels a side" in text
    assert "depth below level 2 are unknown" in text
    assert verdict.counts["unchanged_snapshots"] == 1


# ---- the joined session ---------------------------------------------------------------------------------------------


def test_types_of_one_day_join_by_local_time_prints_first(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, "incremental_book_L2", row(0, "true", "bid", 100, 1), row(5, "false", "bid", 100, 2)),
        write(tmp_path, "quotes", row(0, 1, 101, 100, 1), row(5, 1, 101, 100, "2.5")),
        write(tmp_path, "trades", row(0, 1, "buy", 101, 1), row(3, 2, "sell", "100.5", 1), row(5, 3, "buy", 101, 1)),
        write(tmp_path, "book_snapshot_5", row(0, 101, 1, 100, 1, *[""] * 16)),
    ]
    session = only(*paths)
    kinds = [TRADE, QUOTE, QUOTE, CLEAR, LEVEL, TRADE, TRADE, QUOTE, QUOTE, LEVEL]
    assert session.events["kind"].tolist() == kinds
    assert session.events["price_ticks"][0] == 1010  # one tick for all files
    assert (session.instrument.tick_size, session.instrument.lot_size) == (0.1, 0.1)
    assert set(session.paths) == set(paths[:3])
    assert (session.day, session.instrument.asset_class) == (date(2020, 9, 13), AssetClass.SPOT_CRYPTO)
    verdicts = TardisReader().audit(paths)
    assert "superseded" in codes(verdicts[3])
    assert len({v.chain for v in verdicts}) == 1
    assert "no_trades" not in codes(verdicts[0])
    check_reader(TardisReader(), paths)


def test_the_deepest_snapshots_are_used(tmp_path: Path) -> None:
    five = write(tmp_path, "book_snapshot_5", row(0, 101, 1, 100, 1, *[""] * 16))
    two = write(tmp_path, "book_snapshot_2", row(0, 101, 1, 100, 1, "", "", "", ""))
    assert only(two, five).paths == (five,)


@pytest.mark.parametrize("damaged", ["asks[1].price", "bids[0].amount"])
def test_a_snapshot_with_a_damaged_column_name_is_refused(tmp_path: Path, damaged: str) -> None:
    path = write(tmp_path, "book_snapshot_2", row(0, 101, 1, 100, 1, 102, 1, 99, 1))
    path.write_text(path.read_text().replace(damaged, damaged[:-1] + "x"))
    (verdict,) = TardisReader().audit([path])
    assert "wrong columns" in verdict.findings[0].text


def test_halves_of_a_day_follow_each_other_and_may_not_overlap(tmp_path: Path) -> None:
    first = write(tmp_path, "trades", row(0, 1, "buy", 10, 1), row(2, 2, "buy", 10, 1))
    second = write(tmp_path, "trades", row(3, 3, "buy", 10, 1), part="B")
    assert only(second, first).events["sequence"].tolist() == [1, 2, 3]
    overlapping = write(tmp_path, "trades", row(1, 3, "buy", 10, 1), part="B")
    verdicts = TardisReader().audit([first, overlapping])
    assert [v.verdict is Verdict.REFUSED for v in verdicts].count(True) == 1
    with pytest.raises(DataRefused, match="second trades file of one day"):
        list(TardisReader().sessions([first, overlapping]))


def test_a_file_without_rows_is_tolerated(tmp_path: Path) -> None:
    paths = [write(tmp_path, "trades"), write(tmp_path, "quotes", row(0, 1, 101, 100, 1))]
    assert only(*paths).events["kind"].tolist() == [QUOTE, QUOTE]
    verdict = TardisReader().audit(paths)[0]
    assert verdict.verdict is Verdict.LIMITED
    assert verdict.symbol == "BTCUSDT"
    assert {"no_rows", "no_trades"} <= set(codes(verdict))
    assert list(TardisReader().sessions(paths[:1])) == []


def test_clocks_are_judged(tmp_path: Path) -> None:
    late = write(
        tmp_path, "trades", row(5, 1, "buy", 10, 1, latency_us=-1000), row(3, 2, "buy", 10, 1, latency_us=2000)
    )
    found = codes(TardisReader().audit([late])[0])
    assert found["receive_before_exchange"] == found["exchange_clock_back"] == 1
    repeated = write(tmp_path, "trades", row(5, 1, "buy", 10, 1, latency_us=0))
    assert "no_exchange_time" in codes(TardisReader().audit([repeated])[0])
    assert only(repeated).events["exchange_time_ns"][0] == UNKNOWN_TIME


@pytest.mark.parametrize(
    ("kind", "rows", "reason"),
    [
        ("trades", [row(1, 1, "buy", 10, 1), row(0, 2, "buy", 10, 1)], "row 3, field local_timestamp: clock goes back"),
        ("trades", [row(0, 1, "long", 10, 1)], "row 2, field side: unknown side, found 'long'"),
        ("trades", [row(0, 1, "buy", 0, 1)], "row 2, field price: price not positive"),
        ("trades", [row(0, 1, "buy", -1, 1)], "row 2, field price: negative value"),
        ("trades", [row(0, 1, "buy", "ten", 1)], "row 2, field price: not a number"),
        (
            "trades",
            [row(0, 1, "buy", 10, 1), row(1, 2, "buy", 10, 1, symbol="X")],
            "row 3, field symbol: second symbol",
        ),
        ("trades", [row(0, 1, "buy", 10, 1), row(1, 2, "buy")], "row 3: wrong columns"),
        (
            "trades",
            ["binance,BTCUSDT,1600000000000,1600000000000,1,buy,10,1"],
            "row 2, field timestamp: value too small",
        ),
        ("incremental_book_L2", [row(0, "yes", "bid", 10, 1)], "row 2, field is_snapshot: unknown is_snapshot"),
        ("incremental_book_L2", [row(0, "true", "buy", 10, 1)], "row 2, field side: unknown side"),
        ("book_snapshot_2", [row(0, 101, 1, 100, 2, 101, 3, 99, 4)], "field asks[0].price: levels out of order"),
        ("book_snapshot_2", [row(0, 101, 1, 100, 2), row(1, 101, 1, 100, 2, 102, 3, 99, 4)], "row 2: wrong columns"),
    ],
)
def test_refusals(tmp_path: Path, kind: str, rows: list[str], reason: str) -> None:
    path = write(tmp_path, kind, *rows)
    (verdict,) = TardisReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text
    with pytest.raises(DataRefused) as error:
        list(TardisReader().sessions([path]))
    assert str(error.value) == verdict.findings[0].text


def test_types_without_events_and_truncated_files_are_refused(tmp_path: Path) -> None:
    liquidations = write(tmp_path, "trades", row(0, 1, "buy", 10, 1)).rename(
        tmp_path / "binance_liquidations_2020-09-13_BTCUSDT.csv"
    )
    assert "data type without events, found 'liquidations'" in TardisReader().audit([liquidations])[0].findings[0].text


def test_an_option_chain_has_quotes_among_its_columns_and_is_none(tmp_path: Path) -> None:
    chain = (
        "type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv"
    )
    values = "put,9875,1591689600000000,0.1,0.0295,0.02,1,55.1,0.03,2,60.2"
    start = "deribit,BTC-9JUN20-9875-P,1591574399413000,1591574400196008"
    for name, found in (("deribit_options_chain_2020-06-08_OPTIONS.csv", "options_chain'"), ("chain.csv", "typ")):
        path = tmp_path / name
        path.write_text(f"exchange,symbol,timestamp,local_timestamp,{chain}\n{start},{values}\n")
        assert TardisReader().recognise(path)
        assert f"data type without events, found '{found}" in TardisReader().audit([path])[0].findings[0].text
    cut = write(tmp_path, "trades", *(row(n, n, "buy", 10, 1) for n in range(500)), packed=True)
    cut.write_bytes(cut.read_bytes()[:-9])
    assert TardisReader().recognise(cut)
    assert "truncated or damaged archive" in TardisReader().audit([cut])[0].findings[0].text


# ---- the real samples -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "tardis_csv"


def test_every_sample_is_recognised_and_keeps_the_contract(folder: Path) -> None:
    paths = sorted(folder.iterdir())
    assert len(paths) == 6
    sessions = check_reader(TardisReader(), paths)
    assert [(s.instrument.symbol, s.day.isoformat(), len(s.events)) for s in sessions] == [
        ("BTC-PERPETUAL", "2020-04-01", 16),
        ("BTC-USD", "2020-05-01", 20),
        ("BTCUSDT", "2020-02-22", 9_999),
        ("BTCUSDT", "2020-09-01", 64),
        ("XBTUSD", "2020-03-01", 10),
    ]
    contracts = {s.instrument.symbol: (s.instrument.inverse, s.instrument.multiplier) for s in sessions}
    assert contracts == {
        "BTC-PERPETUAL": (True, 1.0),
        "BTC-USD": (True, 100.0),
        "BTCUSDT": (False, 1.0),
        "XBTUSD": (True, 1.0),
    }


def test_the_trades_of_2020_are_signed_whole_and_without_a_gap(folder: Path) -> None:
    path = folder / "binance-futures_trades_2020-02-22_BTCUSDT.csv.gz"
    session = only(path)
    assert len(session.events) == session.counts["trades"] == 9_999
    assert (np.diff(session.events["sequence"]) == 1).all()
    assert (session.events["flags"] & GIVEN > 0).all()
    assert (session.close_ns - session.open_ns) / 1e9 / 3600 == pytest.approx(2.08, abs=0.03)
    assert session.events["price_ticks"][3] == 968219


def test_the_last_window_of_the_25_levels_is_the_last_row(folder: Path) -> None:
    path = folder / "binance-futures_book_snapshot_25_BTCUSDT.csv"
    session = only(path)
    book = PriceLevelBook()
    book.apply(session.events)
    cells = path.read_text().splitlines()[-1].split(",")[4:]
    for side, first in ((-1, 0), (1, 2)):
        wanted = [
            [round(float(p) * 100), round(float(s) * 1000)]
            for p, s in zip(cells[first::4], cells[first + 1 :: 4], strict=True)
        ]
        assert book.levels(side, 100).tolist() == wanted


def test_the_deribit_sample_has_one_side_and_stands_still(folder: Path) -> None:
    (verdict,) = TardisReader().audit([folder / "deribit_incremental_book_L2_BTC-PERPETUAL.csv"])
    assert {"snapshots_only", "empty_side", "no_trades"} <= set(codes(verdict))
