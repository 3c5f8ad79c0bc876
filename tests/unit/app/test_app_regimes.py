"""`footprint regimes` on planted days: the regimes that are there, what they change, as table, JSON and page."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer

from footprint.app import regimes as service
from footprint.app.cli import main as command_line
from footprint.app.cli import regimes as command
from footprint.app.progress import NullProgress
from footprint.app.regimes import MIN_MINUTES, SymbolRegimes, TargetEffects, measure
from footprint.app.regimes_json import regimes_json
from footprint.app.regimes_report import regimes_sections
from footprint.app.regimes_table import effect_sentence, grids, headline
from footprint.data.planted_regimes import REGIMES, RegimeShape, planted_regime_days
from footprint.data.readers.lean_writer import write_lean
from footprint.data.session import Session
from footprint.errors import ModelError, UsageError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.regimes.minute_regimes import find_regimes
from footprint.impact.regimes.observations import Minutes
from footprint.impact.regimes.report import EffectSummary
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_MINUTE

SMALL = Protocol(rows_per_cell=60, bootstrap_draws=200)


@pytest.fixture(scope="module")
def sessions() -> list[Session]:
    return [day.session for day in planted_regime_days(3, np.random.default_rng(0))]


@pytest.fixture(scope="module")
def tape(sessions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regimes")
    for session in sessions:
        write_lean(session, folder)
    return folder


@pytest.fixture(scope="module")
def found(tape) -> SymbolRegimes:
    return measure([tape], "synth", 0, NullProgress(), SMALL)


@pytest.fixture
def registered(monkeypatch) -> None:
    """The command line with this command alone: exit statuses are those of `footprint`."""
    app = typer.Typer()
    app.command("regimes")(command.regimes)
    app.callback()(lambda: None)
    monkeypatch.setattr(command_line, "app", app)


def short_tape(folder: Path, session: Session, minutes: int) -> Path:
    """The first minutes of a day; an event after the last of them closes it."""
    until_ns = session.open_ns + minutes * NS_PER_MINUTE + NS_PER_MINUTE // 2
    write_lean(replace(session, events=session.events[session.events["exchange_time_ns"] <= until_ns]), folder)
    return folder


def rows_over(minutes: Minutes) -> Rows:
    """Orders of a minute each, spread over the tape."""
    rows = random_rows(np.random.default_rng(0), 600)
    span_ns = np.ptp(minutes.end_ns)
    start_ns = minutes.end_ns[0] + np.linspace(0.0, float(span_ns), 600).astype(np.int64)
    return replace(rows, start_ns=start_ns, end_ns=start_ns + NS_PER_MINUTE)


def test_planted_regimes_are_found_from_the_earlier_half(found) -> None:
    assert (found.symbol, found.sessions) == ("SYNTH", 3)
    assert found.selection.states.names == REGIMES
    assert found.learnt == len(found.minutes) // 2
    trades = [regime.centre["trades_per_s"] for regime in found.report.regimes]
    assert trades == pytest.approx(RegimeShape().trades_per_s, rel=0.2)
    assert found.now.sum() == pytest.approx(1.0)
    assert found.report.label[-1] == found.now.argmax()


def test_another_future_leaves_states_and_earlier_labels_as_they_are(found, sessions, tmp_path) -> None:
    *past, last = sessions
    events = last.events.copy()
    events["size_lots"] *= 5
    for session in (*past, replace(last, events=events)):
        write_lean(session, tmp_path)
    other = measure([tmp_path], "SYNTH", 0, NullProgress(), SMALL)
    assert np.array_equal(other.selection.states.centres, found.selection.states.centres)
    before = found.minutes.end_ns < last.open_ns
    assert np.array_equal(other.report.label[before], found.report.label[before])
    assert not np.array_equal(other.minutes.plain, found.minutes.plain)


def test_orders_that_teach_end_before_those_that_are_scored(found, monkeypatch) -> None:
    seen = {}

    def watched(fitted, rows, protocol):
        seen["later"] = rows
        return ()

    def fit(self, rows, target):
        seen["past"] = rows

    monkeypatch.setattr(service, "describe_effects", watched)
    monkeypatch.setattr(service.RegimeAware, "fit", fit)
    rows = service.with_regimes(rows_over(found.minutes), found.selection.states, found.minutes)
    cut_ns = int(found.minutes.end_ns[found.learnt - 1])
    service._effects(rows, "peak", cut_ns, SMALL)
    assert seen["past"].end_ns.max() + 10 * NS_PER_MINUTE <= cut_ns <= seen["later"].start_ns.min()


def test_json_is_plain_and_whole(found) -> None:
    plain = json.loads(json.dumps(regimes_json(found), allow_nan=False))
    assert [regime["name"] for regime in plain["regimes"]] == list(REGIMES)
    assert sum(regime["share_of_time"] for regime in plain["regimes"]) == pytest.approx(1.0)
    assert np.sum(plain["transition"], axis=1) == pytest.approx(1.0)
    assert sum(choice["chosen"] for choice in plain["choices"]) == 1
    assert plain["now"]["regime"] == max(plain["now"]["probabilities"], key=plain["now"]["probabilities"].get)
    for regime in plain["regimes"]:
        assert set(regime["centre"]) == set(plain["units"])
        stay = regime["dwell_minutes"]
        assert stay["low"] < stay["value"] < stay["high"]
    assert set(plain["effects"]) == {"peak", "shortfall"}
    for effects in plain["effects"].values():
        assert effects["reason"] is None
        for one in effects["regimes"]:
            for multiple in (one["mean_multiple"], one["noise_multiple"]):
                if multiple["low"] is None:
                    assert multiple == {"value": 1.0, "low": None, "high": None}  # pooled away
                else:
                    assert multiple["low"] < multiple["value"] < multiple["high"]
            assert 0.0 <= one["coverage_90_with"]["value"] <= 1.0
            assert set(one["coefficients"]) == {"square_root", "half_spread"}


def test_the_page_has_every_plot_and_the_names(found, tape, registered, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(service, "measure", lambda *_: found)
    page = tmp_path / "regimes.html"
    assert command_line.run(["regimes", str(tape), "--symbol", "SYNTH", "--report", str(page)]) == 0
    printed, text = capsys.readouterr().out, page.read_text()
    for words in (*REGIMES, "From one minute to the next", "covered, with", "mean stay, minutes"):
        assert words in text
        assert words in printed
    assert "Regimes as they were labelled online" in text
    assert "<script src=" not in text
    regimes, transitions, effects, choices = regimes_sections(found)[1:]
    assert len(regimes.figures) == len(transitions.figures) == 1
    assert len(effects.figures) == sum(not target.is_nothing for target in found.effects)
    assert len(choices.table.rows) == len(found.selection.candidates)


def test_effects_that_shrink_away_are_said_in_one_sentence(found) -> None:
    one = EffectSummary("calm", 9, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.5, 1.0), None, None)
    nothing = TargetEffects("peak", 70, (one, replace(one, name="stressed")))
    sentence = effect_sentence(nothing)
    assert "every multiple shrinks to 1" in sentence
    assert "on 70 orders" in sentence
    shown = replace(found, effects=(nothing,))
    *_, effects = grids(shown)
    assert effects.rows[0][3:5] == ("1, shrunk", "1, shrunk")
    assert regimes_sections(shown)[3].figures == []
    assert regimes_json(shown)["effects"]["peak"]["nothing_changes"]


def test_a_multiple_whose_interval_excludes_1_is_named() -> None:
    calm = EffectSummary("calm", 9, (1.0, 0.9, 1.1), (1.0, 0.9, 1.1), (), None, None)
    sure = replace(calm, name="stressed", scale=(1.5, 1.2, 1.8))
    assert effect_sentence(TargetEffects("peak", 70, (calm, sure))).endswith("intervals without 1: noise in stressed")
    unsure = replace(sure, scale=(1.1, 0.9, 1.3))
    assert effect_sentence(TargetEffects("peak", 70, (calm, unsure))).endswith("no interval excludes 1")


def test_one_short_session_has_regimes_and_a_reason_instead_of_effects(sessions, tmp_path) -> None:
    path = short_tape(tmp_path, sessions[0], MIN_MINUTES)
    found = measure([path], "SYNTH", 0, NullProgress(), SMALL)
    assert found.learnt == len(found.minutes) == MIN_MINUTES
    for target in found.effects:
        assert "0 after the regimes were learnt" in target.reason
        assert not target.is_nothing
    assert grids(found)[-1].rows == ()
    assert "SYNTH at US" in headline(found)
    json.dumps(regimes_json(found), allow_nan=False)


def test_least_minutes_are_those_that_the_choice_needs(found) -> None:
    assert find_regimes(found.minutes.take(slice(MIN_MINUTES))).candidates
    with pytest.raises(ModelError, match="needs two blocks"):
        find_regimes(found.minutes.take(slice(MIN_MINUTES - 4)))


def test_misuse_is_one_line_and_status_2(tape, sessions, registered, tmp_path, capsys) -> None:
    short = str(short_tape(tmp_path, sessions[0], 90))
    missing = str(tmp_path / "no" / "page.html")
    for given, words in (
        ([str(tape), "--symbol", "OTHER"], "no data of OTHER"),
        ([str(tape), "--symbol", "OTHER"], "there is: SYNTH"),
        ([str(tape)], "--symbol"),
        (
            [short, "--symbol", "SYNTH"],
            f"90 whole minutes with events in 1 session, regimes need at least {MIN_MINUTES}",
        ),
        ([str(tape), "--symbol", "SYNTH", "--report", missing], "does not exist"),
    ):
        assert command_line.run(["regimes", *given]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert words in err


def test_two_venues_are_two_instruments(sessions) -> None:
    first, second, _ = sessions
    other = replace(second, instrument=replace(second.instrument, venue="elsewhere"))
    with pytest.raises(UsageError, match="allowed: files of one venue"):
        list(service._Watch().follow([first, other]))


def test_sessions_of_several_formats_come_in_order_of_time(sessions) -> None:
    watch = service._Watch()
    list(watch.follow([sessions[1], sessions[0]]))
    assert np.all(np.diff(watch.minutes().end_ns) > 0)
    assert watch.minutes().begins.sum() == 2


def test_without_orders_there_are_no_effects() -> None:
    assert "quotes needed" in service._effects(None, "peak", 0, SMALL).reason


def test_unknown_and_endless_stays_are_null(found) -> None:
    endless = replace(found.report.regimes[0].dwell_minutes, value=math.nan, high=math.inf, blocks=0)
    regimes = (replace(found.report.regimes[0], dwell_minutes=endless), *found.report.regimes[1:])
    shown = replace(found, report=replace(found.report, regimes=regimes))
    assert regimes_json(shown)["regimes"][0]["dwell_minutes"]["high"] is None
    assert "N/A (over" in grids(shown)[0].rows[0][-2]


def test_a_market_that_never_changes_has_one_regime(tmp_path) -> None:
    shape = RegimeShape()
    values = {name: getattr(shape, name) for name in RegimeShape.__slots__}
    usual = {k: (v[1],) * 3 for k, v in values.items() if isinstance(v, tuple) and k not in ("dwell_s", "moves")}
    for day in planted_regime_days(2, np.random.default_rng(1), replace(shape, **usual)):
        write_lean(day.session, tmp_path)
    found = measure([tmp_path], "SYNTH", 0, NullProgress(), SMALL)
    assert found.selection.states.names == ("usual",)
    assert all(target.is_nothing for target in found.effects)
    regimes, transitions, effects = grids(found)
    assert "nothing to tell apart" in regimes.notes[-1]
    assert transitions.rows == (("usual", "100.0 %"),)
    assert effects.notes[0] == "peak: a single regime changes nothing"
    assert "1 regime," in headline(found)
    assert regimes_json(found)["choices"][0]["chosen"]
    assert len(regimes_sections(found)) == 5
