"""The protocols that are known, one small file each; a new version is a new class in its own file and a line here, or a
mapping in `venues/`.
"""

from __future__ import annotations

from footprint.data.feeds.mapped import mapped_protocols
from footprint.data.feeds.protocols.binance import BinanceCoinm, BinanceSpot, BinanceUs, BinanceUsdm
from footprint.data.feeds.protocols.bitfinex import BitfinexBooks, BitfinexRaw
from footprint.data.feeds.protocols.bitstamp import BitstampBooks, BitstampOrders
from footprint.data.feeds.protocols.bybit_2 import BybitV2
from footprint.data.feeds.protocols.bybit_5 import BybitV5
from footprint.data.feeds.protocols.ccxt_frames import PREFIX as CCXT_PREFIX
from footprint.data.feeds.protocols.ccxt_frames import CcxtFrames
from footprint.data.feeds.protocols.coinbase import CoinbaseLevel2
from footprint.data.feeds.protocols.coinbase_full import CoinbaseFull
from footprint.data.feeds.protocols.independent_reserve import IndependentReserve
from footprint.data.feeds.protocols.kraken import KrakenV1
from footprint.data.feeds.protocols.kraken_2 import KrakenV2
from footprint.data.feeds.wire import RawFrame, WireProtocol
from footprint.errors import UsageError

# where two protocols share an address, the one that looks at what was subscribed comes first
PROTOCOLS: tuple[WireProtocol, ...] = (
    BinanceSpot(),
    BinanceUsdm(),
    BinanceCoinm(),
    BinanceUs(),
    CoinbaseFull(),
    CoinbaseLevel2(),
    KrakenV1(),
    KrakenV2(),
    BybitV2(),
    BybitV5(),
    BitstampOrders(),
    BitstampBooks(),
    BitfinexRaw(),
    BitfinexBooks(),
    IndependentReserve(),
    *mapped_protocols(),
)


def protocol(name: str) -> WireProtocol:
    """The protocol of that name ("binance-spot-1").

    Raises:
        UsageError: no such protocol.
    """
    for known in PROTOCOLS:
        if known.name == name:
            return known
    if name.startswith(CCXT_PREFIX):
        return CcxtFrames(name.removeprefix(CCXT_PREFIX))
    raise UsageError(f"no protocol {name!r}, known: {', '.join(p.name for p in PROTOCOLS)}")


def recognise(frame: RawFrame) -> WireProtocol | None:
    """The protocol that a frame is of, by its origin; None when no protocol knows it."""
    return next((known for known in PROTOCOLS if known.recognise(frame)), None)
