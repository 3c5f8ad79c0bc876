"""What one session of events is worth: holes, wrong books, late quotes, clocks, coverage. One pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numba import njit

from footprint.book.replay import views
from footprint.book.view import NO_PRICE
from footprint.data.clocks import FIRST_PLAUSIBLE_NS, LAST_PLAUSIBLE_NS, ClockFit, fit_clocks, resolution_ns
from footprint.data.quality import thresholds
from footprint.data.quality.kinds import kind_table
from footprint.data.quality.order_ids import OrderIds, check_order_ids
from footprint.data.quality.repeats import repeated_messages
from footprint.data.quality.sequences import Sequence, numbered, sequences
from footprint.data.quality.spells import Spells, spells_of, spells_where, time_gaps
from footprint.data.session import Session
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind, event_time_ns
from footprint.units import NS_PER_MINUTE, NS_PER_SECOND

_CHANGES_BOOK = kind_table("ADD", "CANCEL", "MODIFY", "FILL", "LEVEL", "QUOTE", "CLEAR", "DELETE")
_NOT_AT_THE_QUOTE = EventFlag.AUCTION | EventFlag.OFF_EXCHANGE | EventFlag.HIDDEN
_RACE_NS = int(thresholds.QUOTE_RACE_S.value * NS_PER_SECOND)
_RACE_CHANGES = int(thresholds.QUOTE_RACE_CHANGES.value)
_BIN_WIDTHS_NS = tuple(s * NS_PER_SECOND for s in (1, 5, 15)) + tuple(m * NS_PER_MINUTE for m in (1, 5, 15, 60, 1440))


@dataclass(frozen=True, slots=True)
class Clock:
    """One of the two clocks.

    Attributes:
        known: events that carry it.
        resolution_ns: the coarsest of 1 s, 1 ms, 1 us and 1 ns that all its times are multiples of, 0 when none is.
        back: events whose time is before that of the event before; `most_back_ns` is the largest step back.
        implausible: times outside the plausible years: a wrong unit or epoch.
    """

    known: int
    resolution_ns: int
    back: int
    most_back_ns: int
    implausible: int


@dataclass(frozen=True, slots=True)
class PrintsAgainstQuote:
    """Lit prints of continuous trading against the quote just before them.

    Attributes:
        prints: with both sides quoted and not crossed.
        outside: below the bid or above the ask, and not one of `moving`.
        moving: outside, but between the lowest bid and the highest ask within QUOTE_RACE_S around: prints that walk
            through the book, and quotes that come before the prints that moved them.
        median_age_s, p99_age_s: time since the last event that can change the book; nan without prints.
    """

    prints: int
    outside: int
    moving: int
    median_age_s: float
    p99_age_s: float

    def share(self, count: int) -> float:
        """A count as a share of the prints, nan without prints."""
        return count / self.prints if self.prints else float("nan")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The session in bins of equal width.

    Attributes:
        start_ns: of the first bin.
        width_ns: of every bin.
        events, prints: int64 of shape (b,).
        mid_share: share of the time with a valid mid, float64 of shape (b,), nan outside the data.
    """

    start_ns: int
    width_ns: int
    events: np.ndarray
    prints: np.ndarray
    mid_share: np.ndarray


@dataclass(frozen=True, slots=True)
class DayQuality:
    """Everything that is measured of one session.

    Attributes:
        first_ns, last_ns: event time of the first and the last event.
        events, messages, prints: how many.
        numbered: the source numbers its messages.
        repeated: messages equal to one shortly before them, None when the source has no numbers to tell by.
        time_gaps: silences within regular hours longer than `time_gap_limit_s`.
        has_book: some event can change a book; else crossed, locked, empty and mid say nothing.
        no_mid_share: share of the time without a valid mid since both sides first stood, nan without a book.
        missing_open_s, missing_close_s: regular hours without data at either end, 0 for a venue that never closes.
    """

    symbol: str
    venue: str
    source: str
    day: date
    paths: tuple[Path, ...]
    counts: Mapping[str, int]
    first_ns: int
    last_ns: int
    open_ns: int
    close_ns: int
    events: int
    messages: int
    prints: int
    exchange_clock: Clock
    receive_clock: Clock
    clock_fit: ClockFit | None
    numbered: bool
    sequences: tuple[Sequence, ...]
    repeated: int | None
    first_repeated_row: int
    order_ids: OrderIds | None
    time_gaps: Spells
    time_gap_limit_s: float
    halts: Spells
    has_book: bool
    crossed: Spells
    locked: Spells
    one_sided: Spells
    no_mid_share: float
    against_quote: PrintsAgainstQuote
    missing_open_s: float
    missing_close_s: float
    coverage: Coverage

    @property
    def span_s(self) -> float:
        """Seconds from the first event to the last."""
        return (self.last_ns - self.first_ns) / NS_PER_SECOND


def day_quality(session: Session) -> DayQuality | None:
    """Measure a session; None when it has no event."""
    events = session.events
    if not len(events):
        return None
    time_ns = event_time_ns(events)
    message = np.flatnonzero(events["flags"] & EventFlag.LAST)
    if not len(message):
        message = np.arange(len(events))
    message_ns, row = time_ns[message], events["row"][message]
    prints = np.flatnonzero(events["kind"] == EventKind.TRADE)
    inside = (message_ns >= session.open_ns) & (message_ns <= session.close_ns)
    gaps, limit_s = time_gaps(message_ns[inside], row[inside])
    has_book = bool(_CHANGES_BOOK[events["kind"]].any())
    top = _Top(events, time_ns, message, has_book)
    has_numbers = numbered(events)
    repeated, repeated_row = repeated_messages(events) if has_numbers else (None, 0)
    exchange, receive = events["exchange_time_ns"], events["receive_time_ns"]
    closes = not session.instrument.hours.continuous
    first_ns, last_ns = int(time_ns[0]), int(time_ns[-1])
    return DayQuality(
        symbol=session.instrument.symbol,
        venue=session.instrument.venue,
        source=session.source,
        day=session.day,
        paths=session.paths,
        counts=session.counts,
        first_ns=first_ns,
        last_ns=last_ns,
        open_ns=session.open_ns,
        close_ns=session.close_ns,
        events=len(events),
        messages=len(message),
        prints=len(prints),
        exchange_clock=_clock(exchange),
        receive_clock=_clock(receive),
        clock_fit=fit_clocks(exchange[message], receive[message]),
        numbered=has_numbers,
        sequences=sequences(events),
        repeated=repeated,
        first_repeated_row=repeated_row,
        order_ids=check_order_ids(events),
        time_gaps=gaps,
        time_gap_limit_s=limit_s,
        halts=_halts(events, time_ns),
        has_book=has_book,
        crossed=spells_where(top.crossed, message_ns, row),
        locked=spells_where(top.locked, message_ns, row),
        one_sided=spells_where(top.one_sided, message_ns, row),
        no_mid_share=_no_mid_share(top, message_ns),
        against_quote=_against_quote(events, time_ns, prints, top),
        missing_open_s=max(0, first_ns - session.open_ns) / NS_PER_SECOND if closes else 0.0,
        missing_close_s=max(0, session.close_ns - last_ns) / NS_PER_SECOND if closes else 0.0,
        coverage=_coverage(session, time_ns, message_ns, prints, top),
    )


class _Top:
    """Best bid and ask around each event and after each message; int64 ticks, NO_PRICE when empty."""

    def __init__(self, events: np.ndarray, time_ns: np.ndarray, message: np.ndarray, has_book: bool) -> None:
        if not has_book:
            self.bid = self.ask = np.full(len(events), NO_PRICE)
            self.crossed = self.locked = self.one_sided = self.valid = np.zeros(len(message), bool)
            return
        view = views(events)
        self.bid, self.ask = view["bid_ticks"], view["ask_ticks"]
        bid, ask = self.bid[message], self.ask[message]
        both = (bid != NO_PRICE) & (ask != NO_PRICE)
        self.crossed, self.locked = both & (bid > ask), both & (bid == ask)
        # before the first quote of each side the book is not wrong, it has not begun
        self.one_sided = ~both & np.logical_or.accumulate(both)
        self.valid = ~np.isnan(view["mid_ticks"][message])


def _clock(time_ns: np.ndarray) -> Clock:
    known = time_ns if (time_ns != UNKNOWN_TIME).all() else time_ns[time_ns != UNKNOWN_TIME]
    step = np.diff(known)
    return Clock(
        known=len(known),
        resolution_ns=resolution_ns(known),
        back=int((step < 0).sum()),
        most_back_ns=max(0, -int(step.min(initial=0))),
        implausible=int(((known < FIRST_PLAUSIBLE_NS) | (known >= LAST_PLAUSIBLE_NS)).sum()),
    )


def _halts(events: np.ndarray, time_ns: np.ndarray) -> Spells:
    """From each HALT to the next RESUME, or to the end."""
    halt, resume = (np.flatnonzero(events["kind"] == kind) for kind in (EventKind.HALT, EventKind.RESUME))
    follows = np.append(resume, len(events) - 1)[np.searchsorted(resume, halt)]
    first = np.diff(follows, prepend=-1) != 0  # a HALT inside a halt goes on with it
    start, end = halt[first], follows[first]
    return spells_of(time_ns[start], time_ns[end], events["row"][start], len(halt))


def _no_mid_share(top: _Top, message_ns: np.ndarray) -> float:
    """Of the time since a mid first stood."""
    begun = int(np.argmax(top.valid))
    span = int(message_ns[-1] - message_ns[begun])
    if not top.valid.any() or span <= 0:
        return float("nan")
    valid_ns = np.diff(message_ns[begun:]) @ top.valid[begun:-1].astype(np.int64)
    return 1.0 - float(valid_ns) / span


def _against_quote(events: np.ndarray, time_ns: np.ndarray, prints: np.ndarray, top: _Top) -> PrintsAgainstQuote:
    lit = prints[(prints > 0) & (events["flags"][prints] & _NOT_AT_THE_QUOTE == 0)]
    bid, ask = top.bid[lit - 1], top.ask[lit - 1]
    quoted = (bid != NO_PRICE) & (ask != NO_PRICE) & (bid <= ask)
    lit, bid, ask = lit[quoted], bid[quoted], ask[quoted]
    if not len(lit):
        return PrintsAgainstQuote(0, 0, 0, float("nan"), float("nan"))
    price = events["price_ticks"][lit]
    outside = (price < bid) | (price > ask)
    changes = (np.diff(top.bid, prepend=NO_PRICE) != 0) | (np.diff(top.ask, prepend=NO_PRICE) != 0)
    moved = np.flatnonzero(changes & (top.bid != NO_PRICE) & (top.ask != NO_PRICE))
    present = np.searchsorted(moved, lit[outside]) - 1
    moving = int(
        _within_recent_range(
            price[outside], time_ns[lit[outside]], present, time_ns[moved], top.bid[moved], top.ask[moved]
        )
    )
    quoting = np.flatnonzero(_CHANGES_BOOK[events["kind"]])
    age_s = (time_ns[lit] - time_ns[quoting[np.searchsorted(quoting, lit) - 1]]) / NS_PER_SECOND
    median_s, p99_s = np.quantile(age_s, (0.5, 0.99))
    return PrintsAgainstQuote(len(lit), int(outside.sum()) - moving, moving, float(median_s), float(p99_s))


@njit(cache=True)
def _within_recent_range(price, print_ns, present, quote_ns, bid, ask):  # type: ignore[no-untyped-def]
    """How many prints lie within the range of the quotes that stood around them; `present` is the newest quote."""
    count = 0
    for k in range(len(price)):
        low, high = bid[present[k]], ask[present[k]]
        at, seen = present[k], 0
        while at > 0 and seen < _RACE_CHANGES and print_ns[k] - quote_ns[at] <= _RACE_NS:
            at, seen = at - 1, seen + 1
            low, high = min(low, bid[at]), max(high, ask[at])
        at, seen = present[k] + 1, 0
        while at < len(bid) and seen < _RACE_CHANGES and quote_ns[at] - print_ns[k] <= _RACE_NS:
            low, high = min(low, bid[at]), max(high, ask[at])
            at, seen = at + 1, seen + 1
        count += low <= price[k] <= high
    return count


def _coverage(session: Session, time_ns: np.ndarray, message_ns: np.ndarray, prints: np.ndarray, top: _Top) -> Coverage:
    start, stop = int(time_ns[0]), int(time_ns[-1])
    if not session.instrument.hours.continuous:
        start, stop = min(start, session.open_ns), max(stop, session.close_ns)
    most = int(thresholds.COVERAGE_MAX_BINS.value)
    day_ns = _BIN_WIDTHS_NS[-1]
    width = next(
        (w for w in _BIN_WIDTHS_NS if stop - start < w * most), -(-(stop - start + 1) // (most * day_ns)) * day_ns
    )
    start -= start % width
    bins = (stop - start) // width + 1
    edges = start + width * np.arange(bins + 1)
    events = np.diff(np.searchsorted(time_ns, edges))
    valid_ns = np.append(0, np.cumsum(np.diff(message_ns) * top.valid[:-1]))
    # whole ns from the first message: the differences are exact in float64, the times are not
    upto = np.interp(edges - message_ns[0], message_ns - message_ns[0], valid_ns)
    held = np.diff(np.clip(edges, message_ns[0], message_ns[-1]))
    share = np.full(bins, np.nan)
    np.divide(np.diff(upto), held, out=share, where=held > 0)
    return Coverage(start, width, events, np.diff(np.searchsorted(time_ns[prints], edges)), np.clip(share, 0, 1))
