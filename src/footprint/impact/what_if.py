"""What if an order is worked by a schedule of one's own instead of evenly.

The record of the even plan over the same horizon gives the level, transient impact the difference that the shape makes:

    mean = record's mean + cost of the schedule - cost of the even schedule

both costs by a propagator fitted on "shortfall" (`transient.schedule_cost_bps`). The market's own move weighs with
what is still to be done, sigma^2 times the integral of (remaining / Q)^2 (Almgren & Chriss 2001, eq. 5), which is
sigma^2 T / 3 for the even schedule; the rest of the record's variance, model and execution, is kept as it is
calibrated. The record's distribution is stretched around its mean to the new variance. An even schedule is therefore
answered with the numbers of the even plan's record, however it is cut into slices.

With a concave propagator short bursts can look cheap (Curato, Gatheral, Lillo, arXiv 1412.4839): a linear kernel is
asked too, and where the two differ in sign the answer says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.errors import UsageError
from footprint.impact.distribution import cvar95, prob_exceed
from footprint.impact.forecast import forecast, request_rows
from footprint.impact.forecaster import Forecaster
from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.propagator import Propagator
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.rows import RELAXATION_S, Rows
from footprint.impact.shaped_mean import FittedShapedMean
from footprint.impact.transient import path_bps, schedule_cost_bps
from footprint.impact.uncertainty import market_variance, split_variance, variance

TARGET = "shortfall"
SHORTEST_SLICE_S = 0.1  # shorter ones lose digits in the kernels' second differences


@dataclass(frozen=True, slots=True)
class Schedule:
    """Slices one after the other, each worked evenly.

    Args:
        times_s: the start, 0 for the decision, and the end of each slice, increasing, m + 1 numbers.
        quantities: of each slice, 0 for a pause, m numbers.

    Raises:
        UsageError: times or quantities that are no such schedule; the slice is named, 1-based.
    """

    times_s: tuple[float, ...]
    quantities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.times_s) != len(self.quantities) + 1 or not self.quantities:
            raise UsageError(f"{len(self.quantities)} slices with {len(self.times_s)} times, allowed: one time more")
        if self.times_s[0] != 0.0:
            raise UsageError(f"a schedule that starts at {self.times_s[0]:g} s, allowed: 0, the decision")
        for i, quantity in enumerate(self.quantities, 1):
            if not self.times_s[i - 1] + SHORTEST_SLICE_S <= self.times_s[i] < math.inf:
                raise UsageError(
                    f"slice {i} from {self.times_s[i - 1]:g} to {self.times_s[i]:g} s, "
                    f"allowed: increasing by {SHORTEST_SLICE_S:g} s or more"
                )
            if not 0.0 <= quantity < math.inf:
                raise UsageError(f"slice {i} of {quantity:g}, allowed: a quantity of 0 or more")
        if not self.quantity > 0.0:
            raise UsageError("a schedule that trades nothing has no cost")

    @property
    def quantity(self) -> float:
        """The whole."""
        return math.fsum(self.quantities)

    @property
    def horizon_s(self) -> float:
        """End of the last slice."""
        return self.times_s[-1]

    def risk_time_s(self) -> float:
        """Integral of (remaining / Q)^2, seconds: a third of the horizon when even."""
        done = np.concatenate(([0.0], np.cumsum(self.quantities))) / self.quantity
        start, end = 1.0 - done[:-1], 1.0 - done[1:]
        return float(np.diff(self.times_s) @ (start**2 + start * end + end**2) / 3.0)


@dataclass(frozen=True, slots=True)
class KernelCost:
    """What one transient model says of the schedule and of the even one, bps; `lasting` is the shift 10 min after."""

    name: str
    cost_bps: float
    even_cost_bps: float
    lasting_bps: float
    even_lasting_bps: float

    @property
    def shape_bps(self) -> float:
        """What the schedule costs more than the even one."""
        return self.cost_bps - self.even_cost_bps


@dataclass(frozen=True, slots=True)
class ScheduleCost:
    """Cost of a schedule; None where the even plan's record has no numbers.

    Attributes:
        even: the record of the even plan over the same horizon.
        kernels: transient models asked, the first of which is used.
        slippage_bps, temporary_cost_bps, permanent_cost_bps: means; the last two add up to the first.
        quantiles_bps: of slippage, 99 values; sd_bps, var95_bps, cvar95_bps and prob_exceed are of them.
        market_sd_bps: part of the deviation that is the market's own move; an even record's is smaller where the
            calibrated distribution is narrower than a Brownian mid.
        reasons: the record's, and what the schedule adds.
    """

    schedule: Schedule
    even: ForecastRecord
    kernels: tuple[KernelCost, ...]
    slippage_bps: float | None
    temporary_cost_bps: float | None
    permanent_cost_bps: float | None
    quantiles_bps: tuple[float, ...] | None
    sd_bps: float | None
    market_sd_bps: float | None
    var95_bps: float | None
    cvar95_bps: float | None
    prob_exceed: tuple[float | None, ...]
    reasons: tuple[str, ...]


def fit_kernels(rows: Rows) -> tuple[FittedShapedMean, ...]:
    """The concave propagator and Obizhaeva-Wang on the shortfall of past orders.

    Raises:
        ModelError: too few orders, with the count it needs.
    """
    return tuple(m.fit(rows, TARGET) for m in (Propagator(half_spread=True), ObizhaevaWang(half_spread=True)))


def cost_schedule(
    forecaster: Forecaster, request: ImpactRequest, schedule: Schedule, kernels: Sequence[FittedShapedMean]
) -> ScheduleCost:
    """Cost a schedule.

    Args:
        request: the order at arrival with the even plan over the schedule's horizon.
        kernels: transient models fitted on "shortfall", the one to use first (`fit_kernels`).

    Raises:
        UsageError: quantity or horizon of the request are not the schedule's, or the order is in flight.
        ModelError: a model that knows no schedule.
    """
    same = math.isclose(request.order.quantity, schedule.quantity, rel_tol=1e-9)
    if request.progress is not None or not same or request.plan.horizon_s != schedule.horizon_s:
        raise UsageError("a schedule is costed for the whole order at arrival, with the even plan over its horizon")
    even = forecast(forecaster, request)
    if even.slippage_quantiles_bps is None or even.slippage_bps is None or even.permanent_cost_bps is None:
        unknown = (None,) * len(request.thresholds_bps)
        return ScheduleCost(schedule, even, (), *(None,) * 8, unknown, even.reasons)
    rows = request_rows(request)
    costs = tuple(_kernel_cost(fitted, schedule, rows) for fitted in kernels)
    mean_bps = even.slippage_bps + costs[0].shape_bps
    permanent_bps = even.permanent_cost_bps + 0.5 * (costs[0].lasting_bps - costs[0].even_lasting_bps)
    quantiles, market_sd_bps = _stretched(even, rows, schedule, mean_bps)
    return ScheduleCost(
        schedule,
        even,
        costs,
        mean_bps,
        mean_bps - permanent_bps,
        permanent_bps,
        tuple(quantiles.tolist()),
        math.sqrt(float(variance(quantiles))),
        market_sd_bps,
        float(quantiles[94]),
        float(cvar95(quantiles)),
        tuple(float(prob_exceed(quantiles, t)) for t in request.thresholds_bps),
        (*even.reasons, *_disagreement(costs)),
    )


def _kernel_cost(fitted: FittedShapedMean, schedule: Schedule, rows: Rows) -> KernelCost:
    """Both schedules by one model, in the market of the request's row."""
    sigma_bps, day_s, spread_bps = (float(v[0]) for v in (rows.volatility_day_bps, rows.day_s, rows.spread_bps))
    after = np.array([schedule.horizon_s + RELAXATION_S["shift_600"]])

    def asked(times_s: Sequence[float], quantities: Sequence[float]) -> tuple[float, float]:
        ends, shares = np.array(times_s), np.array(quantities) / schedule.quantity * float(rows.participation[0])
        lasting = path_bps(fitted, after, ends, shares, sigma_bps, day_s)
        return schedule_cost_bps(fitted, ends, shares, sigma_bps, day_s, spread_bps), float(lasting[0])

    cost, lasting = asked(schedule.times_s, schedule.quantities)
    even_cost, even_lasting = asked((0.0, schedule.horizon_s), (schedule.quantity,))
    return KernelCost(fitted.model.name, cost, even_cost, lasting, even_lasting)


def _stretched(even: ForecastRecord, rows: Rows, schedule: Schedule, mean_bps: float) -> tuple[np.ndarray, float]:
    """The record's quantiles around the new mean with the schedule's market variance, and its root."""
    quantiles = np.array(even.slippage_quantiles_bps)
    model_sd_bps = np.array([even.uncertainty_model_bps or 0.0])
    parts = split_variance(quantiles[None], model_sd_bps, market_variance(rows, TARGET))
    total, market = float(parts.total[0]), float(parts.market[0])
    changed = market * schedule.risk_time_s() / (schedule.horizon_s / 3.0)
    factor = math.sqrt((total - market + changed) / total) if total > 0.0 else 1.0
    assert even.slippage_bps is not None  # asked by the caller
    return mean_bps + factor * (quantiles - even.slippage_bps), math.sqrt(changed)


def _disagreement(costs: Sequence[KernelCost]) -> list[str]:
    shapes = [c.shape_bps for c in costs]
    if min(shapes) >= -1e-9 or max(shapes) <= 1e-9:
        return []
    told = ", ".join(f"{c.name} {c.shape_bps:+.2f} bps" for c in costs)
    return [f"the transient models do not agree whether this schedule costs more than an even one: {told}"]
