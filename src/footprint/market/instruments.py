"""What is traded: tick, lot, currency, multiplier, session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from footprint.units import NS_PER_SECOND


class AssetClass(Enum):
    """What kind of thing is traded."""

    EQUITY = "equity"
    FUTURE = "future"
    OPTION = "option"
    SPOT_CRYPTO = "spot_crypto"
    PERPETUAL = "perpetual"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class TradingHours:
    """Regular hours in local time; a venue that never closes has open 0 and close 24 h in UTC."""

    time_zone: str
    open_s: int  # seconds after local midnight
    close_s: int

    @property
    def continuous(self) -> bool:
        """True for a venue that never closes."""
        return self.close_s - self.open_s >= 86_400

    def on(self, day: date) -> tuple[int, int]:
        """Open and close of that local day, ns UTC."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))
        start = midnight + timedelta(seconds=self.open_s)
        end = midnight + timedelta(seconds=self.close_s)
        return int(start.timestamp()) * NS_PER_SECOND, int(end.timestamp()) * NS_PER_SECOND


ALWAYS_OPEN = TradingHours("UTC", 0, 86_400)
US_EQUITY_HOURS = TradingHours("America/New_York", 34_200, 57_600)
B3_EQUITY_HOURS = TradingHours("America/Sao_Paulo", 36_000, 64_500)
B3_2015_HOURS = TradingHours("America/Sao_Paulo", 36_000, 60_900)  # continuous trading, to the closing call


@dataclass(frozen=True, slots=True)
class Instrument:
    """One traded thing on one venue.

    Attributes:
        symbol: the venue's own name, upper case.
        market: group of instruments that share a clock and its news ("us", "b3", "crypto"); errors cluster by it.
        tick_size: price of one integer price unit of the events, in `currency`; the finest price the source carries.
        quote_increment_ticks: the venue's smallest quoting step, in those units.
        lot_size: quantity of one integer size unit of the events.
        multiplier: value of one unit of quantity per unit of price.
        inverse: settled in the base asset (COIN-M): value = quantity * multiplier / price.
    """

    symbol: str
    venue: str
    market: str
    asset_class: AssetClass
    currency: str
    tick_size: float
    lot_size: float
    hours: TradingHours
    quote_increment_ticks: int = 1
    multiplier: float = 1.0
    inverse: bool = False
