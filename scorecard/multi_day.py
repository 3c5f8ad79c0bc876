"""Orders of one to five days on planted markets: bands that cover, and better than one day's square root stretched.

A law of days is fitted on 6,000 planted orders and forecasts 4,000 others from what was known at their arrival. The
reference is what a desk does without it: the square root of the whole order as if it took one day, its residual scaled
with the root of the days; its prefactor and residual quantiles are fitted on the same orders.
"""

from __future__ import annotations

import numpy as np

from footprint.data.planted_multi_day import MultiDayLaw, MultiDayOrders, planted_multi_day
from footprint.impact.distribution import LEVELS
from footprint.impact.evaluation.scoring import covered, crps_bps
from footprint.impact.flight.day_law import fit_day_law
from footprint.impact.flight.multi_day import forecast_days
from scorecard.bar import Bar, Limit

_TRAINED, _SCORED = 6_000, 4_000
_DRAWS = 1_024
_RESAMPLES = 2_000
_COMMAND = "python -m scorecard --only multi_day"

_COVERAGE = Bar(
    4, "orders of 1-5 days: coverage of the 90 % band of the total cost", "%", Limit(88, 92), Limit(89, 91), _COMMAND
)
_SKILL = Bar(
    4, "orders of 1-5 days: CRPS skill vs one day's square root scaled by the root of the days", "%",
    Limit(at_least=0, low_above=0), None, _COMMAND,
)  # fmt: skip
BARS = (_COVERAGE, _SKILL)


def measure() -> list[Bar]:
    rng = np.random.default_rng(4)
    planted = MultiDayLaw()
    trained = planted_multi_day(planted, _TRAINED, rng)
    scored = planted_multi_day(planted, _SCORED, rng)
    law = fit_day_law(trained)
    quantiles = np.array(
        [forecast_days(*law.parts(scored, i), rng, _DRAWS).total_quantiles_bps for i in range(len(scored))]
    )
    outcome = scored.total_cost_bps
    inside = covered(quantiles, outcome, 0.9)
    by_days = ", ".join(f"{100.0 * inside[scored.days == d].mean():.1f}" for d in np.unique(scored.days))
    own, naive = crps_bps(quantiles, outcome), crps_bps(stretched_square_root(trained, scored), outcome)
    draw = rng.integers(len(scored), size=(_RESAMPLES, len(scored)))
    skills = 100.0 * (1.0 - own[draw].sum(axis=1) / naive[draw].sum(axis=1))
    coverages = 100.0 * inside[draw].mean(axis=1)
    return [
        _COVERAGE.measured(
            100.0 * float(inside.mean()), *np.quantile(coverages, (0.025, 0.975)).tolist(), len(scored),
            f"by number of days, 1 to 5: {by_days} %",
        ),
        _SKILL.measured(
            100.0 * float(1.0 - own.sum() / naive.sum()), *np.quantile(skills, (0.025, 0.975)).tolist(), len(scored),
            f"lasting share {law.means.lasting_share:.2f} where {planted.lasting_share:.2f} was planted, gap on event "
            f"nights {law.event_night:.2f} times wider where {planted.event_night:.2f} was",
        ),
    ]  # fmt: skip


def stretched_square_root(trained: MultiDayOrders, scored: MultiDayOrders) -> np.ndarray:
    """Quantiles of Y sigma sqrt(Q / V) + sigma sqrt(days) residual, shape (n, 99), bps."""
    law, noise = _square_root(trained)
    prefactor = np.sum(law * trained.total_cost_bps / noise**2) / np.sum((law / noise) ** 2)
    residuals = np.quantile((trained.total_cost_bps - prefactor * law) / noise, LEVELS)
    law, noise = _square_root(scored)
    return prefactor * law[:, None] + noise[:, None] * residuals


def _square_root(orders: MultiDayOrders) -> tuple[np.ndarray, np.ndarray]:
    return orders.volatility_bps * np.sqrt(orders.participation), orders.volatility_bps * np.sqrt(orders.days)
