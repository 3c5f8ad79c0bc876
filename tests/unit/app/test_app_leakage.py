"""`footprint leakage` on planted days: every measure with its interval and its sentence, as table, JSON and page."""

import json
import math

import numpy as np
import pytest

from footprint.app import leakage as service
from footprint.app.cli import leakage as command
from footprint.app.leakage import Leakage, PairShare, measure
from footprint.app.leakage_report import leakage_sections, markout_figure, write_leakage_report
from footprint.app.leakage_table import groups, leakage_json
from footprint.app.progress import NullProgress
from footprint.data.planted import PlantedLaw
from footprint.data.synthetic import planted_sessions
from footprint.errors import DataRefused, UsageError
from footprint.impact.leakage.information_share import KINDS as SHARE_KINDS


@pytest.fixture(scope="module")
def found(planted_tape) -> Leakage:
    return measure([planted_tape], None, np.random.default_rng(0), NullProgress())


def test_every_measure_has_an_interval_around_it_or_a_reason(found):
    measures = [m for group in groups(found) for m in group.measures]
    assert len(measures) > 40
    for m in measures:
        e = m.estimate
        if m.reason:
            assert math.isnan(e.value)
        else:
            assert e.low <= e.high
            assert math.isfinite(e.low + e.value + e.high)
        assert m.does_not_prove.endswith(".")
        assert m.block_s > 0


def test_planted_days_show_what_was_planted(found):
    (instrument,) = found.instruments
    assert instrument.sessions == 3
    curve = instrument.adverse.curve
    assert curve.effective.estimate.value == pytest.approx(1.2, rel=0.1)  # half-spread of 1.2 ticks of a 100.00 price
    assert curve.markout[0].estimate.low > 0.0  # background trades and metaorders move the mid for good
    by_name = {m.name: m.estimate for m in instrument.adverse.measures}
    assert by_name["flow_r2_same_bar"].low > 0.05
    assert by_name["trade_through_rate"].value < 0.05


def test_json_is_plain_and_names_everything(found):
    plain = json.loads(json.dumps(leakage_json(found), allow_nan=False))
    (instrument,) = plain["instruments"]
    for listed in (instrument["adverse_selection"], instrument["order_leakage"]["measures"]):
        for m in listed:
            assert set(m) == {
                "name", "unit", "value", "low", "high", "rows", "blocks", "block_s", "does_not_prove", "reason"
            }  # fmt: skip
            assert (m["value"] is None) == (m["reason"] is not None)
    assert instrument["order_leakage"]["source"].startswith("synthetic orders")


def test_the_page_draws_the_curve_and_lists_the_measures(found, tmp_path):
    path = tmp_path / "leakage.html"
    write_leakage_report(path, found)
    page = path.read_text()
    assert "Markout curve" in page
    assert "what it does not prove" in page
    sections = leakage_sections(found)
    assert [len(s.figures) for s in sections] == [0, 1, 1]
    curve = found.instruments[0].adverse.curve
    drawn = markout_figure(curve, "X").data
    np.testing.assert_allclose(drawn[0].y, [m.estimate.value for m in curve.markout if not m.reason])
    np.testing.assert_allclose(drawn[1].y, [m.estimate.value for m in curve.realised if not m.reason])


def test_the_command_prints_a_table_a_sentence_and_the_same_twice(planted_tape, capsys, monkeypatch):
    monkeypatch.setattr(service, "false_positive_rates", lambda *_: [])  # a hundred runs that other tests read
    command.leakage([str(planted_tape)])
    first = capsys.readouterr().out
    assert "what it does not prove" in first
    assert "as above" in first
    command.leakage([str(planted_tape)])
    assert capsys.readouterr().out == first


def test_orders_of_a_file_are_measured_on_their_own_tape(planted_tape, tmp_path, capsys):
    path = tmp_path / "orders.csv"
    starts = [(15 + k // 4, 15 * (k % 4)) for k in range(16)]
    rows = [
        f"{k},SYNTH,buy,2024-01-08T{hour}:{minute:02}:00Z,2024-01-08T{hour}:{minute + 5:02}:00Z,50"
        for k, (hour, minute) in enumerate(starts)
    ]
    late = "x,SYNTH,buy,2024-02-08T15:00:00Z,2024-02-08T15:05:00Z,50"
    path.write_text("\n".join(["order_id,symbol,side,start,end,quantity", *rows, late]) + "\n")
    command.leakage([str(planted_tape)], orders=path, as_json=True)
    plain = json.loads(capsys.readouterr().out)["instruments"][0]["order_leakage"]
    assert (plain["source"], plain["orders"], plain["outside_the_data"]) == ("orders of the file", 16, 1)
    drift = plain["measures"][0]
    assert drift["low"] <= 0.0 <= drift["high"]  # these orders never happened


def test_orders_of_other_symbols_and_empty_tapes_are_refused(planted_tape, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("order_id,symbol,side,start,end,quantity\na,IBM,buy,2024-01-08T15:00:00Z,2024-01-08T15:05:00Z,1\n")
    with pytest.raises(UsageError, match="no order is of SYNTH, there are orders of IBM"):
        command.leakage([str(planted_tape)], orders=path)
    path.write_text("nothing\n")
    with pytest.raises(DataRefused, match="wrong columns"):
        command.leakage([str(planted_tape)], orders=path)
    with pytest.raises(UsageError, match="does not exist"):
        command.leakage([str(planted_tape)], report=tmp_path / "no" / "page.html")


def test_two_venues_of_one_symbol_share_price_discovery(monkeypatch):
    (session,) = planted_sessions(PlantedLaw(), 1, np.random.default_rng(1))
    kept = service._Tapes()
    service._keep(session, kept)
    usable = {("SYNTH", "a"): kept, ("SYNTH", "b"): kept, ("OTHER", "a"): kept}
    measured = tuple(kind.unknown("not asked", 0, 1.0) for kind in SHARE_KINDS)
    monkeypatch.setattr(service, "information_share", lambda *_: measured)
    assert list(service._pairs(usable, np.random.default_rng(2))) == [PairShare("SYNTH", "a", "b", measured)]


def test_brokers_of_the_2015_files_are_compared_with_imaginary_traders(shared_data):
    path = shared_data / "b3_orders_2015" / "orders_PETR4F_2015-11-03.parquet"
    seen = measure([path], None, np.random.default_rng(0), NullProgress())
    assert seen.broker_symbols == ("PETR4F",)
    sources = {check.source: {m.name: m.estimate for m in check.measures} for check in seen.brokers}
    own, scrambled = sources["brokers"], sources["brokers, scrambled"]
    assert own["metaorders_per_1000_children"].n == 57
    # a broker's runs are longer than chance makes them: identity matters
    assert own["children_per_metaorder"].value > 1.5 * scrambled["children_per_metaorder"].value
    assert own["metaorders_per_1000_children"].high < scrambled["metaorders_per_1000_children"].value
