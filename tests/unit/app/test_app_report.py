import re

import numpy as np
import pytest

from footprint.app import plots
from footprint.app.report import Section, Table, render_report, write_report
from footprint.errors import UsageError
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.scoring import Estimate


@pytest.fixture(scope="module")
def page():
    figure = plots.pit_histogram(np.linspace(0, 1, 101))
    sections = [
        Section("Forecast <1>", ["One & two."], Table(["style", "cost"], [["passive", None], ["fast", -1234.5]])),
        Section("Figures", figures=[figure, figure]),
    ]
    return render_report("Block of S", sections, "seed 7")


def test_a_page_fetches_nothing(page):
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "@import" not in page.split("</style>")[0]


def test_the_script_is_embedded_once_and_only_for_figures(page):
    assert len(re.findall(r"<script>[^<]{0,300}plotly\.js v", page)) == 1
    assert page.count("Plotly.newPlot(") - render_plotly_own_calls() == 2
    assert len(render_report("Text only", [Section("A", ["b"])])) < 10_000


def render_plotly_own_calls():
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().count("Plotly.newPlot(")


def test_text_is_escaped(page):
    assert "Forecast &lt;1&gt;" in page
    assert "One &amp; two." in page
    assert "Forecast <1>" not in page


def test_numbers_are_right_aligned_and_missing_ones_say_so(page):
    assert '<th>style</th><th class="number">cost</th>' in page
    assert '<td class="number missing">N/A</td>' in page
    assert '<td class="number">\N{MINUS SIGN}1,234.50</td>' in page


def test_the_page_is_the_same_every_time(page):
    sections = [Section("A", figures=[plots.pit_histogram(np.array([0.5]))])]
    assert render_report("T", sections) == render_report("T", sections)


def test_a_report_is_written_whole(tmp_path):
    write_report(tmp_path / "r.html", "T", [Section("A", ["text"])])
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]
    with pytest.raises(UsageError, match="does not exist"):
        write_report(tmp_path / "missing" / "r.html", "T", [])


def test_a_forecast_figure_shows_the_quantiles_of_every_style():
    figure = plots.forecast_by_style({"aggressive": 14 + 9 * NORMAL_SCORES, "passive": 5 + 18 * NORMAL_SCORES}, 10.0)
    shown = {trace.name: trace for trace in figure.data if trace.name}
    assert list(shown) == ["passive", "aggressive"]  # drawn from below: the first style stands on top
    np.testing.assert_allclose(shown["passive"].x, 5 + 18 * NORMAL_SCORES[[4, 49, 94]])
    assert list(figure.layout.yaxis.ticktext) == ["passive", "aggressive"]


def test_a_style_whose_quantiles_are_all_equal_can_be_drawn():
    figure = plots.forecast_by_style({"aggressive": np.full(99, 3.0)})
    assert all(np.isfinite(np.asarray(trace.y, float)).all() for trace in figure.data)


def test_a_slice_outside_the_allowed_band_is_orange():
    estimates = [Estimate(0.90, 0.85, 0.95, 100, 9), Estimate(0.70, 0.6, 0.8, 90, 8)]
    trace = plots.coverage_by_slice(["good", "bad"], estimates).data[0]
    assert list(trace.y) == ["bad", "good"]
    assert list(trace.marker.color) == [plots.ORANGE, plots.BLUE]
    np.testing.assert_allclose(trace.error_x.array, [10.0, 5.0])


def test_a_skill_is_blue_only_when_its_whole_interval_is_above_zero():
    skills = [
        Estimate(0.03, 0.01, 0.05, 100, 9),
        Estimate(0.01, -0.01, 0.03, 100, 9),
        Estimate(-0.02, -0.03, -0.01, 1, 1),
    ]
    trace = plots.skill_bars(["a", "b", "c"], skills, "Skill").data[0]
    assert list(trace.y) == ["c", "b", "a"]
    assert list(trace.marker.color) == [plots.ORANGE, plots.GREY, plots.BLUE]


def test_a_uniform_pit_is_flat_at_one():
    np.testing.assert_allclose(plots.pit_histogram((np.arange(1000) + 0.5) / 1000).data[0].y, 1.0)


def test_planted_and_fitted_share_their_sizes():
    size = np.geomspace(1e-3, 0.1, 9)
    planted, fitted = plots.planted_and_fitted(size, 100 * size**0.5, 101 * size**0.49).data
    np.testing.assert_allclose(planted.y, 100 * size**0.5)
    np.testing.assert_allclose(fitted.y, 101 * size**0.49)


def test_an_order_in_flight_shows_bands_median_and_cost():
    quantiles = 9 + np.outer([14.0, 8.0], NORMAL_SCORES)
    figure = plots.in_flight(np.array([0.25, 0.5]), quantiles, np.array([4.0, 6.0]))
    shown = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(shown["5 to 95 %"].y, quantiles[:, 4])
    np.testing.assert_allclose(shown["median"].y, 9.0)
    np.testing.assert_allclose(shown["cost so far"].x, [25.0, 50.0])


def test_a_tape_is_drawn_in_utc():
    time_ns = np.array([1_709_307_000_000_000_000, 1_709_307_060_000_000_000])
    mid, volume = plots.tape(time_ns, np.array([10.0, 11.0]), np.array([5.0, 6.0]), "S").data
    assert np.datetime64(mid.x[0]) == np.datetime64("2024-03-01T15:30:00")
    np.testing.assert_allclose(volume.y, [5.0, 6.0])
