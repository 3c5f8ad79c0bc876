"""A parametric model of a day's part of an order and of the night after it, fitted on worked orders.

A day's part moves the price by the square root of its own size. A share of that lasts, the rest decays in trading time
and by one factor a night (the two stages of Bucci et al. 2018, arXiv 1901.05332); a trend reading drifts through the
day; scheduled events widen days and nights. What even slices pay is two thirds of the impact that they end with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from footprint.data.planted_multi_day import MultiDayOrders
from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS
from footprint.impact.flight.multi_day import DayForecast, NightForecast

MIN_DAYS = 200
_PAID = 2.0 / 3.0  # mean over an even pace of the square root of what is done
_PASSES = 2  # the second knows how much events widen


@dataclass(frozen=True, slots=True)
class DayMeans:
    """Parameters of the mean.

    Attributes:
        prefactor: Y of Y sigma sqrt(q / V).
        lasting_share: of a part's impact at its end.
        half_life_days: of the rest, in trading time.
        night_retained: share of the rest that a night leaves.
        half_spreads: paid on average.
        trend: drift a day in volatilities, for a reading of 1.
    """

    prefactor: float = 0.5
    lasting_share: float = 0.5
    half_life_days: float = 0.5
    night_retained: float = 0.5
    half_spreads: float = 1.0
    trend: float = 0.0


_LOW = np.array([0.0, 0.0, 0.02, 0.0, -5.0, -2.0])
_HIGH = np.array([5.0, 1.0, 5.0, 1.0, 5.0, 2.0])


@dataclass(frozen=True, slots=True)
class DayLaw:
    """The fitted model.

    Attributes:
        means: parameters of the mean.
        event_day, event_night: factors on the size of what the mean leaves open, when an event falls there.
        cost_residuals, move_residuals, gap_residuals: its quantiles in noise scales, shape (99,) each.
        correlation: of a day's cost and move residuals, over that of an even pace on a Brownian path.
    """

    means: DayMeans
    event_day: float
    event_night: float
    cost_residuals: np.ndarray
    move_residuals: np.ndarray
    gap_residuals: np.ndarray
    correlation: float

    def parts(self, orders: MultiDayOrders, i: int) -> tuple[list[DayForecast], list[NightForecast]]:
        """Days and nights of order `i`, from what was known at its arrival."""
        order = orders.take(np.array([i]))
        days, nights = [], []
        for d, mean in enumerate(_days(order, self.means)):
            if d >= orders.days[i]:
                break
            wider = self.event_day ** order.event_day[0, d]
            days.append(
                DayForecast(
                    share=float(order.share[0, d]),
                    cost_quantiles_bps=mean.own_cost[0] + wider * _cost_scale(order)[0] * self.cost_residuals,
                    move_quantiles_bps=mean.own_move[0] + wider * order.volatility_bps[0] * self.move_residuals,
                    correlation=min(1.0, self.correlation * float(_even_pace_correlation(order.worked[0]))),
                    permanent_bps=float(mean.permanent[0]),
                    temporary_bps=float(mean.temporary[0]),
                    retained=mean.retained,
                    met=float(mean.met[0]),
                )
            )
            scale_bps = order.volatility_bps[0] * self.event_night ** order.event_night[0, d]
            nights.append(NightForecast(scale_bps * self.gap_residuals, self.means.night_retained))
        return days, nights[:-1]


def fit_day_law(orders: MultiDayOrders) -> DayLaw:
    """Fit the mean by weighted least squares on costs, moves and gaps, then the quantiles of the residuals.

    Raises:
        ModelError: fewer than 200 days of orders.
    """
    known = np.isfinite(orders.day_cost_bps)
    if known.sum() < MIN_DAYS:
        raise ModelError(f"a law of days needs at least {MIN_DAYS} worked days, found {int(known.sum())}")
    nights = np.isfinite(orders.night_move_bps)
    event_day = event_night = 1.0
    start = np.array([getattr(DayMeans(), name) for name in DayMeans.__slots__])
    for _ in range(_PASSES):
        wider = (event_day**orders.event_day, event_day**orders.event_day, event_night**orders.event_night)

        def residuals(parameters: np.ndarray, wider: tuple[np.ndarray, ...] = wider) -> list[np.ndarray]:
            found = _residuals(orders, DayMeans(*parameters))
            return [(r / w)[k] for r, w, k in zip(found, wider, (known, known, nights), strict=True)]

        fit = least_squares(lambda p, of=residuals: np.concatenate(of(p)), start, bounds=(_LOW, _HIGH))
        start = fit.x
        _, move, gap = _residuals(orders, DayMeans(*fit.x))
        event_day, event_night = _widening(move, orders.event_day, known), _widening(gap, orders.event_night, nights)
    cost, move, gap = residuals(fit.x)
    expected = np.broadcast_to(_even_pace_correlation(orders.worked)[:, None], known.shape)[known]
    return DayLaw(
        means=DayMeans(*fit.x.tolist()),
        event_day=event_day,
        event_night=event_night,
        cost_residuals=np.quantile(cost, LEVELS),
        move_residuals=np.quantile(move, LEVELS),
        gap_residuals=np.quantile(gap, LEVELS),
        correlation=float(np.corrcoef(cost, move)[0, 1] / expected.mean()),
    )


@dataclass(frozen=True, slots=True)
class _DayMean:
    """Means of one day for every order, bps, shape (n,)."""

    own_cost: np.ndarray
    own_move: np.ndarray
    permanent: np.ndarray
    temporary: np.ndarray
    found: np.ndarray  # temporary impact of earlier days at the open
    met: np.ndarray
    retained: float


def _days(orders: MultiDayOrders, law: DayMeans) -> Iterator[_DayMean]:
    """One day after the other, carrying the temporary impact."""
    found = np.zeros(len(orders))
    drift = law.trend * orders.volatility_bps * orders.trend
    rate = np.log(2.0) / law.half_life_days
    met = -np.expm1(-rate * orders.worked) / (rate * orders.worked)
    retained = float(np.exp(-rate))
    for d in range(orders.share.shape[1]):
        impact = law.prefactor * orders.volatility_bps * np.sqrt(orders.share[:, d] * orders.participation)
        permanent = law.lasting_share * impact
        temporary = (impact - permanent) * np.exp(-rate * (1.0 - orders.worked))
        cost = law.half_spreads * orders.half_spread_bps + _PAID * impact + 0.5 * orders.worked * drift
        yield _DayMean(cost, drift + permanent + temporary, permanent, temporary, found, met, retained)
        found = law.night_retained * (temporary + retained * found)


def _residuals(orders: MultiDayOrders, law: DayMeans) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the mean leaves open of costs, moves and gaps, in noise scales, shape (n, 5) each."""
    days = list(_days(orders, law))
    cost = np.column_stack([d.own_cost - d.found * (1.0 - d.met) for d in days])
    move = np.column_stack([d.own_move - d.found * (1.0 - d.retained) for d in days])
    closing = np.column_stack([d.temporary + d.retained * d.found for d in days])
    scale = orders.volatility_bps[:, None]
    return (
        (orders.day_cost_bps - cost) / _cost_scale(orders)[:, None],
        (orders.day_move_bps - move) / scale,
        (orders.night_move_bps + (1.0 - law.night_retained) * closing) / scale,
    )


def _cost_scale(orders: MultiDayOrders) -> np.ndarray:
    """Deviation of the mean of a Brownian path over the time worked, bps."""
    return orders.volatility_bps * np.sqrt(orders.worked / 3.0)


def _even_pace_correlation(worked: np.ndarray) -> np.ndarray:
    """Correlation of the mean of a Brownian path over (0, worked) with its value at 1."""
    return np.sqrt(3.0 * worked) / 2.0


def _widening(residual: np.ndarray, event: np.ndarray, known: np.ndarray) -> float:
    """Mean size of residuals with an event over that without."""
    size = np.abs(residual)
    return float(size[known & (event > 0)].mean() / size[known & (event == 0)].mean())
