"""Names of crypto venues: currency, kind and contract."""

from __future__ import annotations

import pytest

from footprint.data.readers.crypto_pairs import crypto_instrument, quote_currency
from footprint.market.instruments import AssetClass

PERPETUAL, FUTURE, SPOT = AssetClass.PERPETUAL, AssetClass.FUTURE, AssetClass.SPOT_CRYPTO


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("BTCUSDT", "USDT"),
        ("XBTUSD", "USD"),
        ("BTC-PERPETUAL", "USD"),
        ("XRPETH", "ETH"),
        ("USDT", ""),
        ("BTCUSD_PERP", "USD"),
        ("BTC-PERP", "USD"),
        ("BTC-USD-200626", "USD"),
        ("KRW-BTC", "KRW"),
        ("BTC-GBP", "GBP"),
        ("SOLBNB", "BNB"),
        ("BTC-9JUN20-9875-P", "BTC"),
        ("SOL_USDC-27DEC24-2d5-C", "USDC"),
    ],
)
def test_quote_currency(symbol: str, currency: str) -> None:
    assert quote_currency(symbol) == currency


@pytest.mark.parametrize(
    ("symbol", "venue", "currency"),
    [
        ("BTCTUSD", "binance-spot", "TUSD"),
        ("IDTUSD", "binance", "TUSD"),
        ("BNBBUSD", "binance-usdm", "BUSD"),
        ("BTC-TUSD", "coinbase", "TUSD"),
        ("BFTUSD", "bitfinex", "USD"),
        ("GRTUSD", "bitstamp", "USD"),
        ("DOTUSD", "bybit", "USD"),
        ("BNBUSD_PERP", "binance-coinm", "USD"),
        ("DOTUSD_240927", "binance-coinm", "USD"),
        ("BTCCHF", "kraken", "CHF"),
        ("BTCGBP", "binance-spot", "GBP"),
    ],
)
def test_a_base_that_ends_like_a_dollar_coin_is_no_dollar_coin(symbol: str, venue: str, currency: str) -> None:
    assert quote_currency(symbol, venue) == currency


@pytest.mark.parametrize(
    ("symbol", "venue", "kind", "multiplier", "inverse"),
    [
        ("BTCUSDT", "binance", SPOT, 1.0, False),
        ("BTCUSDT", "binance-futures", PERPETUAL, 1.0, False),
        ("BTCUSD_PERP", "binance-delivery", PERPETUAL, 100.0, True),
        ("ETHUSD_210326", "binance-coinm", FUTURE, 10.0, True),
        ("BTC-PERPETUAL", "deribit", PERPETUAL, 1.0, True),
        ("BTC-25SEP20", "deribit", FUTURE, 1.0, True),
        ("BTC-9JUN20-9875-P", "deribit", AssetClass.OPTION, 1.0, False),
        ("SOL_USDC-PERPETUAL", "deribit", PERPETUAL, 1.0, False),
        ("XBTUSD", "bitmex", PERPETUAL, 1.0, True),
        ("XBTM20", "bitmex", FUTURE, 1.0, False),
        ("BTC-USD", "huobi-dm-swap", PERPETUAL, 100.0, True),
        ("ETH-USD-SWAP", "okex-swap", PERPETUAL, 10.0, True),
        ("BTC-USDT-SWAP", "okex-swap", PERPETUAL, 1.0, False),
        ("BTCUSD", "bitstamp", SPOT, 1.0, False),
    ],
)
def test_contracts(symbol: str, venue: str, kind: AssetClass, multiplier: float, inverse: bool) -> None:
    found = crypto_instrument(symbol, venue, 0.1, 1.0)
    assert (found.asset_class, found.multiplier, found.inverse) == (kind, multiplier, inverse)
    assert found.hours.continuous
