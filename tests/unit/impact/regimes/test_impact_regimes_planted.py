"""From events to labels to a better forecast, on a tape whose regimes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.data.planted_regimes import RegimeShape
from footprint.impact.regimes.minute_regimes import find_regimes, with_regimes
from footprint.impact.regimes.planted_check import PlantedRun, planted_run, regimes_at, skill_of_knowing
from footprint.impact.regimes.report import describe_regimes, mean_stay
from footprint.impact.square_root import SquareRoot
from footprint.units import NS_PER_MINUTE


@pytest.fixture(scope="module")
def run() -> PlantedRun:
    return planted_run(0, days=6)


def test_three_regimes_are_found_and_labelled_online(run) -> None:
    assert (run.selection.states.kind, run.selection.states.names) == ("markov", ("calm", "normal", "stressed"))
    assert run.adjusted_rand >= 0.8


def test_carried_probabilities_point_at_the_true_regime(run) -> None:
    later = run.rows.take(run.rows.part == 2)
    likely = later.x[:, -3:].argmax(axis=1)
    assert np.mean(likely == regimes_at(run.days, later.start_ns)) > 0.9


def test_what_comes_after_an_order_does_not_reach_its_row(run) -> None:
    cut_ns = int(run.minutes.end_ns[len(run.minutes) // 2])
    plain = run.minutes.plain.copy()
    plain[run.minutes.end_ns > cut_ns] *= 5.0
    other = with_regimes(run.rows, run.selection.states, replace(run.minutes, plain=plain))
    same = run.rows.start_ns < cut_ns + NS_PER_MINUTE
    assert same.any()
    again = with_regimes(run.rows, run.selection.states, run.minutes)
    assert np.array_equal(other.x[same, -3:], again.x[same, -3:])
    assert not np.array_equal(other.x[:, -3:], again.x[:, -3:])


def test_an_order_before_the_first_minute_gets_the_shares_of_time(run) -> None:
    opens = np.array([day.session.open_ns for day in run.days])
    early = replace(run.rows.take(np.arange(6)), start_ns=opens + NS_PER_MINUTE - 1)
    found = with_regimes(early, run.selection.states, run.minutes)
    assert found.x[:, -3:] == pytest.approx(np.tile(run.selection.states.start, (6, 1)))


def test_report_tells_the_planted_truth(run) -> None:
    report = describe_regimes(run.selection.states, run.minutes)
    shape = RegimeShape()
    assert sum(r.share for r in report.regimes) == pytest.approx(1.0)
    for k, regime in enumerate(report.regimes):
        assert regime.share == pytest.approx(np.mean(run.truth == k), abs=0.05)
        assert regime.centre["trades_per_s"] == pytest.approx(shape.trades_per_s[k], rel=0.15)
        assert regime.centre["depth"] == pytest.approx(shape.depth_lots[k], rel=0.2)
        assert regime.dwell_minutes.low < shape.dwell_s[k] / 60 < 1.4 * regime.dwell_minutes.high
    repair = [regime.centre["repair_s"] for regime in report.regimes]
    assert repair == sorted(repair)
    assert report.moves.sum() == pytest.approx(sum(len(day.regime) - 1 for day in run.days), rel=0.4)


def test_stays_that_never_ended_have_no_upper_bound() -> None:
    found = mean_stay(100, 0)
    assert np.isnan(found.value)
    assert np.isinf(found.high)
    assert found.low > 20


def test_a_later_fit_keeps_names_and_places(run) -> None:
    later = find_regimes(run.minutes.take(run.is_later), earlier=run.selection.states).states
    assert later.names == run.selection.states.names
    assert later.log_centres == pytest.approx(run.selection.states.log_centres, abs=0.5)


@pytest.mark.nightly
def test_knowing_the_regime_beats_not_knowing_it() -> None:
    run = planted_run(0)
    for target in ("peak", "shortfall"):
        skill, fitted = skill_of_knowing(run, SquareRoot(), target)
        assert skill.low > 0
        assert np.all(np.diff(fitted.effects.prefactor) > 0)


def test_skill_of_knowing_on_a_short_tape(run) -> None:
    skill, fitted = skill_of_knowing(run, SquareRoot(), "peak")
    assert skill.value > 0
    assert fitted.effects.prefactor[0] < fitted.effects.prefactor[2]
