"""Order-by-order files replayed: no message names an order that is not there, and no continuous book crosses."""

from __future__ import annotations

import numpy as np

from footprint.book import invariants
from footprint.book.orders import OrderBook
from footprint.book.replay import BookKind, views
from footprint.data import formats
from footprint.data.session import Session
from footprint.market.events import EventFlag
from scorecard.bar import Bar, Limit
from scorecard.sources import shared_data

_COMMAND = "python -m scorecard --only order_books"

_DBN = Bar(3, "Databento MBO: unknown order ids", "messages", Limit(at_most=0), None, _COMMAND)
_BITSTAMP = Bar(3, "Bitstamp log: messages that leave the book crossed", "messages", Limit(at_most=0), None, _COMMAND)
_BITFINEX = Bar(3, "Bitfinex R0: unknown deletes", "messages", Limit(at_most=0), None, _COMMAND)
BARS = (_DBN, _BITSTAMP, _BITFINEX)


def measure() -> list[Bar]:
    dbn = _sessions("databento_mbo", "esh4-glbx-mdp3-20231225.mbo.first60pct.dbn.zst")
    (bitstamp,) = _sessions("bitstamp_l3", "2015-05-01.first3h.log.xz")
    (bitfinex,) = _sessions("bitfinex_l3", "bitfinex_tBTCUSD_R0.first30000.jsonl.gz")
    whole = bitstamp.events["flags"] & EventFlag.LAST != 0
    crossed = invariants.crossed(views(bitstamp.events, BookKind.ORDERS)[whole])
    dropped = bitfinex.counts.get("unknown_deletes", 0)
    return [
        _DBN.measured(sum(map(_unknown_ids, dbn)), n=sum(len(s.events) for s in dbn)),
        _BITSTAMP.measured(int(np.count_nonzero(crossed)), n=len(crossed), note=_purged(bitstamp)),
        _BITFINEX.measured(dropped + _unknown_ids(bitfinex), n=len(bitfinex.events)),
    ]


def _sessions(*parts: str) -> list[Session]:
    return list(formats.sessions([shared_data(*parts)]))


def _unknown_ids(session: Session) -> int:
    book = OrderBook()
    book.apply(session.events)
    return book.unknown_ids


def _purged(session: Session) -> str:
    told = (f"{count:,} {name}" for name, count in session.counts.items() if "purge" in name or "waited" in name)
    return ", ".join(told)
