"""TAQ trades and quotes: small files with every kind of row, refusals, then the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from equity_files import TAQ_QUOTES, TAQ_TRADES, taq_quotes, taq_trades

from footprint.book.replay import views
from footprint.data.readers.taq import TaqReader
from footprint.data.session import Session
from footprint.data.signing import default_rule, quote_rule
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

TRADE, QUOTE = int(EventKind.TRADE), int(EventKind.QUOTE)


@pytest.fixture
def both(tmp_path: Path) -> list[Path]:
    return [taq_quotes(tmp_path / "q.parquet"), taq_trades(tmp_path / "t.parquet")]


def test_trades_and_quotes_of_a_day_are_one_session(both: list[Path]) -> None:
    (session,) = check_reader(TaqReader(), both)
    assert isinstance(session, Session)
    names = ("kind", "side", "price_ticks", "size_lots", "row")
    assert list(zip(*(session.events[name].tolist() for name in names), strict=True)) == [
        (QUOTE, 1, 1_579_900, 200, 1),  # round lots of 100
        (QUOTE, -1, 1_580_100, 300, 1),
        (TRADE, 0, 1_580_000, 100, 2),  # before the quote of the same time
        (QUOTE, 1, 1_580_000, 200, 2),
        (TRADE, 0, 1_580_125, 7, 3),
        (QUOTE, 1, 1_580_000, 500, 4),
        (QUOTE, -1, 0, 0, 4),  # nobody offers
        (QUOTE, 1, 1_580_100, 500, 5),
        (QUOTE, -1, 1_580_300, 100, 5),
        (TRADE, 0, 1_580_300, 100, 9),
    ]
    assert (session.events["exchange_time_ns"] % 1000 == 0).all()
    ends = (session.events["flags"] & EventFlag.LAST > 0).tolist()
    assert ends == [False, True, True, True, True, False, True, False, True, True]
    assert default_rule(session) == "lee_ready"


def test_cleaning_is_counted_once_a_print(both: list[Path]) -> None:
    first, second = TaqReader().audit(both)
    assert first.chain == second.chain
    assert dict(first.counts) == {
        "trade_rows": 9,
        "trades_outside_hours": 1,
        "off_exchange_dropped": 1,
        "corrected_dropped": 1,
        "zero_size_dropped": 1,
        "auction_dropped": 1,
        "ineligible_dropped": 1,
        "trades": 3,
        "quote_rows": 5,
        "quotes_outside_hours": 0,
        "other_venues_dropped": 1,
        "quotes": 7,
    }
    assert {f.code for f in first.findings} == {
        "unsigned",
        "no_receive_time",
        "prints_dropped",
        "one_venue",
        "empty_side",
    }
    assert set(first.voids) == {Analysis.DEPTH, Analysis.QUEUE, Analysis.LATENCY, Analysis.SIGNED_TRADES}


def test_one_kind_alone_is_limited(both: list[Path]) -> None:
    (quotes,) = TaqReader().audit(both[:1])
    (trades,) = TaqReader().audit(both[1:])
    assert {Analysis.FORECAST, Analysis.LAW} <= set(quotes.voids)
    assert {Analysis.BOOK, Analysis.FORECAST} <= set(trades.voids)
    assert Analysis.LAW not in trades.voids


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((15.5, "N", "", 100, 0.0, 0), "row 10, field PRICE: price not positive"),
        ((15.5, "N", "", 100, 158.00005, 0), "row 10, field PRICE: not a whole multiple"),
        ((15.5, "N", "", -1, 158.0, 0), "row 10, field SIZE: value too small"),
        ((15.5, "N", "", 100, 15_800.0, 0), "row 10, field PRICE: price far from the day's median"),
        ((15.0, "N", "", 100, 158.0, 0), "row 10, field DT: clock goes back"),
        ((40.0, "N", "", 100, 158.0, 0), "row 10, field DT: second day"),
    ],
)
def test_trade_refusals(tmp_path: Path, row: tuple[object, ...], reason: str) -> None:
    path = taq_trades(tmp_path / "t.parquet", (*TAQ_TRADES, row))
    with pytest.raises(DataRefused) as caught:
        list(TaqReader().sessions([path]))
    assert reason in str(caught.value)
    (verdict,) = TaqReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED


def test_local_times_are_guessed(tmp_path: Path) -> None:
    local = [(hour - 5, *rest) for hour, *rest in TAQ_QUOTES]
    with pytest.raises(DataRefused, match="times hardly UTC, found '0% of the rows in regular hours'"):
        list(TaqReader().sessions([taq_quotes(tmp_path / "q.parquet", local)]))


def test_two_files_of_one_kind_are_refused(tmp_path: Path, both: list[Path]) -> None:
    again = taq_trades(tmp_path / "u.parquet")
    verdicts = TaqReader().audit([*both, again])
    assert [v.verdict is Verdict.REFUSED for v in verdicts] == [False, False, True]
    with pytest.raises(DataRefused, match="second trade file of one day"):
        list(TaqReader().sessions([*both, again]))


def test_a_damaged_file_is_refused(both: list[Path]) -> None:
    content = both[0].read_bytes()
    both[0].write_bytes(content[:4] + content[4:-200] + content[-150:])
    verdicts = TaqReader().audit(both)
    assert verdicts[0].verdict is Verdict.REFUSED


def test_real_files(shared_data: Path) -> None:
    paths = sorted((shared_data / "taq_xxx_2018").glob("*.parquet"))
    (session,) = check_reader(TaqReader(), paths)
    assert isinstance(session, Session)
    counts = session.counts
    assert (counts["trade_rows"], counts["quote_rows"]) == (39_470, 66_695)
    dropped = ("trades_outside_hours", "off_exchange_dropped", "auction_dropped", "ineligible_dropped")
    assert [counts[name] for name in dropped] == [275, 12_478, 3, 1]
    assert (counts["trades"], counts["other_venues_dropped"]) == (26_713, 16_463)
    assert (session.instrument.symbol, session.day.isoformat()) == ("XXX", "2018-01-02")
    events = session.events
    book = views(events)
    known = (book["bid_ticks"] > 0) & (book["ask_ticks"] > 0)
    assert not (book["bid_ticks"] > book["ask_ticks"])[known].any()
    prints = np.flatnonzero(events["kind"] == TRADE)
    before = np.searchsorted(events["exchange_time_ns"], events["exchange_time_ns"][prints]) - 1
    price = events["price_ticks"][prints]
    inside = (price >= book["bid_ticks"][before]) & (price <= book["ask_ticks"][before])
    assert inside.mean() > 0.85
    signs = quote_rule(events, book)[prints]
    assert 0.3 < (signs > 0).mean() < 0.6
    assert 0.3 < (signs < 0).mean() < 0.6
