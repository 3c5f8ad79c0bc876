"""Reference mids: which price stands for "the market" just before an order, one named and versioned rule a market.

- `quote`: the middle of the last quote strictly before the timestamp, minus a lag where the feed's quotes can overtake
  its prints (Binance sends bookTicker and trades on separate channels: 5 ms).
- `trade_derived`: for tapes whose quotes are stale (B3). The quote where it is fresh, the print is exactly at its own
  side's touch and its spread is at most twice the current one; else price - sign x h, where h is half the median
  price gap between adjacent prints of opposite sign less than a second apart (last 100, at least half a tick).
- `corrected_quote`: for the same tapes, from information strictly before the print only: the last plausible quote,
  moved by every print to the price that traded. It says how much of a result rests on the mid rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.data.session import Session
from footprint.market.events import EventKind, event_time_ns
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND

FRESH_NS = 2 * NS_PER_SECOND
MAX_SPREAD_RATIO = 2.0  # a quote wider than this many current spreads is stale on one side
PAIR_NS = NS_PER_SECOND
PAIR_MEMORY = 100
MIN_HALF_SPREAD_TICKS = 0.5

_TRADE, _QUOTE = int(EventKind.TRADE), int(EventKind.QUOTE)


@dataclass(frozen=True, slots=True)
class MidRule:
    """One rule; results that rest on it quote `name` and `version`.

    Attributes:
        lag_ns: a quote counts only when it is older than this at the print.
        at_print: the mid before a print is derived from that print's own price, not read from the past.
    """

    name: str
    version: int = 1
    lag_ns: int = 0
    at_print: bool = False


QUOTE = MidRule("quote")
LAGGED_QUOTE = MidRule("lagged_quote", lag_ns=5 * NS_PER_MILLISECOND)
TRADE_DERIVED = MidRule("trade_derived", at_print=True)
CORRECTED_QUOTE = MidRule("corrected_quote")
MID_RULES: MappingProxyType[str, MidRule] = MappingProxyType(
    {rule.name: rule for rule in (QUOTE, LAGGED_QUOTE, TRADE_DERIVED, CORRECTED_QUOTE)}
)


def default_mid_rule(session: Session) -> MidRule:
    """The rule that a source's own oddities call for."""
    return {"binance": LAGGED_QUOTE, "b3": TRADE_DERIVED}.get(session.source, QUOTE)


def reference_views(session: Session, views: np.ndarray, signs: np.ndarray, rule: MidRule) -> np.ndarray:
    """Views whose `mid_ticks` and `spread_ticks` follow the rule.

    Args:
        views: VIEW_DTYPE of shape (n,), the book after each event.
        signs: int8 of shape (n,), aggressor of each print, 0 elsewhere.

    Returns:
        VIEW_DTYPE array of shape (n,): the same array for quote rules; a copy for the others, in which a row knows no
        more than the events up to it. Under `trade_derived` the mid moves at signed prints only.
    """
    if rule.name == TRADE_DERIVED.name:
        mid, spread = _trade_derived(session.events, views, signs)
    elif rule.name == CORRECTED_QUOTE.name:
        mid, spread = _corrected_quote(session.events, views, signs)
    else:
        return views
    result = views.copy()
    result["mid_ticks"], result["spread_ticks"] = mid, spread
    return result


def half_spreads(time_ns: np.ndarray, price_ticks: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Half the current spread, in ticks, as the prints before each print show it.

    Args:
        time_ns, price_ticks, sign: signed prints in time order, shape (k,).

    Returns:
        float64 array of shape (k,); row i uses pairs of prints before i only, and half a tick before the first pair.
    """
    return _half_spreads(time_ns, price_ticks, sign)


@njit(cache=True)
def _half_spreads(time_ns: np.ndarray, price: np.ndarray, sign: np.ndarray) -> np.ndarray:
    half = np.empty(len(price), np.float64)
    gaps = np.empty(PAIR_MEMORY, np.float64)
    pairs = 0
    now = MIN_HALF_SPREAD_TICKS
    for i in range(len(price)):
        half[i] = now
        if i > 0 and sign[i] == -sign[i - 1] and time_ns[i] - time_ns[i - 1] < PAIR_NS:
            gaps[pairs % PAIR_MEMORY] = abs(price[i] - price[i - 1])
            pairs += 1
            now = max(MIN_HALF_SPREAD_TICKS, np.median(gaps[: min(pairs, PAIR_MEMORY)]) / 2)
    return half


def _trade_derived(events: np.ndarray, views: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mid and spread after each event, in ticks; nan before the first signed print."""
    time_ns = event_time_ns(events)
    prints = np.flatnonzero(signs != 0)
    price, sign = events["price_ticks"][prints], signs[prints].astype(np.float64)
    spread = 2 * half_spreads(time_ns[prints], price, signs[prints])
    mid = price - sign * spread / 2

    before = np.searchsorted(time_ns, time_ns[prints], side="left") - 1
    bid, ask = views["bid_ticks"][before], views["ask_ticks"][before]
    quoted_ns = np.maximum.accumulate(np.where(events["kind"] == _QUOTE, time_ns, -FRESH_NS))[before]
    usable = (
        (before >= 0)
        & (bid != NO_PRICE)
        & (bid < ask)
        & (time_ns[prints] - quoted_ns < FRESH_NS)
        & (price == np.where(sign > 0, ask, bid))
        & (ask - bid <= MAX_SPREAD_RATIO * spread)
    )
    mid = np.where(usable, (bid + ask) / 2, mid)
    spread = np.where(usable, (ask - bid).astype(np.float64), spread)
    return _carried(mid, signs), _carried(spread, signs)


def _carried(at_prints: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Values of the signed prints, held from each print to the next; nan before the first."""
    held = np.append(np.nan, at_prints)
    return held[np.cumsum(signs != 0)]


def _corrected_quote(events: np.ndarray, views: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mid and spread after each event, in ticks; nan before the first signed print or plausible quote."""
    prints = np.flatnonzero(signs != 0)
    half = np.full(len(events), MIN_HALF_SPREAD_TICKS)
    half[prints] = half_spreads(event_time_ns(events)[prints], events["price_ticks"][prints], signs[prints])
    return _corrected(events["kind"], events["price_ticks"], signs, half, views["bid_ticks"], views["ask_ticks"])


@njit(cache=True)
def _corrected(
    kind: np.ndarray,
    price: np.ndarray,
    signs: np.ndarray,
    half: np.ndarray,
    quoted_bid: np.ndarray,
    quoted_ask: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    mid = np.full(len(kind), np.nan)
    spread = np.full(len(kind), np.nan)
    width = 2 * MIN_HALF_SPREAD_TICKS
    bid, ask = np.nan, np.nan
    for i in range(len(kind)):
        if kind[i] == _QUOTE:
            if quoted_bid[i] != NO_PRICE and 0 < quoted_ask[i] - quoted_bid[i] <= MAX_SPREAD_RATIO * width:
                bid, ask = float(quoted_bid[i]), float(quoted_ask[i])
        elif kind[i] == _TRADE and signs[i] != 0:
            width = 2 * half[i]
            if signs[i] > 0:  # the ask is where it traded; the bid stays if it is near enough below
                ask = float(price[i])
                if not 0 < ask - bid <= MAX_SPREAD_RATIO * width:
                    bid = ask - width
            else:
                bid = float(price[i])
                if not 0 < ask - bid <= MAX_SPREAD_RATIO * width:
                    ask = bid + width
        mid[i] = (bid + ask) / 2
        spread[i] = ask - bid
    return mid, spread
