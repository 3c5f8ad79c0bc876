"""Every oddity of the real Binance recordings."""

import numpy as np
import pytest

from footprint.book.price_levels import PriceLevelBook
from footprint.book.replay import views
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.binance_check import check_binance_frames, compare_book_with_quotes
from footprint.data.readers.binance_frames import read_frames, units
from footprint.data.verdict import Analysis, Verdict
from footprint.market.events import EventFlag, EventKind, event_time_ns

READER = BinanceReader()
AUGUST = [f"{market}_20240808.gz" for market in ("spot/btcusdt", "spot/ethusdt", "cm/btcusd_perp", "cm/ethusd_perp")]
AUGUST += ["usdm/btcusdt_20240808.gz", "usdm/ethusdt_20240808.gz"]


@pytest.fixture(scope="module")
def raw(shared_data):
    return shared_data / "binance_raw"


@pytest.fixture(scope="module")
def spot_btc(raw):
    (session,) = READER.sessions([raw / "spot/btcusdt_20240808.gz"])
    return session


@pytest.fixture(scope="module")
def nexo(raw):
    (session,) = READER.sessions(sorted((raw / "spot").glob("nexousdt*")))
    return session


@pytest.mark.parametrize("name", [*AUGUST, "usdm/btcusdt_20240718.gz", "usdm/btcusdt_20230404.dat.gz"])
def test_the_book_equals_the_best_quotes_at_every_shared_id(raw, name):
    counts = check_binance_frames(raw / name)
    assert {k: counts[k] for k in ("gaps", "crossed", "one_sided", "mismatches")} == dict.fromkeys(
        ("gaps", "crossed", "one_sided", "mismatches"), 0
    )
    assert counts["shared_ids"] >= 100


def test_without_buffering_the_late_snapshot_crosses_the_book(raw, spot_btc):
    """Trap 1: updates that arrive before the snapshot and are newer than it."""
    assert spot_btc.counts["depth_updates_newer_than_snapshot"] == 1
    book, started, crossed = PriceLevelBook(), False, 0
    for frame in read_frames(raw / "spot/btcusdt_20240808.gz"):
        bids, asks = ("bids", "asks") if frame.event == "snapshot" else ("b", "a")
        if frame.event == "snapshot" or (started and frame.event == "depthUpdate"):
            started = True
            for side, field in ((1, bids), (-1, asks)):
                for price, size in frame.body[field]:
                    book.set(side, units(price), units(size))
            crossed += book.best(1) >= book.best(-1)
    assert crossed > 1000
    assert compare_book_with_quotes(spot_btc)["crossed"] == 0


@pytest.mark.parametrize(("name", "behind_s"), [("usdm/btcusdt_20240718.gz", 1.52), ("spot/btcusdt_20240808.gz", 1.27)])
def test_a_local_clock_behind_the_exchange_voids_latency_and_is_kept_as_it_is(raw, name, behind_s):
    """Trap 2."""
    (verdict,) = READER.audit([raw / name])
    assert verdict.verdict is Verdict.LIMITED
    assert verdict.voids == (Analysis.LATENCY,)
    (finding,) = verdict.findings
    assert finding.code == "receive_before_exchange"
    assert f"is -{behind_s:.2f}" in finding.text


def test_the_snapshot_has_1000_levels_and_deeper_ones_appear_later(spot_btc):
    """Trap 3."""
    events = spot_btc.events
    first = events[(events["flags"] & EventFlag.SNAPSHOT) != 0]
    book = PriceLevelBook()
    book.apply(events)
    for side in (1, -1):
        shown = first[first["side"] == side]["price_ticks"]
        later = book.levels(side, 10**6)[:, 0]
        assert len(shown) == 1000
        deepest = (side * shown).min()
        assert (side * later < deepest).any()


@pytest.mark.parametrize(("name", "usd"), [("cm/btcusd_perp_20240808.gz", 100.0), ("cm/ethusd_perp_20240808.gz", 10.0)])
def test_coin_margined_quantities_are_contracts(raw, name, usd):
    """Trap 4."""
    (session,) = READER.sessions([raw / name])
    instrument = session.instrument
    assert (instrument.lot_size, instrument.multiplier, instrument.inverse) == (1.0, usd, True)


def _agreement(events, lead_ns):
    """Share of first prints whose side is that of price against the mid known `lead_ns` before they were received."""
    events = events[events["kind"] != EventKind.LEVEL]
    view = views(events)
    trade = np.flatnonzero(events["kind"] == EventKind.TRADE)
    trade = trade[np.diff(events["exchange_time_ns"][trade], prepend=0) != 0]
    received = events["receive_time_ns"]
    before = np.searchsorted(received, received[trade] - lead_ns, side="left") - 1
    known = before >= 0
    mid = view["mid_ticks"][before[known]]
    return (np.sign(events["price_ticks"][trade[known]] - mid) == events["side"][trade[known]]).mean()


def test_buyer_is_maker_means_a_seller_was_the_aggressor(raw):
    (session,) = READER.sessions([raw / "cm/btcusd_perp_20240808.gz"])
    assert _agreement(session.events, 0) > 0.99


def test_on_spot_the_quotes_that_a_trade_causes_are_received_before_it(spot_btc):
    """The mid just before a trade in order of receipt has its impact in it already; 30 ms earlier it has not."""
    assert _agreement(spot_btc.events, 0) < 0.85
    assert _agreement(spot_btc.events, 30_000_000) > 0.9


def test_two_nexo_files_are_one_session_without_a_gap(nexo, raw):
    assert nexo.counts["trades"] == 12_458
    assert [p.name for p in nexo.paths] == ["nexousdt_20240723.dat.gz", "nexousdt_20240724.dat.gz"]
    assert (nexo.day.isoformat(), nexo.counts.get("gaps", 0)) == ("2024-07-23", 0)
    assert round((nexo.close_ns - nexo.open_ns) / 3.6e12, 1) == 24.3
    assert (np.diff(event_time_ns(nexo.events)) >= 0).all()
    counts = compare_book_with_quotes(nexo)
    assert (counts["crossed"], counts["mismatches"]) == (0, 0)
    assert counts["shared_ids"] > 10_000


def test_the_second_nexo_file_alone_has_no_snapshot(raw):
    (verdict,) = READER.audit([raw / "spot/nexousdt_20240724.dat.gz"])
    assert "no_snapshot" in {f.code for f in verdict.findings}
    assert {Analysis.BOOK, Analysis.DEPTH} <= set(verdict.voids)


def test_microseconds_and_funding_frames_of_2023(raw):
    (session,) = READER.sessions([raw / "usdm/btcusdt_20230404.dat.gz"])
    assert session.counts["markPriceUpdate_frames_ignored"] == 99
    assert session.counts["frames"] == 13_384
    assert round((session.close_ns - session.open_ns) / 1e9) == 100


def test_views_of_a_session_are_two_sided_and_uncrossed_once_the_first_quote_is_there(spot_btc):
    view = views(spot_btc.events)
    known = ~np.isnan(view["mid_ticks"])
    assert known[np.argmax(known) :].all()
    assert (view["spread_ticks"][known] > 0).all()
    assert (view["bid_depth_10bps_lots"][-1000:] > view["bid_lots"][-1000:]).all()
