"""Files that hold tables: bars, open interest, option chains, funding, auctions, orders and fills."""

from __future__ import annotations

from pathlib import Path

import equity_files as files

from footprint.data.readers.bybit_funding import BybitFundingReader
from footprint.data.readers.deribit_chain import DeribitChainReader
from footprint.data.readers.lean_bars import LeanBarsReader
from footprint.data.readers.lean_open_interest import LeanOpenInterestReader
from footprint.data.readers.lean_options import LeanOptionsReader
from footprint.data.readers.open_auction import OpenAuctionReader
from footprint.data.readers.tcapy_fx import TcapyFxReader
from footprint.testing.fuzz_reader import Specimen

_GC, _GOOG = "future/comex/tick/gc", "option/usa/minute/goog"
_BTC = "crypto/coinbase/{}/btcusd"


def option_quotes(folder: Path) -> Specimen:
    path = files.lean(folder, _GOOG, "20151224_quote_american.zip", files.OPTION_QUOTES)
    return Specimen(LeanOptionsReader(), path, root=folder, per_record=2)


def option_trades(folder: Path) -> Specimen:
    path = files.lean(folder, _GOOG, "20151224_trade_american.zip", files.OPTION_TRADES)
    return Specimen(LeanOptionsReader(), path, root=folder)


def crypto_trades(folder: Path) -> Specimen:
    path = files.lean(folder, _BTC.format("second"), "20161007_trade.zip", files.CRYPTO_TRADES)
    return Specimen(LeanBarsReader(), path, root=folder)


def crypto_quotes(folder: Path) -> Specimen:
    path = files.lean(folder, _BTC.format("minute"), "20161007_quote.zip", files.CRYPTO_QUOTES)
    return Specimen(LeanBarsReader(), path, root=folder, per_record=2)


def futures_interest(folder: Path) -> Specimen:
    path = files.lean(folder, _GC, "20131007_openinterest.zip", files.FUTURES_INTEREST)
    return Specimen(LeanOpenInterestReader(), path, root=folder)


def option_interest(folder: Path) -> Specimen:
    path = files.lean(folder, _GOOG, "20151224_openinterest_american.zip", files.OPTION_INTEREST)
    return Specimen(LeanOpenInterestReader(), path, root=folder)


def chain(folder: Path) -> Specimen:
    rows = [files.chain_row(), files.chain_row("BTC-3JAN26-88000-P", kind="put", bid="", ask="")]
    rows += [files.chain_row(f"BTC-3JAN26-{strike}-C").replace("88000.0", f"{strike}.0") for strike in (89000, 90000)]
    return Specimen(DeribitChainReader(), files.chain(folder / "deribit_options_x.csv.gz", *rows), headers=1)


def funding(folder: Path) -> Specimen:
    days = [f"202003{day:02d} {hour:02d}:00:00,{0.0001 * day:.4f}" for day in range(10, 18) for hour in (0, 8, 16)]
    return Specimen(BybitFundingReader(), files.funding(folder, *days), root=folder)


def auctions(folder: Path) -> Specimen:
    path = files.auctions(folder / "open_trade.parquet")
    why = "columnar: the file does not say which bytes are of which row"
    return Specimen(OpenAuctionReader(), path, record_of=None, why=why)


def fx_orders(folder: Path) -> Specimen:
    return Specimen(TcapyFxReader(), files.fx_orders(folder / "orders.csv"), headers=1)


def fx_trades(folder: Path) -> Specimen:
    return Specimen(TcapyFxReader(), files.fx_trades(folder / "trades.csv.gz"), headers=1)


SPECIMENS = {
    "lean_options/quotes": option_quotes,
    "lean_options/trades": option_trades,
    "lean_bars/trades": crypto_trades,
    "lean_bars/quotes": crypto_quotes,
    "lean_open_interest/futures": futures_interest,
    "lean_open_interest/options": option_interest,
    "deribit_chain/csv": chain,
    "bybit_funding/csv": funding,
    "open_auction/parquet": auctions,
    "tcapy_fx/orders": fx_orders,
    "tcapy_fx/trades": fx_trades,
}
