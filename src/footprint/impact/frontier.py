"""The frontier of one order: expected cost against risk over horizon, participation and aggression.

Every plan of a grid is forecast by the same model. A plan is efficient when no other plan of the grid is at least as
cheap and at least as safe and better in one of the two; for an aversion lambda >= 0 the plan with the smallest
mean + lambda * risk is chosen, which is always an efficient one (Almgren & Chriss 2001, J. Risk 3, 5, with the
deviation or a tail in place of the variance, so that lambda has no unit).

Nothing here is smoothed: neighbouring plans beyond and inside the training range are answered by different models,
and the frontier may step there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from footprint.errors import UsageError
from footprint.impact.confidence import assess
from footprint.impact.forecast import forecast, request_rows
from footprint.impact.forecaster import Forecaster
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest, MarketSnapshot
from footprint.impact.styles import MIN_HORIZON_S
from footprint.impact.uncertainty import variance
from footprint.market.orders import ParentOrder, Plan, Style

RISKS = ("sd", "var95", "cvar95")
AGGRESSIONS = (1.0, 0.5, 0.0)
AVERSIONS = (0.0, 0.1, 0.3, 1.0, 3.0)
HORIZONS = 12
SHORTEST_S = 60.0


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """One plan and its forecast.

    Attributes:
        sd_bps: deviation of slippage, the market's own move included; None where the record has no numbers.
        outside: the plan lies beyond the training range, where the square root answers.
        efficient: no other plan of the grid is as cheap and as safe.
    """

    record: ForecastRecord
    sd_bps: float | None
    outside: bool
    efficient: bool = False

    @property
    def mean_bps(self) -> float | None:
        """Expected slippage, bps."""
        return self.record.slippage_bps

    def risk_bps(self, risk: str) -> float | None:
        """One of `RISKS`, bps."""
        return {"sd": self.sd_bps, "var95": self.record.var95_bps, "cvar95": self.record.cvar95_bps}[risk]


@dataclass(frozen=True, slots=True)
class Choice:
    """The plan with the smallest mean + aversion * risk: its place among the points, and that sum in bps."""

    aversion: float
    point: int
    objective_bps: float


@dataclass(frozen=True, slots=True)
class Frontier:
    """All plans of a grid in its order; no choices where no plan has a number."""

    risk: str
    points: tuple[FrontierPoint, ...]
    choices: tuple[Choice, ...]


def horizons_to_close(market: MarketSnapshot, count: int = HORIZONS) -> tuple[float, ...]:
    """Seconds from one minute to the rest of the day (a whole day where the venue never closes), evenly in logs."""
    rest_s = min(market.seconds_to_close, market.day_s)
    if rest_s <= SHORTEST_S:
        return (max(rest_s, MIN_HORIZON_S),)
    return tuple(float(h) for h in np.geomspace(SHORTEST_S, rest_s, count))


def pace(market: MarketSnapshot) -> tuple[float, float]:
    """Volume per second without the order and the usual size of a market order; nan where the data cannot say."""
    volume_per_s = market.feature("volume_per_s_30m")
    if not volume_per_s > 0:
        volume_per_s = market.feature("day_volume_previous") / market.day_s
    child = market.feature("typical_trade")
    known = market.is_open and volume_per_s > 0 and child > 0
    return (volume_per_s, child) if known else (math.nan, math.nan)


def plan_at(market: MarketSnapshot, quantity: float, horizon_s: float, aggression: float, venue: str = "") -> Plan:
    """The plan that works a quantity evenly; participation follows from the horizon at the market's present pace.

    Args:
        aggression: share of the children that cross the spread, 0 to 1; the style is named after it.

    Raises:
        UsageError: a horizon below 5 s, or an aggression that is no share.
    """
    if not (MIN_HORIZON_S <= horizon_s < math.inf and 0.0 <= aggression <= 1.0):
        raise UsageError(
            f"a plan of {horizon_s:g} s with aggression {aggression:g}, "
            f"allowed: from {MIN_HORIZON_S:g} s on, and 0 to 1"
        )
    volume_per_s, child = pace(market)
    style = {1.0: Style.AGGRESSIVE, 0.0: Style.PASSIVE}.get(aggression, Style.BALANCED)
    children = max(1.0, float(np.round(quantity / child)))
    participation = quantity / (quantity + volume_per_s * horizon_s)
    return Plan(style, horizon_s, participation, children, aggression, (venue,) if venue else ())


def plan_grid(
    market: MarketSnapshot,
    quantity: float,
    horizons_s: Sequence[float],
    aggressions: Sequence[float] = AGGRESSIONS,
    venue: str = "",
) -> list[Plan]:
    """Every horizon with every aggression, aggression by aggression, horizons as given."""
    return [plan_at(market, quantity, h, a, venue) for a, h in product(aggressions, horizons_s)]


def frontier(
    forecaster: Forecaster,
    order: ParentOrder,
    market: MarketSnapshot,
    plans: Sequence[Plan],
    risk: str = "sd",
    aversions: Sequence[float] = AVERSIONS,
    thresholds_bps: tuple[float, ...] = (10.0,),
) -> Frontier:
    """Forecast every plan, mark the efficient ones, choose one for every aversion.

    Raises:
        UsageError: an unknown risk, or an aversion below 0.
    """
    if risk not in RISKS:
        raise UsageError(f"risk {risk!r} is unknown, allowed: {', '.join(RISKS)}")
    if not all(0.0 <= a < math.inf for a in aversions):
        raise UsageError(f"aversions {', '.join(f'{a:g}' for a in aversions)}, allowed: 0 or more, finite")
    points = [_point(forecaster, ImpactRequest(order, plan, market, None, thresholds_bps)) for plan in plans]
    mean_bps = _known([p.mean_bps for p in points])
    risk_bps = _known([p.risk_bps(risk) for p in points])
    best = pareto(mean_bps, risk_bps)
    return Frontier(
        risk,
        tuple(replace(p, efficient=bool(e)) for p, e in zip(points, best, strict=True)),
        tuple(_choice(mean_bps, risk_bps, a) for a in aversions) if best.any() else (),
    )


def pareto(cost: np.ndarray, risk: np.ndarray) -> np.ndarray:
    """Which points no other point beats in one of the two without losing in the other, shape (n,); never a nan."""
    no_worse = (cost[None] <= cost[:, None]) & (risk[None] <= risk[:, None])
    better = (cost[None] < cost[:, None]) | (risk[None] < risk[:, None])
    return np.asarray(np.isfinite(cost + risk) & ~(no_worse & better).any(axis=1))


def _point(forecaster: Forecaster, request: ImpactRequest) -> FrontierPoint:
    record = forecast(forecaster, request)
    quantiles = record.slippage_quantiles_bps
    sd_bps = None if quantiles is None else math.sqrt(float(variance(np.array(quantiles))))
    outside = assess(forecaster, request, request_rows(request)).outside
    return FrontierPoint(record, sd_bps, outside)


def _choice(cost: np.ndarray, risk: np.ndarray, aversion: float) -> Choice:
    """Among equals the safer one, then the first."""
    objective = np.where(np.isfinite(cost + risk), cost + aversion * risk, np.inf)
    # with aversion 0 the sum does not see the risk, and equal costs are common for laws that know no horizon
    best = int(np.lexsort((risk, cost + risk, objective))[0])
    return Choice(aversion, best, float(objective[best]))


def _known(values: Sequence[float | None]) -> np.ndarray:
    return np.array([math.nan if v is None else v for v in values], np.float64)
