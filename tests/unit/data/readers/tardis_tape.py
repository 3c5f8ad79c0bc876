"""Small Tardis files of every type, as texts."""

from __future__ import annotations

import gzip
from pathlib import Path

US0 = 1_600_000_000_000_000
HEADERS = {
    "trades": "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
    "quotes": "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount",
    "incremental_book_L2": "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount",
}


def snapshot_header(levels: int) -> str:
    cells = "asks[{0}].price,asks[{0}].amount,bids[{0}].price,bids[{0}].amount"
    return ",".join([HEADERS["trades"].split(",id")[0], *(cells.format(n) for n in range(levels))])


def row(ms: int, *cells: object, latency_us: int = 500, symbol: str = "BTCUSDT", exchange: str = "binance") -> str:
    """A row whose exchange time is US0 + `ms` and whose local time is `latency_us` later."""
    time_us = US0 + ms * 1000
    return ",".join(map(str, (exchange, symbol, time_us, time_us + latency_us, *cells)))


def write(folder: Path, kind: str, *rows: str, packed: bool = False, day: str = "2020-09-13", part: str = "") -> Path:
    """A file with the name that the vendor gives it; `kind` "book_snapshot_2" has two levels."""
    levels = int(kind.rpartition("_")[2]) if kind.startswith("book") else 0
    header = snapshot_header(levels) if levels else HEADERS[kind]
    content = "\n".join((header, *rows)) + "\n"
    path = folder / f"binance_{kind}_{day}_BTCUSDT{part}.csv{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    return path
