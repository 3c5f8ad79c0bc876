"""A fitted set of models, one per target, with what it was fitted on: what `footprint fit` stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data import metaorders
from footprint.errors import ModelError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact import rows as rows_module
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import SPREAD
from footprint.impact.flight.relaxation import Relaxation, fit_relaxation
from footprint.impact.interface import FittedImpact
from footprint.impact.regimes.row_regimes import FittedRowRegimes, RowRegimes
from footprint.impact.rows import TARGETS, Rows, concatenate
from footprint.impact.training import TapeRows

BASELINE_ID = "parametric_baseline"
STACK_ID = "stack"
NEVER_NS = np.iinfo(np.int64).max
_RANGE = (0.005, 0.995)  # quantiles of the training orders that bound "inside the training range"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a forecaster is and what it has seen.

    Attributes:
        model_id: "stack" or "parametric_baseline".
        calibrated_on: day of fitting, ISO.
        training_start_ns, training_end_ns: first and last training order.
        symbols: training symbols with their number of sessions and orders.
        participation_range, horizon_range_s, children_range: 0.5 % and 99.5 % quantiles of the training orders.
    """

    model_id: str
    model_version: str
    calibrated_on: str
    training_start_ns: int
    training_end_ns: int
    feature_version: str
    rows_version: str
    metaorders_version: str
    seed: int
    orders: int
    symbols: dict[str, tuple[int, int]]
    participation_range: tuple[float, float]
    horizon_range_s: tuple[float, float]
    children_range: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Forecaster:
    """Fitted models by target; an empty map where a kind of forecast is not offered.

    Attributes:
        known: for symbols that were trained on.
        unseen: for other symbols; calibrated on held-out symbols, empty when there was only one.
        in_flight: for the rest of an order, given its path so far.
        outside: for orders beyond the training range, and for other symbols when there is no `unseen`: the square root
            alone, because a fitted power or a tree says nothing there.
        relaxation: how impact goes back after the last child; None where the orders are too few to say.
        regimes: market states that a request is named by; None where none were looked for or the orders are too few.
    """

    card: ModelCard
    known: dict[str, FittedImpact]
    unseen: dict[str, FittedImpact]
    in_flight: dict[str, FittedImpact]
    outside: dict[str, FittedImpact]
    relaxation: Relaxation | None = None
    regimes: FittedRowRegimes | None = None

    def models(self, symbol: str, in_flight: bool, outside: bool = False) -> dict[str, FittedImpact]:
        """The models that answer for a symbol at this stage; empty when there were too few orders to fit them."""
        if in_flight:
            return self.in_flight
        if outside:
            return self.outside
        if symbol in self.card.symbols:
            return self.known
        return self.unseen or self.outside


def fit_baseline(tapes: Sequence[TapeRows], calibrated_on: str, version: str, seed: int) -> Forecaster:
    """The parametric baseline: square root and half-spread, calibrated like every other model.

    Where the tapes are too thin the result answers nothing (`Forecaster.known` is empty) and its card says how few
    orders there were.
    """
    arrival = concatenate([t.arrival for t in tapes])
    in_flight = concatenate([t.in_flight for t in tapes])
    known, flying = _parametric(arrival), _parametric(in_flight)
    card = _card(BASELINE_ID, tapes, arrival, calibrated_on, version, seed)
    return Forecaster(card, known, {}, flying, outside=known, relaxation=_relaxation(arrival))


def _relaxation(rows: Rows) -> Relaxation | None:
    try:
        return fit_relaxation(rows)
    except ModelError:  # too few orders: the record says that the split is unknown
        return None


def _parametric(rows: Rows) -> dict[str, FittedImpact]:
    try:
        return {target: CrossConformal(SPREAD).fit(rows, target) for target in TARGETS}
    except ModelError:  # too few orders: answered with N/A and the reason, not with an error
        return {}


def _card(
    model_id: str, tapes: Sequence[TapeRows], rows: Rows, calibrated_on: str, version: str, seed: int
) -> ModelCard:
    def inner(values: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(values, _RANGE) if len(values) else (0.0, 0.0)
        return float(low), float(high)

    symbols: dict[str, tuple[int, int]] = {}
    for tape in tapes:
        symbol = tape.name.split(" ")[0]
        sessions, orders = symbols.get(symbol, (0, 0))
        symbols[symbol] = (sessions + len(tape.sessions), orders + len(tape.arrival))
    return ModelCard(
        model_id=model_id,
        model_version=version,
        calibrated_on=calibrated_on,
        training_start_ns=int(rows.start_ns.min(initial=NEVER_NS)),
        training_end_ns=int(rows.end_ns.max(initial=0)),
        feature_version=FEATURE_VERSION,
        rows_version=rows_module.VERSION,
        metaorders_version=metaorders.VERSION,
        seed=seed,
        orders=len(rows),
        symbols=symbols,
        participation_range=inner(rows.participation),
        horizon_range_s=inner(rows.horizon_s),
        children_range=inner(rows.children.astype(np.float64)),
    )


def find_regimes(rows: Rows) -> FittedRowRegimes | None:
    """Market states of the rows; None where they are too few."""
    try:
        return RowRegimes().fit(rows)
    except ModelError:  # the record then names no regime
        return None
