"""Who was the aggressor of each print: the source's own word, or inferred from quotes and earlier prints.

- quote rule: above the mid a buy, below it a sell, at the mid unknown;
- tick rule: above the last different price a buy, below it a sell;
- Lee-Ready (Lee & Ready, Journal of Finance 46, 733-746, 1991): the quote rule against the quote of `lag_ns` before
  the print, the tick rule at the mid. Their five seconds fit tapes of 1988; on a modern tape the lag is 0.

The quote of a print is the last one strictly before its timestamp (minus the lag): a quote of the same timestamp may
already be its effect. Prints against hidden orders carry no trustworthy side of their own and are always inferred.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.data.session import Session
from footprint.errors import UsageError
from footprint.market.events import EventFlag, EventKind, event_time_ns
from footprint.units import NS_PER_SECOND

LEE_READY_1991_LAG_NS = 5 * NS_PER_SECOND

_TRADE = int(EventKind.TRADE)

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Accuracy(NamedTuple):
    """How often a rule names the true aggressor; an unsigned print counts as wrong."""

    by_count: float
    by_volume: float
    prints: int


def true_flags(events: np.ndarray) -> np.ndarray:
    """Aggressor as the source names it.

    Returns:
        int8 array of shape (n,): +1 buy, -1 sell, 0 on every event that is not a print with a given, trusted side.
    """
    return np.where(_has_true_side(events), events["side"], 0).astype(np.int8)


def quote_rule(events: np.ndarray, views: np.ndarray, lag_ns: int = 0) -> np.ndarray:
    """Sign of each print against the mid of the last quote strictly before its time minus `lag_ns`.

    Args:
        events: EVENT_DTYPE of shape (n,), in order of arrival.
        views: VIEW_DTYPE of shape (n,), the book after each event.
        lag_ns: age that the quote must exceed, ns.

    Returns:
        int8 array of shape (n,): 0 at the mid, without a two-sided quote and on every event that is not a print.
    """
    time_ns = event_time_ns(events)
    prints = np.flatnonzero(events["kind"] == _TRADE)
    quote = np.searchsorted(time_ns, time_ns[prints] - lag_ns, side="left") - 1
    bid, ask = views["bid_ticks"][quote], views["ask_ticks"][quote]
    known = (quote >= 0) & (bid != NO_PRICE) & (ask != NO_PRICE)
    signs = np.zeros(len(events), np.int8)
    signs[prints] = np.where(known, np.sign(2 * events["price_ticks"][prints] - bid - ask), 0)
    return signs


def tick_rule(events: np.ndarray) -> np.ndarray:
    """Sign of the last price change among the prints; 0 before the first change and on events that are not prints.

    Returns:
        int8 array of shape (n,).
    """
    return _tick_rule(events["kind"], events["price_ticks"])


@njit(cache=True)
def _tick_rule(kind: np.ndarray, price: np.ndarray) -> np.ndarray:
    signs = np.zeros(len(kind), np.int8)
    last_price, last_sign = np.int64(0), np.int8(0)
    for i in range(len(kind)):
        if kind[i] != _TRADE:
            continue
        if last_price != 0 and price[i] != last_price:
            last_sign = np.int8(1) if price[i] > last_price else np.int8(-1)
        last_price = price[i]
        signs[i] = last_sign
    return signs


def lee_ready(events: np.ndarray, views: np.ndarray, lag_ns: int = 0) -> np.ndarray:
    """Quote rule with the quote of `lag_ns` before, tick rule where that is silent; int8 of shape (n,)."""
    by_quote = quote_rule(events, views, lag_ns)
    return np.where(by_quote != 0, by_quote, tick_rule(events)).astype(np.int8)


def _true_or_inferred(events: np.ndarray, views: np.ndarray) -> np.ndarray:
    given = true_flags(events)
    return np.where(given != 0, given, lee_ready(events, views)).astype(np.int8)


INFERENCE_RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        "quote_rule": quote_rule,
        "tick_rule": lambda events, views: tick_rule(events),
        "lee_ready": lee_ready,
        "lee_ready_5s": lambda events, views: lee_ready(events, views, LEE_READY_1991_LAG_NS),
    }
)
RULES: MappingProxyType[str, Rule] = MappingProxyType({"true_flags": _true_or_inferred, **INFERENCE_RULES})


def default_rule(session: Session) -> str:
    """The best rule the source supports: its own flags, else Lee-Ready, else (no quotes) the tick rule."""
    events = session.events
    if _has_true_side(events).any():
        return "true_flags"
    return "lee_ready" if (events["kind"] != _TRADE).any() else "tick_rule"


def sign_trades(session: Session, views: np.ndarray, rule: str | None = None) -> tuple[np.ndarray, str]:
    """Aggressor of every print of a session.

    Args:
        views: VIEW_DTYPE of shape (n,), the book after each event.
        rule: a key of `RULES`; `default_rule` when None. "true_flags" infers by Lee-Ready where the source is silent
            (hidden executions).

    Returns:
        int8 array of shape (n,), +1 buy, -1 sell, 0 unknown or not a print; and the name of the rule.

    Raises:
        UsageError: no such rule.
    """
    name = rule or default_rule(session)
    if name not in RULES:
        raise UsageError(f"no signing rule {name!r}, there is: {', '.join(RULES)}")
    return RULES[name](session.events, views), name


def signing_accuracy(session: Session, views: np.ndarray) -> dict[str, Accuracy]:
    """Each inference rule against the true flags; empty when the source gives no sides."""
    events = session.events
    judged = _has_true_side(events)
    prints = int(judged.sum())
    if not prints:
        return {}
    truth, size = events["side"][judged], events["size_lots"][judged].astype(np.float64)
    result = {}
    for name, rule in INFERENCE_RULES.items():
        right = rule(events, views)[judged] == truth
        result[name] = Accuracy(float(right.mean()), float(size @ right / size.sum()), prints)
    return result


def _has_true_side(events: np.ndarray) -> np.ndarray:
    flags = events["flags"]
    given = (flags & EventFlag.SIDE_GIVEN != 0) & (flags & EventFlag.HIDDEN == 0) & (events["side"] != 0)
    return (events["kind"] == _TRADE) & given
