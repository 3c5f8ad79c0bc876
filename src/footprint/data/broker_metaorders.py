"""Metaorders of brokers, from tapes that name the two brokers of every print: runs of one side of one broker.

`metaorders.py` deals market orders to imaginary traders; here the trader of a market order is the broker that sent it
(`Session.extra`), and everything else is the same code. A broker has many clients, so that a run of one side is not
one client's order: these are a check of the imaginary ones, nearer to real orders but not real.

Scrambled brokers keep how much each broker trades and forget when: what the runs owe to identity is the difference
(Maitrier, Loeper, Kanazawa, Bouchaud, arXiv 2502.16246).
"""

from __future__ import annotations

import numpy as np

from footprint.data.children import ChildTape
from footprint.data.prepare import PreparedSession
from footprint.data.session import EXTRA_COLUMNS
from footprint.errors import UsageError
from footprint.market.events import EventFlag, EventKind, event_time_ns

NOBODY = -1


def has_brokers(prepared: PreparedSession) -> bool:
    """True when the source names the brokers of its prints."""
    return all(name in prepared.session.extra for name in EXTRA_COLUMNS)


def child_brokers(prepared: PreparedSession) -> np.ndarray:
    """Broker that sent each market order, int64 of shape (len(tape),).

    `NOBODY` where the prints of one child came from several brokers, or from one without a number.

    Raises:
        UsageError: the source names no brokers.
    """
    session, tape, events = prepared.session, prepared.tape, prepared.events
    if not has_brokers(prepared):
        raise UsageError(f"{session.source} names no brokers, allowed: a source with {', '.join(EXTRA_COLUMNS)}")
    sideless = (events["flags"] & (EventFlag.AUCTION | EventFlag.OFF_EXCHANGE)) != 0
    signed = (events["kind"] == EventKind.TRADE) & (events["side"] != 0) & ~sideless
    time_ns = event_time_ns(events)
    lowest, highest = np.full(len(tape), np.iinfo(np.int64).max), np.full(len(tape), NOBODY)
    for side, name in ((1, "buyer_member"), (-1, "seller_member")):
        children, prints = np.flatnonzero(tape.sign == side), np.flatnonzero(signed & (events["side"] == side))
        place = np.searchsorted(tape.time_ns[children], time_ns[prints])
        inside = np.isin(time_ns[prints], tape.time_ns[children])  # the open and the close make no children
        child, sender = children[place[inside]], session.extra[name][prints[inside]]
        np.minimum.at(lowest, child, sender)
        np.maximum.at(highest, child, sender)
    return np.where((lowest == highest) & (highest > 0), highest, NOBODY)


def scrambled(brokers: np.ndarray, tape: ChildTape, rng: np.random.Generator) -> np.ndarray:
    """The same brokers dealt anew to the market orders of each segment, shape (len(tape),)."""
    shuffled = np.lexsort((rng.random(len(tape)), tape.segment))
    dealt = np.empty_like(brokers)
    dealt[np.argsort(tape.segment, kind="stable")] = brokers[shuffled]
    return dealt
