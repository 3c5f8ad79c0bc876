from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.data.planted_multi_day import MOST_DAYS, MultiDayLaw, planted_multi_day

SILENT = MultiDayLaw(prefactor=0.0, trend=0.0)


def test_an_order_is_its_parts_and_nothing_comes_after_its_days() -> None:
    orders = planted_multi_day(MultiDayLaw(), 300, np.random.default_rng(0))
    assert orders.share.sum(axis=1) == pytest.approx(np.ones(300))
    live = np.arange(MOST_DAYS) < orders.days[:, None]
    assert np.array_equal(np.isfinite(orders.day_cost_bps), live)
    assert np.array_equal(np.isfinite(orders.night_move_bps), live & (np.arange(MOST_DAYS) < orders.days[:, None] - 1))
    assert not np.any(orders.event_day[~live])


def test_the_total_is_the_shares_of_what_each_part_met() -> None:
    orders = planted_multi_day(MultiDayLaw(), 200, np.random.default_rng(1))
    steps = np.nan_to_num(orders.day_move_bps) + np.nan_to_num(orders.night_move_bps)
    opening = np.cumsum(steps, axis=1) - steps
    total = np.sum(orders.share * (opening + np.nan_to_num(orders.day_cost_bps)), axis=1)
    assert total == pytest.approx(orders.total_cost_bps)


def test_events_widen_their_day_and_night() -> None:
    law = MultiDayLaw(prefactor=0.0, event_day=2.0, event_night=3.0)
    orders = planted_multi_day(law, 6_000, np.random.default_rng(2))
    for moves, event, factor in (
        (orders.day_move_bps, orders.event_day, 2.0),
        (orders.night_move_bps, orders.event_night, 3.0),
    ):
        size = np.abs(moves) / orders.volatility_bps[:, None]
        known = np.isfinite(size)
        ratio = size[known & (event == 1)].mean() / size[known & (event == 0)].mean()
        assert ratio == pytest.approx(factor, rel=0.08)


def test_an_order_pays_its_impact_and_leaves_the_lasting_share() -> None:
    rng = np.random.default_rng
    loud, quiet = (
        planted_multi_day(law, 50, rng(3)) for law in (MultiDayLaw(trend=0.0), replace(SILENT, lasting_share=0.6))
    )
    impact = 0.8 * loud.volatility_bps * np.sqrt(loud.share[:, 0] * loud.participation)
    paid = (loud.day_cost_bps - quiet.day_cost_bps)[:, 0]  # the same market without the order's impact
    assert paid == pytest.approx(impact * np.mean(np.sqrt(np.arange(1, 21) / 20.0)))
    left = 0.6 + 0.4 * 0.5 ** ((1.0 - loud.worked) / 0.3)
    assert (loud.day_move_bps - quiet.day_move_bps)[:, 0] == pytest.approx(impact * left)
