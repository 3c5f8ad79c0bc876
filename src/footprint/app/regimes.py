"""`footprint regimes` as a service: the tape of a symbol -> its market regimes, and what they change in a forecast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from footprint.app.progress import ProgressDisplay
from footprint.data import formats
from footprint.data.prepare import PreparedSession, prepare
from footprint.data.session import Session
from footprint.data.verdict import Analysis, counted
from footprint.errors import ModelError, UsageError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.linear_mean import MIN_ROWS
from footprint.impact.regimes.baum_welch import MIN_OBSERVATIONS_PER_STATE
from footprint.impact.regimes.minute_regimes import CHOICES, CarriedRegimes, find_regimes, with_regimes
from footprint.impact.regimes.observations import Minutes, observe_minutes
from footprint.impact.regimes.online_filter import filtered
from footprint.impact.regimes.regime_model import RegimeAware
from footprint.impact.regimes.report import EffectSummary, RegimeReport, describe_effects, describe_regimes
from footprint.impact.regimes.selection import Selection
from footprint.impact.rows import Rows, concatenate
from footprint.impact.square_root import SquareRoot
from footprint.impact.training import prepared_tape_rows
from footprint.units import NS_PER_SECOND

# the choice is made on four blocks of time, and the first must do for the most states
MIN_MINUTES = 4 * MIN_OBSERVATIONS_PER_STATE * max(count for _, count in CHOICES)
TARGETS = ("peak", "shortfall")


@dataclass(frozen=True, slots=True)
class TargetEffects:
    """What the regimes change in the forecast of one target; `reason` says why there are no `effects`.

    Attributes:
        past: orders from which the effects were learnt; those in `effects` came later.
    """

    target: str
    past: int
    effects: tuple[EffectSummary, ...]
    reason: str = ""

    @property
    def is_nothing(self) -> bool:
        """True when pooling left every multiple at 1."""
        return not self.reason and all(e.prefactor[0] == e.scale[0] == 1.0 for e in self.effects)


@dataclass(frozen=True, slots=True)
class SymbolRegimes:
    """The regimes of one symbol.

    Attributes:
        minutes: all of the tape, in order of time.
        learnt: the first so many of `minutes`; number, kind and states come from them alone.
        report: of all minutes, by the filtered label.
        now: probabilities after the last minute, shape (K,).
        cautions: what the audit says of the files.
    """

    symbol: str
    venue: str
    sessions: int
    minutes: Minutes
    learnt: int
    selection: Selection
    report: RegimeReport
    now: np.ndarray
    effects: tuple[TargetEffects, ...]
    cautions: tuple[str, ...]


def measure(
    paths: Sequence[str | Path], symbol: str, seed: int, progress: ProgressDisplay, protocol: Protocol | None = None
) -> SymbolRegimes:
    """Find the regimes on the earlier half of the minutes, label all online, and score what they change on the later.

    Args:
        seed: of the fit's starts, of the imaginary traders and of the resampling.
        protocol: another protocol than the published one (tests use a smaller one).

    Raises:
        ModelError: too few minutes.
        UsageError, DataRefused: as `formats.sessions`; or the symbol is on two venues.
    """
    protocol = protocol or Protocol()
    protocol = replace(protocol, seed=protocol.seed + seed)
    with progress.step("audit"):
        verdicts = formats.audit(paths)
    voids = {a for v in verdicts if symbol.upper() in v.symbols for a in v.voids}
    cautions = ("the audit limits this data, void: " + ", ".join(a.value for a in Analysis if a in voids),)
    watch = _Watch()
    sessions = progress.track(formats.sessions(paths, symbol, verdicts), f"reading {symbol}")
    tapes = [tape.arrival for tape in prepared_tape_rows(watch.follow(sessions), protocol) if len(tape.arrival)]
    minutes = watch.minutes()
    with progress.step("finding regimes"):
        learnt = _learnt(minutes, symbol.upper(), watch.sessions)
        selection = find_regimes(minutes.take(slice(learnt)), seed=seed)
    states = selection.states
    with progress.step("what they change"):
        rows = with_regimes(concatenate(tapes), states, minutes) if tapes else None
        cut_ns = int(minutes.end_ns[learnt - 1])
        effects = tuple(_effects(rows, target, cut_ns, protocol) for target in TARGETS)
    now = filtered(states, minutes.logs, minutes.begins)[-1]
    report = describe_regimes(states, minutes)
    return SymbolRegimes(
        symbol.upper(), watch.venue, watch.sessions, minutes, learnt, selection, report, now, effects,
        cautions if voids else (),
    )  # fmt: skip


class _Watch:
    """Keeps the minutes of the sessions that pass."""

    def __init__(self) -> None:
        self.venue, self.sessions = "", 0
        self._parts: list[Minutes] = []

    def follow(self, sessions: Iterable[Session]) -> Iterator[PreparedSession]:
        """Prepare each session and observe its minutes.

        Raises:
            UsageError: they are of two venues: the same name on two venues is two instruments.
        """
        for session in sessions:
            venue = session.instrument.venue
            if self.sessions and venue != self.venue:
                name, both = session.instrument.symbol, f"{self.venue} and on {venue}"
                raise UsageError(f"{name} is in the data on {both}, allowed: files of one venue")
            self.venue, self.sessions = venue, self.sessions + 1
            prepared = prepare(session)
            self._parts.append(observe_minutes([prepared]))
            yield prepared

    def minutes(self) -> Minutes:
        """Of all sessions, in order of time; formats come one after the other."""
        if not self._parts:
            return observe_minutes([])
        parts = sorted(self._parts, key=lambda part: int(part.end_ns[0]) if len(part) else 0)
        return Minutes(*(np.concatenate([getattr(part, name) for part in parts]) for name in Minutes.__slots__))


def _learnt(minutes: Minutes, symbol: str, sessions: int) -> int:
    """How many minutes to learn from: half of them, more where that is too little.

    Raises:
        ModelError: all of them are too few.
    """
    known = np.cumsum(np.isfinite(minutes.logs).any(axis=1))
    found = int(known[-1]) if len(known) else 0
    if found < MIN_MINUTES:
        held = counted(sessions, "sessions")
        raise ModelError(
            f"{symbol} has {found} whole minutes with events in {held}, regimes need at least {MIN_MINUTES}"
        )
    return max(len(minutes) // 2, int(np.searchsorted(known, MIN_MINUTES)) + 1)


def _effects(rows: Rows | None, target: str, cut_ns: int, protocol: Protocol) -> TargetEffects:
    """Learnt on the orders whose outcome was known at `cut_ns`, scored on those that came after."""
    if rows is None:
        return TargetEffects(target, 0, (), "no orders with a known spread, volatility and volume (quotes needed)")
    rows = rows.known(target)
    past = rows.take(rows.end_ns + int(protocol.embargo_s * NS_PER_SECOND) <= cut_ns)
    later = rows.take(rows.start_ns >= cut_ns)
    if len(past) < MIN_ROWS or not len(later):
        reason = f"{len(past)} orders before and {len(later)} after the regimes were learnt, needs {MIN_ROWS} and 1"
        return TargetEffects(target, len(past), (), reason)
    fitted = RegimeAware(SquareRoot(half_spread=True), CarriedRegimes(), protocol.cluster_s).fit(past, target)
    return TargetEffects(target, len(past), describe_effects(fitted, later, protocol))
