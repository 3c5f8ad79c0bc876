"""LEAN archives of futures, options, crypto bars and open interest: generated ones, refusals, the real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from equity_files import (
    CRYPTO_QUOTES,
    CRYPTO_TRADES,
    FUTURES,
    FUTURES_INTEREST,
    OPTION_INTEREST,
    OPTION_QUOTES,
    OPTION_TRADES,
    lean,
    zipped,
)
from table_contract import read_tables, refusal

from footprint.data.readers.lean import LeanReader
from footprint.data.readers.lean_archive import contract
from footprint.data.readers.lean_bars import LeanBarsReader
from footprint.data.readers.lean_futures import LeanFuturesReader
from footprint.data.readers.lean_open_interest import LeanOpenInterestReader
from footprint.data.readers.lean_options import LeanOptionsReader
from footprint.data.session import Session
from footprint.data.signing import default_rule
from footprint.data.verdict import Analysis
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

READERS = (LeanFuturesReader(), LeanOptionsReader(), LeanBarsReader(), LeanOpenInterestReader(), LeanReader())
GC, GOOG, BTC = "future/comex/tick/gc", "option/usa/minute/goog", "crypto/coinbase/second/btcusd"
CALL, PUT = "GOOG151224C00750000", "GOOG160115P00750500"


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc,arg-type]


def test_futures_trades_are_sessions_of_an_expiry(tmp_path: Path) -> None:
    path = lean(tmp_path, GC, "20131007_trade.zip", FUTURES)
    found = check_reader(LeanFuturesReader(), [path])
    near, far = (session for session in found if isinstance(session, Session))
    assert (near.instrument.symbol, far.instrument.symbol) == ("GC201312", "GC201402")
    assert (near.instrument.venue, near.instrument.tick_size, near.instrument.multiplier) == ("COMEX", 0.1, 100.0)
    events = near.events
    assert events["price_ticks"].tolist() == [13137, 13130]  # neither the row of size 0 nor the suspicious one
    assert events["size_lots"].tolist() == [1, 4]
    assert events["row"].tolist() == [1, 3]
    assert (events["exchange_time_ns"] - ns(2013, 10, 7)).tolist() == [276_000_000, 311_000_000]  # UTC
    assert (events["kind"] == EventKind.TRADE).all()
    assert (events["side"] == 0).all()
    assert (events["flags"] == EventFlag.LAST).all()
    assert default_rule(near) == "tick_rule"
    (verdict,) = LeanFuturesReader().audit([path])
    wanted = {"rows": 6, "suspicious_dropped": 1, "zero_size_dropped": 2, "trades": 3, "expiries": 3}
    assert dict(verdict.counts) == wanted
    assert {f.code for f in verdict.findings} == {
        "no_quotes",
        "no_receive_time",
        "zero_size_dropped",
        "suspicious_dropped",
    }
    assert Analysis.LAW not in verdict.voids
    assert {Analysis.FORECAST, Analysis.SIGNED_TRADES} <= set(verdict.voids)


def test_a_root_whose_terms_are_not_known_keeps_its_decimals(tmp_path: Path) -> None:
    members = {"20131007_zn_tick_trade_201312.csv": "276,126.015625,1,usa,,0\n"}
    path = lean(tmp_path, "future/cbot/tick/zn", "20131007_trade.zip", members)
    (session,) = LeanFuturesReader().sessions([path])
    assert session.events["price_ticks"].tolist() == [126_015_625]
    assert (session.instrument.tick_size, session.instrument.venue) == (1e-6, "CBOT")
    (verdict,) = LeanFuturesReader().audit([path])
    assert "unknown_contract" in {f.code for f in verdict.findings}


def test_open_interest_of_futures_is_utc_and_repeats_are_dropped(tmp_path: Path) -> None:
    (table,) = read_tables(
        LeanOpenInterestReader(), [lean(tmp_path, GC, "20131007_openinterest.zip", FUTURES_INTEREST)]
    )
    assert table.frame.rows() == [
        ("GC201312", "COMEX", ns(2013, 10, 7) + 22_068_531_000_000, 224_928.0),
        ("GC201402", "COMEX", ns(2013, 10, 7) + 22_068_536_000_000, 39_062.0),
        ("GC201312", "COMEX", ns(2013, 10, 7) + 49_678_487_000_000, 221_395.0),
    ]
    assert dict(table.counts) == {"rows": 4, "repeated_dropped": 1, "contracts": 2}


def test_open_interest_of_options_is_in_new_york(tmp_path: Path) -> None:
    path = lean(tmp_path, GOOG, "20151224_openinterest_american.zip", OPTION_INTEREST)
    (table,) = read_tables(LeanOpenInterestReader(), [path])
    known = ns(2015, 12, 24, 11, 32)  # 06:32 New York in winter
    assert table.frame.rows() == [(CALL, "USA", known, 3316.0), (PUT, "USA", known, 0.0)]


def test_option_quotes_make_a_bar_for_each_side_that_is_quoted(tmp_path: Path) -> None:
    (table,) = read_tables(LeanOptionsReader(), [lean(tmp_path, GOOG, "20151224_quote_american.zip", OPTION_QUOTES)])
    opened, minute = ns(2015, 12, 24, 14, 30), 60 * 10**9
    assert table.frame.select("symbol", "what", "start_ns", "open", "high", "low", "close", "quantity").rows() == [
        (CALL, "bid", opened, 1.5, 1.8, 1.4, 1.7, 2.0),
        (CALL, "ask", opened, 1.6, 1.9, 1.5, 1.8, 3.0),
        (PUT, "bid", opened, 9.0, 9.0, 9.0, 9.0, 1.0),
        (PUT, "ask", opened, 9.0, 9.0, 9.0, 9.0, 1.0),
        (CALL, "ask", opened + minute, 1.6, 1.6, 1.6, 1.6, 5.0),
        (CALL, "bid", opened + 2 * minute, 1.5, 1.5, 1.5, 1.5, 4.0),
    ]
    assert (table.frame["known_at_ns"] - table.frame["start_ns"] == minute).all()
    (verdict,) = LeanOptionsReader().audit(list(table.paths))
    assert {f.code: f.count for f in verdict.findings} == {"no_bid": 1, "no_ask": 1, "locked_quote": 1}


def test_option_trades(tmp_path: Path) -> None:
    (table,) = read_tables(LeanOptionsReader(), [lean(tmp_path, GOOG, "20151224_trade_american.zip", OPTION_TRADES)])
    assert table.frame.select("symbol", "venue", "what", "open", "quantity").rows() == [
        (CALL, "USA", "trade", 1.5, 2.0)
    ]


def test_crypto_bars_of_trades_and_quotes(tmp_path: Path) -> None:
    trades = lean(tmp_path, BTC, "20161007_trade.zip", CRYPTO_TRADES)
    quotes = lean(tmp_path, "crypto/coinbase/minute/btcusd", "20161007_quote.zip", CRYPTO_QUOTES)
    traded, quoted = read_tables(LeanBarsReader(), [trades, quotes])
    assert traded.frame.rows()[0] == (
        *("BTCUSD", "COINBASE", ns(2016, 10, 7, 0, 0, 5), ns(2016, 10, 7, 0, 0, 4), "trade"),
        *(611.78, 611.87, 611.78, 611.87, 0.60046),
    )
    assert quoted.frame["what"].to_list() == ["bid", "ask"]
    assert (quoted.frame["known_at_ns"] == ns(2016, 10, 7, 0, 2)).all()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (
            {"20131007_gc_tick_trade_201312.csv": "276,1313.75,1,usa,,0\n"},
            "201312.csv, row 1, field price: not a whole",
        ),
        ({"20131007_gc_tick_trade_201312.csv": "276,0,1,usa,,0\n"}, "field price: price not positive"),
        ({"20131007_gc_tick_trade_201312.csv": "276,1,-1,usa,,0\n"}, "field size: negative value, found '-1'"),
        ({"20131007_gc_tick_trade_201312.csv": "86400000,1,1,usa,,0\n"}, "field ms: value too large"),
        (
            {"20131007_gc_tick_trade_201312.csv": "9,1,1,usa,,0\n8,1,1,usa,,0\n"},
            "201312.csv, row 2, field ms: clock goes",
        ),
        ({**FUTURES, "readme.txt": "x"}, "wrong name inside, found 'readme.txt'"),
        ({**FUTURES, "20131008_gc_tick_trade_201412.csv": "1,1313.0,1,usa,,0\n"}, "several days or kinds"),
        ({**FUTURES, "20131007_GC_tick_trade_201312.csv": "1,1313.0,1,usa,,0\n"}, "contract twice, found 'GC201312'"),
        ({"20131007_gc_minute_trade_201312.csv": "0,1313.0,1,usa,,0\n"}, "not ticks, found 'minute'"),
        ({"20131307_gc_tick_trade_201312.csv": "0,1313.0,1,usa,,0\n"}, "not a day, found '20131307'"),
        (
            {"20131007_gc_tick_trade_201312.csv": "1,1313.0,1,usa,,0\n2,1313.0,1,usa,,0\n3,9313.0,1,usa,,0\n"},
            "row 3, field price: price far from the day's median, found '9313.0'",
        ),
    ],
)
def test_futures_refusals(tmp_path: Path, members: dict[str, str], reason: str) -> None:
    path = lean(tmp_path, GC, "20131007_trade.zip", members)
    with pytest.raises(DataRefused) as caught:
        list(LeanFuturesReader().sessions([path]))
    assert reason in str(caught.value)
    (verdict,) = LeanFuturesReader().audit([path])
    assert [f.text for f in verdict.findings if f.refuses] == [str(caught.value)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("34200000,15000,14000,14000,14000,2,1,1,1,1,1\n", "field bid_open: outside low and high"),
        ("34200000,15000,,14000,14000,2,1,1,1,1,1\n", "field bid_high: half a bar"),
        ("34200001,1,1,1,1,2,1,1,1,1,1\n", "field ms: not the start of a bar, found '34200001'"),
        ("34200000,0,0,0,0,2,1,1,1,1,1\n", "field bid_low: price not positive"),
        ("34200000,1,1,1,1,2,1,1,1,1\n", "wrong columns, found '10 columns'"),
    ],
)
def test_option_refusals(tmp_path: Path, row: str, reason: str) -> None:
    name = f"20151224_goog_minute_quote_{'american_call_7500000_20151224'}.csv"
    assert reason in refusal(LeanOptionsReader(), lean(tmp_path, GOOG, "20151224_quote_american.zip", {name: row}))


def test_damaged_and_huge_archives_are_refused(tmp_path: Path) -> None:
    path = lean(tmp_path, GC, "20131007_openinterest.zip", FUTURES_INTEREST)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert ": truncated or damaged archive" in refusal(LeanOpenInterestReader(), path)
    bomb = {"20131007_gc_tick_openinterest_201312.csv": "1,2\n" * 2_000_000}
    assert ": archive too large unpacked" in refusal(LeanOpenInterestReader(), lean(tmp_path, GC, path.name, bomb))


@pytest.mark.parametrize(
    ("below", "name", "members", "wanted"),
    [
        (GC, "20131007_trade.zip", FUTURES, "lean_futures"),
        (GC, "20131007_openinterest.zip", FUTURES_INTEREST, "lean_open_interest"),
        (GOOG, "20151224_quote_american.zip", OPTION_QUOTES, "lean_options"),
        (GOOG, "20151224_openinterest_american.zip", OPTION_INTEREST, "lean_open_interest"),
        (BTC, "20161007_trade.zip", CRYPTO_TRADES, "lean_bars"),
        ("equity/usa/tick/abc", "20131007_trade.zip", {"20131007_abc_Trade_Tick.csv": "1,1,1,P,1,0\n"}, "lean"),
    ],
)
def test_each_archive_has_one_reader(
    tmp_path: Path, below: str, name: str, members: dict[str, str], wanted: str
) -> None:
    path = lean(tmp_path, below, name, members)
    assert [reader.name for reader in READERS if reader.recognise(path)] == [wanted]
    assert not any(reader.recognise(zipped(tmp_path / "other.zip", {"a.csv": "1,2\n"})) for reader in READERS)


def test_names_say_what_is_inside() -> None:
    option = contract("20151224_goog_minute_quote_american_put_7505000_20160115.csv")
    assert option is not None
    assert (option.symbol, option.time_zone, option.kind) == (PUT, "America/New_York", "quote")
    assert contract("20131007_ABC_Trade_Tick.csv") is None


# ---- the real files -------------------------------------------------------------------------------------------------


def test_real_futures(shared_data: Path) -> None:
    paths = sorted((shared_data / "lean" / GC).glob("*_trade.zip"))
    found = check_reader(LeanFuturesReader(), paths)
    sessions = [session for session in found if isinstance(session, Session)]
    first, second = LeanFuturesReader().audit(paths)
    assert (first.counts["rows"], second.counts["rows"]) == (40_192, 52_322)
    assert (first.counts["zero_size_dropped"], second.counts["zero_size_dropped"]) == (147, 100)
    assert sum(len(session.events) for session in sessions) == 40_192 + 52_322 - 147 - 100
    liquid = [s for s in sessions if s.instrument.symbol == "GC201312"]
    assert [len(s.events) for s in liquid] == [39_702 - 92, 52_038 - 75]
    for verdict in (first, second):
        (thin,) = (f for f in verdict.findings if f.code == "thin_expiries")
        assert thin.text.startswith("GC201312 is the liquid expiry with 9")
    # the pause of the venue, 17:15 to 18:00 New York, is at 21:15 UTC
    for session in liquid:
        steps = pl.Series(session.events["exchange_time_ns"]).diff()
        at = int(steps.arg_max() or 0)
        assert session.events["exchange_time_ns"][at - 1] // 10**9 % 86_400 // 60 == 21 * 60 + 14


def test_real_open_interest(shared_data: Path) -> None:
    futures = sorted((shared_data / "lean" / GC).glob("*_openinterest.zip"))
    first, second = read_tables(LeanOpenInterestReader(), futures)
    assert (first.counts["rows"], first.counts["repeated_dropped"], len(first.frame)) == (76, 19, 57)
    near = second.frame.filter(pl.col("symbol") == "GC201312")["open_interest"].to_list()
    assert near == [224_878.0, 224_878.0, 222_940.0]
    (options,) = read_tables(
        LeanOpenInterestReader(), [shared_data / "lean" / GOOG / "20151224_openinterest_american.zip"]
    )
    assert (len(options.frame), int((options.frame["open_interest"] == 0).sum())) == (2058, 743)


def test_real_options(shared_data: Path) -> None:
    folder = shared_data / "lean" / GOOG
    quotes, trades = read_tables(
        LeanOptionsReader(), [folder / "20151224_quote_american.zip", folder / "20151224_trade_american.zip"]
    )
    assert dict(quotes.counts) == {
        "rows": 275_552,
        "contracts": 2192,
        "bars": 437_797,
        "no_bid": 67_766,
        "no_ask": 45_541,
    }
    assert quotes.frame["symbol"].n_unique() == 2192
    assert (len(trades.frame), trades.frame["symbol"].n_unique()) == (958, 241)
    sides = quotes.frame.pivot("what", index=["symbol", "start_ns"], values="close").drop_nulls()
    assert int((sides["bid"] > sides["ask"]).sum()) == 0


def test_real_crypto_bars(shared_data: Path) -> None:
    tables = read_tables(LeanBarsReader(), sorted((shared_data / "lean" / BTC).glob("*_trade.zip")))
    assert [len(table.frame) for table in tables] == [4063, 3453]
    assert tables[0].frame["quantity"].min() == 1.2e-05
