"""How far a forecast can be trusted, in one word and in reasons that a person can check."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from footprint.data.verdict import counted
from footprint.impact.forecaster import BASELINE_ID, Forecaster, ModelCard
from footprint.impact.request import ImpactRequest
from footprint.impact.rows import Rows
from footprint.market.orders import Style

STALE_S = 60.0
DEAD_S = 1_800.0
WIDE_SPREAD = 3.0
FEW_SESSIONS = 3
FEW_ORDERS = 1_000
_SMALLEST_REST = (
    0.25  # of an order that a model in flight was trained on, which bounds the range of the rest from below
)


@dataclass(frozen=True, slots=True)
class Confidence:
    """A grade and what led to it.

    Attributes:
        grade: high, medium, low or none; none comes with `unanswerable` and means that every number is N/A.
        beyond: log of how many times the order, or its rest in flight, lies beyond the training range; 0 inside.
    """

    grade: str
    reasons: tuple[str, ...]
    unanswerable: bool = False
    beyond: float = 0.0

    @property
    def outside(self) -> bool:
        """The order lies beyond the training range."""
        return self.beyond > 0.0


def assess(forecaster: Forecaster, request: ImpactRequest, rows: Rows) -> Confidence:
    """Grade one request: N/A when a scale or a style is unsupported, else low or medium by the worst reason."""
    card = forecaster.card
    missing = _unsupported(forecaster, request, rows)
    if missing:
        return Confidence("none", tuple(missing), unanswerable=True)
    outside, beyond = _outside_training(card, rows, request.progress is not None)
    if outside and not forecaster.outside:
        return Confidence("none", (*outside, "and there is no square root to fall back on"), unanswerable=True)
    serious, mild = [*outside], _thin(forecaster, request)
    if outside:
        what = "only the square root answers" if request.progress is None else "the rest is forecast as a new order"
        serious.append(f"outside the training range {what}, its band widened with the distance")
    age_s = request.market.quote_age_s
    if age_s > STALE_S:
        serious.append(f"stale book: last price {age_s:.0f} s before the decision")
    usual = request.market.feature("spread_5m_bps")
    if usual > 0 and rows.spread_bps[0] > WIDE_SPREAD * usual:
        mild.append(f"spread {rows.spread_bps[0]:.1f} bps, {rows.spread_bps[0] / usual:.1f} times its 5-minute mean")
    if request.plan.horizon_s > request.market.seconds_to_close:
        mild.append(
            f"horizon {_minutes(request.plan.horizon_s)} ends after the close, "
            f"{_minutes(request.market.seconds_to_close)} away"
        )
    mild.extend(request.market.cautions)
    grade = "low" if serious else "medium" if mild else "high"
    return Confidence(grade, (*serious, *mild), beyond=beyond)


def _unsupported(forecaster: Forecaster, request: ImpactRequest, rows: Rows) -> list[str]:
    """Why there is no number at all."""
    reasons = []
    if not np.isfinite(rows.spread_bps[0]) or not np.isfinite(request.market.mid):
        reasons.append("no two-sided quote: the arrival mid and the spread are unknown")
    if not request.market.is_open:
        reasons.append("the market is closed at the decision")
    elif np.isfinite(request.market.mid) and request.market.quote_age_s > DEAD_S:
        reasons.append(f"no price for {_minutes(request.market.quote_age_s)} before the decision")
    if not np.isfinite(request.plan.participation * request.plan.children):
        reasons.append("history too thin for a pace: no volume yet")
    if not np.isfinite(rows.volatility[0]):
        reasons.append("history too thin for a volatility")
    if not np.isfinite(rows.participation[0]):
        reasons.append("history too thin for a day's volume")
    if not forecaster.models(request.order.symbol, request.progress is not None):
        reasons.append(f"history too thin to calibrate on: {forecaster.card.orders} orders before the decision")
    if request.plan.style is not Style.AGGRESSIVE and request.market.passive is None:
        reasons.append("no displayed sizes or too short a tape: queue position and passive fills cannot be estimated")
    return reasons


def _outside_training(card: ModelCard, rows: Rows, in_flight: bool) -> tuple[list[str], float]:
    """Reasons, and the log of the largest ratio of a value to the end of its range that it lies beyond."""
    reasons, beyond = [], 0.0
    smallest = _SMALLEST_REST if in_flight else 1.0
    for what, value, (least, high), form in (
        ("size", rows.participation[0], card.participation_range, "{:.3%} of a day's volume"),
        ("horizon", rows.horizon_s[0], card.horizon_range_s, "{:.0f} s"),
        ("number of children", rows.children[0], card.children_range, "{:.0f}"),
    ):
        low = smallest * least
        if not low <= value <= high:
            shown = [form.format(v) for v in (value, low, high)]
            reasons.append(f"{what} {shown[0]} is outside the training range {shown[1]} to {shown[2]}")
            beyond = max(beyond, abs(math.log(value / (high if value > high else low))))
    return reasons, beyond


def _thin(forecaster: Forecaster, request: ImpactRequest) -> list[str]:
    card, symbol = forecaster.card, request.order.symbol
    reasons = []
    if card.model_id == BASELINE_ID:
        reasons.append(f"parametric baseline calibrated on {card.orders} orders of this tape, no fitted model given")
    elif symbol not in card.symbols:
        answer = "" if forecaster.unseen else ", which is too few to judge another: only the square root answers"
        reasons.append(f"{symbol} is not among the {len(card.symbols)} symbols of the training data{answer}")
    if request.market.sessions < FEW_SESSIONS:
        reasons.append(f"thin history: {counted(request.market.sessions, 'sessions')} of {symbol} before the decision")
    if card.orders < FEW_ORDERS:
        reasons.append(f"thin history: the model has seen {card.orders} orders")
    return reasons


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"
