"""An order worked over several days: its days and nights put together to one distribution of the total cost.

Against the arrival mid, the part of day d costs what the mid has moved until that day's open plus what the part costs
against that open. The moves before it are those of the earlier days, own lasting impact and what is left of the
temporary one included, and the gaps of the nights between. Days and nights are independent given what is known at
arrival, but the cost of a day's part and the day's move share the day's path (a Gaussian copula). Sums have no closed
form with the quantiles that models give: they are drawn, every component in equal strata; a seed gives the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from footprint.errors import UsageError
from footprint.impact.distribution import LEVELS

VERSION = "multi-day-forecast-1"
DRAWS = 4_096


@dataclass(frozen=True, slots=True)
class DayForecast:
    """One day's part and the day that it meets, without what earlier days left behind; bps, signed to the order.

    Attributes:
        share: of the whole quantity.
        cost_quantiles_bps: of the part against the day's opening mid, shape (99,).
        move_quantiles_bps: open to close, own impact included, shape (99,).
        correlation: of that cost and that move.
        permanent_bps, temporary_bps: own impact in the closing mid: for good, and still to decay.
        retained: share of the temporary impact found at the open that is left at the close.
        met: share of it that the day's part still meets on average.
    """

    share: float
    cost_quantiles_bps: np.ndarray
    move_quantiles_bps: np.ndarray
    correlation: float
    permanent_bps: float
    temporary_bps: float
    retained: float
    met: float


@dataclass(frozen=True, slots=True)
class NightForecast:
    """The gap from a close to the next open, shape (99,), and the share of temporary impact that the night leaves."""

    gap_quantiles_bps: np.ndarray
    retained: float


@dataclass(frozen=True, slots=True)
class MultiDayForecast:
    """What an order of D days will cost.

    Attributes:
        share: of the quantity, by day, shape (D,).
        day_quantiles_bps: cost of each day's part against that day's opening mid, shape (D, 99).
        overnight_quantiles_bps: gap of each night without own impact, shape (D - 1, 99).
        total_quantiles_bps: cost of the whole order against the arrival mid, shape (99,).
        total_cost_bps: its mean.
        permanent_carried_bps: lasting impact of earlier days in each day's opening mid, shape (D,).
        temporary_left_bps: temporary impact of earlier days still in it, shape (D,).
        temporary_decayed_bps: temporary impact of earlier days' closes gone by then, shape (D,).
    """

    share: tuple[float, ...]
    day_quantiles_bps: tuple[tuple[float, ...], ...]
    overnight_quantiles_bps: tuple[tuple[float, ...], ...]
    total_quantiles_bps: tuple[float, ...]
    total_cost_bps: float
    permanent_carried_bps: tuple[float, ...]
    temporary_left_bps: tuple[float, ...]
    temporary_decayed_bps: tuple[float, ...]
    draws: int = DRAWS
    version: str = VERSION


def forecast_days(
    days: Sequence[DayForecast], nights: Sequence[NightForecast], rng: np.random.Generator, draws: int = DRAWS
) -> MultiDayForecast:
    """Put days and the nights between them together.

    Raises:
        UsageError: not one night fewer than days, or shares that do not sum to 1.
    """
    if len(nights) != len(days) - 1:
        raise UsageError(f"{len(days)} days with {len(nights)} nights, allowed: one night between two days")
    if abs(sum(day.share for day in days) - 1.0) > 1e-9:
        raise UsageError(f"shares of the days sum to {sum(day.share for day in days):g}, allowed: 1")
    carried, left, decayed = _carried(days, nights)
    total, opening = np.zeros(draws), np.zeros(draws)
    parts = []
    for d, day in enumerate(days):
        cost, move = _draw_day(day, draws, rng)
        parts.append(day.cost_quantiles_bps - left[d] * (1.0 - day.met))
        total += day.share * (opening + cost - left[d] * (1.0 - day.met))
        opening = opening + move - left[d] * (1.0 - day.retained)
        if d < len(nights):
            gap = drawn(nights[d].gap_quantiles_bps, _strata(draws, rng))
            opening = opening + gap - (1.0 - nights[d].retained) * (day.temporary_bps + left[d] * day.retained)
    return MultiDayForecast(
        share=tuple(day.share for day in days),
        day_quantiles_bps=tuple(tuple(part.tolist()) for part in parts),
        overnight_quantiles_bps=tuple(tuple(night.gap_quantiles_bps.tolist()) for night in nights),
        total_quantiles_bps=tuple(np.quantile(total, LEVELS).tolist()),
        total_cost_bps=float(total.mean()),
        permanent_carried_bps=carried,
        temporary_left_bps=left,
        temporary_decayed_bps=decayed,
        draws=draws,
    )


def drawn(quantiles: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The quantile function at any probability: linear between levels, exponential 1 % tails, same shape.

    Args:
        quantiles: shape (99,).
        probability: inside (0, 1).
    """
    inner = np.interp(probability, LEVELS, quantiles)
    low, high = (quantiles[4] - quantiles[0]) / math.log(5.0), (quantiles[-1] - quantiles[-5]) / math.log(5.0)
    below = low * np.log(np.minimum(probability / LEVELS[0], 1.0))
    above = -high * np.log(np.minimum((1.0 - probability) / (1.0 - LEVELS[-1]), 1.0))
    return inner + below + above


def _draw_day(day: DayForecast, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cost of the part and move of the day, of one path each."""
    first, second = ndtri(_strata(draws, rng)), ndtri(_strata(draws, rng))
    other = day.correlation * first + math.sqrt(1.0 - day.correlation**2) * second
    return drawn(day.cost_quantiles_bps, ndtr(first)), drawn(day.move_quantiles_bps, ndtr(other))


def _strata(draws: int, rng: np.random.Generator) -> np.ndarray:
    """Middles of equal strata of (0, 1) in random order."""
    return (rng.permutation(draws) + 0.5) / draws


def _carried(
    days: Sequence[DayForecast], nights: Sequence[NightForecast]
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Permanent impact, temporary impact left and temporary impact gone of earlier days, at each open."""
    permanent = temporary = closed = 0.0
    carried, left, decayed = [0.0], [0.0], [0.0]
    for day, night in zip(days, nights, strict=False):
        permanent += day.permanent_bps
        closed += day.temporary_bps
        temporary = (temporary * day.retained + day.temporary_bps) * night.retained
        carried.append(permanent)
        left.append(temporary)
        decayed.append(closed - temporary)
    return tuple(carried), tuple(left), tuple(decayed)
