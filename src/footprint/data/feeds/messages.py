"""What frames of any venue are turned into: four kinds of message in one vocabulary, still per symbol.

Prices and sizes are whole multiples of 1e-8 (`UNITS_PER_ONE`): exact, as the decimal texts of the venues are. A session
reduces them to ticks and lots afterwards. Exchange times are ns UTC, `UNKNOWN_TIME` where the venue gives none.
"""

from __future__ import annotations

from typing import NamedTuple

UNITS_PER_ONE = 100_000_000


class Level(NamedTuple):
    """One entry of a book message.

    Attributes:
        side: +1 bid, -1 ask.
        price: in 1e-8; for an order-by-order entry that only names an order it may be 0.
        size: in 1e-8, the new total size at the price, or of the order; 0 removes the price or the order.
        order_id: 0 for an entry by price level; else the entry speaks of one order.
    """

    side: int
    price: int
    size: int
    order_id: int = 0


class BookMessage(NamedTuple):
    """A snapshot or a change of one book.

    Attributes:
        first_id, last_id: the range of update ids that this message covers; -1 where the venue has none.
        previous_id: the id that must have come before, -1 where the venue does not say.
        checksum: the venue's own checksum of the book after this message, None where it sends none.
    """

    symbol: str
    exchange_time_ns: int
    snapshot: bool
    levels: tuple[Level, ...]
    first_id: int = -1
    last_id: int = -1
    previous_id: int = -1
    checksum: int | None = None


class TradeMessage(NamedTuple):
    """One print; `side` is the aggressor, 0 when the venue does not say; `trade_id` -1 where there is none."""

    symbol: str
    exchange_time_ns: int
    side: int
    price: int
    size: int
    trade_id: int = -1
    order_id: int = 0  # the resting order, where the venue names it


class QuoteMessage(NamedTuple):
    """The best prices and sizes."""

    symbol: str
    exchange_time_ns: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    sequence: int = -1


class ControlMessage(NamedTuple):
    """What is no market data: a heartbeat, an answer to a subscription, an error of the venue."""

    what: str  # "heartbeat", "subscribed", "status", "error", "ignored"
    text: str = ""


Message = BookMessage | TradeMessage | QuoteMessage | ControlMessage
