"""A fitted set of models, one per target, with what it was fitted on: what `footprint fit` stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import joblib
import numpy as np

from footprint.data import metaorders
from footprint.errors import ModelError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact import rows as rows_module
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import SPREAD, mixture_for
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.rows import TARGETS, Rows, concatenate
from footprint.impact.training import TapeRows

BASELINE_ID = "parametric_baseline"
MIXTURE_ID = "mixture"
NEVER_NS = np.iinfo(np.int64).max
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
        unseen: for other symbols; calibrated on held-out symbols, empty when there was only one.
        in_flight: for the rest of an order, given its path so far.
        outside: for orders beyond the training range, and for other symbols when there is no `unseen`: the square root
            alone, because a fitted power or a tree says nothing there.
    """

    card: ModelCard
    known: dict[str, FittedImpact]
    unseen: dict[str, FittedImpact]
    in_flight: dict[str, FittedImpact]
    outside: dict[str, FittedImpact]

    def models(self, symbol: str, in_flight: bool, outside: bool = False) -> dict[str, FittedImpact]:
        """The models that answer for a symbol at this stage; empty when there were too few orders to fit them."""
        if in_flight:
            return self.in_flight
        if outside:
            return self.outside
        if symbol in self.card.symbols:
            return self.known
        return self.unseen or self.outside


def fit_forecaster(
    tapes: Sequence[TapeRows],
    calibrated_on: str,
    version: str,
    seed: int,
    workers: int = 1,
    track: Callable[[Iterable[FittedImpact], int], Iterable[FittedImpact]] = lambda fits, total: fits,
) -> Forecaster:
    """Fit, mix and calibrate every target on all rows of the tapes.

    Args:
        calibrated_on: today, ISO.
        version: of the package.
        workers: processes that fit side by side.
        track: passes the fits on as they finish, given their number, for progress.

    Raises:
        ModelError: too few orders.
    """
    arrival = concatenate([t.arrival for t in tapes])
    in_flight = concatenate([t.in_flight for t in tapes])
    several = len(np.unique(arrival.symbol)) > 1
    kinds = ["known", "in_flight"] + (["unseen"] if several else [])
    fitted: dict[str, dict[str, FittedImpact]] = {"known": {}, "in_flight": {}, "unseen": {}}
    wanted = [(k, t) for k in kinds for t in TARGETS]
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
    models = parallel(
        joblib.delayed(_fit)(in_flight if kind == "in_flight" else arrival, kind, target) for kind, target in wanted
    )
    for (kind, target), model in zip(wanted, track(models, len(wanted)), strict=True):
        fitted[kind][target] = model
    card = _card(MIXTURE_ID, tapes, arrival, calibrated_on, version, seed)
    return Forecaster(card, **fitted, outside=_parametric(arrival))


def _fit(rows: Rows, kind: str, target: str) -> FittedImpact:
    model: ImpactModel = mixture_for(target, kind == "in_flight", "symbol" if kind == "unseen" else "part")
    return model.fit(rows, target)


def fit_baseline(tapes: Sequence[TapeRows], calibrated_on: str, version: str, seed: int) -> Forecaster:
    """The parametric baseline: square root and half-spread, calibrated like every other model.

    Where the tapes are too thin the result answers nothing (`Forecaster.known` is empty) and its card says how few
    orders there were.
    """
    arrival = concatenate([t.arrival for t in tapes])
    in_flight = concatenate([t.in_flight for t in tapes])
    known, flying = _parametric(arrival), _parametric(in_flight)
    card = _card(BASELINE_ID, tapes, arrival, calibrated_on, version, seed)
    return Forecaster(card, known, {}, flying, outside=known)


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
