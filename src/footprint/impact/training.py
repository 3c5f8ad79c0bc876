"""From sessions to training rows: metaorders, features at their arrival, outcomes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from footprint.data.children import ChildTape
from footprint.data.metaorders import InFlight, Metaorders, in_flight, lasting_shift_bps, metaorders
from footprint.data.mid import MidRule
from footprint.data.prepare import PreparedSession, prepare
from footprint.data.session import Session
from footprint.features.vector import FeatureVector
from footprint.impact.evaluation.parts import Span, assign_parts
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.executor import SERIAL, Executor
from footprint.impact.rows import RELAXATION_S, OrderColumns, Rows, concatenate, make_rows
from footprint.units import NS_PER_DAY, NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class TapeRows:
    """Rows of one tape: a symbol's run of sessions without a long break.

    Attributes:
        name: symbol and first month ("PETR4 2025-03").
        sessions: regular hours of each session.
        children_per_session: market orders of each session.
        arrival: orders at arrival.
        in_flight: the same orders at the protocol's fractions (`Rows.stage`).
        traders: numbers of imaginary traders that were used.
        curve_days: relative time-of-day curves (volume, volatility, spread) of every whole day, shape (days, 3, 48).
    """

    name: str
    market: str
    sessions: tuple[Span, ...]
    children_per_session: tuple[int, ...]
    arrival: Rows
    in_flight: Rows
    traders: tuple[int, ...]
    curve_days: np.ndarray

    def eligible(self, protocol: Protocol) -> bool:
        """Long enough to be scored walk-forward."""
        span_s = sum(s.end_ns - s.start_ns for s in self.sessions) / NS_PER_SECOND
        return len(self.sessions) >= protocol.min_sessions or span_s >= protocol.min_continuous_s


def tape_rows(
    sessions: Iterable[Session], protocol: Protocol, mid_rule: MidRule | None = None, executor: Executor = SERIAL
) -> Iterator[TapeRows]:
    """Rows of every tape, one tape at a time; the events of one session are in memory at a time.

    Args:
        sessions: in order of (symbol, time).
        mid_rule: a rule of `data.mid` instead of each source's own.
        executor: prepares the sessions; with processes, those that it takes ahead are in memory too. Features then
            read them one after the other, because they carry over from day to day.
    """
    yield from prepared_tape_rows(executor.map(partial(prepare, mid_rule=mid_rule), sessions), protocol)


def prepared_tape_rows(sessions: Iterable[PreparedSession], protocol: Protocol) -> Iterator[TapeRows]:
    """The same from sessions that are prepared already."""
    builder: _TapeBuilder | None = None
    for prepared in sessions:
        if builder is None or not builder.continues_with(prepared.session):
            if builder is not None:
                yield builder.finish()
            builder = _TapeBuilder(prepared.session, protocol)
        builder.add(prepared)
        del prepared  # or it would stay while the next session is read
    if builder is not None:
        yield builder.finish()


class _TapeBuilder:
    """Collects the sessions of one tape."""

    def __init__(self, first: Session, protocol: Protocol) -> None:
        self._symbol, self._venue = first.instrument.symbol, first.instrument.venue
        self._name = f"{self._symbol} {first.day:%Y-%m}"
        self._market = first.instrument.market
        self._last_day = first.day
        self._protocol = protocol
        self._vector = FeatureVector(first.instrument.hours.continuous)
        self._traders: tuple[int, ...] = ()
        self._seeds = protocol.seeds
        self._spans: list[Span] = []
        self._children: list[int] = []
        self._arrival: list[Rows] = []
        self._in_flight: list[Rows] = []

    def continues_with(self, session: Session) -> bool:
        same = (session.instrument.symbol, session.instrument.venue) == (self._symbol, self._venue)
        return same and (session.day - self._last_day).days <= self._protocol.tape_gap_days

    def add(self, prepared: PreparedSession) -> None:
        session, tape = prepared.session, prepared.tape
        if not self._spans:
            busy = len(tape) > self._protocol.busy_children_per_day
            thin = len(tape) < self._protocol.thin_children_per_day
            self._traders = self._protocol.traders_busy if busy else self._protocol.traders_quiet
            self._seeds = self._protocol.seeds_thin if thin else self._protocol.seeds
        self._last_day = session.day
        self._spans.append(Span(session.open_ns, session.close_ns))
        self._children.append(len(tape))
        snapshots = [
            snapshot
            for traders in self._traders
            for orders in [self._orders(session, tape, traders)]
            for snapshot in _snapshots(tape, orders, self._protocol.in_flight_fractions)
        ]
        rows = _sample(prepared, snapshots, self._vector, self._name)
        self._arrival.extend(r for r, s in zip(rows, snapshots, strict=True) if s.stage == 0.0)
        self._in_flight.extend(r for r, s in zip(rows, snapshots, strict=True) if s.stage > 0.0)

    def _orders(self, session: Session, tape: ChildTape, traders: int) -> Metaorders:
        """Orders of every assignment seed, thinned to what the parts of this session can use."""
        protocol = self._protocol
        key = [protocol.seed, zlib.crc32(self._symbol.encode()), session.day.toordinal(), traders]
        pieces = protocol.parts if session.instrument.hours.continuous else 2
        cap = 2 * pieces * protocol.rows_per_cell // self._seeds
        chosen = []
        for seed in range(self._seeds):
            rng = np.random.default_rng([*key, seed])
            orders = metaorders(tape, traders, rng, "equal", protocol.min_children, protocol.min_duration_s)
            keep = np.sort(rng.permutation(len(orders))[:cap])
            chosen.append(orders.take(keep))
        return _join(chosen)

    def finish(self) -> TapeRows:
        protocol = self._protocol
        key = [protocol.seed, zlib.crc32(self._name.encode())]

        def cut(rows: list[Rows], cap: int) -> Rows:
            parted = assign_parts(concatenate(rows), self._spans, protocol.parts, protocol.embargo_s)
            return _thin(parted, cap, np.random.default_rng(key))

        cap = protocol.rows_per_cell * len(self._traders)

        return TapeRows(
            self._name,
            self._market,
            tuple(self._spans),
            tuple(self._children),
            cut(self._arrival, cap),
            cut(self._in_flight, cap // 2),
            self._traders,
            self._curve_days(),
        )

    def _curve_days(self) -> np.ndarray:
        """The curves learn a day when the next begins: begin one that never comes."""
        close_ns = self._spans[-1].end_ns
        self._vector.begin_session(close_ns, close_ns + NS_PER_DAY, 1.0, 1.0)
        return self._vector.curves.history


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Orders at one stage of their life."""

    stage: float
    orders: Metaorders
    columns: OrderColumns
    shifts: np.ndarray


def _snapshots(tape: ChildTape, orders: Metaorders, fractions: tuple[float, ...]) -> Iterator[_Snapshot]:
    zeros = np.zeros(len(orders))
    yield _snapshot(tape, 0.0, orders, (zeros, zeros, zeros, zeros))
    for fraction in fractions:
        part: InFlight = in_flight(tape, orders, fraction)
        progress = (part.filled_fraction, part.elapsed_s, part.realised_move_bps, part.realised_cost_bps)
        yield _snapshot(tape, fraction, part.rest, progress)


def _snapshot(tape: ChildTape, stage: float, orders: Metaorders, progress: tuple[np.ndarray, ...]) -> _Snapshot:
    horizon_s = (orders.end_ns - orders.start_ns) / NS_PER_SECOND
    columns = OrderColumns(orders.sign, orders.quantity, orders.children, horizon_s, *progress)
    shifts = [lasting_shift_bps(tape, orders, RELAXATION_S[t]) for t in ("shift_300", "shift_600")]
    return _Snapshot(stage, orders, columns, np.column_stack(shifts))


def _sample(prepared: PreparedSession, snapshots: list[_Snapshot], vector: FeatureVector, name: str) -> list[Rows]:
    """Feed the session through the features once and take them strictly before every order's next child."""
    session = prepared.session
    instrument = session.instrument
    vector.begin_session(session.open_ns, session.close_ns, instrument.tick_size, instrument.lot_size)
    first = np.concatenate([s.orders.first for s in snapshots])
    stops, times = prepared.tape.event_index[first], prepared.tape.time_ns[first]
    order = np.argsort(stops, kind="stable")
    values = np.empty((len(first), len(vector.names)))
    values[order] = vector.sample(prepared.events, prepared.views, stops[order], times[order])
    day_s = _day_seconds(session)
    edges = np.cumsum([0] + [len(s.orders) for s in snapshots])
    return [
        order_rows(s, dict(zip(vector.names, values[a:b].T, strict=True)), day_s, name, instrument.market)
        for s, a, b in zip(snapshots, edges, edges[1:], strict=False)
    ]


def _day_seconds(session: Session) -> float:
    """Length of a trading day: 24 h where the venue never closes."""
    span = NS_PER_DAY if session.instrument.hours.continuous else session.close_ns - session.open_ns
    return span / NS_PER_SECOND


def order_rows(snapshot: _Snapshot, feature: dict[str, np.ndarray], day_s: float, name: str, market: str) -> Rows:
    """Rows of one snapshot; orders whose scale is unknown are left out, because no model could answer them."""
    orders, shifts = snapshot.orders, snapshot.shifts
    temporary = orders.shortfall_bps - 0.5 * shifts[:, -1]
    rows = replace(
        make_rows(snapshot.columns, feature, orders.start_ns, day_s, name, market),
        stage=np.full(len(orders), snapshot.stage),
        end_ns=orders.end_ns,
        outcomes=np.column_stack([orders.peak_bps, orders.shortfall_bps, shifts, temporary]),
    )
    return rows.take(np.isfinite(rows.volatility * rows.participation * rows.spread_bps))


def _join(orders: list[Metaorders]) -> Metaorders:
    """Orders of several assignments as one table."""
    offsets = np.cumsum([0] + [len(o.members) for o in orders[:-1]])
    shifted = [replace(o, member_start=o.member_start + d) for o, d in zip(orders, offsets, strict=True)]
    names = Metaorders.__dataclass_fields__
    return Metaorders(**{f: np.concatenate([getattr(o, f) for o in shifted]) for f in names})


def _thin(rows: Rows, cap: int, rng: np.random.Generator) -> Rows:
    """At most `cap` rows of each (part, stage), drawn without replacement."""
    keep = []
    for part in np.unique(rows.part):
        for stage in np.unique(rows.stage):
            cell = np.flatnonzero((rows.part == part) & (rows.stage == stage))
            keep.append(rng.permutation(cell)[:cap])
    return rows.take(np.sort(np.concatenate(keep))) if keep else rows
