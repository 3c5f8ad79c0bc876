"""What readers of US equities share: the instrument, and one stream out of prints and quotes."""

from __future__ import annotations

import numpy as np

from footprint.market.events import empty_events
from footprint.market.instruments import US_EQUITY_HOURS, AssetClass, Instrument

TICK_SIZE = 0.0001  # USD; the sources write prices in these units
CENT_TICKS = 100


def us_equity(symbol: str, venue: str) -> Instrument:
    """A share of a US listing; lots are shares."""
    return Instrument(
        symbol=symbol,
        venue=venue,
        market="us",
        asset_class=AssetClass.EQUITY,
        currency="USD",
        tick_size=TICK_SIZE,
        lot_size=1.0,
        hours=US_EQUITY_HOURS,
        quote_increment_ticks=CENT_TICKS,
    )


def prints_before_quotes(trades: np.ndarray, quotes: np.ndarray) -> np.ndarray:
    """Both in order of exchange time; of one time prints come first, for the quote was not known when they were made.

    Args:
        trades, quotes: EVENT_DTYPE of shape (n,) and (m,), each in order of `exchange_time_ns`.

    Returns:
        EVENT_DTYPE of shape (n + m,).
    """
    events = empty_events(len(trades) + len(quotes))
    trade_ns, quote_ns = trades["exchange_time_ns"], quotes["exchange_time_ns"]
    events[np.arange(len(trades)) + np.searchsorted(quote_ns, trade_ns, side="left")] = trades
    events[np.arange(len(quotes)) + np.searchsorted(trade_ns, quote_ns, side="right")] = quotes
    return events
