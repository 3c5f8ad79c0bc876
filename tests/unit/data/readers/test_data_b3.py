"""B3 ticks: small files with known answers, then every oddity of the real set."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.book.view import SIZE_UNKNOWN
from footprint.data.child_tape import build_child_tape
from footprint.data.mid import CORRECTED_QUOTE, QUOTE, half_spreads
from footprint.data.readers.b3 import B3Reader
from footprint.data.session import Session
from footprint.data.signing import sign_trades, signing_accuracy
from footprint.data.verdict import Analysis, Verdict
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.units import NS_PER_SECOND

HEADER = "symbol,rpt_seq,network_received_time,event_type,md_entry_px,md_entry_size,aggressor,en_s_px_1,en_b_px_1"
TRADE, QUOTE_KIND = EventKind.TRADE, EventKind.QUOTE


def book(second: float, ask: float, bid: float, seq: int = 1) -> str:
    return f"ABCD3,{seq},2025-04-07 13:30:{second:012.9f}+00:00,book,,,,{ask},{bid}"


def trade(second: float, price: float, size: float, aggressor: float, ask: float, bid: float, seq: int = 1) -> str:
    return f"ABCD3,{seq},2025-04-07 13:30:{second:012.9f}+00:00,trade,{price},{size},{aggressor},{ask},{bid}"


def write(folder: Path, *rows: str, name: str = "ABCD3_2025-04-07.csv.gz") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(("\n".join((HEADER, *rows)) + "\n").encode()))
    return path


def only_session(path: Path) -> Session:
    (session,) = B3Reader().sessions([path])
    return session


def test_rows_become_changed_sides_then_the_print(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        book(1, 12.46, 12.450000000000001),  # both sides are new
        trade(2, 12.46, 300.0, 4.0, 12.46, 12.45),  # nothing changed: only the print
        trade(3, 12.45, 100.0, 3.0, 12.46, 12.44),  # the bid changed with the print
        book(4, 12.47, 12.44),
    )
    session = only_session(path)
    events = session.events
    assert events["kind"].tolist() == [QUOTE_KIND, QUOTE_KIND, TRADE, QUOTE_KIND, TRADE, QUOTE_KIND]
    assert events["side"].tolist() == [-1, 1, 1, 1, -1, -1]
    assert events["price_ticks"].tolist() == [1246, 1245, 1246, 1244, 1245, 1247]
    assert events["row"].tolist() == [2, 2, 3, 4, 4, 5]
    assert events["size_lots"].tolist() == [SIZE_UNKNOWN, SIZE_UNKNOWN, 300, SIZE_UNKNOWN, 100, SIZE_UNKNOWN]
    assert ((events["flags"] & EventFlag.LAST) > 0).tolist() == [False, True, True, False, True, True]
    assert (events["exchange_time_ns"] == UNKNOWN_TIME).all()
    first = int(datetime(2025, 4, 7, 13, 30, 1, tzinfo=UTC).timestamp()) * NS_PER_SECOND
    assert events["receive_time_ns"][0] == first
    assert (session.instrument.tick_size, session.instrument.market, session.day) == (0.01, "b3", date(2025, 4, 7))


def test_times_keep_their_nanoseconds(tmp_path: Path) -> None:
    row = "ABCD3,1,2025-04-07 13:08:42.065709689+00:00,book,,,,2.0,1.0"
    assert only_session(write(tmp_path, row)).events["receive_time_ns"][0] % NS_PER_SECOND == 65_709_689


def test_aggressors_1_and_2_and_prints_into_a_crossed_book_are_auctions(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        book(0, 9.0, 11.0),
        trade(1, 10.0, 100.0, 4.0, 9.0, 11.0),  # says buyer, but the book is crossed: opening auction
        trade(2, 10.0, 100.0, 1.0, 10.01, 9.99),
        trade(3, 10.0, 100.0, 2.0, 10.01, 9.99),
        trade(4, 9.99, 100.0, 3.0, 10.01, 9.99),
        trade(5, 9.99, 0.0, 3.0, 10.01, 9.99),
    )
    session = only_session(path)
    counts = {name: session.counts[name] for name in ("trade_rows", "auction_dropped", "zero_size_dropped", "trades")}
    assert counts == {"trade_rows": 5, "auction_dropped": 3, "zero_size_dropped": 1, "trades": 1}
    assert session.events["side"][session.events["kind"] == TRADE].tolist() == [-1]


def test_quotes_without_sizes_void_depth_and_queue_but_not_the_forecast(tmp_path: Path) -> None:
    rows = [trade(i, 10.0, 100.0, 4.0, 10.0, 9.99, seq=i + 1) for i in range(1, 5)]
    (verdict,) = B3Reader().audit([write(tmp_path, book(0, 10.0, 9.99), *rows)])
    assert verdict.verdict is Verdict.LIMITED
    assert verdict.voids == (Analysis.DEPTH, Analysis.QUEUE)
    assert {f.code for f in verdict.findings} == {"no_quote_sizes"}


def test_thinning_and_stale_quotes_are_found(tmp_path: Path) -> None:
    rows = [trade(i, 10.05, 100.0, 4.0, 10.0, 9.99, seq=20 * i) for i in range(1, 5)]
    (verdict,) = B3Reader().audit([write(tmp_path, book(0, 10.0, 9.99), *rows)])
    found = {f.code: f.count for f in verdict.findings}
    assert found == {"no_quote_sizes": 1, "thinned": 4, "stale_quotes": 4}


# ---- the real files -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "b3_ticks"


@pytest.fixture(scope="module")
def every(folder: Path) -> list[Session]:
    return list(B3Reader().sessions(sorted(folder.glob("*.csv.gz"))))


@pytest.fixture(scope="module")
def april(every: list[Session]) -> list[Session]:
    return [s for s in every if s.day.month == 4]


def test_all_files_are_read_in_order_and_hold_158_000_signed_trades(every: list[Session]) -> None:
    assert len(every) == 37
    assert [(s.instrument.symbol, s.day) for s in every] == sorted((s.instrument.symbol, s.day) for s in every)
    assert sum(s.counts["trades"] for s in every) == pytest.approx(158_000, rel=0.001)


def test_no_file_has_data_outside_1300_to_2050_utc(every: list[Session]) -> None:
    for session in every:
        second = session.events["receive_time_ns"][[0, -1]] // NS_PER_SECOND % 86_400
        assert second[0] >= 13 * 3600
        assert second[1] < 20 * 3600 + 50 * 60
        assert session.open_ns <= session.events["receive_time_ns"][0]


def test_half_day_opens_with_its_first_data(every: list[Session]) -> None:
    by_day = {s.day: s for s in every if s.instrument.symbol == "PETR4"}
    ash_wednesday, next_day = by_day[date(2025, 3, 5)], by_day[date(2025, 3, 6)]
    assert ash_wednesday.open_ns == ash_wednesday.events["receive_time_ns"][0]
    assert next_day.open_ns // NS_PER_SECOND % 86_400 == 13 * 3600


def test_given_aggressor_agrees_with_the_next_price_change(april: list[Session]) -> None:
    """Checks that 4 is the buyer: the correlation is clearly positive (0.37-0.47 in the data sheet's own measure)."""
    for symbol in ("PETR4", "VALE3"):
        (session,) = (s for s in april if s.instrument.symbol == symbol and s.day.day == 8)
        prints = session.events[session.events["kind"] == TRADE]
        moves = np.flatnonzero(np.diff(prints["price_ticks"]))
        change = np.sign(np.diff(prints["price_ticks"])[moves])
        assert np.corrcoef(prints["side"][moves + 1], change)[0, 1] > 0.3


def test_quotes_are_stale_against_prints(folder: Path) -> None:
    verdicts = B3Reader().audit(sorted(folder.glob("*2025-04-0*.csv.gz")))
    assert {v.verdict for v in verdicts} == {Verdict.LIMITED}
    stale = {v.path.name: next(f.count for f in v.findings if f.code == "stale_quotes") for v in verdicts}
    at_touch = [1 - stale[v.path.name] / v.counts["trades"] for v in verdicts]
    assert min(at_touch) > 0.15
    assert max(at_touch) < 0.40  # 19-38 % in the first study of these files


def test_every_file_is_thinned_by_the_source(every: list[Session], folder: Path) -> None:
    for verdict in B3Reader().audit(sorted(folder.glob("*.csv.gz"))[::6]):
        assert "thinned" in {f.code for f in verdict.findings}
        assert Analysis.FORECAST not in verdict.voids
    steps = np.concatenate([np.diff(s.events["sequence"]) for s in every if s.instrument.symbol == "PETR4"])
    assert 10 <= np.median(steps[steps > 0]) <= 100


def test_opening_auction_of_the_half_day_is_dropped(every: list[Session]) -> None:
    """80 prints of one instant name a buyer although the book still shows the crossed quotes of the call."""
    session = next(s for s in every if s.day == date(2025, 3, 5))
    assert session.counts["auction_dropped"] == 140
    assert session.events["row"][session.events["kind"] == TRADE][0] > 81


def test_crossed_rows_are_found_and_never_give_a_mid(every: list[Session]) -> None:
    session = next(s for s in every if s.instrument.symbol == "ETHE11")
    book_after = views(session.events)
    crossed = book_after["bid_ticks"] > book_after["ask_ticks"]
    assert crossed.any()
    assert np.isnan(book_after["mid_ticks"][crossed & (book_after["ask_ticks"] > 0)]).all()


def test_prices_are_whole_ticks_and_sizes_whole_shares(every: list[Session]) -> None:
    etf = next(s for s in every if s.instrument.symbol == "XPML11")
    prints = etf.events[etf.events["kind"] == TRADE]
    assert prints["size_lots"].min() == 1
    assert 9_000 < np.median(prints["price_ticks"]) < 11_000


def test_effective_half_spread_of_petr4_is_about_half_a_tick(every: list[Session]) -> None:
    """One tick is 2.9 bps; the first study of these files found 1.5-1.7 bps."""
    means = []
    for session in every:
        if session.instrument.symbol == "PETR4":
            prints = session.events[session.events["kind"] == TRADE]
            half = half_spreads(prints["receive_time_ns"], prints["price_ticks"], prints["side"])
            means.append((half / prints["price_ticks"]).mean() * 1e4)
    assert np.median(means) == pytest.approx(1.6, abs=0.1)


def test_trade_derived_mid_costs_less_than_the_stale_quote(april: list[Session]) -> None:
    session = next(s for s in april if s.instrument.symbol == "PETR4")
    book_after = views(session.events)
    cost = {}
    for rule in (None, CORRECTED_QUOTE, QUOTE):
        tape = build_child_tape(session, book_after, rule)
        bps = tape.sign * (tape.price / tape.mid_before - 1) * 1e4
        cost[rule.name if rule else "default"] = np.nanmean(bps)
    assert 1.5 < cost["default"] < 2.2
    assert cost["default"] < cost["corrected_quote"] < cost["quote"]


def test_true_signs_are_used_and_rules_are_scored_against_them(april: list[Session]) -> None:
    session = next(s for s in april if s.instrument.symbol == "XPML11")
    book_after = views(session.events)
    signs, rule = sign_trades(session, book_after)
    prints = session.events["kind"] == TRADE
    assert rule == "true_flags"
    np.testing.assert_array_equal(signs[prints], session.events["side"][prints])
    accuracy = signing_accuracy(session, book_after)
    assert accuracy["lee_ready"].prints == session.counts["trades"]
    assert accuracy["lee_ready"].by_count > accuracy["lee_ready_5s"].by_count > 0.5


def test_an_absurd_price_is_refused(shared_data, tmp_path):
    import gzip

    lines = gzip.decompress((shared_data / "b3_ticks" / "RECV3_2025-04-07.csv.gz").read_bytes()).decode().splitlines()
    number = next(i for i, line in enumerate(lines) if ",trade," in line and i > 100)
    cells = lines[number].split(",")
    cells[4] = "999999"
    lines[number] = ",".join(cells)
    path = tmp_path / "RECV3_2025-04-07.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    (verdict,) = B3Reader().audit([path])
    assert verdict.verdict is Verdict.REFUSED
    assert f"row {number + 1}, field md_entry_px: price far from the day's median" in verdict.findings[0].text


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ABCD3,2,3025-04-07 13:30:02.0+00:00,book,,,,12.5,12.4", "not a time"),  # beyond 64 bits of nanoseconds
        ("ABCD3,2,2025-04-08 13:30:02.0+00:00,book,,,,12.5,12.4", "second day, found '2025-04-07 to 2025-04-08'"),
    ],
)
def test_a_file_is_one_day_of_this_century(tmp_path: Path, row: str, reason: str) -> None:
    (verdict,) = B3Reader().audit([write(tmp_path, book(1, 12.5, 12.4), row)])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text
