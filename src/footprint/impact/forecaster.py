"""A fitted set of models, one per target, with what it was fitted on: what `footprint fit` stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data import metaorders
from footprint.errors import ModelError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact import rows as rows_module
from footprint.impact.catalogue import SPREAD, mixture_for
from footprint.impact.conformal import CrossConformal
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.rows import TARGETS, Rows, concatenate
from footprint.impact.training import TapeRows

_RANGE = (0.005, 0.995)  # quantiles of the training orders that bound "inside the training range"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a forecaster is and what it has seen.

    Attributes:
        model_id: "mixture" or "parametric_baseline".
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
        unseen: for other symbols; calibrated on held-out symbols.
        in_flight: for the rest of an order, given its path so far.
    """

    card: ModelCard
    known: dict[str, FittedImpact]
    unseen: dict[str, FittedImpact]
    in_flight: dict[str, FittedImpact]

    def models(self, symbol: str, in_flight: bool) -> dict[str, FittedImpact]:
        """The models that answer for a symbol at this stage.

        Raises:
            ModelError: an order in flight, and the forecaster was fitted without in-flight rows.
        """
        if in_flight:
            if not self.in_flight:
                raise ModelError(f"model {self.card.model_id} has no in-flight part; fit it on more orders")
            return self.in_flight
        return self.known if symbol in self.card.symbols or not self.unseen else self.unseen


def fit_forecaster(
    tapes: Sequence[TapeRows],
    calibrated_on: str,
    version: str,
    seed: int,
    track: Callable[[Sequence[tuple[str, str]]], Iterable[tuple[str, str]]] = iter,
) -> Forecaster:
    """Fit, mix and calibrate every target on all rows of the tapes.

    Args:
        calibrated_on: today, ISO.
        version: of the package.
        track: wraps the list of (kind, target) fits, for progress.

    Raises:
        ModelError: no tape gave enough orders.
    """
    arrival = concatenate([t.arrival for t in tapes])
    in_flight = concatenate([t.in_flight for t in tapes])
    several = len(np.unique(arrival.tape)) > 1
    kinds = ["known", "in_flight"] + (["unseen"] if several else [])
    fitted: dict[str, dict[str, FittedImpact]] = {"known": {}, "in_flight": {}, "unseen": {}}
    for kind, target in track([(k, t) for k in kinds for t in TARGETS]):
        flying = kind == "in_flight"
        model: ImpactModel = mixture_for(target, flying, "tape" if kind == "unseen" else "part")
        fitted[kind][target] = model.fit(in_flight if flying else arrival, target)
    return Forecaster(_card("mixture", tapes, arrival, calibrated_on, version, seed), **fitted)


def fit_baseline(tapes: Sequence[TapeRows], calibrated_on: str, version: str, seed: int) -> Forecaster:
    """The parametric baseline: square root and half-spread, calibrated like every other model.

    Raises:
        ModelError: too few orders.
    """
    arrival = concatenate([t.arrival for t in tapes])
    in_flight = concatenate([t.in_flight for t in tapes])
    model = CrossConformal(SPREAD)
    known: dict[str, FittedImpact] = {target: model.fit(arrival, target) for target in TARGETS}
    flying: dict[str, FittedImpact] = {target: model.fit(in_flight, target) for target in TARGETS}
    return Forecaster(_card("parametric_baseline", tapes, arrival, calibrated_on, version, seed), known, {}, flying)


def _card(
    model_id: str, tapes: Sequence[TapeRows], rows: Rows, calibrated_on: str, version: str, seed: int
) -> ModelCard:
    if not len(rows):
        raise ModelError("the tapes hold no order that could be learned from")

    def inner(values: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(values, _RANGE)
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
        training_start_ns=int(rows.start_ns.min()),
        training_end_ns=int(rows.end_ns.max()),
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
