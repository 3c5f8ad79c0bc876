"""From the forecast of the rest of an order to that of the whole: what is done enters exactly."""

from __future__ import annotations

import numpy as np

from footprint.impact.distribution import LEVELS
from footprint.impact.request import ImpactRequest
from footprint.market.orders import Progress
from footprint.units import BPS


def whole_order(request: ImpactRequest, rest: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Quantiles for the whole order against its own arrival mid: what is done is exact, the rest is forecast.

    With f the share done, m the move and c the cost so far: J = f c + (1 - f)(m + J'), I = m + I'. The temporary part
    J - I/2 mixes J' - I'/2 and I'; their deviations are added as if independent, level by level.
    """
    progress = request.progress
    if progress is None:
        return {"slippage": rest["shortfall"], "shift": rest["shift_600"], "temporary": rest["temporary"]}
    f = progress.filled / request.order.quantity
    move, cost = move_bps(request.order.side, progress), cost_bps(request.order.side, progress)
    slippage = f * cost + (1.0 - f) * (move + rest["shortfall"])
    shift = move + rest["shift_600"]
    centre = f * cost + (0.5 - f) * move + (1.0 - f) * rest["temporary"][49] - 0.5 * f * rest["shift_600"][49]
    deviation = np.hypot(
        (1.0 - f) * (rest["temporary"] - rest["temporary"][49]),
        0.5 * f * (rest["shift_600"] - rest["shift_600"][49]),
    )
    return {"slippage": slippage, "shift": shift, "temporary": centre + np.copysign(deviation, LEVELS - 0.5)}


def move_bps(side: int, progress: Progress) -> float:
    """Move of the mid since arrival, signed to the order."""
    return side * (progress.mid - progress.arrival_mid) / progress.arrival_mid * BPS


def cost_bps(side: int, progress: Progress) -> float:
    """Cost of the fills against the arrival mid, positive when it hurts."""
    return side * (progress.average_price - progress.arrival_mid) / progress.arrival_mid * BPS
