"""From a request to a forecast record.

The fitted models answer for an order that crosses the spread with every child, because that is what the tape's market
orders did. For the share of a plan that rests, the crossing cost is replaced by the passive-fill estimate. In flight
the models answer for the rest of the order and the part that is done enters exactly.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from footprint.impact.confidence import Confidence, assess
from footprint.impact.distribution import LEVELS, cvar95, mean, prob_exceed
from footprint.impact.forecaster import Forecaster
from footprint.impact.passive_fill import PassiveFill
from footprint.impact.record import ForecastRecord, inputs_hash
from footprint.impact.request import ImpactRequest
from footprint.impact.rows import RELAXATION_S, TARGETS, OrderColumns, Rows, make_rows
from footprint.market.orders import Progress, Style
from footprint.units import BPS, NS_PER_SECOND, side_name

VALID_S = 60.0  # a forecast speaks of the market at its instant; half a trailing minute later it should be remade
_LEVELS = tuple(float(level) for level in LEVELS)


def forecast(forecaster: Forecaster, request: ImpactRequest) -> ForecastRecord:
    """The record of one request; the same request and forecaster give the same bytes.

    What cannot be answered is None, with the reason; nothing is raised for a market that cannot support an answer.
    """
    rows = request_rows(request)
    confidence = assess(forecaster, request, rows)
    if confidence.unanswerable:
        return _record(forecaster, request, confidence, None)
    models = forecaster.models(request.order.symbol, request.progress is not None, confidence.outside)
    return _record(forecaster, request, confidence, {target: models[target].quantiles(rows)[0] for target in TARGETS})


def request_rows(request: ImpactRequest) -> Rows:
    """The request as one row of the table that the models were trained on; its outcomes are unknown."""
    market = request.market
    feature = {name: market.features[i : i + 1] for i, name in enumerate(market.feature_names)}
    now_ns = np.array([market.as_of_ns])
    return make_rows(_order_columns(request), feature, now_ns, market.day_s, request.order.symbol, "")


def _order_columns(request: ImpactRequest) -> OrderColumns:
    order, plan, progress = request.order, request.plan, request.progress
    filled = elapsed_s = move = cost = 0.0
    if progress is not None:
        filled, elapsed_s = progress.filled / order.quantity, progress.elapsed_s
        move, cost = _move_bps(order.side, progress), _cost_bps(order.side, progress)
    values = (request.remaining, plan.children, plan.horizon_s, filled, elapsed_s, move, cost)
    return OrderColumns(np.array([order.side]), *(np.array([float(v)]) for v in values))


def _move_bps(side: int, progress: Progress) -> float:
    return side * (progress.mid - progress.arrival_mid) / progress.arrival_mid * BPS


def _cost_bps(side: int, progress: Progress) -> float:
    return side * (progress.average_price - progress.arrival_mid) / progress.arrival_mid * BPS


def _record(
    forecaster: Forecaster, request: ImpactRequest, confidence: Confidence, answer: dict[str, np.ndarray] | None
) -> ForecastRecord:
    order, market, plan, card = request.order, request.market, request.plan, forecaster.card
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
        (order, plan, request.progress, request.thresholds_bps),
        (market.as_of_ns, market.mid, market.quote_age_s, market.is_open, market.seconds_to_close, market.sessions),
        (market.cautions, None if market.passive is None else (market.passive.cost.tobytes(), market.passive.orders)),
        (card.model_id, card.model_version, card.calibrated_on, card.training_end_ns, card.seed, card.orders),
    )
    costs = None if answer is None else _whole_order(request, _with_resting(request, answer))
    slippage = None if costs is None else costs["slippage"]
    decay_bps, half_life_s = _decay(answer)
    permanent_bps = None if costs is None else 0.5 * float(mean(costs["shift"]))
    slippage_bps = None if slippage is None else float(mean(slippage))
    return ForecastRecord(
        id=hashlib.sha256(f"{digest}{order.parent_id}".encode()).hexdigest()[:32],
        parent_id=order.parent_id,
        as_of_ns=market.as_of_ns,
        instrument=order.symbol,
        side=side_name(order.side),
        quantity=order.quantity,
        filled=request.progress.filled if request.progress else 0.0,
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
        temporary_to_decay_bps=decay_bps,
        decay_half_life_s=half_life_s,
        regime=None,
        confidence=confidence.grade,
        reasons=confidence.reasons,
        valid_until_ns=market.as_of_ns + int(VALID_S * NS_PER_SECOND),
    )


def _known(value: float) -> float | None:
    """None instead of nan: a plan whose pace is unknown still goes into the record."""
    return None if math.isnan(value) else value


def _with_resting(request: ImpactRequest, answer: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Replace the crossing cost of the resting share by the passive-fill estimate, mean and spread."""
    plan, passive = request.plan, request.market.passive
    resting = 1.0 - plan.aggression
    if plan.style is Style.AGGRESSIVE or passive is None:
        return answer
    half_spread = 0.5 * request.market.feature("spread_bps")
    shift, extra_sd = passive_term(passive, plan.horizon_s / plan.children, plan.children, resting, half_spread)
    moved = {name: widened(answer[name], extra_sd) + shift for name in ("shortfall", "temporary")}
    return {**answer, **moved}


def passive_term(
    passive: PassiveFill, wait_s: float, children: float, resting: float, half_spread_bps: float
) -> tuple[float, float]:
    """Mean change of the order's cost by resting a share of it, and the deviation it adds, bps.

    A child that rests costs `PassiveFill.cost` half-spreads instead of the one that crossing costs; children are taken
    as independent, so the deviation of their mean falls with the square root of their number.
    """
    _, cost, cost_sd = passive.at(wait_s)
    return resting * (cost - 1.0) * half_spread_bps, resting * cost_sd * half_spread_bps / math.sqrt(children)


def widened(quantiles: np.ndarray, extra_sd: float) -> np.ndarray:
    """Quantiles with an independent deviation added: stretched around the median so that variances add."""
    sd = float(quantiles.std())
    if sd == 0.0:
        return quantiles
    return quantiles[49] + (quantiles - quantiles[49]) * math.sqrt(1.0 + (extra_sd / sd) ** 2)


def _whole_order(request: ImpactRequest, rest: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Quantiles for the whole order against its own arrival mid: what is done is exact, the rest is forecast.

    With f the share done, m the move and c the cost so far: J = f c + (1 - f)(m + J'), I = m + I'. The temporary part
    J - I/2 mixes J' - I'/2 and I'; their deviations are added as if independent, level by level.
    """
    progress = request.progress
    if progress is None:
        return {"slippage": rest["shortfall"], "shift": rest["shift_600"], "temporary": rest["temporary"]}
    f = progress.filled / request.order.quantity
    move, cost = _move_bps(request.order.side, progress), _cost_bps(request.order.side, progress)
    slippage = f * cost + (1.0 - f) * (move + rest["shortfall"])
    shift = move + rest["shift_600"]
    centre = f * cost + (0.5 - f) * move + (1.0 - f) * rest["temporary"][49] - 0.5 * f * rest["shift_600"][49]
    deviation = np.hypot(
        (1.0 - f) * (rest["temporary"] - rest["temporary"][49]),
        0.5 * f * (rest["shift_600"] - rest["shift_600"][49]),
    )
    return {"slippage": slippage, "shift": shift, "temporary": centre + np.copysign(deviation, LEVELS - 0.5)}


def _decay(answer: dict[str, np.ndarray] | None) -> tuple[float | None, float | None]:
    """Move expected at the end that goes back within ten minutes, and its half-life if the two horizons allow one.

    The mean moves at the end, after 5 and after 10 minutes are read as an exponential towards the last. Where less than
    half is back after 5 minutes, ten are not its end and there is no half-life; a negative move goes on instead.
    """
    if answer is None:
        return None, None
    end, after_300, after_600 = (float(mean(answer[t])) for t in ("peak", "shift_300", "shift_600"))
    to_decay = end - after_600
    left = (after_300 - after_600) / to_decay if to_decay > 0.0 else 0.0
    half_life_s = RELAXATION_S["shift_300"] * math.log(2.0) / -math.log(left) if 0.0 < left <= 0.5 else None
    return to_decay, half_life_s
