"""What an order in flight has moved the price by: the part that is paid for good, and the part that goes back.

What is done is looked at as an order of its own. Its expected impact is the square-root law's, at the present
volatility and spread; the fitted relaxation says which share of it is left ten minutes after its last child. That share
is the permanent part. The rest, less what has gone back since the last fill, is the temporary part still in the price.
The difference between their sum and the move so far is the market's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from footprint.impact.calibration.conformal import FittedConformal
from footprint.impact.distribution import mean
from footprint.impact.flight.relaxation import Relaxation
from footprint.impact.interface import FittedImpact
from footprint.impact.linear_mean import FittedLinearMean
from footprint.impact.rows import RELAXATION_S, Rows

_LASTING_S = RELAXATION_S["shift_600"]


@dataclass(frozen=True, slots=True)
class DecaySplit:
    """Impact of what is done, signed to the order, bps.

    Attributes:
        permanent_bps: left ten minutes after the last fill.
        temporary_bps: in the price now and gone by then; negative where the price goes on.
        half_life_s: from now until half of the temporary part is gone; None where none is left.
    """

    permanent_bps: float
    temporary_bps: float
    half_life_s: float | None


def split_impact(impact_bps: float, duration_s: float, idle_s: float, relaxation: Relaxation) -> DecaySplit:
    """Split the impact of what is done.

    Args:
        impact_bps: expected at the last fill, positive.
        duration_s: first to last fill.
        idle_s: since the last fill.
    """
    lasting = relaxation.lasting(duration_s)
    left = relaxation.retained(min(idle_s, _LASTING_S), duration_s)
    half_life_s = relaxation.half_life_s(duration_s, idle_s)
    return DecaySplit(impact_bps * lasting, impact_bps * (left - lasting), half_life_s)


def law_mean_bps(fitted: FittedImpact, rows: Rows) -> float:
    """Mean of one row, bps: of a parametric model its law alone, without the mean of its residual."""
    base = fitted.base if isinstance(fitted, FittedConformal) else fitted
    if isinstance(base, FittedLinearMean):
        return float(base.mean_bps(rows)[0])
    return float(mean(fitted.quantiles(rows)[0]))
