"""Opening auctions, option chains, funding rates, FX orders: generated files, refusals, then the real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from equity_files import FX_ORDER, auctions, chain, chain_row, funding, fx_orders, fx_trades
from table_contract import read_tables, refusal

from footprint.data.readers.bybit_funding import BybitFundingReader
from footprint.data.readers.deribit_chain import DeribitChainReader
from footprint.data.readers.open_auction import OpenAuctionReader
from footprint.data.readers.tcapy_fx import TcapyFxReader
from footprint.data.tables import TableKind
from footprint.data.verdict import Analysis, Verdict


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc,arg-type]


# ---- opening auctions -----------------------------------------------------------------------------------------------


def test_auctions_are_known_at_the_close(tmp_path: Path) -> None:
    (table,) = read_tables(OpenAuctionReader(), [auctions(tmp_path / "open_trade.parquet")])
    assert table.frame.rows() == [
        ("BRK.B", "US", ns(2024, 3, 8, 21), 401.123456, 1000.0),  # winter, UTC-5
        ("TRUE", "US", ns(2024, 3, 8, 21), 3.0, 20.0),
        ("BRK.B", "US", ns(2024, 3, 11, 20), 402.5, 1100.0),  # summer
        ("TRUE", "US", ns(2024, 3, 11, 20), 3.01, 30.0),
    ]
    wanted = {"rows": 4, "days": 2, "tickers": 2, "mangled_tickers": 2, "fractions_of_a_cent": 1}
    assert dict(table.counts) == wanted


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("price", [1.0, 0.0, 1.0, 1.0], ", row 2, field price: price not positive, found '0.0'"),
        ("volume", [1, 2, 3, 0], ", row 4, field volume: volume not positive"),
        ("volume", [1.0, 2.0, 3.0, 4.5], ", row 4, field volume: not a whole multiple, found '4.5'"),
        ("volume", ["1", "2", "3", "4"], ", field volume: wrong type, found 'String', allowed: numbers"),
        ("ticker", ["A", "A", "B", "C"], ", row 1, field ticker: ticker twice on a day"),
        ("ticker", ["A", "1B", "B", "C"], ", row 2, field ticker: not a ticker, found '1B'"),
        ("ticker", ["A", None, "B", "C"], ", row 2, field ticker: missing value"),
        ("date", [datetime(2024, 3, 8, 9)] * 4, ", row 1, field date: not a day"),
    ],
)
def test_auction_refusals(tmp_path: Path, column: str, values: list[object], reason: str) -> None:
    assert refusal(OpenAuctionReader(), auctions(tmp_path / "open_trade.parquet", **{column: values})).startswith(
        reason
    )


def test_real_auctions(shared_data: Path) -> None:
    (table,) = read_tables(OpenAuctionReader(), sorted((shared_data / "us_open_auction").glob("*.parquet")))
    assert dict(table.counts) == {
        "rows": 56_093,
        "days": 13,
        "tickers": 4334,
        "mangled_tickers": 13,
        "fractions_of_a_cent": 50_417,
    }
    assert int((table.frame["symbol"] == "TRUE").sum()) == 13
    assert table.frame["known_at_ns"].min() == ns(2024, 5, 1, 20)
    assert table.frame["known_at_ns"].max() == ns(2024, 5, 17, 20)


# ---- option chains --------------------------------------------------------------------------------------------------


def test_every_field_of_the_chain(tmp_path: Path) -> None:
    put = chain_row("BTC-3JAN26-88000-P", kind="put", bid="", ask="")
    (table,) = read_tables(DeribitChainReader(), [chain(tmp_path / "deribit_options_x.csv.gz", chain_row(), put)])
    first, second = table.frame.rows(named=True)
    assert first == {
        "symbol": "BTC-3JAN26-88000-C",
        "venue": "deribit",
        "known_at_ns": ns(2026, 1, 1, 9, 18, 35) + 173_006_000,
        "underlying": "SYN.BTC-3JAN26",
        "expiry_ns": ns(2026, 1, 3, 8),
        "strike": 88_000.0,
        "call": True,
        "currency": "BTC",
        "bid": 0.0085,
        "ask": 0.009,
        "mark": 0.00882,
        "underlying_price": 87_834.3,
        "implied_volatility_fraction": 0.3337,
        "delta": 0.47434,
        "vega": 25.52,
        "open_interest": 255.3,
        "volume": 217.4,
    }
    assert (second["call"], second["bid"], second["ask"]) == (False, None, None)
    assert dict(table.counts) == {"rows": 2, "snapshots": 1, "no_bid": 1, "no_ask": 1, "crossed": 0}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (chain_row(kind="straddle"), ", row 2, field option_type: unknown option type, found 'straddle'"),
        (chain_row(volatility="33.37"), ", field implied_volatility: volatility in percent, found 'median 33.37'"),
        (chain_row(expiry="2026-01-01T08:00:00+00:00"), ", row 2, field expiry_datetime: expired"),
        (chain_row(time="2026-01-01 09:18"), ", row 2, field timestamp: not a time"),
        (chain_row(future="0"), ", row 2, field futures_price: futures_price not positive"),
        (chain_row(bid="-0.1"), ", row 2, field bid_price: negative value"),
        (chain_row() + "\n" + chain_row(), ", row 2, field instrument_name: option twice in a snapshot"),
    ],
)
def test_chain_refusals(tmp_path: Path, row: str, reason: str) -> None:
    assert refusal(DeribitChainReader(), chain(tmp_path / "deribit_options_x.csv", row)).startswith(reason)


def test_a_crossed_quote_is_found(tmp_path: Path) -> None:
    (verdict,) = DeribitChainReader().audit([chain(tmp_path / "deribit_options_x.csv", chain_row(bid="0.01"))])
    assert "crossed_quote" in {f.code for f in verdict.findings}


def test_real_chain_months(shared_data: Path) -> None:
    months = sorted((shared_data / "deribit_options").glob("*.parquet"))
    tables = read_tables(DeribitChainReader(), months)
    assert [len(table.frame) for table in tables] == [83_968, 92_250, 109_782]
    assert [table.counts["no_bid"] for table in tables] == [4214, 8347, 7129]
    assert [table.counts["crossed"] for table in tables] == [0, 0, 0]
    volatility = pl.concat([table.frame["implied_volatility_fraction"] for table in tables])
    assert (volatility.min(), volatility.max()) == (0.1058, 3.4882)
    verdicts = DeribitChainReader().audit(months)
    assert all(verdict.symbols == ("BTC", "ETH") for verdict in verdicts)
    assert all("sparse_snapshots" in {f.code for f in verdict.findings} for verdict in verdicts)


def test_real_snapshots_are_in_their_month_and_count_once(shared_data: Path) -> None:
    folder = shared_data / "deribit_options"
    month, day = folder / "deribit_options_2026-01.parquet", folder / "deribit_options_snapshot_20260101T091835Z.csv.gz"
    (alone,) = read_tables(DeribitChainReader(), [day])
    (whole,) = DeribitChainReader().tables([month])
    known = alone.frame["known_at_ns"][0]
    assert alone.frame.equals(whole.frame.filter(pl.col("known_at_ns") == known))
    assert [len(t.frame) for t in DeribitChainReader().tables([month, day])] == [83_968]
    _, repeated = DeribitChainReader().audit([month, day])
    assert repeated.counts["repeated_snapshots"] == 1
    assert repeated.verdict is Verdict.ACCEPTED


# ---- funding --------------------------------------------------------------------------------------------------------


def test_funding_rates(tmp_path: Path) -> None:
    (table,) = read_tables(BybitFundingReader(), [funding(tmp_path)])
    assert table.frame.rows() == [
        ("BTCUSDT", "bybit", ns(2020, 3, 25, 16), 0.0001, 28_800),
        ("BTCUSDT", "bybit", ns(2020, 3, 26), -0.00375, 28_800),
        ("BTCUSDT", "bybit", ns(2020, 3, 26, 8), 0.000123, 28_800),
    ]


def steps(tmp_path: Path, *hours: int, name: str = "btcusdt.csv.gz") -> Path:
    """Rates at the start of 2024 and after each of these steps."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    times = [first + timedelta(hours=sum(hours[:n])) for n in range(len(hours) + 1)]
    return funding(tmp_path, *(f"{time:%Y%m%d %H:%M:%S},0.0001" for time in times), name=name)


@pytest.mark.parametrize(
    ("hours", "intervals", "found", "missing"),
    [
        ((8, 8, 24, 8, 8), (8,) * 6, {"interval_gap": 1}, 2),
        ((8, 8, 24, 24, 8, 8), (8,) * 7, {"interval_gap": 2}, 4),  # nobody pays once a day
        ((8, 8, 24, 4, 8, 8), (8,) * 7, {"interval_gap": 1, "early_payment": 1}, 2),
        ((4, 4, 4, 1, 1, 1), (4,) * 4 + (1,) * 3, {"interval_change": 1}, 0),
        ((1, 1, 4, 4), (1,) * 3 + (4,) * 2, {"interval_change": 1}, 0),
        ((1, 1, 3, 1, 8, 8, 16), (1,) * 5 + (8,) * 3, {"interval_change": 1, "interval_gap": 2}, 3),
        ((4, 1, 8), (1, 1, 1, 1), {"interval_gap": 2}, 10),
        ((24,), (8, 8), {"interval_gap": 1}, 2),
        ((), (8,), {}, 0),
    ],
)
def test_intervals_and_holes(
    tmp_path: Path, hours: tuple[int, ...], intervals: tuple[int, ...], found: dict[str, int], missing: int
) -> None:
    path = steps(tmp_path, *hours)
    (table,) = BybitFundingReader().tables([path])
    assert tuple(table.frame["interval_s"] // 3600) == intervals
    (verdict,) = BybitFundingReader().audit([path])
    assert {f.code: f.count for f in verdict.findings} == found
    assert verdict.counts["missing"] == missing


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (("20200325 16:00:00,0.01",), ", field rate: rate in another unit, found 'median 0.01'"),
        (("20200325 16:00:00,1.5",), ", row 1, field rate: value too large"),
        (("20201325 16:00:00,0.0001",), ", row 1, field time: not a time"),
        (("20200325 16:00:00,0.0001",) * 2, ", row 2, field time: time twice"),
        (("20200325 16:00:00,0.0001", "20200325 08:00:00,0.0001"), ", row 2, field time: clock goes back"),
    ],
)
def test_funding_refusals(tmp_path: Path, rows: tuple[str, ...], reason: str) -> None:
    assert refusal(BybitFundingReader(), funding(tmp_path, *rows)).startswith(reason)


def test_real_funding(shared_data: Path) -> None:
    path = shared_data / "lean" / "cryptofuture" / "bybit" / "margin_interest" / "btcusdt.csv.gz"
    (table,) = read_tables(BybitFundingReader(), [path])
    assert dict(table.counts) == {"rows": 3922, "gaps": 0, "early": 0, "missing": 0, "interval_changes": 0}
    assert (table.frame["interval_s"] == 28_800).all()
    assert (table.frame["known_at_ns"].min(), table.frame["known_at_ns"].max()) == (
        ns(2020, 3, 25, 16),
        ns(2023, 10, 23, 16),
    )
    assert (table.frame["rate_fraction"].min(), table.frame["rate_fraction"].max()) == (-0.00375, 0.00375)
    (verdict,) = BybitFundingReader().audit([path])
    assert verdict.findings == ()


# ---- FX -------------------------------------------------------------------------------------------------------------


def test_orders_are_sorted_and_name_a_second_currency(tmp_path: Path) -> None:
    (table,) = read_tables(TcapyFxReader(), [fx_orders(tmp_path / "o.csv.gz", currency="USD")])
    assert table.kind is TableKind.ORDER
    jpy, eur = table.frame.rows(named=True)
    assert (jpy["symbol"], jpy["known_at_ns"], jpy["side"]) == ("EURJPY", ns(2017, 4, 25, 6, 9, 31), 1)
    assert (eur["order_id"], eur["quantity"], eur["quantity_currency"]) == (FX_ORDER, 18_517_881.0, "USD")
    assert (eur["event"], eur["broker"], eur["strategy"], eur["parent_id"]) == ("new", "broker5", "algo4", None)
    assert (eur["limit_price"], eur["bid"], eur["ask"], eur["venue"]) == (1.0879650115, None, None, "fx")
    (verdict,) = TcapyFxReader().audit([tmp_path / "o.csv.gz"])
    found = {f.code: f.count for f in verdict.findings}
    assert found == {"generated_orders": 2, "second_currency": 2, "unsorted_rows": 1}
    assert verdict.voids == (Analysis.FORECAST, Analysis.LAW)


def test_trades_are_order_events_and_fills(tmp_path: Path) -> None:
    orders, fills = read_tables(TcapyFxReader(), [fx_trades(tmp_path / "t.csv")])
    assert (orders.kind, fills.kind) == (TableKind.ORDER, TableKind.FILL)
    assert orders.frame["event"].to_list() == ["new", "replace", "cancel"]
    assert orders.frame["quantity"].to_list() == [18_517_881.0, 17_000_000.0, 0.0]
    assert (orders.frame["parent_id"] == FX_ORDER).all()
    assert (orders.frame["bid"][0], orders.frame["ask"][0]) == (1.0879, 1.088)
    (fill,) = fills.frame.rows(named=True)
    assert (fill["order_id"], fill["side"], fill["quantity"], fill["price"]) == (FX_ORDER, -1, 17_000_000.0, 1.0881)
    assert (fill["bid"], fill["ask"], fill["quantity_currency"]) == (1.0879, 1.088, None)
    assert fill["fill_id"].startswith("execution_EURUSD2017-04-25 07:09:33")
    (verdict,) = TcapyFxReader().audit([tmp_path / "t.csv"])
    assert {f.code: f.count for f in verdict.findings} == {"generated_orders": 4, "fills_outside_market": 1}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (",-1,EURUSD", ",0,EURUSD", ", row 2, field side: unknown side, found '0', allowed: 1 or -1"),
        (",trade,17000000", ",trade,0", ", row 4, field executed_notional: fill without a value"),
        (",placement,", ",guess,", ", row 2, field event_type: unknown event, found 'guess'"),
        ("1.0880,1.0879", "1.0870,1.0879", ", row 2, field market_bid: crossed market"),
        ("EURUSD,trader1", "EUR/USD,trader1", ", row 2, field ticker: not a pair"),
        ("2017-04-25 07:09:31.804000+00:00", "yesterday", ", row 2, field date: not a time"),
    ],
)
def test_fx_refusals(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert refusal(TcapyFxReader(), fx_trades(tmp_path / "t.csv", **{old: new})).startswith(reason)


def test_real_fx(shared_data: Path) -> None:
    paths = [shared_data / "tcapy_fx" / f"small_test_{kind}_df.csv.gz" for kind in ("order", "trade")]
    orders, events, fills = read_tables(TcapyFxReader(), paths)
    assert (len(orders.frame), len(events.frame), len(fills.frame)) == (322, 334, 326)
    assert events.frame["event"].value_counts().sort("event").rows() == [("cancel", 1), ("new", 322), ("replace", 11)]
    assert fills.frame["order_id"].is_in(orders.frame["order_id"].implode()).all()
    assert not (fills.frame["bid"] > fills.frame["ask"]).any()
    done = fills.frame.group_by("order_id").agg(pl.col("quantity").sum()).join(orders.frame, on="order_id")
    assert ((done["quantity"] / done["quantity_right"] - 1).abs() < 1e-6).all()
    first, second = TcapyFxReader().audit(paths)
    assert {f.code: f.count for f in first.findings} == {
        "generated_orders": 322,
        "second_currency": 10,
        "unsorted_rows": 2,
    }
    assert {f.code: f.count for f in second.findings} == {
        "generated_orders": 660,
        "second_currency": 20,
        "unsorted_rows": 2,
        "fills_outside_market": 217,
    }
