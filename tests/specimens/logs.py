"""Text logs of venues that never close: Binance, Tardis, Bitstamp, Bitfinex, Bybit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import binance_tape
import bitstamp_log
import polars as pl
import tardis_tape

from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.binance_archive import BinanceArchiveReader
from footprint.data.readers.bitfinex import BitfinexReader
from footprint.data.readers.bitstamp import BitstampReader
from footprint.data.readers.bybit import BybitReader
from footprint.data.readers.tardis import TardisReader
from footprint.testing.fuzz_reader import Specimen

_BY_ORDER = "later messages name an order by its id"
_WINDOWS = "a row holds the whole window: the one after a damaged one changes it back"


def _binance_tape() -> list[dict]:
    tape, last = binance_tape.good_tape(), 15
    for n in range(10):
        tape.append(binance_tape.depth(last + 3, last, bids=[(f"{90 + n}.5", f"{n % 3}")], asks=[("102.5", f"{n}")]))
        tape.append(binance_tape.trade(9 + n, "101.5", "0.25", buyer_is_maker=n % 2 == 0))
        last += 3
    return tape


def binance_usdm(folder: Path) -> Specimen:
    return Specimen(BinanceReader(), binance_tape.write(folder / "btcusdt_20240809.gz", _binance_tape()))


def binance_spot(folder: Path) -> Specimen:
    tape = [binance_tape.spot(frame) if "data" in frame else frame for frame in _binance_tape()]
    return Specimen(BinanceReader(), binance_tape.write(folder / "btcusdt_20240809.gz", tape))


_MS0 = 1_700_000_000_000


def archive_spot_aggregated(folder: Path) -> Specimen:
    rows = [f"{5 + n},35000.{n % 3}0000000,0.00{n + 1}00000,{9 + n},{9 + n},{_MS0 + n},True,True" for n in range(20)]
    return _archive(folder, "BTCUSDT-aggTrades-2023-11-14.zip", rows, 0)


def archive_futures_aggregated(folder: Path) -> Specimen:
    header = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    rows = [f"{5 + n},35000.{n % 3},0.00{n + 1},{9 + n},{9 + n},{_MS0 + n},{str(n % 2 > 0).lower()}" for n in range(20)]
    return _archive(folder, "BTCUSDT-aggTrades-2023-11-14.csv", [header, *rows], 1)


def archive_spot_trades(folder: Path) -> Specimen:
    rows = [f"{5 + n},35000.{n % 3},0.00{n + 1},35.0,{_MS0 + n}000,{n % 2 > 0},True" for n in range(20)]
    return _archive(folder, "BTCUSDT-trades-2023-11-14.csv", rows, 0)


def archive_coin_trades(folder: Path) -> Specimen:
    rows = [f"{5 + n},35000.{n % 3},{n + 1},0.1,{_MS0 + n},{str(n % 2 > 0).lower()}" for n in range(20)]
    return _archive(
        folder, "BTCUSD_PERP-trades-2023-11-14.zip", ["id,price,qty,base_qty,time,is_buyer_maker", *rows], 1
    )


def _archive(folder: Path, name: str, rows: list[str], headers: int) -> Specimen:
    content = "\n".join(rows) + "\n"
    path = folder / name
    if path.suffix == ".zip":
        from equity_files import zipped

        zipped(path, {path.stem + ".csv": content})
    else:
        path.write_text(content)
    return Specimen(BinanceArchiveReader(), path, headers=headers)


def archive_parquet(folder: Path) -> Specimen:
    count = 24
    frame = pl.DataFrame(
        {
            "timestamp": [_MS0 + 10 * n for n in range(count)],
            "id": [str(100 + n) for n in range(count)],
            "type": [None] * count,
            "side": [("buy", "sell")[n % 2] for n in range(count)],
            "price": [0.0014 + n % 3 / 1e6 for n in range(count)],
            "amount": [1.0 + n for n in range(count)],
            "cost": [0.0014 * (1 + n) for n in range(count)],
        },
        schema_overrides={"type": pl.String},
    )
    path = folder / "XRP_ETH-trades.parquet"
    frame.write_parquet(path)
    why = "columnar: the file does not say which bytes are of which row"
    return Specimen(BinanceArchiveReader(), path, record_of=None, why=why)


def tardis_trades(folder: Path) -> Specimen:
    rows = [tardis_tape.row(n, 41 + n, ("buy", "sell")[n % 2], f"9682.{n % 4}", f"0.{n + 1}") for n in range(20)]
    return Specimen(TardisReader(), tardis_tape.write(folder, "trades", *rows, packed=True), headers=1)


def tardis_quotes(folder: Path) -> Specimen:
    rows = [tardis_tape.row(n, 5494 + n, 8629.5, 8629.0 + n % 2 / 4, 806 + n) for n in range(18)]
    rows[4] = tardis_tape.row(4, "", "", 8629.25, 807)
    return Specimen(TardisReader(), tardis_tape.write(folder, "quotes", *rows), headers=1)


def tardis_incremental(folder: Path) -> Specimen:
    rows = [
        tardis_tape.row(1, "true", "ask", 101, 1),
        tardis_tape.row(1, "true", "bid", 100, 2),
        *(tardis_tape.row(2 + n, "false", ("bid", "ask")[n % 2], 99 + 3 * (n % 2), n % 4) for n in range(14)),
        tardis_tape.row(20, "true", "ask", 102, 6),
        tardis_tape.row(20, "true", "bid", 99, 6),
    ]
    return Specimen(TardisReader(), tardis_tape.write(folder, "incremental_book_L2", *rows), headers=1)


def tardis_snapshots(folder: Path) -> Specimen:
    rows = [tardis_tape.row(n, 101, 1 + n, 100, 2, 102, 3, 99 - n % 2, 4) for n in range(14)]
    path = tardis_tape.write(folder, "book_snapshot_2", *rows)
    return Specimen(TardisReader(), path, headers=1, reach=1, why=_WINDOWS)


def bitstamp_orders(folder: Path) -> Specimen:
    log, lines = bitstamp_log, []
    for n in range(5):
        at, bid, ask = 100 * n, 10 + 2 * n, 11 + 2 * n
        lines += [
            log.order(at, "created", bid, "236.47", "2.00000000"),
            log.order(at + 10, "created", ask, "236.50", "1.5", ask=True),
            log.book(at + 20, "236.47", "236.50"),
            log.order(at + 30, "changed", bid, "236.47", "1.78855669"),
            log.trade(at + 31, 77 + n, 236.47, 0.21144331),
            log.order(at + 40, "deleted", ask, "236.50", "1.5", ask=True),
        ]
    path = log.write(folder, *lines)
    return Specimen(BitstampReader(), path, linked=True, why=_BY_ORDER)


def bitstamp_life_cycle(folder: Path) -> Specimen:
    rows = []
    for n in range(6):
        at, born = bitstamp_log.MS0 + 1000 * n, bitstamp_log.MS0 // 1000 * 1000 + 1000 * n
        bid, ask = 10 + 2 * n, 11 + 2 * n
        rows += [
            f"{bid},{at + 1},{born},236.47,200000000,created,bid",
            f"{ask},{at + 2},{born},236.5,150000000,created,ask",
            f"{bid},{at + 3},{born},236.47,178855669,changed,bid",
            f"{ask},{at + 4},{born},236.5,150000000,deleted,ask",
        ]
    path = bitstamp_log.write_life_cycle(folder, *rows)
    return Specimen(BitstampReader(), path, headers=1, linked=True, why=_BY_ORDER)


def bitfinex(folder: Path) -> Specimen:
    subscribed = {"event": "subscribed", "channel": "book", "chanId": 7, "symbol": "tBTCUSD", "prec": "R0", "len": "25"}
    frames: list[object] = [
        {"event": "info", "version": 2, "serverId": "x", "platform": {"status": 1}},
        subscribed,
        [7, [[11, 100, 0.5], [12, 99.5, 1], [21, 101, -0.25]]],
        [7, "hb"],
    ]
    for n in range(8):
        order = 30 + n
        frames += [
            [7, [order, 98.25 + n % 3, 2 + n]],
            [7, [order + 100, 102 + n % 2, -0.75]],
            [7, [order, 98.25, 1]],
            [7, [order, 0, 1]],
        ]
    frames += [[7, "cs", -123], [7, [12, 102.5, -3]], [8, [1, 1, 1]], [7, [[31, 98, 1]]]]
    lines = [json.dumps(frame, separators=(",", ":")) for frame in frames]
    path = folder / "capture_2021-09-01.jsonl.gz"
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    return Specimen(BitfinexReader(), path, headers=2, linked=True, why=_BY_ORDER)


def bybit(folder: Path) -> Specimen:
    from equity_files import zipped

    lines = []
    for n in range(16):
        data = {"s": "XRPUSDT", "b": [[f"1.953{n % 5}", f"{n % 4}"]], "a": [[f"1.954{n % 4}", f"{n}"]], "u": 7 + n}
        kind = "snapshot" if n in (0, 12) else "delta"
        at = 1_733_011_200_000 + 5 * n
        message = {"topic": "orderbook.500.XRPUSDT", "type": kind, "ts": at + 2, "data": data | {"seq": 70 + n}}
        lines.append(json.dumps(message | {"cts": at}, separators=(",", ":")))
    path = zipped(folder / "xrpusdt.zip", {"2024-12-01_XRPUSDT_ob500.data": "\n".join(lines) + "\n"})
    return Specimen(BybitReader(), path)


SPECIMENS = {
    "binance/usdm": binance_usdm,
    "binance/spot": binance_spot,
    "binance_archive/spot_aggregated": archive_spot_aggregated,
    "binance_archive/futures_aggregated": archive_futures_aggregated,
    "binance_archive/spot_trades": archive_spot_trades,
    "binance_archive/coin_trades": archive_coin_trades,
    "binance_archive/parquet": archive_parquet,
    "tardis/trades": tardis_trades,
    "tardis/quotes": tardis_quotes,
    "tardis/incremental": tardis_incremental,
    "tardis/snapshots": tardis_snapshots,
    "bitstamp/log": bitstamp_orders,
    "bitstamp/life_cycle": bitstamp_life_cycle,
    "bitfinex/raw": bitfinex,
    "bybit/ob500": bybit,
}
