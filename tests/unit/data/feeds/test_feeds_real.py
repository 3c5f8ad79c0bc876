"""Every capture of real venues: what is in it, and that nothing of it is lost, refused or crossed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from footprint.book.replay import book_kind, views
from footprint.data.feeds.book_sync import Gap
from footprint.data.feeds.capture import Capture, captures
from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.protocols import protocol
from footprint.data.feeds.recording import RecordingWriter
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.data.files.compressed import read_all
from footprint.data.files.lines import read_lines
from footprint.data.readers.frames import FramesReader
from footprint.data.verdict import Verdict
from footprint.market.events import EventKind


class Real(NamedTuple):
    """What a capture holds."""

    protocol: str
    received: int
    symbols: int
    snapshots: int
    updates: int
    trades: int
    events: int


CAPTURES = {
    "BINANCE": Real("binance-spot-1", 1003, 4, 4, 546, 28, 24601),
    "BINANCE_FUTURES": Real("binance-usdm-1", 3259, 4, 4, 1016, 185, 25982),
    "BITFINEX": Real("bitfinex-2", 1693, 7, 7, 1593, 0, 2933),
    "BITMEX": Real("bitmex-1", 2021, 10, 10, 1852, 8, 7496),
    "BITSTAMP": Real("bitstamp-2", 747, 10, 10, 717, 10, 11160),
    "BLOCKCHAIN": Real("blockchain-1", 578, 10, 10, 548, 0, 797),
    "BYBIT": Real("bybit-2", 4440, 10, 10, 4268, 246, 23250),
    "COINBASE": Real("coinbase-1", 9946, 10, 10, 9719, 97, 18188),
    "DERIBIT": Real("deribit-2", 136, 10, 10, 36, 0, 159),
    "DYDX": Real("dydx-3", 2141, 10, 10, 2120, 0, 3703),
    "GEMINI": Real("gemini-2", 678, 10, 10, 645, 16, 4600),
    "INDEPENDENT_RESERVE": Real("independent-reserve-1", 1665, 5, 5, 6652, 0, 3373),
    "KRAKEN": Real("kraken-1", 4430, 10, 10, 4269, 10, 11765),
    "KRAKEN_FUTURES": Real("kraken-futures-1", 7123, 10, 10, 6528, 3, 7771),
    "KUCOIN": Real("kucoin-1", 4721, 9, 9, 3853, 18, 10352),
    "OKX": Real("okx-5", 3777, 10, 20, 3659, 15, 11961),
}


def files(shared_data: Path, venue: str) -> list[Path]:
    folder = shared_data / "ws_frames" / "cryptofeed"
    return sorted(p for p in folder.iterdir() if p.name.startswith(f"{venue}.") and p.suffix == ".gz")


def only(paths: list[Path]) -> Capture:
    (capture,) = captures(paths)
    return capture


@pytest.mark.parametrize("venue", CAPTURES)
def test_a_capture(shared_data: Path, venue: str) -> None:
    expected, paths = CAPTURES[venue], files(shared_data, venue)
    verdicts = FramesReader().audit(paths)
    assert [verdict.path for verdict in verdicts] == paths
    assert all(verdict.verdict is not Verdict.REFUSED for verdict in verdicts)
    counts = verdicts[0].counts
    found = sum(counts.get(what, 0) for what in ("quarantined", "gaps", "checksum_mismatches", "crossed_messages"))
    assert found == 0
    sessions = list(FramesReader().sessions(paths))
    assert (
        Real(
            expected.protocol,
            counts["received"],
            len(sessions),
            counts["snapshots"],
            counts["updates"],
            counts.get("trades", 0),
            sum(len(session.events) for session in sessions),
        )
        == expected
    )
    for session in sessions:
        events = session.events
        assert (np.diff(events["receive_time_ns"]) >= 0).all()
        assert (events["size_lots"] >= 0).all()
        assert session.instrument.venue == protocol(expected.protocol).venue
        book = events[~np.isin(events["kind"], (EventKind.TRADE, EventKind.QUOTE))]
        seen = views(book, book_kind(book))
        two_sided = (seen["bid_ticks"] > 0) & (seen["ask_ticks"] > 0)
        last = book["flags"] & 2 != 0
        assert not (two_sided & last & (seen["bid_ticks"] > seen["ask_ticks"])).any()


def findings(shared_data: Path, venue: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in FramesReader().audit(files(shared_data, venue))[0].findings:
        counts[finding.code] = counts.get(finding.code, 0) + finding.count
    return counts


@pytest.mark.parametrize(
    ("venue", "expected"),
    [
        # deletes of levels beyond the snapshot: the venues document that they send them
        ("BINANCE", {"unknown_deletes": 67}),
        ("BINANCE_FUTURES", {"unknown_deletes": 973}),
        ("GEMINI", {"unknown_deletes": 34}),
        # orders that were cancelled before the snapshot was made, and one that costs nothing in dollars
        ("INDEPENDENT_RESERVE", {"unknown_deletes": 37, "orders_without_price": 1}),
        # the capture asked for every channel twice: snapshots came twice
        ("OKX", {"duplicates": 10, "past_trade": 4, "empty_side": 9}),  # two options have no bid
        # the recorder's clock was behind the venue's
        ("COINBASE", {"receive_before_exchange": 8959, "past_trade": 10}),
        ("BITSTAMP", {"receive_before_exchange": 882}),
        # sizes of 8 decimals of coins that cost less than a millionth
        ("KUCOIN", {"sizes_rounded": 13}),
        ("DYDX", {"past_trade": 10, "no_exchange_time": 1}),
        ("BITFINEX", {"past_trade": 7, "no_exchange_time": 1}),
    ],
)
def test_oddities(shared_data: Path, venue: str, expected: dict[str, int]) -> None:
    found = findings(shared_data, venue)
    found.pop("no_trades", None)
    assert found == expected


def test_every_checksum_agrees(shared_data: Path) -> None:
    for venue, count in (("KRAKEN", 4269), ("OKX", 3669)):
        counts = FramesReader().audit(files(shared_data, venue))[0].counts
        assert (counts["checksums"], counts.get("checksum_mismatches", 0)) == (count, 0)


def test_both_formats_of_the_kraken_capture_give_the_same_events(shared_data: Path) -> None:
    json_lines = shared_data / "ws_frames" / "cryptofeed" / "KRAKEN.jsonl.zst"
    old = list(FramesReader().sessions(files(shared_data, "KRAKEN")))
    new = list(FramesReader().sessions([json_lines]))
    assert [s.instrument for s in old] == [s.instrument for s in new]
    for one, other in zip(old, new, strict=True):
        for name in one.events.dtype.names or ():
            if name != "row":
                np.testing.assert_array_equal(one.events[name], other.events[name])


def test_lighter(shared_data: Path) -> None:
    path = shared_data / "ws_frames" / "lighter" / "public_mainnet.json.gz"
    (verdict,) = FramesReader().audit([path])
    assert verdict.verdict is Verdict.LIMITED
    counts = verdict.counts
    assert (counts["frames"], counts.get("quarantined", 0), counts["updates"], counts["trades"]) == (20, 0, 14, 1)
    assert counts["duplicates"] == 1  # the first update repeats the snapshot's offset
    codes = {finding.code for finding in verdict.findings}
    assert {"no_receive_time", "clock_repaired", "past_trade", "duplicates"} == codes
    (session,) = FramesReader().sessions([path])
    assert (session.instrument.tick_size, session.instrument.lot_size, len(session.events)) == (0.1, 1e-5, 6849)
    assert (np.diff(session.events["exchange_time_ns"]) >= 0).all()


@pytest.mark.parametrize("venue", ["BINANCE", "KRAKEN", "BITFINEX", "INDEPENDENT_RESERVE"])
def test_a_recording_of_a_capture_gives_the_same_events(shared_data: Path, tmp_path: Path, venue: str) -> None:
    path = tmp_path / "again.frames"
    with RecordingWriter(path, CAPTURES[venue].protocol) as writer:
        for frame in only(files(shared_data, venue)):
            writer.append(frame)
    old = {s.instrument.symbol: s for s in FramesReader().sessions(files(shared_data, venue))}
    new = {s.instrument.symbol: s for s in FramesReader().sessions([path])}
    assert old.keys() == new.keys()
    names = [name for name in old[min(old)].events.dtype.names or () if name != "row"]
    for symbol, session in old.items():
        for name in names:
            np.testing.assert_array_equal(session.events[name], new[symbol].events[name])


def holes_without_one_frame(frames: list[RawFrame], name: str, left_out: int) -> list[Gap]:
    normaliser = Normaliser(protocol(name))
    for frame in frames[:left_out] + frames[left_out + 1 :]:
        normaliser.take(frame)
    return [gap for gap in normaliser.report().gaps if gap.symbol]


def book_changes(frames: list[RawFrame], name: str) -> list[int]:
    """Frames that changed a book that was changed again later."""
    normaliser, applied, latest = Normaliser(protocol(name)), [], {}
    for index, frame in enumerate(frames):
        before = normaliser.report().symbols
        normaliser.take(frame)
        for symbol, counts in normaliser.report().symbols.items():
            if counts.get("book_messages_applied", 0) > before.get(symbol, {}).get("book_messages_applied", 0):
                latest[symbol] = index
                if frame.kind is FrameKind.RECEIVED:
                    applied.append((index, symbol))
    return [index for index, symbol in applied if index < latest[symbol]]


@pytest.mark.parametrize("venue", ["BINANCE", "BINANCE_FUTURES", "KRAKEN_FUTURES", "KUCOIN", "BITFINEX", "BLOCKCHAIN"])
def test_a_frame_that_is_missing_is_a_hole_where_frames_are_numbered(shared_data: Path, venue: str) -> None:
    name = CAPTURES[venue].protocol
    frames = list(only(files(shared_data, venue)))[:1500]
    changes = book_changes(frames, name)
    for left_out in np.random.default_rng(7).choice(changes, 5, replace=False).tolist():
        first = holes_without_one_frame(frames, name, left_out)[0]
        assert first.reason in ("missing ids", "missing frames")
        assert first.missing >= 1 or venue == "BINANCE_FUTURES"  # its ids are not consecutive


@pytest.mark.parametrize("venue", ["KRAKEN", "OKX"])
def test_a_frame_that_is_missing_breaks_the_checksum_when_it_was_near_the_touch(shared_data: Path, venue: str) -> None:
    name = CAPTURES[venue].protocol
    frames = list(only(files(shared_data, venue)))[:1500]
    changes = book_changes(frames, name)
    chosen = np.random.default_rng(7).choice(changes, 8, replace=False).tolist()
    found = [holes_without_one_frame(frames, name, left_out) for left_out in chosen]
    assert all(gaps[0].reason == "checksum" for gaps in found if gaps)
    assert sum(bool(gaps) for gaps in found) >= 4  # a change deeper than the checksum looks is not seen by anyone


def test_raw_books_of_bitfinex_name_every_order(shared_data: Path) -> None:
    """30,000 frames of precision R0: no delete of an unknown order, never crossed."""
    path = shared_data / "bitfinex_l3" / "bitfinex_tBTCUSD_R0.first30000.jsonl.gz"
    normaliser = Normaliser(protocol("bitfinex-2-raw"))
    for row, line in enumerate(read_lines(path), start=1):
        normaliser.take(RawFrame(row, 1_600_000_000_000_000_000 + row, FrameKind.RECEIVED, line, "wss://x"))
    counts = normaliser.report().counts
    assert (counts["updates"], counts["snapshots"], counts["crossed_messages"]) == (29_997, 1, 0)
    assert not {"unknown_deletes", "quarantined", "gaps"} & counts.keys()


def test_books_of_bybit_5_are_numbered_without_holes(shared_data: Path) -> None:
    normaliser = Normaliser(protocol("bybit-5"))
    content = read_all(shared_data / "bybit_ob500" / "xrpusdt-ob500.data.zip")
    for row, line in enumerate(content.splitlines(), start=1):
        normaliser.take(RawFrame(row, 1_733_011_200_000_000_000 + row, FrameKind.RECEIVED, line, "wss://x"))
    counts = normaliser.report().counts
    assert (counts["snapshots"], counts["updates"], counts["crossed_messages"]) == (1, 49, 0)
    assert not {"quarantined", "gaps", "duplicates"} & counts.keys()
