"""Figures of the regimes say what the report says."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.app.regime_plots import regime_effects, regime_timeline, transition_heat_map
from footprint.app.report import Section, render_report
from footprint.impact.evaluation.scoring import Estimate
from footprint.impact.regimes.observations import Minutes
from footprint.impact.regimes.report import EffectSummary, RegimeReport, RegimeSummary
from footprint.units import NS_PER_MINUTE

LABEL = np.array([0, 0, 1, 1, 0, 1])


@pytest.fixture
def minutes() -> Minutes:
    end_ns = np.arange(1, 7) * NS_PER_MINUTE
    begins = np.array([True, False, False, True, False, False])
    return Minutes(end_ns, begins, np.tile(np.arange(1.0, 6.0), (6, 1)), np.linspace(10.0, 11.0, 6))


@pytest.fixture
def report() -> RegimeReport:
    dwell = Estimate(3.0, 1.0, 9.0, 3, 1)
    regimes = tuple(RegimeSummary(name, 0.5, {}, dwell) for name in ("calm", "stressed"))
    return RegimeReport(regimes, LABEL, np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0, 2], [1, 0]]))


def test_timeline_shows_every_minute_once_in_its_regime(report, minutes) -> None:
    figure = regime_timeline(report, minutes)
    for k, name in enumerate(("calm", "stressed")):
        mid, spread = (trace for trace in figure.data if trace.name == name)
        assert list(mid.x) == np.flatnonzero(k == LABEL).tolist()
        assert list(mid.y) == minutes.mid[k == LABEL].tolist()
        assert set(spread.y) == {1.0}
    assert [shape.x0 for shape in figure.layout.shapes] == [2.5, 2.5]  # one night, in both panels


def test_heat_map_holds_chances_and_counts(report) -> None:
    (heat,) = transition_heat_map(report).data
    assert np.array_equal(heat.z, report.transition)
    assert heat.text[0][1] == "10.0 %<br>2 seen"
    assert heat.text[0][0] == "90.0 %"


def test_effects_have_their_intervals() -> None:
    effect = EffectSummary("calm", 9, (0.8, 0.6, 1.0), (1.1, 1.0, 1.3), (), None, None)
    mean, width = regime_effects([effect]).data
    assert mean.x[0] - mean.error_x.arrayminus[0] == pytest.approx(0.6)
    assert width.x[0] + width.error_x.array[0] == pytest.approx(1.3)


def test_figures_go_into_a_page(report, minutes) -> None:
    page = render_report("R", [Section("S", figures=[regime_timeline(report, minutes), transition_heat_map(report)])])
    assert "From one minute to the next" in page
