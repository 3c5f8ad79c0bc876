"""Context that is not market data: news, implied volatility, sentiment, chain and macro readings.

A context event carries two times, because using a reading before it was known is look-ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ContextKind(Enum):
    """Where a context event comes from."""

    NEWS = "news"
    IMPLIED_VOLATILITY = "implied_volatility"
    SENTIMENT = "sentiment"
    CHAIN = "chain"
    MACRO = "macro"


@dataclass(frozen=True, slots=True)
class ContextEvent:
    """One reading of the world outside the book.

    Attributes:
        known_at_ns: when an observer could first have read it, ns UTC.
        effective_ns: the time it speaks of, ns UTC; may lie before or after `known_at_ns`.
        symbols: the instruments it concerns; empty means the whole market.
        value: the reading as a number (a volatility fraction, a sentiment score), None for plain text.
        text: headline or label.
    """

    kind: ContextKind
    known_at_ns: int
    effective_ns: int
    symbols: tuple[str, ...]
    value: float | None = None
    text: str = ""
