"""From a request to a forecast record.

The fitted models answer for an order that crosses the spread with every child, because that is what the tape's market
orders did. For the share of a plan that rests, the crossing cost is replaced by the passive-fill estimate. In flight
the models answer for the rest of the order and the part that is done enters exactly. Beyond the training range the
square root answers, in flight for the rest as for a new order, with a band that widens with the distance.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from footprint.impact.confidence import Confidence, assess
from footprint.impact.distribution import LEVELS, cvar95, mean, prob_exceed
from footprint.impact.extrapolation import extrapolated, extrapolation_sd_bps
from footprint.impact.flight.decay_split import DecaySplit, law_mean_bps, split_impact
from footprint.impact.flight.whole_order import cost_bps, move_bps, whole_order
from footprint.impact.forecaster import Forecaster
from footprint.impact.interface import Epistemic, FittedImpact
from footprint.impact.record import ForecastRecord, inputs_hash
from footprint.impact.request import ImpactRequest
from footprint.impact.resting import with_resting
from footprint.impact.rows import RELAXATION_S, TARGETS, OrderColumns, Rows, make_rows
from footprint.impact.uncertainty import market_variance, split_variance
from footprint.market.orders import Progress
from footprint.units import NS_PER_SECOND, side_name

VALID_S = 60.0  # a forecast speaks of the market at its instant; half a trailing minute later it should be remade
_NO_SPLIT = "the model has no fitted relaxation: what is paid for good cannot be told from what goes back"
_NO_MODEL_SD = "the model cannot tell its own uncertainty: its part and that of execution are not told apart"
_LEVELS = tuple(float(level) for level in LEVELS)


def forecast(forecaster: Forecaster, request: ImpactRequest) -> ForecastRecord:
    """The record of one request; the same request and forecaster give the same bytes.

    What cannot be answered is None, with the reason; nothing is raised for a market that cannot support an answer.
    """
    rows = request_rows(request)
    request = _in_regime(forecaster, request, rows)
    confidence = assess(forecaster, request, rows)
    if confidence.unanswerable:
        return _record(forecaster, request, confidence, None)
    in_flight = request.progress is not None and not confidence.outside
    models = forecaster.models(request.order.symbol, in_flight, confidence.outside)
    inside = {target: models[target].quantiles(rows)[0] for target in TARGETS}
    law = {target: extrapolated(q, confidence.beyond) for target, q in inside.items()} if confidence.outside else inside
    rest = with_resting(request, law)
    decay = _decay(forecaster, request, law)
    model_sd_bps = _model_sd_bps(models["shortfall"], rows, inside["shortfall"], confidence.beyond)
    notes = [_NO_SPLIT] * (decay is None) + [_NO_MODEL_SD] * (model_sd_bps is None)
    confidence = replace(confidence, reasons=(*confidence.reasons, *notes))
    uncertainty = _uncertainty(request, rows, rest["shortfall"], model_sd_bps)
    return _record(forecaster, request, confidence, _Answer(law, rest, decay, uncertainty))


def _in_regime(forecaster: Forecaster, request: ImpactRequest, rows: Rows) -> ImpactRequest:
    """The request with the market state that the forecaster sees, unless a tape's own filter has named one."""
    if forecaster.regimes is None or request.market.regime is not None:
        return request
    names, chances = forecaster.regimes.names, forecaster.regimes.probabilities(rows)[0]
    likeliest = names[int(np.argmax(chances))]
    known = tuple(zip(names, chances.tolist(), strict=True))
    return replace(request, market=replace(request.market, regime=likeliest, regime_probabilities=known))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the models say: quantiles by target of crossing orders, and with the resting share; the parts of both."""

    crossing: dict[str, np.ndarray]
    rest: dict[str, np.ndarray]
    decay: DecaySplit | None
    uncertainty: Uncertainty


class Uncertainty(NamedTuple):
    """Deviations of slippage, bps; None where they cannot be told apart."""

    model_bps: float | None
    market_bps: float | None
    execution_bps: float | None


def request_rows(request: ImpactRequest) -> Rows:
    """The request as one row of the table that the models were trained on; its outcomes are unknown."""
    return _rows(request, _order_columns(request))


def _rows(request: ImpactRequest, order: OrderColumns) -> Rows:
    market = request.market
    feature = {name: market.features[i : i + 1] for i, name in enumerate(market.feature_names)}
    now_ns = np.array([market.as_of_ns])
    return make_rows(order, feature, now_ns, market.day_s, request.order.symbol, "")


def _order_columns(request: ImpactRequest) -> OrderColumns:
    order, plan, progress = request.order, request.plan, request.progress
    filled = elapsed_s = move = cost = 0.0
    if progress is not None:
        filled, elapsed_s = progress.filled / order.quantity, progress.elapsed_s
        move, cost = move_bps(order.side, progress), cost_bps(order.side, progress)
    values = (request.remaining, plan.children, plan.horizon_s, filled, elapsed_s, move, cost)
    return OrderColumns(np.array([order.side]), *(np.array([float(v)]) for v in values))


def _record(
    forecaster: Forecaster,
    request: ImpactRequest,
    confidence: Confidence,
    answer: _Answer | None,
) -> ForecastRecord:
    order, market, plan, card = request.order, request.market, request.plan, forecaster.card
    progress = request.progress
    values = [None if math.isnan(v) else v for v in market.features.tolist()]
    features = dict(zip(market.feature_names, values, strict=True))
    # vars() does not work with slots, and asdict() copies deeply: named fields are ten times faster
    plan_map = {
        "style": plan.style.value,
        "horizon_s": _known(plan.horizon_s),
        "participation": _known(plan.participation),
        "children": _known(plan.children),
        "aggression": _known(plan.aggression),
        "venues": list(plan.venues),
    }
    digest = inputs_hash(
        market.features,
        (order, plan, _hashed(progress), request.thresholds_bps),
        (market.as_of_ns, market.mid, market.quote_age_s, market.is_open, market.seconds_to_close, market.sessions),
        (market.regime, market.regime_probabilities),
        (market.cautions, None if market.passive is None else (market.passive.cost.tobytes(), market.passive.orders)),
        (card.model_id, card.model_version, card.calibrated_on, card.training_end_ns, card.seed, card.orders),
    )
    rest = None if answer is None else answer.rest
    decay = None if answer is None else answer.decay
    uncertainty = Uncertainty(None, None, None) if answer is None else answer.uncertainty
    costs = None if rest is None else whole_order(request, rest)
    slippage = None if costs is None else costs["slippage"]
    permanent_bps = None if costs is None else 0.5 * float(mean(costs["shift"]))
    slippage_bps = None if slippage is None else float(mean(slippage))
    return ForecastRecord(
        id=hashlib.sha256(f"{digest}{order.parent_id}".encode()).hexdigest()[:32],
        parent_id=order.parent_id,
        parent_record_id=None,
        as_of_ns=market.as_of_ns,
        instrument=order.symbol,
        side=side_name(order.side),
        quantity=order.quantity,
        filled=progress.filled if progress else 0.0,
        elapsed_s=progress.elapsed_s if progress else 0.0,
        cost_so_far_bps=cost_bps(order.side, progress) if progress else None,
        move_so_far_bps=move_bps(order.side, progress) if progress else None,
        others_flow=None if progress is None or progress.others_flow is None else order.side * progress.others_flow,
        style=plan.style.value,
        plan=plan_map,
        feature_version=card.feature_version,
        features=features,
        inputs_hash=digest,
        model_id=card.model_id,
        model_version=card.model_version,
        calibrated_on=card.calibrated_on,
        quantile_levels=_LEVELS,
        temporary_quantiles_bps=None if costs is None else tuple(costs["temporary"].tolist()),
        permanent_quantiles_bps=None if costs is None else tuple((0.5 * costs["shift"]).tolist()),
        slippage_quantiles_bps=None if slippage is None else tuple(slippage.tolist()),
        temporary_cost_bps=None if slippage_bps is None or permanent_bps is None else slippage_bps - permanent_bps,
        permanent_cost_bps=permanent_bps,
        slippage_bps=slippage_bps,
        includes_market_move=True,
        relaxation_horizon_s=RELAXATION_S["shift_600"],
        thresholds_bps=request.thresholds_bps,
        prob_exceed=tuple(
            None if slippage is None else float(prob_exceed(slippage, t)) for t in request.thresholds_bps
        ),
        var95_bps=None if slippage is None else float(slippage[94]),
        cvar95_bps=None if slippage is None else float(cvar95(slippage)),
        remaining_quantiles_bps=None if rest is None else tuple(rest["shortfall"].tolist()),
        remaining_cost_bps=None if rest is None else float(mean(rest["shortfall"])),
        permanent_paid_bps=None if decay is None else decay.permanent_bps,
        temporary_to_decay_bps=None if decay is None else decay.temporary_bps,
        decay_half_life_s=None if decay is None else decay.half_life_s,
        path_end_bps=None if answer is None else float(mean(answer.crossing["peak"])),
        path_end_sd_bps=None if answer is None else float(answer.crossing["peak"].std()),
        path_e_value=None,
        path_alarm=None,
        uncertainty_model_bps=uncertainty.model_bps,
        uncertainty_market_bps=uncertainty.market_bps,
        uncertainty_execution_bps=uncertainty.execution_bps,
        regime=market.regime,
        regime_probabilities=dict(market.regime_probabilities) or None,
        confidence=confidence.grade,
        reasons=confidence.reasons,
        valid_until_ns=market.as_of_ns + int(VALID_S * NS_PER_SECOND),
    )


def _hashed(progress: Progress | None) -> object:
    """The progress for `inputs_hash`, its path as bytes: writing out hundreds of numbers would take too long."""
    if progress is None or not progress.path_s:
        return progress
    path = np.array((progress.path_s, progress.path_mids, progress.path_filled)).tobytes()
    return replace(progress, path_s=(), path_mids=(), path_filled=()), path


def _known(value: float) -> float | None:
    """None instead of nan: a plan whose pace is unknown still goes into the record."""
    return None if math.isnan(value) else value


def _model_sd_bps(model: FittedImpact, rows: Rows, inside: np.ndarray, beyond: float) -> float | None:
    """Deviation of the rest's mean cost because the model is uncertain, the distance from its range included."""
    extrapolation = extrapolation_sd_bps(inside, beyond)
    own = float(model.model_sd_bps(rows)[0]) if isinstance(model, Epistemic) else math.nan
    if not math.isnan(own):
        return math.hypot(own, extrapolation)
    return extrapolation or None


def _uncertainty(request: ImpactRequest, rows: Rows, shortfall: np.ndarray, model_sd_bps: float | None) -> Uncertainty:
    """Parts of the deviation of slippage: of the rest's, for the share that it is of the whole order."""
    share = request.remaining / request.order.quantity
    market = market_variance(rows, "shortfall")
    if model_sd_bps is None:
        return Uncertainty(None, share * math.sqrt(market[0]), None)
    parts = split_variance(shortfall[None], np.array([model_sd_bps]), market)
    return Uncertainty(*(share * math.sqrt(part[0]) for part in (parts.model, parts.market, parts.execution)))


def _decay(forecaster: Forecaster, request: ImpactRequest, answer: dict[str, np.ndarray]) -> DecaySplit | None:
    """At arrival what the models expect to go back after the end; in flight the impact of what is done, split."""
    relaxation = forecaster.relaxation
    progress = request.progress
    if progress is None:
        to_decay = float(mean(answer["peak"]) - mean(answer["shift_600"]))
        half_life_s = relaxation.half_life_s(request.plan.horizon_s) if relaxation and to_decay > 0.0 else None
        return DecaySplit(0.0, to_decay, half_life_s)
    if relaxation is None or "peak" not in forecaster.outside:
        return None
    done = _done_rows(request, progress)
    return split_impact(law_mean_bps(forecaster.outside["peak"], done), done.horizon_s[0], progress.idle_s, relaxation)


def _done_rows(request: ImpactRequest, progress: Progress) -> Rows:
    """What is done as an order of its own."""
    duration_s = max(progress.elapsed_s - progress.idle_s, 1.0)
    children = request.plan.children * progress.filled / request.remaining
    values = (progress.filled, children, duration_s, 0.0, 0.0, 0.0, 0.0)
    return _rows(request, OrderColumns(np.array([request.order.side]), *(np.array([float(v)]) for v in values)))
