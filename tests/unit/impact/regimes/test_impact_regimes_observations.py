"""Minutes and rows tell the same five logs from what was known then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.data.planted_regimes import planted_regime_days
from footprint.data.prepare import prepare
from footprint.features.regime import MinuteState
from footprint.features.vector import FeatureVector
from footprint.impact.regimes.observations import (
    OBSERVED,
    log_observations,
    observe_minutes,
    plain_observations,
    row_observations,
)
from footprint.impact.rows import OrderColumns, make_rows
from footprint.units import NS_PER_MINUTE


@pytest.fixture(scope="module")
def days():
    return [prepare(day.session) for day in planted_regime_days(2, np.random.default_rng(1))]


def test_a_row_knows_what_the_features_say_whatever_the_order() -> None:
    rng = np.random.default_rng(0)
    feature = {name: rng.lognormal(0.0, 0.5, 20) for name in FeatureVector().names}
    plain = [feature[n] for n in ("spread_bps", "depth_touch_5m", "volatility_1m", "trades_per_s_5m")]
    expected = log_observations(np.column_stack([*plain, feature["spread_half_life_s"]]))
    for _ in range(2):
        zeros = np.zeros(20)
        order = OrderColumns(
            rng.choice([-1, 1], 20), rng.lognormal(5, 1, 20), rng.integers(3, 50, 20).astype(float),
            rng.lognormal(5, 1, 20), zeros, zeros, zeros, zeros,
        )  # fmt: skip
        rows = make_rows(order, feature, np.zeros(20, np.int64), 23_400.0, "AAA 2024-01", "us")
        assert row_observations(rows) == pytest.approx(expected, rel=1e-10)


def test_a_missing_column_is_unknown() -> None:
    rng = np.random.default_rng(0)
    feature = {name: rng.lognormal(0.0, 0.5, 5) for name in FeatureVector().names} | {
        "depth_touch_5m": np.full(5, np.nan)
    }
    ones, zeros = np.ones(5), np.zeros(5)
    order = OrderColumns(ones, 100 * ones, 5 * ones, 60 * ones, zeros, zeros, zeros, zeros)
    rows = make_rows(order, feature, np.zeros(5, np.int64), 23_400.0, "AAA 2024-01", "us")
    assert np.isnan(row_observations(rows)).all(axis=0).tolist() == [False, True, False, False, False]
    bare = replace(rows, x=rows.x[:, :1], x_names=rows.x_names[:1])
    assert np.isnan(row_observations(bare)).all(axis=0).tolist() == [False, True, True, True, True]


def test_logs_are_finite_where_a_minute_is_quiet_and_go_back() -> None:
    plain = np.array([[2.0, 100.0, 0.0, 0.0, 0.0], [2.0, 100.0, 3.0, 1.5, 4.0]])
    logs = log_observations(plain)
    assert np.isfinite(logs).all()
    back = plain_observations(logs)
    assert back[:, [0, 1, 3, 4]] == pytest.approx(plain[:, [0, 1, 3, 4]], abs=1e-12)
    assert back[1, 2] == pytest.approx(3.0, rel=0.01)


def test_minutes_are_whole_and_hold_nothing_of_the_next(days) -> None:
    minutes = observe_minutes(days)
    assert len(minutes) in range(2 * 388, 2 * 390 + 1)
    assert np.flatnonzero(minutes.begins).tolist() == [0, int((minutes.end_ns < days[1].session.open_ns).sum())]
    now_ns = int(minutes.end_ns[99])
    events = days[0].events
    before = events["receive_time_ns"] < now_ns
    feature, session = MinuteState(), days[0].session
    feature.begin_session(session.open_ns, session.close_ns, session.instrument.tick_size, session.instrument.lot_size)
    feature.update(events[before], days[0].views[before])
    assert np.array_equal(feature.values(now_ns), minutes.plain[99], equal_nan=True)
    assert minutes.mid[99] == days[0].views["mid_ticks"][before][-1] * session.instrument.tick_size


def test_cutting_the_session_leaves_the_minutes_before(days) -> None:
    whole = observe_minutes(days[:1])
    cut_ns = int(whole.end_ns[150])
    kept = days[0].events["receive_time_ns"] < cut_ns
    session = replace(days[0].session, events=days[0].events[kept])
    part = observe_minutes([replace(days[0], session=session, views=days[0].views[kept])])
    count = int(np.sum(part.end_ns <= cut_ns - NS_PER_MINUTE))
    assert count == 150
    assert np.array_equal(part.plain[:count], whole.plain[:count], equal_nan=True)


def test_no_sessions_no_minutes() -> None:
    minutes = observe_minutes([])
    assert len(minutes) == 0
    assert minutes.logs.shape == (0, len(OBSERVED))
