"""What a plan saves or risks by resting a share of its children instead of crossing the spread with them."""

from __future__ import annotations

import math

import numpy as np

from footprint.impact.passive_fill import PassiveFill
from footprint.impact.request import ImpactRequest
from footprint.market.orders import Style


def with_resting(request: ImpactRequest, answer: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
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
