"""Orders worked over one to five days whose law is planted: the truth that their forecasts are scored against.

Every day a part of the order is worked from the open, evenly. While it works, its impact on the log mid is

    Y sigma_D (q / V_D)^delta                            q: done of this day's part

Of what it reaches, the share rho is permanent. The rest decays with a half-life in trading days, over a night by one
factor. The market's own move of a day is a Brownian motion with a volatility of its own day, wider on event days; a
night brings a gap of fat tails, wider when an event falls into it; the trend known at arrival drifts through the days.
Costs are what even slices pay on the resulting path; no expected cost is evaluated here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

MOST_DAYS = 5
_SLICES = 20  # of each day's part
_GAP_DEGREES = 4.0  # of the t distribution of gaps
_VOLATILITY_OF_VOLATILITY = 0.3  # sd of the log of a day's volatility around the one known at arrival


@dataclass(frozen=True, slots=True)
class MultiDayLaw:
    """The planted truth.

    Attributes:
        prefactor, exponent: Y and delta of a day's part.
        lasting_share: rho.
        half_life_days: of the temporary part in trading time.
        night_retained: share of the temporary part that a night leaves.
        gap: sd of a night's gap over the day's volatility.
        event_day, event_night: factors on volatility and gap when an event falls into them.
        trend: drift a day in units of volatility, for a trend reading of 1.
    """

    prefactor: float = 0.8
    exponent: float = 0.5
    lasting_share: float = 0.6
    half_life_days: float = 0.3
    night_retained: float = 0.6
    gap: float = 0.5
    event_day: float = 1.8
    event_night: float = 2.5
    trend: float = 0.15


@dataclass(frozen=True, slots=True)
class MultiDayOrders:
    """Orders with what was known at arrival and what came; shape (n,), or (n, 5) by day and nan or 0 after the last.

    Moves and costs are in bps of the arrival mid, signed to the order, positive when they hurt.

    Attributes:
        days: number of days, 1 to 5.
        share: of the order's quantity, by day.
        participation: quantity over the volume of a usual day.
        worked: fraction of a day over which each day's part is worked, from the open.
        volatility_bps: of a usual day, known at arrival.
        half_spread_bps: paid by every slice.
        trend: reading at arrival, signed to the order; about normal.
        event_day, event_night: 1 where a scheduled event, known at arrival, falls into the day or the night after it.
        day_cost_bps: average price of the day's part against the day's opening mid.
        day_move_bps: open to close.
        night_move_bps: close to next open, nan after the last day.
        total_cost_bps: average price of the whole order against the arrival mid, shape (n,).
    """

    days: np.ndarray
    share: np.ndarray
    participation: np.ndarray
    worked: np.ndarray
    volatility_bps: np.ndarray
    half_spread_bps: np.ndarray
    trend: np.ndarray
    event_day: np.ndarray
    event_night: np.ndarray
    day_cost_bps: np.ndarray
    day_move_bps: np.ndarray
    night_move_bps: np.ndarray
    total_cost_bps: np.ndarray

    def __len__(self) -> int:
        return len(self.days)

    def take(self, index: np.ndarray) -> MultiDayOrders:
        """The orders at `index` (positions or a boolean mask)."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self)})


def planted_multi_day(law: MultiDayLaw, count: int, rng: np.random.Generator) -> MultiDayOrders:
    """Draw orders and work them; every order meets a market of its own."""
    days = rng.integers(1, MOST_DAYS + 1, count)
    live = np.arange(MOST_DAYS) < days[:, None]
    share = np.where(live, rng.dirichlet(np.full(MOST_DAYS, 4.0), count), 0.0)
    orders = MultiDayOrders(
        days=days,
        share=share / share.sum(axis=1, keepdims=True),
        participation=days * np.exp(rng.uniform(np.log(0.005), np.log(0.3), count)),
        worked=rng.uniform(0.3, 1.0, count),
        volatility_bps=100.0 * rng.lognormal(0.0, 0.4, count),
        half_spread_bps=rng.lognormal(np.log(2.0), 0.4, count),
        trend=rng.standard_normal(count),
        event_day=live * (rng.random((count, MOST_DAYS)) < 0.2),
        event_night=live * (rng.random((count, MOST_DAYS)) < 0.15),
        day_cost_bps=np.full((count, MOST_DAYS), np.nan),
        day_move_bps=np.full((count, MOST_DAYS), np.nan),
        night_move_bps=np.full((count, MOST_DAYS), np.nan),
        total_cost_bps=np.zeros(count),
    )
    _work(orders, law, rng)
    return orders


def _work(orders: MultiDayOrders, law: MultiDayLaw, rng: np.random.Generator) -> None:
    """Fill in what came, day after day."""
    opening = np.zeros(len(orders))  # mid at the open less arrival mid
    temporary = np.zeros(len(orders))  # of earlier days, in the opening mid
    for day in range(MOST_DAYS):
        live = orders.days > day
        cost, move, left = _day(orders, law, day, temporary, rng)
        gap_bps = law.gap * orders.volatility_bps * law.event_night ** orders.event_night[:, day]
        gap = gap_bps * rng.standard_t(_GAP_DEGREES, len(orders)) * np.sqrt(1.0 - 2.0 / _GAP_DEGREES)
        night = gap - (1.0 - law.night_retained) * left
        orders.day_cost_bps[live, day], orders.day_move_bps[live, day] = cost[live], move[live]
        followed = orders.days > day + 1
        orders.night_move_bps[followed, day] = night[followed]
        orders.total_cost_bps[live] += (orders.share[:, day] * (opening + cost))[live]
        opening, temporary = opening + move + night, law.night_retained * left


def _day(
    orders: MultiDayOrders, law: MultiDayLaw, day: int, temporary: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cost of the day's part against the open, move to the close, temporary impact left at the close; shape (n,)."""
    count = len(orders)
    done = (np.arange(_SLICES) + 1.0) / _SLICES
    time = orders.worked[:, None] * done  # of the day, at each slice
    volatility = orders.volatility_bps * law.event_day ** orders.event_day[:, day]
    volatility = volatility * rng.lognormal(-(_VOLATILITY_OF_VOLATILITY**2), _VOLATILITY_OF_VOLATILITY, count)
    walk = np.cumsum(rng.standard_normal((count, _SLICES)), axis=1) * np.sqrt(orders.worked / _SLICES)[:, None]
    market = volatility[:, None] * walk + (law.trend * orders.volatility_bps * orders.trend)[:, None] * time
    part = orders.share[:, day] * orders.participation
    impact = law.prefactor * orders.volatility_bps[:, None] * (part[:, None] * done) ** law.exponent
    gone = temporary[:, None] * (1.0 - 0.5 ** (time / law.half_life_days))
    cost = orders.half_spread_bps + np.mean(impact + market - gone, axis=1)

    rest = 1.0 - orders.worked  # of the day, after the part is done
    after = volatility * np.sqrt(rest) * rng.standard_normal(count)
    after += law.trend * orders.volatility_bps * orders.trend * rest
    decaying = (1.0 - law.lasting_share) * impact[:, -1]
    left = decaying * 0.5 ** (rest / law.half_life_days) + temporary * 0.5 ** (1.0 / law.half_life_days)
    own = law.lasting_share * impact[:, -1] + left - temporary
    return cost, market[:, -1] + after + own, left
