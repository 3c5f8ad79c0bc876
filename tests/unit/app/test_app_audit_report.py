"""`footprint audit` measures every day and draws it."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from footprint.app import audit_report
from footprint.app.audit_json import quality_json
from footprint.app.audit_plots import clock_figure, coverage_strips, day_figure
from footprint.app.audit_report import MAX_DRAWN, audit_sections
from footprint.app.auditing import audit_paths
from footprint.app.cli.main import run
from footprint.data import formats
from footprint.data.quality.thresholds import thresholds
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused, UsageError

BAC = "lean/equity/usa/tick/bac"
FILES = (f"{BAC}/20131007_trade.zip", f"{BAC}/20131007_quote.zip", "b3_ticks/PETR4_2025-04-07.csv.gz",
         "binance_raw/spot/nexousdt_20240723.dat.gz")  # fmt: skip


@pytest.fixture(scope="module")
def paths(shared_data):
    return [str(shared_data / name) for name in FILES]


@pytest.fixture(scope="module")
def seen(paths):
    return audit_paths(paths)


class Page(HTMLParser):
    """Headings, cells, and whatever a page would fetch."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.cells, self.fetched, self.ids = [], [], [], []
        self._open = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.fetched += [named[k] for k in ("src", "href") if k in named and not named[k].startswith("#")]
        self.ids += [named["id"]] if "id" in named else []
        self._open = tag

    def handle_data(self, text):
        if self._open == "h2":
            self.headings.append(text)
        if self._open == "td":
            self.cells.append(text)

    def handle_endtag(self, tag):
        self._open = None


def test_every_file_has_its_day_and_files_of_one_day_share_it(seen, paths):
    assert [str(v.path) for v in seen.verdicts] == paths
    assert [(d.symbol, len(d.paths)) for d in seen.days] == [("BAC", 2), ("PETR4", 1), ("NEXOUSDT", 1)]
    assert not seen.unmeasured
    trade, quote = seen.verdicts[:2]
    assert trade.findings == quote.findings
    assert "coarse_exchange_clock" in {f.code for f in trade.findings}


def test_what_the_reader_said_comes_first_and_once(seen, paths):
    for verdict, said in zip(seen.verdicts, formats.audit(paths), strict=True):
        assert verdict.findings[: len(said.findings)] == said.findings
        codes = [f.code for f in verdict.findings]
        assert len(codes) == len(set(codes))
        assert verdict.counts == said.counts
    thinned = {f.code for f in seen.verdicts[2].findings}
    assert {"thinned", "stale_quotes", "time_gap"} <= thinned
    assert not {"sparse_sequence", "quotes_not_at_prints"} & thinned


def test_a_finding_of_the_only_day_does_not_repeat_its_name(seen):
    (gap,) = [f for f in seen.verdicts[2].findings if f.code == "time_gap"]
    assert gap.text.startswith("row ")


def test_a_refused_file_is_not_measured_and_stops_nothing(tmp_path, paths):
    broken = tmp_path / "PETR4_2025-04-08.csv"
    broken.write_text("symbol,rpt_seq\nnonsense\n")
    seen = audit_paths([f"b3:{broken}", paths[2]])
    assert [v.verdict for v in seen.verdicts] == [Verdict.REFUSED, Verdict.LIMITED]
    assert [d.symbol for d in seen.days] == ["PETR4"]


def test_a_format_that_was_forced_for_a_folder_holds_for_its_files(shared_data, seen):
    forced = audit_paths([f"b3:{shared_data / 'b3_ticks' / 'PETR4_2025-04-07.csv.gz'}"])
    assert forced.days[0].events == seen.days[1].events


def test_what_only_reading_shows_refuses_the_file(paths, monkeypatch):
    def refuse(given, symbol=None, verdicts=None):
        raise DataRefused("seen while reading")

    monkeypatch.setattr(formats, "sessions", refuse)
    seen = audit_paths(paths[2:3])
    assert seen.verdicts[0].verdict is Verdict.REFUSED
    assert not seen.days


def test_a_file_without_events_says_why_it_has_no_day(paths, monkeypatch):
    def tables_only(given, symbol=None, verdicts=None):
        raise UsageError("only tables: option_chain")

    monkeypatch.setattr(formats, "sessions", tables_only)
    seen = audit_paths(paths[2:3])
    assert seen.verdicts[0].verdict is Verdict.LIMITED
    assert list(seen.unmeasured.values()) == ["only tables: option_chain"]
    cells = [cell for row in audit_sections(seen)[1].table.rows for cell in row]
    assert {"not measured", "only tables: option_chain"} <= set(cells)


def test_the_page_stands_alone_and_names_everything(tmp_path, paths, seen, capsys):
    report = tmp_path / "audit.html"
    assert run(["audit", *paths, "--report", str(report)]) == 0
    text = report.read_text()
    page = Page(text)
    assert page.fetched == []
    days = [f"{d.symbol} {d.day} {d.venue}" for d in seen.days]
    assert [h for h in page.headings if h] == ["Files", "Reasons", "Days", *days, "Counts", "Thresholds"]
    assert {name.lower().replace("_", " ") for name in thresholds()} <= set(page.cells)
    for verdict in seen.verdicts:
        assert verdict.verdict.value in page.cells
        for finding in verdict.findings:
            assert finding.text.removeprefix(f"{verdict.path}: ") in page.cells
    drawn = [name for name in page.ids if name.startswith("figure-")]
    assert len(drawn) == 1 + len(days) + sum(d.clock_fit is not None for d in seen.days)
    assert len(re.findall(r"Plotly\.newPlot\(", text)) >= len(drawn)
    assert "4 files" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_fails_before_the_work(tmp_path, paths, capsys):
    assert run(["audit", *paths, "--report", str(tmp_path / "no" / "audit.html")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_chart_of_a_day_shows_every_event_and_every_spell(seen):
    bac, petr, _ = seen.days
    bars = {trace.name: trace for trace in day_figure(bac).data if trace.type == "bar"}
    assert sum(bars["events"].y) == bac.events
    assert sum(bars["prints"].y) == bac.prints
    assert np.nanmean(bars["valid mid"].y) > 99
    marks = {trace.name: trace for trace in day_figure(petr).data if trace.type == "scatter"}
    silent = petr.time_gaps.longest
    assert len(marks["silent"].x) == 3 * len(silent)
    assert marks["silent"].x[0] == silent["start_ns"].astype("datetime64[ns]")[0]
    assert marks["silent"].x[1] == silent["end_ns"].astype("datetime64[ns]")[0]
    assert len(marks["halted"].x) == 0
    assert set(marks["halted"].y) == {"halted, 0"}  # the row is there to say that there is none


def test_the_strip_of_every_day_holds_all_its_events(seen):
    (heat,) = coverage_strips(seen.days).data
    assert list(heat.y) == [f"{d.symbol} {d.day}" for d in seen.days]
    assert np.asarray(heat.customdata).sum(axis=1).tolist() == [d.events for d in seen.days]
    busiest = np.nanmax(np.asarray(heat.z, float), axis=1)
    assert busiest.tolist() == [1.0] * len(seen.days)


def test_the_chart_of_the_clocks_shows_the_envelope_below_the_messages(seen):
    fit = seen.days[2].clock_fit
    traces = {trace.name: np.asarray(trace.y) for trace in clock_figure(fit).data}
    envelope = next(y for name, y in traces.items() if "envelope" in name)
    assert (traces["fastest"] >= envelope - 1e-9).all()
    assert (traces["median"] >= traces["fastest"]).all()


def test_no_more_days_are_drawn_than_a_browser_opens(seen):
    many = type(seen)(seen.verdicts, seen.days * MAX_DRAWN)
    sections = audit_sections(many)
    titles = [s.title for s in sections]
    assert len(titles) == MAX_DRAWN + 5
    assert len(sections[2].table.rows) == 3 * MAX_DRAWN
    assert sections[2].paragraphs == [f"The {MAX_DRAWN} days with most events are drawn."]


def test_no_more_days_are_listed_than_a_person_reads(seen, monkeypatch):
    monkeypatch.setattr(audit_report, "MAX_LISTED", 2)
    days = audit_sections(seen)[2]
    assert len(days.table.rows) == 2
    assert days.paragraphs == ["The 2 of 3 days with most events are listed, --json has all of them."]


def test_json_leaves_out_only_bins_that_can_be_put_back(seen):
    for day in seen.days:
        told = quality_json(day)["coverage"]
        share, events = np.empty(told["bins"]), np.zeros(told["bins"], int)
        for at, following, value in zip(told["bin"], [*told["bin"][1:], told["bins"]], told["mid_share"], strict=True):
            share[at:following] = np.nan if value is None else value
        events[told["bin"]] = told["events"]
        assert np.array_equal(share, day.coverage.mid_share, equal_nan=True)
        assert np.array_equal(events, day.coverage.events)


def test_json_of_a_quiet_day_is_short(seen):
    quiet = replace(
        seen.days[0].coverage, events=np.zeros(390, int), prints=np.zeros(390, int), mid_share=np.full(390, np.nan)
    )
    told = quality_json(replace(seen.days[0], coverage=quiet))["coverage"]
    assert (told["bins"], told["bin"], told["mid_share"]) == (390, [0], [None])


def test_json_carries_the_quality_of_every_day(paths, seen, capsys):
    assert run(["audit", *paths, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert [d["symbol"] for d in plain["days"]] == ["BAC", "PETR4", "NEXOUSDT"]
    bac = plain["days"][0]
    assert bac == json.loads(json.dumps(quality_json(seen.days[0])))
    assert bac["locked"]["count"] == len(bac["locked"]["longest"]["row"])
    assert sum(bac["coverage"]["events"]) == bac["events"]
    assert bac["clock_fit"] is None
    assert plain["days"][2]["clock_fit"]["drift_ppm"]["low"] < plain["days"][2]["clock_fit"]["drift_ppm"]["high"]
