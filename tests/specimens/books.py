"""Binary books: Databento DBN, NASDAQ ITCH, IEX captures, hftbacktest arrays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dbn_tape as dbn
import iex_capture as iex
import itch_tape as itch
import numpy as np

from footprint.data.history import open_history
from footprint.data.planted import PlantedLaw
from footprint.data.readers.databento import DatabentoReader
from footprint.data.readers.hftbacktest import HftbacktestReader
from footprint.data.readers.hftbacktest_file import (
    BUY_BIT,
    EVENT_DTYPE,
    EXCHANGE_BIT,
    LOCAL_BIT,
    SELL_BIT,
    HftEvent,
)
from footprint.data.readers.iex import IexReader
from footprint.data.readers.itch import ItchReader
from footprint.data.readers.store import StoreReader, instruments
from footprint.data.synthetic import planted_sessions
from footprint.testing.fuzz_reader import Specimen
from footprint.testing.packing import Packed, pack
from specimens.records import dbn_record, itch_message, npy_row, pcap_packet

_BY_ORDER = "later messages name an order by its id and say nothing else of it twice"
_WINDOWS = "a record holds the whole window: the one after a damaged one changes it back"


def dbn_mbo(folder: Path) -> Specimen:
    snapshot = {"flags": dbn.SNAPSHOT | 8}
    records = [
        dbn.order(0, dbn.R, dbn.NONE, None, 0, 0, **snapshot),
        dbn.order(0, dbn.A, dbn.BID, 9.75, 9, 100, **snapshot),
        dbn.order(0, dbn.A, dbn.ASK, 10.75, 8, 101, flags=dbn.SNAPSHOT | 8 | dbn.LAST),
    ]
    for n in range(8):
        at, bid, ask = 10 * n, 2 * n + 1, 2 * n + 2
        records += [
            dbn.order(at + 1, dbn.A, dbn.BID, 10.00, 5 + n, bid),
            dbn.order(at + 2, dbn.A, dbn.ASK, 10.50, 7, ask),
            dbn.order(at + 3, dbn.M, dbn.ASK, 10.25, 4, ask),
            dbn.order(at + 4, dbn.T, dbn.BID, 10.25, 3, 900 + n, flags=0),
            dbn.order(at + 4, dbn.F, dbn.ASK, 10.25, 3, ask, flags=0),
            dbn.order(at + 4, dbn.C, dbn.ASK, 10.25, 3, ask),
            dbn.order(at + 5, dbn.C, dbn.BID, 10.00, 5 + n, bid, flags=0),
            dbn.order(at + 5, dbn.N, dbn.NONE, None, 0, 0),
        ]
    path = dbn.write(folder / "a.mbo.dbn", dbn.metadata("mbo"), records)
    return Specimen(DatabentoReader(), path, record_of=dbn_record, linked=True, why=_BY_ORDER)


def dbn_mbp_1(folder: Path) -> Specimen:
    records = []
    for n in range(8):
        records += [
            dbn.window(4 * n, dbn.A, dbn.BID, 10.0, 5, [(10.0, 5 + n, 10.25, 6)]),
            dbn.window(4 * n + 1, dbn.T, dbn.BID, 10.25, 6, [(10.0, 5 + n, 10.25, 6)], flags=0),
            dbn.window(4 * n + 1, dbn.C, dbn.ASK, 10.25, 6, [(10.0, 5 + n, 10.5, 3)]),
            dbn.window(4 * n + 2, dbn.C, dbn.BID, 10.0, 5, [(None, 0, 10.5, 3)]),
        ]
    records.append(dbn.window(40, dbn.R, dbn.NONE, 0.25, 0, [(None, 0, None, 0)]))
    path = folder / "a.mbp-1.dbn.zst"
    path.write_bytes(pack(Packed("zst", (("", dbn.metadata("mbp-1") + b"".join(records)),))))
    return Specimen(DatabentoReader(), path, record_of=dbn_record, reach=1, why=_WINDOWS)


def dbn_mbp_10(folder: Path) -> Specimen:
    records = []
    for n in range(6):
        levels = [(10.0 - 0.25 * k, 3 + n + k, 10.25 + 0.25 * k, 4 + n * k) for k in range(10)]
        records.append(dbn.window(n, dbn.A, dbn.BID, 10.0, 5, levels))
    path = dbn.write(folder / "a.mbp-10.dbn", dbn.metadata("mbp-10"), records)
    return Specimen(DatabentoReader(), path, record_of=dbn_record, reach=1, why=_WINDOWS)


def dbn_trades(folder: Path) -> Specimen:
    records = [dbn.trade(n, (dbn.BID, dbn.ASK)[n % 2], 10.0 + 0.25 * (n % 3), 1 + n) for n in range(24)]
    path = dbn.write(folder / "a.trades.dbn", dbn.metadata("trades"), records)
    return Specimen(DatabentoReader(), path, record_of=dbn_record)


def dbn_bbo(folder: Path) -> Specimen:
    records = [dbn.sample(n, (10.0, 5 + n, 10.25, 6), 10.0, 1, dbn.ASK) for n in range(12)]
    path = dbn.write(folder / "a.bbo-1s.dbn", dbn.metadata("bbo-1s"), records)
    return Specimen(DatabentoReader(), path, record_of=dbn_record, reach=1, why=_WINDOWS)


def dbn_two_symbols(folder: Path) -> Specimen:
    """Two instruments, definitions beside them."""
    definitions = [
        dbn.definition(0, "ESU4", 0.25, dbn.dbn.InstrumentClass.FUTURE),
        dbn.definition(0, "NQU4", 0.25, dbn.dbn.InstrumentClass.FUTURE, instrument_id=78),
    ]
    both = {77: "ESU4", 78: "NQU4"}
    beside = dbn.write(folder / "a.definition.dbn", dbn.metadata("definition", both), definitions)
    records = [dbn.trade(n, dbn.BID, 10.0, 1 + n, instrument_id=77 + n % 2) for n in range(16)]
    path = dbn.write(folder / "a.trades.dbn", dbn.metadata("trades", both), records)
    return Specimen(DatabentoReader(), path, (beside,), record_of=dbn_record)


def itch_day(folder: Path) -> Specimen:
    """Every message that the specification has, then a flow of orders."""
    letters = [itch.message(letter, at=itch.NOON - 5, stock="ABC") for letter in "HYLKJhNO"]
    market = [itch.message(letter, at=itch.NOON - 5, locate=0) for letter in "VW"]
    flow = itch.random_day(np.random.default_rng(3), 3, 60)
    content = [
        itch.message("S", at=itch.NOON - 9, locate=0, event="O"),
        itch.message("R", at=itch.NOON - 8, locate=9, stock="ABC", round_lot_size=100),
        *market,
        *letters,
        itch.message("I", at=itch.NOON - 4, locate=9, direction="B"),
        *flow,
        itch.message("B", at=itch.NOON + 10**6, match_number=1),
        itch.message("S", at=itch.NOON + 10**9, locate=0, event="C"),
    ]
    path = itch.write(folder, content)
    return Specimen(ItchReader(), path, record_of=itch_message, linked=True, why=_BY_ORDER)


def iex_deep(folder: Path) -> Specimen:
    m = iex.message
    segments = [
        [m("S", flags="O"), m("D", round_lot_size=100)],
        [m("H", flags="T"), m("O", flags="N")],
        [m("8", 1, flags=1, size=300), m("5", 2, flags=1, size=200, price=100_100)],
        [
            m("T", 3, size=200, price=100_100),
            m("5", 3, flags=0, size=0, price=100_100),
            m("T", 3, size=50, price=100_200, flags=0x80),
            m("5", 3, flags=1, size=150, price=100_200),
        ],
        [m("T", 4, size=70, price=100_000, flags=0x08)],
        [m("O", 5, flags="O"), m("H", 6, flags="H")],
        [m("O", 7, flags="N"), m("H", 8, flags="T")],
        [m(letter, 9) for letter in "BXAPEI"],
        *[[m("8", 10 + n, flags=1, size=100 + n, price=99_000 + 100 * (n % 5))] for n in range(10)],
        [],
    ]
    return Specimen(IexReader(), _iex(folder, segments, iex.DEEP), record_of=pcap_packet)


def iex_tops(folder: Path) -> Specimen:
    segments = []
    for n in range(12):
        quote = {"bid_size": 100 + n, "bid_price": 99_900, "ask_price": 100_100, "ask_size": 200}
        segments.append([iex.message("Q", 2 * n, **quote), iex.message("T", 2 * n + 1, size=10 + n, trade_id=n)])
    return Specimen(IexReader(), _iex(folder, segments, iex.TOPS), record_of=pcap_packet)


def _iex(folder: Path, segments: list[list[bytes]], protocol: int) -> Path:
    sequence, packed = 1, []
    for at, messages in enumerate(segments):
        packed.append(iex.segment(messages, sequence, protocol=protocol, sent=at))
        sequence += len(messages)
    return iex.capture(folder, packed)


_US0 = 1_680_652_700_000_000
_BOTH = EXCHANGE_BIT | LOCAL_BIT


def hft_flat(folder: Path) -> Specimen:
    rows = []
    for n in range(24):
        time_us = _US0 + n * 1000
        kind = (HftEvent.DEPTH_SNAPSHOT, HftEvent.DEPTH, HftEvent.TRADE)[n % 3 if n > 3 else 0]
        rows.append((kind, time_us, time_us + 10_000, (1, -1)[n % 2], 99.5 + n % 2, 1.0 + n))
    return _hft(folder, np.array(rows, np.float64))


def hft_clear(folder: Path) -> Specimen:
    rows = []
    for n in range(20):
        time_us = _US0 + n * 1000
        kind = HftEvent.DEPTH_CLEAR if n % 8 == 7 else HftEvent.DEPTH
        rows.append((kind, time_us, time_us + 10_000, (1, -1)[n % 2], 99.5 + n % 2 + n % 4, 1.0 + n))
    return _hft(folder, np.array(rows, np.float64))


def hft_named(folder: Path) -> Specimen:
    rows = []
    kinds = (HftEvent.DEPTH, HftEvent.TRADE, HftEvent.DEPTH_BBO, HftEvent.DEPTH_SNAPSHOT)
    for n in range(24):
        time_ns = (_US0 + n * 1000) * 1000
        side = (BUY_BIT, SELL_BIT)[n % 2]
        kind = kinds[n // 2 % 4]
        rows.append((kind | side | _BOTH, time_ns, time_ns + 10_000_000, 99.5 + n % 2, 1.0 + n, 0, 0, 0.0))
    return _hft(folder, np.array(rows, EVENT_DTYPE))


def _hft(folder: Path, data: np.ndarray) -> Specimen:
    path = folder / "btcusdt_20230404.npz"
    np.savez_compressed(path, data=data)
    return Specimen(HftbacktestReader(), path, record_of=npy_row)


def store_data(folder: Path) -> Specimen:
    return _store(folder, "events/**/*.parquet")


def store_log(folder: Path) -> Specimen:
    return _store(folder, "events/_delta_log/*.json")


def store_catalogue(folder: Path) -> Specimen:
    return _store(folder, "sessions/**/*.parquet")


def _store(folder: Path, damaged: str) -> Specimen:
    sessions = planted_sessions(PlantedLaw(), 1, np.random.default_rng(0))
    with open_history(folder).writing() as writer:
        for session in sessions:
            writer.put(replace(session, events=session.events[:40]), ())
    path = sorted(folder.glob(damaged))[-1]
    why = "columnar; a day is read only when it has the hash under which it was stored"
    return Specimen(StoreReader(), path, root=folder, store=instruments(folder)[0], record_of=None, why=why)


SPECIMENS = {
    "databento/mbo": dbn_mbo,
    "databento/mbp-1": dbn_mbp_1,
    "databento/mbp-10": dbn_mbp_10,
    "databento/trades": dbn_trades,
    "databento/bbo": dbn_bbo,
    "databento/two": dbn_two_symbols,
    "itch/day": itch_day,
    "iex/deep": iex_deep,
    "iex/tops": iex_tops,
    "hftbacktest/flat": hft_flat,
    "hftbacktest/clear": hft_clear,
    "hftbacktest/named": hft_named,
    "store/data": store_data,
    "store/log": store_log,
    "store/catalogue": store_catalogue,
}
