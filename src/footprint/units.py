"""Units and signs. Side is +1 buy, -1 sell; a cost is positive when it hurts; times are integer ns UTC."""

from __future__ import annotations

BUY = 1
SELL = -1

BPS = 1e4
NS_PER_SECOND = 1_000_000_000
NS_PER_MILLISECOND = 1_000_000
NS_PER_MICROSECOND = 1_000
NS_PER_MINUTE = 60 * NS_PER_SECOND
NS_PER_HOUR = 3600 * NS_PER_SECOND
NS_PER_DAY = 24 * NS_PER_HOUR


def side_sign(name: str) -> int:
    """+1 for "buy", -1 for "sell".

    Raises:
        ValueError: any other word.

    >>> side_sign("sell")
    -1
    """
    try:
        return {"buy": BUY, "sell": SELL}[name.lower()]
    except KeyError:
        raise ValueError(f"side must be buy or sell, not {name!r}") from None


def side_name(sign: int) -> str:
    """Name of a side: buy for +1, sell for -1."""
    return "buy" if sign > 0 else "sell"
