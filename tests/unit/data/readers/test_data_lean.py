"""LEAN equity ticks: small files with known answers, then every oddity of the real set."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.child_tape import build_child_tape
from footprint.data.readers.lean import LeanReader
from footprint.data.readers.sale_conditions import AUCTION_CONDITIONS, ELIGIBLE_CONDITIONS, SaleCondition
from footprint.data.session import Session
from footprint.data.signing import quote_rule, sign_trades
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.market.instruments import US_EQUITY_HOURS
from footprint.units import NS_PER_MILLISECOND

OPEN = 34_200_000  # 09:30 in ms after midnight


def write(folder: Path, kind: str, rows: list[str], day: str = "20131007", symbol: str = "abc") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{day}_{symbol}_{kind.title()}_Tick.csv", "\n".join(rows) + "\n")
    path = folder / f"{day}_{kind}.zip"
    path.write_bytes(packed.getvalue())
    return path


def only_session(paths: list[Path]) -> Session:
    (session,) = LeanReader().sessions(paths)
    return session


QUOTES = [f"{OPEN},100000,300,0,0,P,1,0", f"{OPEN},0,0,100200,400,Q,1,0"]


def test_quotes_and_trades_become_one_session_in_time_order(tmp_path: Path) -> None:
    trade = write(tmp_path, "trade", [f"{OPEN + 5},100200,70,Q,20000020,0"])
    quote = write(tmp_path, "quote", [*QUOTES, f"{OPEN + 9},100100,200,0,0,Z,1,0"])
    session = only_session([quote, trade])
    assert (session.instrument.symbol, session.day) == ("ABC", date(2013, 10, 7))
    assert session.instrument.tick_size == 0.0001
    assert session.events["kind"].tolist() == [EventKind.QUOTE] * 2 + [EventKind.TRADE] + [EventKind.QUOTE]
    assert session.events["side"].tolist() == [1, -1, 0, 1]
    assert session.events["price_ticks"].tolist() == [100_000, 100_200, 100_200, 100_100]
    assert session.events["size_lots"].tolist() == [300, 400, 70, 200]
    assert session.events["row"].tolist() == [1, 2, 1, 3]
    # 09:30 of 7 October 2013 in New York is 13:30 UTC
    assert session.open_ns == 1_381_152_600 * 10**9
    assert (session.events["exchange_time_ns"] - session.open_ns).tolist() == [0, 0, 5_000_000, 9_000_000]
    assert sorted(p.name for p in session.paths) == ["20131007_quote.zip", "20131007_trade.zip"]


def test_prints_stand_before_the_quotes_of_their_millisecond(tmp_path: Path) -> None:
    trade = write(tmp_path, "trade", [f"{OPEN + 5},100200,70,Q,1,0"])
    moved = [f"{OPEN + 5},0,0,100400,100,Q,1,0", f"{OPEN + 5},100300,100,0,0,Q,1,0"]
    session = only_session([trade, write(tmp_path, "quote", [*QUOTES, *moved])])
    assert session.events["kind"].tolist()[2] == EventKind.TRADE
    # against the quote of its own millisecond (mid 100350) this print would be a sell
    assert sign_trades(session, views(session.events))[0].tolist()[2] == 1


def test_one_best_a_side_whatever_the_exchange_letter(tmp_path: Path) -> None:
    worse = [f"{OPEN + 1},99900,100,0,0,Z,1,0"]  # another venue's letter, still the new national best bid
    quote = write(tmp_path, "quote", [*QUOTES, *worse])
    assert views(only_session([quote]).events)["bid_ticks"][-1] == 99_900


def test_the_book_is_whole_after_the_last_quote_of_a_millisecond(tmp_path: Path) -> None:
    both_move = [f"{OPEN + 1},100300,100,0,0,P,1,0", f"{OPEN + 1},0,0,100500,100,P,1,0"]  # bid over old ask in between
    session = only_session([write(tmp_path, "quote", [*QUOTES, *both_move])])
    assert views(session.events)["mid_ticks"].tolist()[1:] == [100_100.0, 100_100.0, 100_400.0]


def test_each_dropped_print_is_counted_once_by_its_first_reason(tmp_path: Path) -> None:
    rows = [
        f"{OPEN - 1},100000,100,P,1,0",  # before the open
        f"{OPEN},100000,100,P,40,0",  # opening print
        f"{OPEN},100000,100,D,40,1",  # off exchange, whatever else it is
        f"{OPEN + 1},100000,0,P,1,0",  # no size
        f"{OPEN + 2},100000,100,P,1,1",  # suspicious
        f"{OPEN + 3},100000,100,P,20040200,0",  # derivatively priced stock-option trade
        f"{OPEN + 4},100000,100,P,2000,0",  # extended hours
        f"{OPEN + 5},100000,100,P,20000020,0",  # intermarket sweep: an ordinary execution
        f"{OPEN + 6},100000,50,P,80000001,0",  # odd lot: an ordinary execution
        "57600000,100000,100,P,1,0",  # 16:00 sharp is after the close
    ]
    session = only_session([write(tmp_path, "trade", rows), write(tmp_path, "quote", QUOTES)])
    assert dict(session.counts) == {
        "trade_rows": 10,
        "outside_hours_dropped": 2,
        "regular_hours_trades": 8,
        "off_exchange_dropped": 1,
        "suspicious_dropped": 1,
        "zero_size_dropped": 1,
        "auction_dropped": 1,
        "ineligible_dropped": 2,
        "trades": 2,
        "quotes": 2,
        "quote_rows_without_price": 0,
    }
    assert session.events["row"][session.events["kind"] == EventKind.TRADE].tolist() == [8, 9]


def test_condition_bits_are_those_of_lean() -> None:
    assert SaleCondition(0x20000020) == SaleCondition.TRADE_THROUGH_EXEMPT | SaleCondition.INTERMARKET_SWEEP
    assert SaleCondition(0x4800) == SaleCondition.OUT_OF_SEQUENCE | SaleCondition.SOLD
    assert SaleCondition.OFFICIAL_OPEN == 0x4000000
    assert SaleCondition.ODD_LOT == 0x80000000
    assert not AUCTION_CONDITIONS & ELIGIBLE_CONDITIONS


def test_trades_without_quotes_are_limited(tmp_path: Path) -> None:
    (verdict,) = LeanReader().audit([write(tmp_path, "trade", [f"{OPEN},100000,100,P,1,0"])])
    assert verdict.verdict is Verdict.LIMITED
    assert set(verdict.voids) == {Analysis.FORECAST, Analysis.SIGNED_TRADES, Analysis.DEPTH, Analysis.BOOK}


def test_quotes_without_trades_are_limited(tmp_path: Path) -> None:
    (verdict,) = LeanReader().audit([write(tmp_path, "quote", QUOTES)])
    assert set(verdict.voids) == {Analysis.FORECAST, Analysis.SIGNED_TRADES, Analysis.LAW}


def test_a_book_that_is_mostly_crossed_is_limited(tmp_path: Path) -> None:
    trade = write(tmp_path, "trade", [f"{OPEN},100000,100,P,1,0"])
    crossed = [f"{OPEN + i},{100_300 + i},100,0,0,P,1,0" for i in range(1, 9)]
    verdicts = LeanReader().audit([trade, write(tmp_path, "quote", [*QUOTES, *crossed])])
    assert {v.verdict for v in verdicts} == {Verdict.LIMITED}
    assert Analysis.BOOK in verdicts[0].voids


def test_sessions_come_by_symbol_and_day(tmp_path: Path) -> None:
    row = [f"{OPEN},100000,100,P,1,0"]
    paths = [
        write(tmp_path / "b", "trade", row, symbol="bb", day="20131007"),
        write(tmp_path / "a", "trade", row, symbol="aa", day="20131009"),
        write(tmp_path / "a", "trade", row, symbol="aa", day="20131008"),
    ]
    found = [(s.instrument.symbol, s.day.day) for s in LeanReader().sessions(paths)]
    assert found == [("AA", 8), ("AA", 9), ("BB", 7)]


def test_a_refused_quote_file_stops_its_day_but_not_the_day_before(tmp_path: Path) -> None:
    good = write(tmp_path, "trade", [f"{OPEN},100000,100,P,1,0"])
    later = write(tmp_path, "trade", [f"{OPEN},100000,100,P,1,0"], day="20131008")
    bad = write(tmp_path, "quote", [f"{OPEN},100000,-3,0,0,P,1,0"], day="20131008")
    reading = LeanReader().sessions([good, later, bad])
    assert next(reading).day.day == 7
    with pytest.raises(DataRefused, match=r"20131008_quote\.zip, row 1, field bid_size: negative value, found '-3'"):
        next(reading)


def test_recognises_plain_csv_by_its_name_and_no_other_zip(tmp_path: Path) -> None:
    plain = tmp_path / "20131007_abc_Trade_Tick.csv"
    plain.write_text(f"{OPEN},100000,100,P,1,0\n")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("20131007_gc_tick_trade_201312.csv", "1,2,3")
    assert LeanReader().recognise(plain)
    assert len(only_session([plain]).events) == 1
    assert not LeanReader().recognise(other)


# ---- the real files -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def equities(shared_data: Path) -> Path:
    return shared_data / "lean" / "equity" / "usa" / "tick"


@pytest.fixture(scope="module")
def bac(equities: Path) -> Session:
    return only_session(sorted((equities / "bac").glob("20131007_*")))


@pytest.mark.parametrize(("symbol", "prints"), [("aig", 120_421), ("bac", 333_364), ("spy", 1_110_815)])
def test_regular_hours_prints_are_those_of_the_data_sheet(equities: Path, symbol: str, prints: int) -> None:
    paths = sorted((equities / symbol).glob("*_trade.zip"))
    verdicts = LeanReader().audit(paths)
    assert sum(v.counts["regular_hours_trades"] for v in verdicts) == prints
    dropped = ("off_exchange", "suspicious", "zero_size", "auction", "ineligible")
    for v in verdicts:
        assert v.counts["regular_hours_trades"] == v.counts["trades"] + sum(v.counts[f"{d}_dropped"] for d in dropped)


def test_bac_is_accepted_and_spy_without_quotes_is_limited(equities: Path) -> None:
    bac = LeanReader().audit(sorted((equities / "bac").glob("20131007_*")))
    assert [v.verdict for v in bac] == [Verdict.ACCEPTED] * 2
    assert {v.chain for v in bac} == {"BAC 2013-10-07"}
    (spy,) = LeanReader().audit([equities / "spy" / "20131007_trade.zip"])
    assert spy.verdict is Verdict.LIMITED


def test_off_exchange_and_auction_prints_are_counted(bac: Session) -> None:
    assert bac.counts["off_exchange_dropped"] == 37_089
    assert bac.counts["auction_dropped"] == 3  # the opening print of 1.2 million shares, two official opens
    assert bac.counts["ineligible_dropped"] == 8


def test_the_national_best_is_hardly_ever_crossed(bac: Session) -> None:
    book = views(bac.events)
    both = (book["bid_ticks"] > 0) & (book["ask_ticks"] > 0)
    assert (book["bid_ticks"] > book["ask_ticks"])[both].mean() < 0.002
    assert np.nanmedian(book["spread_ticks"]) == bac.instrument.quote_increment_ticks


def test_real_times_lie_within_regular_hours_and_never_decrease(bac: Session) -> None:
    time_ns = bac.events["exchange_time_ns"]
    assert (np.diff(time_ns) >= 0).all()
    assert US_EQUITY_HOURS.on(bac.day) == (bac.open_ns, bac.close_ns)
    assert bac.open_ns <= time_ns[0]
    assert time_ns[-1] < bac.close_ns


def test_real_prints_precede_the_quotes_of_their_millisecond(bac: Session) -> None:
    same = np.diff(bac.events["exchange_time_ns"]) == 0
    kind = bac.events["kind"]
    assert not (same & (kind[:-1] == EventKind.QUOTE) & (kind[1:] == EventKind.TRADE)).any()


def test_quote_rule_is_balanced_and_rarely_silent(bac: Session) -> None:
    prints = bac.events["kind"] == EventKind.TRADE
    signs = quote_rule(bac.events, views(bac.events))[prints]
    assert 0.4 < (signs > 0).mean() < 0.5
    assert 0.4 < (signs < 0).mean() < 0.55
    assert (signs == 0).mean() < 0.1


def test_real_children_start_after_five_minutes_with_a_mid(bac: Session) -> None:
    children = build_child_tape(bac, views(bac.events))
    assert children.time_ns[0] >= bac.open_ns + 300_000 * NS_PER_MILLISECOND
    assert children.time_ns[-1] < bac.close_ns - 60_000 * NS_PER_MILLISECOND
    assert np.isfinite(children.mid_before).all()
    cost_bps = children.sign * (children.price / children.mid_before - 1) * 1e4
    assert cost_bps.mean() == pytest.approx(3.5, abs=0.3)  # half of the one-cent spread at 13.9 USD is 3.6 bps
    assert not (bac.events["flags"] & (EventFlag.OFF_EXCHANGE | EventFlag.AUCTION)).any()
