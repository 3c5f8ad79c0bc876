"""The model store in a folder: its contract, damage, races, and the card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.errors import ModelError, UsageError
from footprint.impact.cost import Cost, Measured, total
from footprint.impact.registry.card import model_card
from footprint.impact.registry.folder import CARD_FILE, RUN_FILE, RUN_FILES, FolderModelStore, is_model_store
from footprint.impact.registry.interface import Log, Overtaken, promotion, rollback
from footprint.impact.registry.run import Run, run_id, scope_of
from footprint.impact.rows import TARGETS
from footprint.impact.store import MODEL_FILES, load
from footprint.testing.check_model_store import check_model_store, sample_forecaster, sample_run
from footprint.testing.random_rows import random_rows


@pytest.fixture(scope="module")
def forecasters():
    rows = random_rows(np.random.default_rng(1), 200)
    return [sample_forecaster(rows, seed) for seed in range(3)]


@pytest.fixture
def store(tmp_path, forecasters):
    store = FolderModelStore(tmp_path / "store")
    for forecaster in forecasters:
        store.save(forecaster, sample_run(forecaster))
    return store


def files(folder: Path):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_contract(tmp_path):
    check_model_store(lambda: FolderModelStore(tmp_path / "store"))


class NeverSaysNo(FolderModelStore):
    def promote(self, promotion):
        number = len(self.log().record(promotion.scope)) + 1
        super().promote(replace(promotion, number=number))


class OneRecordForAll(FolderModelStore):
    def promote(self, promotion):
        super().promote(replace(promotion, scope="all"))


@pytest.mark.parametrize("broken", [NeverSaysNo, OneRecordForAll])
def test_the_contract_catches_a_broken_store(tmp_path, broken):
    with pytest.raises((AssertionError, UsageError)):
        check_model_store(lambda: broken(tmp_path / "store"))


def test_a_run_is_a_folder_that_a_forecast_can_be_made_from(store, tmp_path, forecasters):
    run = store.log().runs[0]
    folder = tmp_path / "store" / "runs" / run.run_id
    assert {p.name for p in folder.iterdir()} == set(RUN_FILES)
    assert set(MODEL_FILES) < set(RUN_FILES)
    assert load(folder).card == forecasters[0].card
    assert is_model_store(tmp_path / "store")
    assert not is_model_store(folder)


def test_a_save_that_breaks_off_leaves_nothing(store, tmp_path, forecasters, monkeypatch):
    before = files(tmp_path)

    def breaks(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("footprint.impact.registry.folder.model_card", breaks)
    run = replace(sample_run(forecasters[0]), run_id="new")
    with pytest.raises(KeyboardInterrupt):
        store.save(forecasters[0], run)
    assert files(tmp_path) == before
    # a killed process leaves its folder behind; nobody reads it
    (tmp_path / "store" / "runs" / ".new.1.partial").mkdir()
    assert len(store.log().runs) == 3


def test_a_promotion_never_rewrites_the_record(store, tmp_path):
    ids = [run.run_id for run in store.log().runs]
    store.promote(promotion(store.log(), ids[0], "ann", "first", 1))
    record = tmp_path / "store" / "promotions"
    before = files(record)
    store.promote(promotion(store.log(), ids[1], "ann", "second", 2))
    after = files(record)
    assert before.items() < after.items()
    # two that looked at the same time: the record has room for one
    stale = store.log()
    store.promote(promotion(stale, ids[2], "ann", "third", 3))
    with pytest.raises(Overtaken, match="promotion 3 of all is taken"):
        store.promote(rollback(stale, "all", "bob", "drift", 3))
    assert store.log().champion("all") == ids[2]


def test_the_last_of_two_racing_lines_is_refused_even_after_both_looked(store, monkeypatch):
    """Both find the number free; the link decides."""
    ids = [run.run_id for run in store.log().runs]
    line = promotion(store.log(), ids[0], "ann", "mine", 1)
    store.promote(promotion(store.log(), ids[1], "bob", "faster", 1))
    monkeypatch.setattr(Log, "check_next", lambda self, promotion: None)
    with pytest.raises(Overtaken):
        store.promote(line)
    assert store.log().champion("all") == ids[1]


def test_a_model_that_cannot_be_read_is_never_champion(store, tmp_path):
    ids = [run.run_id for run in store.log().runs]
    (tmp_path / "store" / "runs" / ids[0] / "arrays.npz").write_bytes(b"")
    with pytest.raises(ModelError):
        store.promote(promotion(store.log(), ids[0], "ann", "why", 1))
    assert store.log().champion("all") is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": "footprint-run-0"}', '{"format": "footprint-run-1"}'])
def test_a_damaged_record_is_named(store, tmp_path, text):
    run = store.log().runs[1].run_id
    (tmp_path / "store" / "runs" / run / RUN_FILE).write_text(text)
    with pytest.raises(ModelError, match=f"{run}/run.json cannot be read"):
        store.log()


def test_a_damaged_or_missing_line_is_named(store, tmp_path):
    run = store.log().runs[0].run_id
    store.promote(promotion(store.log(), run, "ann", "why", 1))
    line = tmp_path / "store" / "promotions" / "all" / "000001.json"
    line.write_text("{}")
    with pytest.raises(ModelError, match=r"000001\.json cannot be read as a promotion"):
        store.log()
    (tmp_path / "store" / "runs" / run / RUN_FILE).unlink()
    with pytest.raises(ModelError, match="holds no record of a run"):
        store.log()


def test_an_ambiguous_or_unknown_run_lists_what_there_is(store):
    log = store.log()
    with pytest.raises(UsageError, match=r"no run 'x', there is: 20260101T000000"):
        log.run("x")
    with pytest.raises(UsageError, match="more than one run"):
        log.run("20260101")
    with pytest.raises(UsageError, match="no run ''"):
        log.run("")


def test_challengers_are_the_runs_after_the_champion(store):
    ids = [run.run_id for run in store.log().runs]
    assert [r.run_id for r in store.log().challengers("all")] == ids
    store.promote(promotion(store.log(), ids[1], "ann", "why", 1))
    assert [r.run_id for r in store.log().challengers("all")] == [ids[2]]


def test_the_card_says_what_the_record_says(store, tmp_path):
    first, second, _ = (run.run_id for run in store.log().runs)
    card = tmp_path / "store" / "runs" / first / CARD_FILE
    fresh = card.read_text()
    for part in ("not in use", "Never promoted", "leaves 4", "crps_skill_percent", "N/A", "89.0", "| AAA | 6 | 100 |"):
        assert part in fresh
    for heading in ("Purpose and use", "Data", "Method", "Outcome analysis", "Limits", "Change control", "Cost"):
        assert f"\n## {heading}" in fresh
    store.promote(promotion(store.log(), first, "ann", "a | b\nc", 1))
    assert "champion." in card.read_text()
    assert "| a \\| b c |" in card.read_text()
    store.promote(promotion(store.log(), second, "bob", "sharper", 2))
    assert "not in use" in card.read_text()
    assert "sharper" in card.read_text()
    log = store.log()
    assert card.read_text() == model_card(log.run(first), log.record("all"))


def test_the_card_of_a_run_without_scores_says_why(forecasters):
    run = replace(sample_run(forecasters[0]), scores=(), scored_on="one part only", tuned=())
    assert "No scores: one part only." in model_card(run)
    assert "No search of hyper-parameters" in model_card(run)


def test_a_run_survives_json(forecasters):
    run = sample_run(forecasters[0])
    again = Run.from_json(run.as_json(), "here")
    assert again.as_json() == run.as_json()
    assert np.isnan(again.scores[0].low)
    assert "NaN" not in run.as_json()
    assert json.loads(run.as_json())["scores"][0]["low"] is None
    assert (again.tuned, again.costs) == (run.tuned, run.costs)
    assert again.checks[0].observed == run.checks[0].observed
    assert np.isnan(again.checks[0].high)


def test_a_record_from_before_there_were_checks_is_read(forecasters):
    old = json.loads(sample_run(forecasters[0]).as_json())
    del old["checks"]
    run = Run.from_json(json.dumps(old), "here")
    assert run.checks == ()
    assert "Predictive checks" not in model_card(run)


def test_the_card_shows_observed_beside_predicted(forecasters):
    card = model_card(sample_run(forecasters[0]))
    assert "| kind | target | figure | observed | predicted | 90 % of the data sets | p |" in card
    assert "| known | peak | sd, bps | 9 | 9.5 | 8 to N/A | 0.750 |" in card


def test_names_of_runs_and_scopes():
    assert run_id(1_767_225_600_000_000_001, "data", {"a": 1}).startswith("20260101T000000-")
    ids = {run_id(0, data, parameters) for data in ("x", "y") for parameters in ({"a": 1}, {"a": 2})}
    assert len(ids) == 4
    assert scope_of(TARGETS[::-1]) == "all"
    assert scope_of(("shift_300", "peak")) == "peak+shift_300"


def test_costs_add_up():
    (value, cost) = Measured(abs)(-3)
    assert value == 3
    assert cost.peak_bytes > 1_000_000
    assert total([Cost(1.0, 2.0, 5), Cost(1.0, 1.0, 9)]) == Cost(2.0, 3.0, 9)
    assert total([]) == Cost(0, 0, 0)
