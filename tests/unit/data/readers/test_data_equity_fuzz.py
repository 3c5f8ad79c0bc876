"""Damaged files of the equity, futures, table and mapped formats: a verdict always, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import equity_files as files
import pytest

from footprint.data.readers.b3_option_trades import B3OptionTradesReader
from footprint.data.readers.b3_orders import B3OrdersReader
from footprint.data.readers.bybit_funding import BybitFundingReader
from footprint.data.readers.deribit_chain import DeribitChainReader
from footprint.data.readers.lean_bars import LeanBarsReader
from footprint.data.readers.lean_futures import LeanFuturesReader
from footprint.data.readers.lean_open_interest import LeanOpenInterestReader
from footprint.data.readers.lean_options import LeanOptionsReader
from footprint.data.readers.mapped import MappedReader
from footprint.data.readers.open_auction import OpenAuctionReader
from footprint.data.readers.sgx import SgxReader
from footprint.data.readers.taq import TaqReader
from footprint.data.readers.tcapy_fx import TcapyFxReader
from footprint.testing.fuzz_reader import Specimen, fuzz_reader

CASES = 500
MAPPING = """
instrument: {symbol: ABC, venue: V, currency: USD, asset_class: equity, tick: 0.01, lot: 1}
time: {column: t, unit: ms}
rows:
  quotes: {columns: {bid: b, ask: a, bid_size: bq, ask_size: aq}}
  trades: {columns: {price: p, size: q}, side: {column: s, buy: B, sell: S, names: aggressor}, where: {k: T}}
"""
MAPPED = "t,k,p,q,s,b,a,bq,aq\n" + "".join(
    f"{1_704_700_000_000 + at},{'TQ'[at % 2]},10.0{at % 9},{at + 1},{'BS'[at % 3 > 0]},9.9{at % 4},10.1,5,{at}\n"
    for at in range(30)
)


def mapped(folder: Path) -> Specimen:
    (folder / "mapping.yaml").write_text(MAPPING)
    return Specimen(MappedReader(folder / "mapping.yaml"), files.write(folder / "f.csv.gz", MAPPED), reach=2)


GC, GOOG, BTC = "future/comex/tick/gc", "option/usa/minute/goog", "crypto/coinbase/second/btcusd"
SPECIMENS: dict[str, Callable[[Path], Specimen]] = {
    "b3_orders": lambda d: Specimen(B3OrdersReader(), files.b3_orders(d / "orders_x.parquet"), record_of=None),
    "b3_options": lambda d: Specimen(B3OptionTradesReader(), files.b3_options(d / "NEG_OPCOES_x.TXT.gz")),
    "futures": lambda d: Specimen(LeanFuturesReader(), files.lean(d, GC, "20131007_trade.zip", files.FUTURES)),
    "open_interest": lambda d: Specimen(
        LeanOpenInterestReader(), files.lean(d, GC, "20131007_openinterest.zip", files.FUTURES_INTEREST)
    ),
    "option_quotes": lambda d: Specimen(
        LeanOptionsReader(), files.lean(d, GOOG, "20151224_quote_american.zip", files.OPTION_QUOTES)
    ),
    "crypto_bars": lambda d: Specimen(LeanBarsReader(), files.lean(d, BTC, "20161007_trade.zip", files.CRYPTO_TRADES)),
    "sgx": lambda d: Specimen(SgxReader(), files.sgx(d / "order_book_3_x.csv.gz", *files.SGX_BLOCKS), reach=8),
    "taq_trades": lambda d: Specimen(TaqReader(), files.taq_trades(d / "t.parquet"), record_of=None),
    "taq_quotes": lambda d: Specimen(TaqReader(), files.taq_quotes(d / "q.parquet"), record_of=None),
    "auctions": lambda d: Specimen(OpenAuctionReader(), files.auctions(d / "open_trade.parquet"), record_of=None),
    "chain": lambda d: Specimen(DeribitChainReader(), files.chain(d / "deribit_options_x.csv.gz")),
    "funding": lambda d: Specimen(BybitFundingReader(), files.funding(d)),
    "fx_orders": lambda d: Specimen(TcapyFxReader(), files.fx_orders(d / "o.csv.gz")),
    "fx_trades": lambda d: Specimen(TcapyFxReader(), files.fx_trades(d / "t.csv")),
    "mapped": mapped,
}


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_damaged_file_gets_a_verdict(tmp_path: Path, name: str) -> None:
    clean, damaged = tmp_path / "clean", tmp_path / "damaged"
    clean.mkdir()
    damaged.mkdir()
    report = fuzz_reader(SPECIMENS[name](clean), range(CASES), damaged)
    assert report.failures == ()
    assert report.outcomes.get("refused", 0) > CASES / 4  # the damage is not ignored
    assert report.memory_growth_mib < 200
