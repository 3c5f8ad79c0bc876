"""`footprint leakage` as a service: tapes -> adverse selection, information share, order leakage, brokers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.app.progress import ProgressDisplay
from footprint.data import formats
from footprint.data.broker_metaorders import NOBODY, child_brokers, has_brokers
from footprint.data.children import ChildTape
from footprint.data.mid import TRADE_DERIVED, default_mid_rule
from footprint.data.prepare import prepare
from footprint.data.session import Session
from footprint.errors import UsageError
from footprint.impact.leakage.blocks import block_length_s
from footprint.impact.leakage.broker_check import BrokerCheck, broker_check
from footprint.impact.leakage.information_share import information_share
from footprint.impact.leakage.measure import Measure
from footprint.impact.leakage.order_leakage import order_leakage
from footprint.impact.leakage.orders import WorkedOrders, synthetic_orders
from footprint.impact.leakage.placebo import false_positive_rates
from footprint.impact.leakage.summary import AdverseSelection, adverse_selection, trading_s
from footprint.impact.leakage.trade_through import Prints, prints_of
from footprint.market.events import EventFlag, EventKind

MIN_MARKET_ORDERS = 100  # an instrument with fewer is counted and not measured

SYNTHETIC = (
    "synthetic orders, chosen from the tape's own flow: the largest runs of one side of 20 imaginary traders; "
    "what they show is what choosing runs afterwards gives, nobody's leakage"
)
NO_QUOTES = "no quotes: mids are derived from the prints, so that half-spreads and short markouts are partly the rule's"
INFERRED = "signs are inferred from quotes and prints"


class _Kept(NamedTuple):
    """The small part of a session that the measures read; `brokers` sent its market orders."""

    tape: ChildTape
    prints: Prints
    brokers: np.ndarray


@dataclass(slots=True)
class _Tapes:
    """One instrument, its sessions in order of time."""

    sessions: list[_Kept] = field(default_factory=list)
    cautions: dict[str, None] = field(default_factory=dict)

    @property
    def tapes(self) -> list[ChildTape]:
        return [kept.tape for kept in self.sessions]

    @property
    def market_orders(self) -> int:
        return sum(map(len, self.tapes))


@dataclass(frozen=True, slots=True)
class OrderLeakage:
    """What the orders of one instrument gave away.

    Attributes:
        orders: how many; `outside` of them lie outside the data.
        measures: the figures, then their false-positive rates.
    """

    source: str
    orders: int
    outside: int
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class InstrumentLeakage:
    """One instrument."""

    symbol: str
    venue: str
    sessions: int
    market_orders: int
    cautions: tuple[str, ...]
    adverse: AdverseSelection
    orders: OrderLeakage | None

    @property
    def name(self) -> str:
        """For example BTCUSDT at binance-spot."""
        return f"{self.symbol} at {self.venue}"


@dataclass(frozen=True, slots=True)
class PairShare:
    """Price discovery of one symbol on two venues: the shares are those of `first`."""

    symbol: str
    first: str
    second: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Leakage:
    """Everything that was measured.

    Attributes:
        brokers: metaorders of brokers and of imaginary traders on all sessions of `broker_symbols`; () without one.
        thin: instruments with fewer than `MIN_MARKET_ORDERS`.
    """

    instruments: tuple[InstrumentLeakage, ...]
    pairs: tuple[PairShare, ...]
    brokers: tuple[BrokerCheck, ...]
    broker_symbols: tuple[str, ...]
    thin: tuple[str, ...]


def measure(
    paths: Sequence[str | Path],
    orders: Mapping[str, WorkedOrders] | None,
    rng: np.random.Generator,
    progress: ProgressDisplay,
) -> Leakage:
    """Measure every instrument of some files.

    Args:
        orders: by symbol; synthetic ones are rebuilt from the tapes when None.

    Raises:
        UsageError: no instrument has enough market orders, or no order is of one of them.
    """
    with progress.step("audit"):
        verdicts = formats.audit(paths)
    held: dict[tuple[str, str], _Tapes] = {}
    for session in progress.track(formats.sessions(paths, verdicts=verdicts), "reading sessions"):
        _keep(session, held.setdefault((session.instrument.symbol, session.instrument.venue), _Tapes()))
    usable = {key: tapes for key, tapes in held.items() if tapes.market_orders >= MIN_MARKET_ORDERS}
    if not usable:
        most = max((tapes.market_orders for tapes in held.values()), default=0)
        raise UsageError(f"at most {most} market orders of one instrument, needs {MIN_MARKET_ORDERS}")
    if orders is not None and not set(orders) & {symbol for symbol, _ in usable}:
        raise UsageError(f"no order is of {', '.join(sorted({s for s, _ in usable}))}, there are orders of "
                         f"{', '.join(sorted(orders))}")  # fmt: skip
    instruments = tuple(
        _instrument(symbol, venue, tapes, orders, rng)
        for (symbol, venue), tapes in progress.track(sorted(usable.items(), key=lambda item: item[0]), "measuring")
    )
    with progress.step("pairs and brokers"):
        pairs = tuple(_pairs(usable, rng))
        symbols, brokers = _brokers(usable, rng)
    thin = tuple(symbol for symbol, _ in sorted(set(held) - set(usable)))
    return Leakage(instruments, pairs, brokers, symbols, thin)


def _keep(session: Session, tapes: _Tapes) -> None:
    """Add what is needed of a session to its instrument."""
    prepared = prepare(session)
    if len(prepared.tape) and not np.isfinite(prepared.views["mid_ticks"]).any():
        prepared = prepare(session, TRADE_DERIVED)
        tapes.cautions[NO_QUOTES] = None
    elif default_mid_rule(session) == TRADE_DERIVED:
        tapes.cautions[NO_QUOTES.replace("no quotes", "stale quotes")] = None
    if not len(prepared.tape) or not np.isfinite(prepared.tape.mid_before).any():
        return
    trades = session.events[session.events["kind"] == EventKind.TRADE]
    if not (trades["flags"] & EventFlag.SIDE_GIVEN).any():
        tapes.cautions[INFERRED] = None
    brokers = child_brokers(prepared) if has_brokers(prepared) else np.full(len(prepared.tape), NOBODY)
    tapes.sessions.append(_Kept(prepared.tape, prints_of(prepared), brokers))
    tapes.sessions.sort(key=lambda kept: int(kept.tape.time_ns[0]))


def _instrument(
    symbol: str, venue: str, kept: _Tapes, orders: Mapping[str, WorkedOrders] | None, rng: np.random.Generator
) -> InstrumentLeakage:
    adverse = adverse_selection(kept.tapes, [session.prints for session in kept.sessions], rng)
    leaked = None
    if orders is None:
        leaked = _orders(SYNTHETIC, synthetic_orders(kept.tapes, rng), kept.tapes, rng)
    elif symbol in orders:
        leaked = _orders("orders of the file", orders[symbol], kept.tapes, rng)
    return InstrumentLeakage(symbol, venue, len(kept.tapes), kept.market_orders, tuple(kept.cautions), adverse, leaked)


def _orders(source: str, orders: WorkedOrders, tapes: list[ChildTape], rng: np.random.Generator) -> OrderLeakage:
    inside = np.zeros(len(orders), bool)
    for tape in tapes:
        inside |= (orders.start_ns >= tape.time_ns[0]) & (orders.end_ns <= tape.time_ns[-1] + 1)
    block_s, chosen = block_length_s(trading_s(tapes)), orders.take(inside)
    figures = order_leakage(tapes, chosen, block_s, rng)
    rates = false_positive_rates(tapes, chosen, block_s, rng)
    return OrderLeakage(source, len(chosen), int((~inside).sum()), (*figures, *rates))


def _pairs(usable: Mapping[tuple[str, str], _Tapes], rng: np.random.Generator) -> Iterator[PairShare]:
    """Every two venues of one symbol that traded at the same time."""
    for (symbol, first), (other, second) in combinations(sorted(usable), 2):
        a, b = usable[symbol, first].tapes, usable[other, second].tapes
        together = any(s.time_ns[0] < t.time_ns[-1] and t.time_ns[0] < s.time_ns[-1] for s in a for t in b)
        if symbol == other and together:
            block_s = block_length_s(min(trading_s(a), trading_s(b)))
            yield PairShare(symbol, first, second, tuple(information_share(a, b, block_s, rng)))


def _brokers(
    usable: Mapping[tuple[str, str], _Tapes], rng: np.random.Generator
) -> tuple[tuple[str, ...], tuple[BrokerCheck, ...]]:
    """Symbols whose source names brokers, and the check on all their sessions together."""
    named = {
        key: [s for s in tapes.sessions if (s.brokers != NOBODY).any() and np.ptp(_known(s.tape.mid_before)) > 0]
        for key, tapes in sorted(usable.items())
    }
    sessions = [session for found in named.values() for session in found]
    if not sessions:
        return (), ()
    # sessions of one day share the clock: their hours count once
    longest_s = max(trading_s([s.tape for s in found]) for found in named.values())
    tapes, brokers = [s.tape for s in sessions], [s.brokers for s in sessions]
    symbols = tuple(symbol for (symbol, _), found in named.items() if found)
    return symbols, tuple(broker_check(tapes, brokers, block_length_s(longest_s), rng))


def _known(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
