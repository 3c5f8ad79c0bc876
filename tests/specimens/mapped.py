"""Csv and Parquet files with the mapping that says what they mean."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from footprint.data.readers.mapped import mapped_reader
from footprint.testing.fuzz_reader import Specimen

_MS0 = 1_704_700_000_000
_INSTRUMENT = "instrument: {symbol: abc, venue: V, currency: USD, asset_class: equity, tick: 0.01, lot: 1}\n"
_TIME = "time: {column: t, unit: ms}\n"
_TICKS = """receive_time: {column: r, unit: ns}
rows:
  quotes: {columns: {bid: b, ask: a, bid_size: bq, ask_size: aq}}
  trades:
    where: {e: trade}
    columns: {price: p, size: q}
    side: {column: s, buy: B, sell: S, names: aggressor, other: unknown}
"""
_LEVELS = "rows: {levels: {columns: {price: p, size: q}, side: {column: s, buy: bid, sell: ask, other: drop}}}\n"
_ORDERS = """rows:
  orders:
    columns: {order_id: id, event: e, price: p, size: q, sequence: n, buyer_member: m}
    side: {column: s, buy: B, sell: S}
    events: {add: A, modify: M, cancel: C, delete: D, fill: F, trade: T, clear: X}
"""
_BARS = "rows: {bars: {columns: {open: o, high: h, low: l, close: c, quantity: v}, interval_s: 60, what: bid}}\n"
_ORDER_TABLE = """rows:
  order_table:
    columns: {order_id: id, quantity: q, limit_price: p, event: e, broker: b}
    side: {column: s, buy: B, sell: S}
    events: {new: N, cancel: C}
"""
_FILL_TABLE = """rows:
  fill_table:
    columns: {fill_id: f, order_id: id, quantity: q, price: p, bid: b, ask: a}
    side: {column: s, buy: B, sell: S}
"""


def _ticks() -> str:
    rows = ["t,r,e,b,bq,a,aq,p,q,s"]
    for n in range(18):
        clocks = f"{_MS0 + 10 * n},{_MS0 + 10 * n + 2}000000"
        tail = f"trade,10.0{n % 3},{5 + n},10.05,7,10.05,{n + 1},B" if n % 3 == 1 else f"book,10.0{n % 3},5,10.05,7,,,"
        rows.append(f"{clocks},{tail}")
    return "\n".join(rows) + "\n"


def _levels() -> str:
    sides = ("bid", "ask")
    rows = [f"{_MS0 + 5 * n},{9.9 + n % 2 / 5 + n % 3 / 100:.2f},{n % 5},{sides[n % 2]}" for n in range(20)]
    return "\n".join(["t,p,q,s", *rows]) + "\n"


def _orders() -> str:
    rows = ["t,id,e,p,q,s,n,m"]
    for n in range(5):
        life = ("A", 10), ("M", 9), ("C", 1), ("T", 2), ("F", 2), ("D", 1)
        for at, (event, size) in enumerate(life):
            rows.append(f"{_MS0 + 10 * n + at},{70 + n},{event},10.01,{size},B,{10 * n + at},{90 + at}")
    rows.append(f"{_MS0 + 99},7,X,,0,B,99,0")
    return "\n".join(rows) + "\n"


def ticks_csv(folder: Path) -> Specimen:
    why = "what the source repeats is told once: the row after a damaged one tells what it changes back"
    return _csv(folder, _TICKS, _ticks(), reach=1, why=why)


def levels_csv(folder: Path) -> Specimen:
    return _csv(folder, _LEVELS, _levels())


def orders_csv(folder: Path) -> Specimen:
    return _csv(folder, _ORDERS, _orders(), linked=True, why="later rows name an order by its id")


def bars_csv(folder: Path) -> Specimen:
    rows = "".join(f"{_MS0 + 60_000 * n},14.00,15.00,13.{n:02d},14.50,{3 + n}\n" for n in range(16))
    return _csv(folder, _BARS, "t,o,h,l,c,v\n" + rows)


def order_table_csv(folder: Path) -> Specimen:
    rows = "".join(f"{_MS0 + n},o{n // 2},5,10.5,{'NC'[n % 2]},x,{'BS'[n // 2 % 2]}\n" for n in range(16))
    return _csv(folder, _ORDER_TABLE, "t,id,q,p,e,b,s\n" + rows)


def fill_table_csv(folder: Path) -> Specimen:
    rows = "".join(f"{_MS0 + n},f{n},o1,{5 + n},10.01,10,10.02,{'BS'[n % 2]}\n" for n in range(16))
    return _csv(folder, _FILL_TABLE, "t,f,id,q,p,b,a,s\n" + rows)


def _csv(folder: Path, text: str, content: str, *, reach: int = 0, linked: bool = False, why: str = "") -> Specimen:
    (folder / "mapping.yaml").write_text(_INSTRUMENT + _TIME + text)
    path = folder / "file.csv"
    path.write_text(content)
    reader = mapped_reader(folder / "mapping.yaml")
    return Specimen(reader, path, headers=1, reach=reach, linked=linked, why=why)


def ticks_parquet(folder: Path) -> Specimen:
    return _parquet(folder, _TICKS, _ticks())


def bars_parquet(folder: Path) -> Specimen:
    rows = "".join(f"{_MS0 + 60_000 * n},14.00,15.00,13.{n:02d},14.50,{3 + n}\n" for n in range(16))
    return _parquet(folder, _BARS, "t,o,h,l,c,v\n" + rows)


def _parquet(folder: Path, text: str, content: str) -> Specimen:
    (folder / "mapping.yaml").write_text(_INSTRUMENT + _TIME + text)
    path = folder / "file.parquet"
    pl.read_csv(io.StringIO(content)).write_parquet(path)
    why = "columnar: the file does not say which bytes are of which row"
    return Specimen(mapped_reader(folder / "mapping.yaml"), path, record_of=None, why=why)


SPECIMENS = {
    "mapped/ticks": ticks_csv,
    "mapped/levels": levels_csv,
    "mapped/orders": orders_csv,
    "mapped/ticks_parquet": ticks_parquet,
    "mapped/bars": bars_csv,
    "mapped/order_table": order_table_csv,
    "mapped/fill_table": fill_table_csv,
    "mapped/bars_parquet": bars_parquet,
}
