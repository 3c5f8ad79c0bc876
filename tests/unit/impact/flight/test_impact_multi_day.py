from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from footprint.data.planted_multi_day import MultiDayLaw, MultiDayOrders, planted_multi_day
from footprint.errors import ModelError, UsageError
from footprint.impact.distribution import LEVELS, mean
from footprint.impact.evaluation.scoring import covered, crps_bps
from footprint.impact.flight.day_law import DayLaw, fit_day_law
from footprint.impact.flight.multi_day import DayForecast, NightForecast, drawn, forecast_days

NORMAL = ndtri(LEVELS)


def day(share: float, cost: float = 0.0, move: float = 0.0, sd: float = 1.0, **more: float) -> DayForecast:
    plain = {"correlation": 0.0, "permanent_bps": 0.0, "temporary_bps": 0.0, "retained": 0.0, "met": 0.0}
    return DayForecast(share, cost + sd * NORMAL, move + sd * NORMAL, **{**plain, **more})


def night(sd: float = 0.0, retained: float = 0.0) -> NightForecast:
    return NightForecast(sd * NORMAL, retained)


def put_together(days: list[DayForecast], nights: list[NightForecast], seed: int = 0):
    return forecast_days(days, nights, np.random.default_rng(seed))


def test_one_day_is_its_own_forecast() -> None:
    found = put_together([day(1.0, cost=5.0, sd=3.0)], [])
    assert found.total_cost_bps == pytest.approx(5.0, abs=0.02)
    assert found.total_quantiles_bps == pytest.approx(5.0 + 3.0 * NORMAL, abs=0.05)
    assert found.permanent_carried_bps == (0.0,)


def test_means_and_variances_add_up() -> None:
    """Two equal parts: the second pays the first day's move and the night on its half."""
    days = [day(0.5, cost=2.0, move=4.0, sd=3.0, correlation=0.8), day(0.5, cost=6.0, sd=1.0)]
    found = put_together(days, [night(5.0)])
    assert found.total_cost_bps == pytest.approx(0.5 * 2.0 + 0.5 * (4.0 + 6.0), abs=0.05)
    variance = 0.25 * (9.0 + 9.0 + 2.0 * 0.8 * 9.0 + 25.0 + 1.0)
    spread = found.total_quantiles_bps[94] - found.total_quantiles_bps[4]
    assert spread == pytest.approx(2.0 * 1.645 * np.sqrt(variance), rel=0.03)


def test_permanent_impact_is_carried_and_temporary_decays() -> None:
    days = [day(1 / 3, permanent_bps=6.0, temporary_bps=4.0, retained=0.25, met=0.5, sd=0.0) for _ in range(3)]
    found = put_together(days, [night(retained=0.5), night(retained=0.5)])
    assert found.permanent_carried_bps == (0.0, 6.0, 12.0)
    assert found.temporary_left_bps == (0.0, 2.0, 2.25)  # half of 4; half of 4 + a quarter of 2
    assert found.temporary_decayed_bps == (0.0, 2.0, 5.75)
    # the second day's part meets half of the 2 bps that are left at its open
    assert found.day_quantiles_bps[1][49] == pytest.approx(-1.0)


def test_a_wider_night_widens_the_total_only() -> None:
    calm, wild = (put_together([day(0.5), day(0.5)], [night(sd)]) for sd in (1.0, 10.0))
    assert wild.total_quantiles_bps[94] > 2.0 * calm.total_quantiles_bps[94]
    assert wild.day_quantiles_bps == calm.day_quantiles_bps
    assert wild.overnight_quantiles_bps[0][94] == pytest.approx(16.45, abs=0.01)


def test_a_seed_gives_the_same_answer() -> None:
    days, nights = [day(0.4), day(0.6)], [night(2.0)]
    assert put_together(days, nights, 7) == put_together(days, nights, 7)
    assert put_together(days, nights, 7) != put_together(days, nights, 8)


def test_days_and_nights_have_to_fit() -> None:
    with pytest.raises(UsageError, match="one night between"):
        put_together([day(0.5), day(0.5)], [])
    with pytest.raises(UsageError, match=r"sum to 0\.7"):
        put_together([day(0.4), day(0.3)], [night()])


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_drawing_inverts_the_distribution(seed: int) -> None:
    quantiles = np.sort(np.random.default_rng(seed).standard_normal(99) * 10.0)
    assert drawn(quantiles, LEVELS) == pytest.approx(quantiles)
    fine = (np.arange(200_000) + 0.5) / 200_000
    values = drawn(quantiles, fine)
    assert np.all(np.diff(values) >= 0)
    assert values.mean() == pytest.approx(float(mean(quantiles)), abs=0.01 * (1.0 + quantiles[-1] - quantiles[0]))


@pytest.fixture(scope="module")
def law() -> DayLaw:
    return fit_day_law(planted_multi_day(MultiDayLaw(), 5_000, np.random.default_rng(5)))


def scored(law: DayLaw, orders: MultiDayOrders) -> np.ndarray:
    rng = np.random.default_rng(6)
    return np.array([forecast_days(*law.parts(orders, i), rng, 512).total_quantiles_bps for i in range(len(orders))])


def test_the_planted_days_are_found_again(law: DayLaw) -> None:
    truth = MultiDayLaw()
    assert law.means.prefactor == pytest.approx(truth.prefactor, abs=0.12)
    assert law.means.trend == pytest.approx(truth.trend, abs=0.04)
    assert law.event_day == pytest.approx(truth.event_day, rel=0.08)
    assert law.event_night == pytest.approx(truth.event_night, rel=0.08)
    assert law.correlation == pytest.approx(1.0, abs=0.05)


def test_without_noise_every_parameter_is_found() -> None:
    quiet = planted_multi_day(MultiDayLaw(), 3_000, np.random.default_rng(9))
    silent = planted_multi_day(replace(MultiDayLaw(), prefactor=0.0, trend=0.0), 3_000, np.random.default_rng(9))
    spread = quiet.half_spread_bps[:, None]
    alone = replace(  # the same markets, their own moves taken out
        quiet,
        day_cost_bps=quiet.day_cost_bps - silent.day_cost_bps + spread,
        day_move_bps=quiet.day_move_bps - silent.day_move_bps,
        night_move_bps=quiet.night_move_bps - silent.night_move_bps,
    )
    found = fit_day_law(alone).means
    assert found.lasting_share == pytest.approx(0.6, abs=0.03)
    assert found.half_life_days == pytest.approx(0.3, abs=0.04)
    assert found.night_retained == pytest.approx(0.6, abs=0.05)
    assert found.half_spreads == pytest.approx(1.0, abs=0.3)


def test_bands_cover_and_beat_one_day_stretched(law: DayLaw) -> None:
    orders = planted_multi_day(MultiDayLaw(), 1_200, np.random.default_rng(7))
    quantiles = scored(law, orders)
    assert 0.87 < covered(quantiles, orders.total_cost_bps, 0.9).mean() < 0.93
    scale = orders.volatility_bps * np.sqrt(orders.days)
    one_day = 0.65 * orders.volatility_bps * np.sqrt(orders.participation)
    stretched = one_day[:, None] + 0.6 * scale[:, None] * NORMAL
    own, naive = (crps_bps(q, orders.total_cost_bps).sum() for q in (quantiles, stretched))
    assert own < naive


def test_trend_and_events_are_inputs(law: DayLaw) -> None:
    orders = planted_multi_day(MultiDayLaw(), 40, np.random.default_rng(8))
    several = orders.take(orders.days >= 3)
    none = replace(several, event_day=0 * several.event_day, event_night=0 * several.event_night)
    live = np.arange(5) < several.days[:, None]
    every = replace(several, event_day=1 * live, event_night=1 * live)
    against = replace(several, trend=several.trend + 2.0)
    widths = [np.mean(q[:, 94] - q[:, 4]) for q in (scored(law, none), scored(law, every))]
    assert widths[1] > 1.5 * widths[0]
    assert np.all(scored(law, against).mean(axis=1) > scored(law, several).mean(axis=1))


def test_too_few_days_are_refused() -> None:
    with pytest.raises(ModelError, match="at least 200"):
        fit_day_law(planted_multi_day(MultiDayLaw(), 20, np.random.default_rng(0)))
