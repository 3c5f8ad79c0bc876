"""What the names of crypto venues say of an instrument: quote currency, kind, and the value of a contract."""

from __future__ import annotations

import re
from typing import NamedTuple

from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument

_DOLLAR_COINS = ("FDUSD", "BUSD", "TUSD")
# where "...TUSD" is in TUSD; elsewhere DOTUSD is DOT in USD and BNBUSD is BNB in USD, unless a separator says otherwise
_LISTS_DOLLAR_COINS = re.compile(r"(binance(-spot|-usdm|-futures)?|unknown)?")
_QUOTES = (
    "USDT", "USDC", *_DOLLAR_COINS, "USD", "BTC", "ETH", "BNB",
    "EUR", "GBP", "CHF", "KRW", "TRY", "BRL", "JPY",
)  # fmt: skip
_FIRST_IS_QUOTE = re.compile(r"(KRW)-")  # Upbit names the currency of the price first
_OPTION = re.compile(r"-\d[\dD]*-[CP]$")  # 2d5: a strike of 2.5
_EXPIRY = re.compile(r"(_\d{6}|-\d{6}|-?\d{1,2}[A-Z]{3}\d{2}|[FGHJKMNQUVXZ]\d{2})$")
_PERPETUAL_VENUES = re.compile(
    r"binance-futures|binance-delivery|binance-usdm|binance-coinm|bitmex|deribit|-swap|-linear|bybit$|perpetual"
)
_INVERSE_USD = {"deribit": 1.0, "bybit": 1.0}  # one contract is one dollar
_INVERSE_100_10 = re.compile(r"binance-delivery|binance-coinm|huobi-dm(-swap)?|okex-(swap|futures)")


class _Contract(NamedTuple):
    multiplier: float
    inverse: bool


def quote_currency(symbol: str, venue: str = "") -> str:
    """The currency that prices are in, "" when the name does not show it.

    >>> quote_currency("XRPETH"), quote_currency("BTC-PERPETUAL"), quote_currency("tBTCUSD"), quote_currency("XBTUSD")
    ('ETH', 'USD', 'USD', 'USD')
    >>> quote_currency("BTCTUSD", "binance"), quote_currency("DOTUSD", "bybit"), quote_currency("tBFTUSD", "bitfinex")
    ('TUSD', 'USD', 'USD')
    """
    if _OPTION.search(symbol.upper()):
        return symbol.upper().partition("-")[0].rpartition("_")[2]  # in the coin, else named behind it
    if symbol.upper().endswith("-PERP"):
        return "USD"
    pair = re.split(r"_\d|-\d{6}|-SWAP|_PERP", symbol.upper())[0]
    if pair.endswith("-PERPETUAL"):
        return "USDC" if "_USDC" in pair else "USD"
    first = _FIRST_IS_QUOTE.match(pair)
    if first:
        return first[1]
    pair = pair.replace("XBT", "BTC")  # XBTUSD is in USD, not in TUSD
    return next((quote for quote in _QUOTES if _is_in(pair, quote, venue)), "")


def _is_in(pair: str, quote: str, venue: str) -> bool:
    base = pair.removesuffix(quote)
    if base in ("", pair):
        return False
    return quote not in _DOLLAR_COINS or base[-1] in "-_/:" or _LISTS_DOLLAR_COINS.fullmatch(venue) is not None


def crypto_instrument(symbol: str, venue: str, tick_size: float, lot_size: float, increment: int = 1) -> Instrument:
    """An instrument of a venue that never closes.

    Contracts that are worth a fixed number of dollars (Deribit, Bybit, BitMEX XBTUSD: 1; Binance COIN-M, Huobi and OKX
    coin-margined: 100 for BTC, 10 for others) are inverse; every other quantity is taken to be in the base currency.
    """
    contract = _contract(symbol.upper(), venue)
    return Instrument(
        symbol=symbol.upper(),
        venue=venue,
        market="crypto",
        asset_class=_asset_class(symbol.upper(), venue),
        currency=quote_currency(symbol, venue),
        tick_size=tick_size,
        lot_size=lot_size,
        hours=ALWAYS_OPEN,
        quote_increment_ticks=increment,
        multiplier=contract.multiplier,
        inverse=contract.inverse,
    )


def _asset_class(symbol: str, venue: str) -> AssetClass:
    if _OPTION.search(symbol):
        return AssetClass.OPTION
    if not _PERPETUAL_VENUES.search(venue) and "PERP" not in symbol:
        return AssetClass.SPOT_CRYPTO
    return AssetClass.FUTURE if _EXPIRY.search(symbol) else AssetClass.PERPETUAL


def _contract(symbol: str, venue: str) -> _Contract:
    if _OPTION.search(symbol):
        return _Contract(1.0, False)
    in_dollars = re.search(r"USD(?!T|C)", symbol) is not None or (
        venue == "deribit" and re.match(r"(BTC|ETH)-", symbol) is not None
    )
    if in_dollars and venue in _INVERSE_USD:
        return _Contract(_INVERSE_USD[venue], True)
    if venue == "bitmex" and symbol == "XBTUSD":
        return _Contract(1.0, True)
    if in_dollars and _INVERSE_100_10.fullmatch(venue):
        return _Contract(100.0 if symbol.startswith("BTC") else 10.0, True)
    return _Contract(1.0, False)
