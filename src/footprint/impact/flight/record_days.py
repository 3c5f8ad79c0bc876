"""Days and nights of an order from the forecast record of a day's part: any model's record serves for several days.

The record's lasting shift is carried forward. What it expects to go back within ten minutes is still in the close only
as far as its half-life says. A day's own move beyond that is the market's, at the volatility known at the decision,
with the shape of the record's shift. Every day is forecast with the market of the decision; events widen their day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS, mean
from footprint.impact.flight.event_days import EventDays
from footprint.impact.flight.multi_day import DayForecast, NightForecast
from footprint.impact.record import ForecastRecord

EVENT_WIDENING = 1.5  # of a day or night with a scheduled event; a convention where none was measured
NIGHT_TO_DAY = 0.5  # sd of a gap over the day's volatility, weighing as much as `_NIGHTS` measured ones
_NIGHTS = 5
_GAP_DEGREES = 4.0
_GAP_SHAPE = stdtrit(_GAP_DEGREES, LEVELS) * math.sqrt(1.0 - 2.0 / _GAP_DEGREES)


@dataclass(frozen=True, slots=True)
class DaySetting:
    """What surrounds the days.

    Attributes:
        day_s: length of each day from the start of its part to the close, seconds; a part takes the record's horizon.
        whole_day_s: length of a whole day.
        volatility_bps: of a whole day.
        gaps_bps: gaps of nights before the decision; None where the market never closes.
        trend_bps: drift a day, signed to the order.
        events: by day and night.
    """

    day_s: tuple[float, ...]
    whole_day_s: float
    volatility_bps: float
    gaps_bps: np.ndarray | None
    trend_bps: float
    events: EventDays


def record_days(
    record: ForecastRecord, shares: Sequence[float], setting: DaySetting
) -> tuple[list[DayForecast], list[NightForecast]]:
    """The days of an order whose parts are like the one of the record.

    Args:
        record: at arrival, of a day's part; the same for every day.
        shares: of the whole quantity, by day.

    Raises:
        ModelError: the record gives no numbers.
    """
    widening = EVENT_WIDENING ** np.minimum(setting.events.days, 1)
    days = [
        _day(record, share, day_s, setting, wider)
        for share, day_s, wider in zip(shares, setting.day_s, widening.tolist(), strict=True)
    ]
    night_widening = EVENT_WIDENING ** np.minimum(setting.events.nights, 1)
    gap_bps, retained = (0.0, 1.0) if setting.gaps_bps is None else (_gap_bps(setting, setting.gaps_bps), 0.0)
    nights = [NightForecast(wider * gap_bps * _GAP_SHAPE, retained) for wider in night_widening.tolist()]
    return days, nights[:-1]


def _day(record: ForecastRecord, share: float, day_s: float, setting: DaySetting, wider: float) -> DayForecast:
    if record.slippage_quantiles_bps is None or record.permanent_quantiles_bps is None:
        raise ModelError(f"record {record.id} gives no cost: {'; '.join(record.reasons)}")
    cost, shift = np.array(record.slippage_quantiles_bps), 2.0 * np.array(record.permanent_quantiles_bps)
    centre, permanent = float(mean(cost)), float(mean(shift))
    worked_s = min(record.plan["horizon_s"], day_s)
    drift_bps = setting.trend_bps / setting.whole_day_s  # per second
    rate = math.log(2.0) / record.decay_half_life_s if record.decay_half_life_s else None
    temporary = (record.temporary_to_decay_bps or 0.0) * math.exp(-rate * (day_s - worked_s)) if rate else 0.0
    market_bps = setting.volatility_bps * math.sqrt(day_s / setting.whole_day_s)
    return DayForecast(
        share=share,
        cost_quantiles_bps=centre + 0.5 * worked_s * drift_bps + wider * (cost - centre),
        move_quantiles_bps=permanent
        + temporary
        + drift_bps * day_s
        + wider * market_bps * (shift - permanent) / float(shift.std()),
        correlation=math.sqrt(3.0 * worked_s / day_s) / 2.0,  # of the mean of a Brownian path with its end
        permanent_bps=permanent,
        temporary_bps=temporary,
        retained=math.exp(-rate * day_s) if rate else 0.0,
        met=-math.expm1(-rate * worked_s) / (rate * worked_s) if rate else 0.0,
    )


def _gap_bps(setting: DaySetting, gaps_bps: np.ndarray) -> float:
    """Deviation of a night's gap: the measured nights and a convention, which weighs like five of them."""
    usual = _NIGHTS * (NIGHT_TO_DAY * setting.volatility_bps) ** 2
    return math.sqrt((usual + float(np.sum(gaps_bps**2))) / (_NIGHTS + len(gaps_bps)))
