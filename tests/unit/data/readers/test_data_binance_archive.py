"""Public archives of Binance: every type and column set, then the real Parquet file."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from footprint.data.readers.binance_archive import BinanceArchiveReader, read_depth_bands
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Verdict
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

MS0 = 1_700_000_000_000
AGGREGATED = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
TRADES = "id,price,qty,quote_qty,time,is_buyer_maker"
BANDS = "timestamp,percentage,depth,notional"


def write(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    content = "\n".join(rows) + "\n"
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.stem + ".csv", content)
    else:
        path.write_text(content)
    return path


def only(path: Path) -> Session:
    (session,) = BinanceArchiveReader().sessions([path])
    return session


def codes(verdict: FileVerdict) -> dict[str, int]:
    return {finding.code: finding.count for finding in verdict.findings}


@pytest.mark.parametrize(
    ("name", "rows", "venue"),
    [
        (
            "BTCUSDT-aggTrades-2023-11-14.zip",
            [f"5,35000.10000000,0.00100000,9,9,{MS0},True,True", f"6,35000.00000000,0.2,10,12,{MS0 + 1},False,True"],
            "binance-spot",
        ),
        (
            "BTCUSDT-aggTrades-2025-01-01.csv",
            [f"5,35000.1,0.001,9,9,{MS0}000,True,True", f"6,35000.0,0.2,10,12,{MS0 + 1}000,False,True"],
            "binance-spot",
        ),
        (
            "BTCUSDT-aggTrades-2023-11-14.csv",
            [AGGREGATED, f"5,35000.1,0.001,9,9,{MS0},true", f"6,35000,0.2,10,12,{MS0 + 1},false"],
            "binance-usdm",
        ),
        (
            "BTCUSDT-aggTrades-2021-11-14.csv",
            [f"5,35000.1,0.001,9,9,{MS0},true", f"6,35000,0.2,10,12,{MS0 + 1},false"],
            "binance-usdm",
        ),
        (
            "BTCUSDT-trades-2023-11-14.csv",
            [f"5,35000.1,0.001,35.0001,{MS0},True,True", f"6,35000,0.2,7000,{MS0 + 1},False,True"],
            "binance-spot",
        ),
        (
            "BTCUSDT-trades-2023-11-14.zip",
            [TRADES, f"5,35000.1,0.001,35.0001,{MS0},true", f"6,35000,0.2,7000,{MS0 + 1},false"],
            "binance-usdm",
        ),
        (
            "BTCUSD_PERP-trades-2023-11-14.zip",
            [TRADES.replace("quote", "base"), f"5,35000.1,0.001,0.1,{MS0},true", f"6,35000,0.2,0.2,{MS0 + 1},false"],
            "binance-coinm",
        ),
    ],
)
def test_every_column_set_gives_the_same_prints(tmp_path: Path, name: str, rows: list[str], venue: str) -> None:
    path = write(tmp_path, name, *rows)
    session = only(path)
    header = not rows[0][0].isdigit()
    names = ("kind", "side", "flags", "price_ticks", "size_lots", "sequence", "row")
    flags = int(EventFlag.SIDE_GIVEN | EventFlag.LAST)
    assert [tuple(int(event[n]) for n in names) for event in session.events] == [
        (EventKind.TRADE, -1, flags, 350001, 1, 5, 1 + header),
        (EventKind.TRADE, 1, flags, 350000, 200, 6, 2 + header),
    ]
    assert session.events["exchange_time_ns"].tolist() == [MS0 * 10**6, (MS0 + 1) * 10**6]
    assert session.instrument.venue == venue
    assert session.instrument.symbol == name.split("-")[0]
    assert session.instrument.inverse == (venue == "binance-coinm")
    assert session.day == date(2023, 11, 14)
    check_reader(BinanceArchiveReader(), [path])
    (verdict,) = BinanceArchiveReader().audit([path])
    unit = "us" if "2025" in name else "ms"
    assert f"times are read as {unit}" in next(f.text for f in verdict.findings if f.code == "time_unit")
    assert {Analysis.BOOK, Analysis.FORECAST, Analysis.LATENCY} <= set(verdict.voids)
    assert Analysis.SIGNED_TRADES not in verdict.voids


def test_a_month_makes_a_session_a_day(tmp_path: Path) -> None:
    hour = 3_600_000
    rows = [f"{n},1{n}.5,1,{n},{n},{MS0 + n * 20 * hour},true" for n in range(1, 4)]
    path = write(tmp_path, "BTCUSDT-aggTrades-2023-11.csv", AGGREGATED, *rows)
    sessions = list(BinanceArchiveReader().sessions([path]))
    assert [s.day.day for s in sessions] == [15, 16, 17]
    assert {s.instrument.tick_size for s in sessions} == {0.1}


def test_gaps_repairs_and_empty_prints_are_counted(tmp_path: Path) -> None:
    rows = [f"1,10,1,1,1,{MS0 + 5},true", f"4,10,1,1,1,{MS0},true", f"5,10,0,1,1,{MS0 + 6},true"]
    path = write(tmp_path, "BTCUSDT-aggTrades-2023-11-14.csv", *rows)
    (verdict,) = BinanceArchiveReader().audit([path])
    found = codes(verdict)
    assert (found["trade_gaps"], found["clock_repaired"], found["zero_size_dropped"]) == (1, 1, 1)
    assert Analysis.LAW in verdict.voids
    assert (only(path).events["exchange_time_ns"] == (MS0 + 5) * 10**6).all()


def test_depth_bands_are_a_table_and_no_book(tmp_path: Path) -> None:
    rows = ["2023-11-14 00:00:08,-1.00,250.5,100.25", "2023-11-14 00:00:08,1.00,300,200"]
    path = write(tmp_path, "BTCUSDT-bookDepth-2023-11-14.zip", BANDS, *rows)
    assert BinanceArchiveReader().recognise(path)
    (verdict,) = BinanceArchiveReader().audit([path])
    assert verdict.verdict is Verdict.LIMITED
    assert set(verdict.voids) == set(Analysis)
    assert list(BinanceArchiveReader().sessions([path])) == []
    table = read_depth_bands(path)
    assert table.rows() == [
        (1_699_920_008_000_000_000, -1.0, 250.5, 100.25),
        (1_699_920_008_000_000_000, 1.0, 300.0, 200.0),
    ]


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("BTCUSDT-aggTrades-2023-11-14.csv", [f"1,10,1,1,1,{MS0},maybe"], "row 1, field is_buyer_maker: not a flag"),
        ("BTCUSDT-aggTrades-2023-11-14.csv", [f"1,0,1,1,1,{MS0},true"], "row 1, field price: price not positive"),
        ("BTCUSDT-aggTrades-2023-11-14.csv", [f"1,10,-1,1,1,{MS0},true"], "row 1, field quantity: negative value"),
        ("BTCUSDT-aggTrades-2023-11-14.csv", ["1,10,1,1,1,17,true"], "row 1, field transact_time: value too small"),
        (
            "BTCUSDT-aggTrades-2023-11-14.csv",
            [f"1,10,1,1,1,{MS0},true", f"1,10,1,1,1,{MS0},true"],
            "id not above the last",
        ),
        (
            "BTCUSDT-trades-2023-11-14.csv",
            [f"1,10,1,1,{MS0},true", f"2,10,1,1,{MS0 + 1}000,true"],
            "row 1, field time: second unit of time",
        ),
        ("BTCUSDT-trades-2023-11-14.csv", [f"1,10,1,{MS0},true"], "row 1: wrong columns"),
        ("BTCUSDT-bookDepth-2023-11-14.csv", [BANDS, "yesterday,1,1,1"], "row 2, field timestamp: not a time"),
        (
            "BTCUSDT-bookDepth-2023-11-14.csv",
            [BANDS, "2023-11-14 00:00:08,0,1,1"],
            "field percentage: value out of range",
        ),
    ],
)
def test_refusals(tmp_path: Path, name: str, rows: list[str], reason: str) -> None:
    (verdict,) = BinanceArchiveReader().audit([write(tmp_path, name, *rows)])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text


@pytest.fixture(scope="module")
def stored(shared_data: Path) -> Path:
    return shared_data / "binance_xrpeth_trades" / "XRP_ETH-trades.2019-10-11_12.parquet"


def test_the_real_parquet_file(stored: Path) -> None:
    assert BinanceArchiveReader().recognise(stored)
    sessions = check_reader(BinanceArchiveReader(), [stored])
    assert [(s.instrument.symbol, s.day, len(s.events)) for s in sessions] == [
        ("XRPETH", date(2019, 10, 11), 5_929),
        ("XRPETH", date(2019, 10, 12), 4_134),
    ]
    assert sum(s.counts["trades"] for s in sessions) == 10_063
    frame = pl.read_parquet(stored)
    for session, rows in zip(sessions, (frame[:5_929], frame[5_929:]), strict=True):
        price = session.events["price_ticks"] * session.instrument.tick_size
        assert price == pytest.approx(rows["price"].to_numpy(), rel=1e-12)
        assert (session.events["side"] == rows["side"].replace_strict({"buy": 1, "sell": -1}).to_numpy()).all()
