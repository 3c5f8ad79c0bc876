"""Shares, futures and options: LOBSTER, LEAN, B3, SGX, TAQ."""

from __future__ import annotations

import gzip
from pathlib import Path

import equity_files
import lobster_tape

from footprint.data.readers.b3 import B3Reader
from footprint.data.readers.b3_option_trades import B3OptionTradesReader
from footprint.data.readers.b3_orders import B3OrdersReader
from footprint.data.readers.lean import LeanReader
from footprint.data.readers.lean_futures import LeanFuturesReader
from footprint.data.readers.lobster import LobsterReader
from footprint.data.readers.sgx import SgxReader
from footprint.data.readers.taq import TaqReader
from footprint.testing.fuzz_reader import Specimen
from specimens.records import block_line

_COLUMNAR = "columnar: the file does not say which bytes are of which row"
_CHANGES = "what the source repeats is told once: the row after a damaged one tells what it changes back"
_OPEN_MS = 34_200_000


def lobster(folder: Path) -> Specimen:
    path = lobster_tape.write(folder / "TEST_2012-06-21_34200000_57600000_2.zip")
    return Specimen(LobsterReader(), path, reach=1, why="a row of the book is read as its changes from the row above")


def lean_trades(folder: Path) -> Specimen:
    rows = [f"{_OPEN_MS + n * 250},{100_000 + n % 5 * 100},{100 + n},{'PQZD'[n % 4]},20000020,0" for n in range(24)]
    rows[5:5] = [f"{_OPEN_MS + 1100},100100,100,D,00000000,0", f"{_OPEN_MS + 1200},100100,100,Q,20000020,1"]
    return Specimen(LeanReader(), _lean_equity(folder, "trade", rows))


def lean_quotes(folder: Path) -> Specimen:
    rows = [f"{_OPEN_MS},100000,300,0,0,P,1,0", f"{_OPEN_MS},0,0,100200,400,Q,1,0"]
    for n in range(20):
        bid, ask = 100_000 + n % 4 * 100, 100_500 + n % 3 * 100
        rows.append(f"{_OPEN_MS + n * 300},{bid},{100 + n},{ask},{200 + n},Q,1,0")
    return Specimen(LeanReader(), _lean_equity(folder, "quote", rows), reach=1, why=_CHANGES)


def _lean_equity(folder: Path, kind: str, rows: list[str]) -> Path:
    member = f"20131007_abc_{kind.title()}_Tick.csv"
    return equity_files.zipped(folder / f"20131007_{kind}.zip", {member: "\n".join(rows) + "\n"})


def lean_futures(folder: Path) -> Specimen:
    path = equity_files.lean(folder, "future/comex/tick/gc", "20131007_trade.zip", equity_files.FUTURES)
    return Specimen(LeanFuturesReader(), path, root=folder)


_B3_HEADER = "symbol,rpt_seq,network_received_time,event_type,md_entry_px,md_entry_size,aggressor,en_s_px_1,en_b_px_1"


def b3(folder: Path) -> Specimen:
    rows = [_B3_HEADER]
    for n in range(24):
        start = f"ABCD3,{n + 1},2025-04-07 13:30:{n:02d}.123456789+00:00"
        ask, bid = f"{12.46 + n % 3 / 100:.2f}", f"{12.44 + n % 2 / 100:.2f}"
        print_ = f"trade,{(ask, bid)[n % 2]},{100 * (n + 1)}.0,{(4.0, 3.0)[n % 2]}" if n % 3 == 1 else "book,,,"
        rows.append(f"{start},{print_},{ask},{bid}")
    path = folder / "ABCD3_2025-04-07.csv.gz"
    path.write_bytes(gzip.compress(("\n".join(rows) + "\n").encode(), mtime=0))
    return Specimen(B3Reader(), path, headers=1, reach=1, why=_CHANGES)


def b3_orders(folder: Path) -> Specimen:
    path = equity_files.b3_orders(folder / "orders_ABCD3F_2015-11-03.parquet")
    return Specimen(B3OrdersReader(), path, record_of=None, why=_COLUMNAR)


def b3_options(folder: Path) -> Specimen:
    path = equity_files.b3_options(folder / "NEG_OPCOES_20151126.TXT.gz")
    return Specimen(B3OptionTradesReader(), path, headers=1)


def sgx(folder: Path) -> Specimen:
    path = equity_files.sgx(folder / "order_book_3_x.csv.gz", *equity_files.SGX_BLOCKS)
    why = "a snapshot of up to 8 lines is read as its changes from the one before"
    return Specimen(SgxReader(), path, record_of=block_line, headers=1, reach=8, why=why)


def taq_trades(folder: Path) -> Specimen:
    return Specimen(TaqReader(), equity_files.taq_trades(folder / "t.parquet"), record_of=None, why=_COLUMNAR)


def taq_quotes(folder: Path) -> Specimen:
    return Specimen(TaqReader(), equity_files.taq_quotes(folder / "q.parquet"), record_of=None, why=_COLUMNAR)


SPECIMENS = {
    "lobster/zip": lobster,
    "lean/trades": lean_trades,
    "lean/quotes": lean_quotes,
    "lean_futures/trades": lean_futures,
    "b3/ticks": b3,
    "b3_orders/orders": b3_orders,
    "b3_option_trades/trades": b3_options,
    "sgx/snapshots": sgx,
    "taq/trades": taq_trades,
    "taq/quotes": taq_quotes,
}
