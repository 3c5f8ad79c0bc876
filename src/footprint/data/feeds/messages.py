"""What frames of any venue are turned into: five kinds of message in one vocabulary, still per symbol.

Prices are whole multiples of 1e-12 (`PRICE_UNITS_PER_ONE`), sizes of 1e-8 (`SIZE_UNITS_PER_ONE`): exact, as the decimal
texts of the venues are. Exchange times are ns UTC, `UNKNOWN_TIME` where the venue gives none.
"""

from __future__ import annotations

from typing import NamedTuple

PRICE_UNITS_PER_ONE = 1_000_000_000_000
SIZE_UNITS_PER_ONE = 100_000_000


class Level(NamedTuple):
    """One entry of a book message.

    Attributes:
        side: +1 bid, -1 ask; 0 for an entry that only names an order.
        price: in 1e-12; 0 for an entry that only names an order or a level.
        size: in 1e-8, the new total size at the price, or of the order; 0 removes the price or the order;
            -n says that n of the order were executed.
        order_id: 0 for an entry by price; else the entry speaks of one order (or, on BitMEX, of one named level).
        check: what this entry adds to the text of the venue's checksum, "" where there is none.
        sequence: the id of this entry alone, where a venue numbers entries (dYdX 3, KuCoin); -1 elsewhere.
    """

    side: int
    price: int
    size: int
    order_id: int = 0
    check: str = ""
    sequence: int = -1


class BookMessage(NamedTuple):
    """A snapshot or a change of one book.

    Attributes:
        first_id, last_id: the range of update ids that this message covers; -1 where the venue has none.
        previous_id: the id that must have come before, -1 where the venue does not say.
        checksum: the venue's own checksum of the book after this message, None where it sends none.
        depth: levels a side that the venue keeps up to date, 0 for all; the reader drops deeper ones.
    """

    symbol: str
    exchange_time_ns: int
    snapshot: bool
    levels: tuple[Level, ...]
    first_id: int = -1
    last_id: int = -1
    previous_id: int = -1
    checksum: int | None = None
    depth: int = 0


class TradeMessage(NamedTuple):
    """One print.

    Attributes:
        side: the aggressor, 0 when the venue does not say.
        trade_id: -1 where there is none.
        order_id: the resting order, 0 where the venue does not name it.
    """

    symbol: str
    exchange_time_ns: int
    side: int
    price: int
    size: int
    trade_id: int = -1
    order_id: int = 0


class QuoteMessage(NamedTuple):
    """The best prices and sizes; a price of 0 means that the side is empty."""

    symbol: str
    exchange_time_ns: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    sequence: int = -1


class PositionMessage(NamedTuple):
    """The number of this frame among all frames of its connection: it rises by one."""

    sequence: int


class ControlMessage(NamedTuple):
    """What is no market data.

    Attributes:
        what: "heartbeat", "subscribed", "status", "error", "ignored" (data that is of no use here), "past_trade" (a
            print of before the subscription), or "restart" (the venue counts update ids anew; the text is the symbol).
    """

    what: str
    text: str = ""


Message = BookMessage | TradeMessage | QuoteMessage | PositionMessage | ControlMessage
