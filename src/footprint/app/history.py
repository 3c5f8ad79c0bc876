"""The past of one symbol up to an instant: features, orders to calibrate on, passive fills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from footprint.data.prepare import PreparedSession, prepare
from footprint.data.session import Session
from footprint.errors import UsageError
from footprint.features.vector import FeatureVector
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.passive_fill import PassiveFill, passive_fill
from footprint.impact.request import MarketSnapshot
from footprint.impact.training import TapeRows, prepared_tape_rows
from footprint.market.events import EventKind, event_time_ns
from footprint.market.instruments import Instrument
from footprint.units import NS_PER_DAY, NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class History:
    """What was known at `market.as_of_ns`.

    Attributes:
        last: the session of the instant, cut off there.
        tapes: training rows of everything before (a model calibrated on them has not looked ahead).
    """

    instrument: Instrument
    market: MarketSnapshot
    last: PreparedSession
    tapes: tuple[TapeRows, ...]

    def mid_at(self, time_ns: int) -> float:
        """Reference mid strictly before an instant of the last session; nan before its first."""
        return float(self.last.tape.mid_at(np.array([time_ns - 1]))[0])


def read_history(
    sessions: Iterable[Session],
    at_ns: int | None,
    protocol: Protocol,
    cautions: tuple[str, ...] = (),
    with_rows: bool = True,
) -> History:
    """Feed the sessions of one symbol up to `at_ns`, the end of the last session when None.

    Args:
        cautions: what the audit says of the data.
        with_rows: also make training rows, for the baseline; a stored model does not need them.

    Raises:
        UsageError: no event lies before `at_ns`.
    """
    watch = _Watch(protocol)
    followed = watch.follow(_until(sessions, at_ns))
    if with_rows:
        tapes = list(prepared_tape_rows(followed, protocol))
    else:
        tapes = []
        for _ in followed:
            pass
    if watch.session is None:
        raise UsageError(f"--at {at_ns} lies before the first event of the tape")
    return watch.history(at_ns, tuple(tapes), cautions)


def _until(sessions: Iterable[Session], at_ns: int | None) -> Iterator[Session]:
    """Sessions cut off at the instant, as if it were the end of the data."""
    for session in sessions:
        times = event_time_ns(session.events)
        count = len(times) if at_ns is None else int(np.searchsorted(times, at_ns))
        if count == len(times):
            yield session
        elif count:
            # a venue that never closes "closes" with its data: the rest of the file must not be known
            continuous = session.instrument.hours.continuous
            close_ns = min(session.close_ns, at_ns or session.close_ns) if continuous else session.close_ns
            yield replace(session, events=session.events[:count], close_ns=close_ns)


class _Watch:
    """Runs the feature vector over the sessions that pass and keeps the last of them."""

    def __init__(self, protocol: Protocol) -> None:
        self._gap_days = protocol.tape_gap_days
        self._seed = protocol.seed
        self._sessions = 0
        self._vector: FeatureVector | None = None
        self.session: Session | None = None
        self._prepared: PreparedSession | None = None

    def follow(self, sessions: Iterator[Session]) -> Iterator[PreparedSession]:
        for session in sessions:
            self._one_venue(session)
            if self.session is None or (session.day - self.session.day).days > self._gap_days:
                self._vector, self._sessions = FeatureVector(session.instrument.hours.continuous), 0
            assert self._vector is not None  # set with the first session
            instrument = session.instrument
            self._vector.begin_session(session.open_ns, session.close_ns, instrument.tick_size, instrument.lot_size)
            self._prepared = prepare(session)
            if len(session.events):
                self._vector.update(self._prepared.events, self._prepared.views)
            self._sessions += 1
            self.session = session
            yield self._prepared

    def _one_venue(self, session: Session) -> None:
        """The same name on two venues is two instruments."""
        if self.session is not None and session.instrument.venue != self.session.instrument.venue:
            symbol, venues = session.instrument.symbol, (self.session.instrument.venue, session.instrument.venue)
            raise UsageError(f"{symbol} is in the data on {' and on '.join(venues)}, allowed: files of one venue")

    def history(self, at_ns: int | None, tapes: tuple[TapeRows, ...], cautions: tuple[str, ...]) -> History:
        prepared, vector = self._prepared, self._vector
        if prepared is None or vector is None:
            raise UsageError("the tape holds no session")
        session, events, views = prepared.session, prepared.events, prepared.views
        hours = session.instrument.hours
        last_ns = int(event_time_ns(events[-1:])[0])
        now_ns = last_ns + 1 if at_ns is None else at_ns
        priced = np.flatnonzero(np.isfinite(views["mid_ticks"]) & (events["kind"] != int(EventKind.HALT)))
        known = len(priced) > 0
        age_ns = now_ns - int(event_time_ns(events[priced[-1] : priced[-1] + 1])[0]) if known else now_ns
        day_ns = NS_PER_DAY if hours.continuous else session.close_ns - session.open_ns
        market = MarketSnapshot(
            as_of_ns=now_ns,
            mid=float(views["mid_ticks"][priced[-1]]) * session.instrument.tick_size if known else float("nan"),
            quote_age_s=age_ns / NS_PER_SECOND,
            is_open=hours.continuous or session.open_ns <= now_ns < session.close_ns,
            feature_names=vector.names,
            features=vector.values(now_ns),
            day_s=day_ns / NS_PER_SECOND,
            seconds_to_close=np.inf if hours.continuous else max(0.0, (session.close_ns - now_ns) / NS_PER_SECOND),
            sessions=self._sessions,
            passive=self._passive(prepared),
            cautions=cautions,
        )
        return History(session.instrument, market, prepared, tapes)

    def _passive(self, prepared: PreparedSession) -> PassiveFill | None:
        return passive_fill(prepared.events, prepared.views, np.random.default_rng(self._seed))
