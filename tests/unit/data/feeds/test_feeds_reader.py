"""The reader of captures: its contract, what it refuses, what it survives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from feed_frames import START_NS, STEP_NS

from footprint.data.feeds.recording import RecordingWriter
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.data.readers.frames import FramesReader, _filled, instrument
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME
from footprint.market.instruments import AssetClass
from footprint.testing.check_reader import check_reader
from footprint.testing.fuzz_reader import Specimen, fuzz_reader

WS = "wss://futures.kraken.com/ws/v1"
MS = START_NS // 1_000_000


def book(seq: int, price: float, qty: float, side: str = "buy") -> bytes:
    fields = {"feed": "book", "product_id": "PI_XBTUSD", "side": side, "seq": seq, "price": price, "qty": qty}
    return json.dumps(fields | {"timestamp": MS}).encode()


def trade(seq: int, price: float, side: str = "sell") -> bytes:
    fields = {"feed": "trade", "product_id": "PI_XBTUSD", "side": side, "seq": seq, "price": price, "qty": 3.0}
    return json.dumps(fields | {"time": MS}).encode()


SNAPSHOT = {"feed": "book_snapshot", "product_id": "PI_XBTUSD", "timestamp": MS, "seq": 5}
SNAPSHOT |= {"bids": [{"price": 100.5, "qty": 7.0}], "asks": [{"price": 101.0, "qty": 8.0}]}


def feed(*extra: bytes) -> list[bytes]:
    changes = [book(6 + n, 90.5 + n % 10, float(n % 4)) for n in range(40)]
    return [json.dumps(SNAPSHOT).encode(), trade(1, 100.5), *changes, trade(2, 101.0, "buy"), *extra]


def frames(payloads: list[bytes]) -> list[RawFrame]:
    found = [RawFrame(1, START_NS, FrameKind.CONNECTED, b"", WS)]
    return found + [
        RawFrame(n, START_NS + n * STEP_NS, FrameKind.RECEIVED, payload, WS)
        for n, payload in enumerate(payloads, start=2)
    ]


def recorded(path: Path, payloads: list[bytes], protocol: str = "kraken-futures-1") -> Path:
    with RecordingWriter(path, protocol) as writer:
        for frame in frames(payloads):
            writer.append(frame)
    return path


def captured(path: Path, payloads: list[bytes]) -> Path:
    lines = [f"{WS} <-> {START_NS / 1e9:.6f}".encode()]
    lines += [f"{START_NS // 10**9}.{n:09d}: ".encode() + payload for n, payload in enumerate(payloads, start=2)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def codes(path: Path) -> dict[str, tuple[int, bool]]:
    (verdict,) = FramesReader().audit([path])
    return {finding.code: (finding.count, finding.refuses) for finding in verdict.findings}


def test_the_contract_of_a_reader(tmp_path: Path) -> None:
    paths = [recorded(tmp_path / "b.frames", feed()), captured(tmp_path / "KRAKEN_FUTURES.ws.1.0", feed())]
    (tmp_path / "two").mkdir()
    paths.append(recorded(tmp_path / "two" / "a.frames", feed()))
    assert len(check_reader(FramesReader(), paths)) == 3


def test_ticks_and_lots(tmp_path: Path) -> None:
    (session,) = FramesReader().sessions([recorded(tmp_path / "a.frames", feed())])
    known = session.instrument
    assert (known.symbol, known.venue, known.inverse, known.tick_size, known.lot_size) == (
        "PI_XBTUSD",
        "kraken-futures",
        True,
        0.5,
        1.0,
    )
    prints = session.events[session.events["kind"] == 7]
    assert prints["price_ticks"].tolist() == [201, 202]
    assert prints["side"].tolist() == [-1, 1]
    assert session.counts["trades"] == 2


@pytest.mark.parametrize(
    ("prices", "sizes", "tick", "lot"),
    [
        ((303.05,), (8.12974,), 0.05, 1e-5),  # a lone print divides by anything
        ((50_000.1, 50_000.4), (201.0, 402.0), 0.1, 1.0),
        ((101.25, 98.75), (3000.0, 100.0), 0.25, 100.0),
        ((97.5, 100.0), (0.004, 0.008), 2.5, 0.001),
    ],
)
def test_few_prints_do_not_make_their_divisor_the_tick(
    tmp_path: Path, prices: tuple[float, ...], sizes: tuple[float, ...], tick: float, lot: float
) -> None:
    body = {"feed": "trade", "product_id": "PI_XBTUSD", "side": "buy", "time": MS}
    numbered = enumerate(zip(prices, sizes, strict=True), start=1)
    payloads = [json.dumps(body | {"seq": n, "price": p, "qty": q}).encode() for n, (p, q) in numbered]
    path = recorded(tmp_path / "a.frames", payloads)
    (session,) = FramesReader().sessions([path])
    assert (session.instrument.tick_size, session.instrument.lot_size) == (tick, lot)
    assert session.events["price_ticks"] * tick == pytest.approx(prices)
    assert session.events["size_lots"] * lot == pytest.approx(sizes)
    assert "no_book" in codes(path)


def test_best_quotes_alone_are_not_a_book_without_its_snapshot(tmp_path: Path) -> None:
    quote = {"s": "RADUSDT", "b": [["0.6443", "112.8"]], "a": [["0.6445", "38.5"]], "u": 5510741, "seq": 1}
    frame = json.dumps({"topic": "orderbook.1.RADUSDT", "type": "snapshot", "ts": MS, "data": quote, "cts": MS})
    (verdict,) = FramesReader().audit([recorded(tmp_path / "a.frames", [frame.encode()], "bybit-5")])
    found = {f.code: f.text for f in verdict.findings}
    assert found["no_book"] == "RADUSDT: best quotes only, no book"
    assert "no_snapshot" not in found


def test_holes_doubles_and_bad_frames_are_findings(tmp_path: Path) -> None:
    payloads = feed()
    path = recorded(tmp_path / "a.frames", [*payloads[:10], payloads[9], b"{", *payloads[11:]])
    (verdict,) = FramesReader().audit([path])
    found = {f.code: f for f in verdict.findings}
    assert {"gap", "duplicates", "quarantined"} <= found.keys()
    assert "1 ids known to be missing; first PI_XBTUSD row 14: missing ids, from 13 to 15" in found["gap"].text
    assert "row 13: not JSON" in found["quarantined"].text
    assert verdict.verdict is Verdict.LIMITED
    assert Analysis.BOOK in verdict.voids
    (session,) = FramesReader().sessions([path])
    assert {9, 8, 10} <= set(session.events["kind"].tolist())


def test_a_crossed_book_is_a_finding(tmp_path: Path) -> None:
    crossed = [book(46, 102.0, 1.0), book(47, 102.0, 0.0)]
    assert codes(recorded(tmp_path / "a.frames", feed(*crossed)))["crossed_book"] == (1, False)


def test_a_torn_tail_is_a_finding(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.frames", feed())
    path.write_bytes(path.read_bytes()[:-3])
    assert "cut_off" in codes(path)


@pytest.mark.parametrize(
    ("payloads", "protocol", "reason"),
    [
        ([b"junk"] * 5, "kraken-futures-1", "not_frames_of_kraken-futures-1"),
        ([b'{"event":"info"}'], "kraken-futures-1", "no_market_data"),
        (feed(), "other-1", "no_protocol_'other-1',_known:"),
    ],
)
def test_refusals(tmp_path: Path, payloads: list[bytes], protocol: str, reason: str) -> None:
    path = recorded(tmp_path / "a.frames", payloads, protocol)
    (code,) = codes(path)
    assert code.startswith(reason)
    with pytest.raises(DataRefused, match=r"a\.frames"):
        list(FramesReader().sessions([path]))


def test_an_unknown_venue_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "X.ws.1.0"
    path.write_bytes(b"wss://example.org <-> 1618678132.1\n1618678132.2: {}\n")
    assert codes(path) == {"unknown_venue": (1, True)}


@pytest.mark.parametrize(
    ("venue", "symbol", "kind", "inverse", "currency"),
    [
        ("binance-spot", "BTCUSDT", AssetClass.SPOT_CRYPTO, False, "USDT"),
        ("binance-usdm", "BTCUSDT", AssetClass.PERPETUAL, False, "USDT"),
        ("bybit", "BTCUSD", AssetClass.PERPETUAL, True, "USD"),
        ("bitmex", "XBTUSD", AssetClass.PERPETUAL, True, "USD"),
        ("deribit", "BTC-PERPETUAL", AssetClass.PERPETUAL, True, "USD"),
        ("deribit", "BTC-24SEP21-8000-P", AssetClass.OPTION, False, "BTC"),
        ("kraken-futures", "FI_ETHUSD_210625", AssetClass.FUTURE, True, "USD"),
        ("kraken-futures", "PF_ETHUSD", AssetClass.PERPETUAL, False, "USD"),
        ("kraken", "XBT/CHF", AssetClass.SPOT_CRYPTO, False, "CHF"),
        ("bitfinex", "BFTUSD", AssetClass.SPOT_CRYPTO, False, "USD"),
        ("okx", "UNI-USD-SWAP", AssetClass.PERPETUAL, False, "USD"),
    ],
)
def test_instruments(venue: str, symbol: str, kind: AssetClass, inverse: bool, currency: str) -> None:
    known = instrument(venue, symbol, 0.1, 1.0)
    assert (known.asset_class, known.inverse, known.currency) == (kind, inverse, currency)


@pytest.mark.parametrize("made", [recorded, captured])
def test_damaged_files_are_refused_or_read(tmp_path: Path, made) -> None:  # type: ignore[no-untyped-def]
    path = made(tmp_path / "KRAKEN_FUTURES.ws.1.0", feed())
    folder = tmp_path / "damaged"
    folder.mkdir()
    specimen = Specimen(FramesReader(), path, record_of=None)
    report = fuzz_reader(specimen, range(250), folder)
    assert report.failures == ()
    assert report.outcomes["refused"] > 0


def test_sessions_come_in_order_of_symbol(tmp_path: Path) -> None:
    other = [payload.replace(b"PI_XBTUSD", b"AB_XBTUSD") for payload in feed()]
    paths = [recorded(tmp_path / "a.frames", feed()), recorded(tmp_path / "b.frames", other)]
    assert [s.instrument.symbol for s in FramesReader().sessions(paths)] == ["AB_XBTUSD", "PI_XBTUSD"]
    events = [s.events for s in FramesReader().sessions(paths)]
    assert all((np.diff(e["receive_time_ns"]) >= 0).all() for e in events)


def test_a_message_without_a_time_has_that_of_its_neighbour() -> None:
    unknown = UNKNOWN_TIME
    filled = _filled(np.array([unknown, 5, unknown, 4, 6, unknown]))
    assert filled.tolist() == [5, 5, 5, 4, 6, 6]
    assert _filled(np.array([unknown, unknown])).tolist() == [unknown, unknown]
