"""`footprint fit`: a model with its record, into a folder and a store; resumed where it stopped; tuned on the past."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from footprint.app import fitting
from footprint.app.models import load_model, open_store
from footprint.app.progress import NullProgress
from footprint.errors import UsageError
from footprint.impact import fits, tuning
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.executor import SERIAL
from footprint.impact.predictive_checks import STATISTICS
from footprint.impact.registry.folder import RUN_FILES
from footprint.impact.registry.run import Run
from footprint.impact.stacking import Stack
from footprint.impact.store import load

SMALL = replace(Protocol(), rows_per_cell=60, bootstrap_draws=100)
BOOSTED = BoostedQuantiles(DIFFUSIVE, stages=(4,), levels=(0.1, 0.5, 0.9))


@pytest.fixture(scope="module", autouse=True)
def small_and_here():
    """Two targets, small models, in this process, which can be watched."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fits, "TARGETS", ("peak", "shortfall"))
        patched.setattr(fits, "own_model", lambda kind, target: Stack((DIFFUSIVE, BOOSTED)))
        patched.setattr(fitting, "_executor", lambda: SERIAL)
        yield


@pytest.fixture(scope="module")
def whole(planted_tape, tmp_path_factory, small_and_here):
    """The folder of a run that nothing interrupted: a model and a store."""
    folder = tmp_path_factory.mktemp("whole")
    run(planted_tape, folder / "model", store=folder / "store")
    return folder


@pytest.fixture
def watched(monkeypatch):
    """Counts fits of whole models; `stop_at` interrupts one of them."""
    counts = Counter()
    fit = Stack.fit

    def counting(self, rows, target):
        counts["fits"] += 1
        if counts["fits"] == counts["stop_at"]:
            raise KeyboardInterrupt
        return fit(self, rows, target)

    monkeypatch.setattr(Stack, "fit", counting)
    return counts


def run(tape, out=None, **options):
    return fitting.run([tape], out, seed=0, as_json=True, progress=NullProgress(), protocol=SMALL, **options)


def test_a_run_is_stored_with_its_record(whole):
    tmp_path, forecaster = whole, load(whole / "model")
    assert {p.name for p in tmp_path.iterdir()} == {"model", "store"}
    assert {p.name for p in (tmp_path / "model").iterdir()} == set(RUN_FILES)
    record = Run.from_json((tmp_path / "model" / "run.json").read_text(), "run.json")
    (stored,) = open_store(tmp_path / "store").log().runs
    assert stored.as_json() == record.as_json()
    assert forecaster.card.model_id == "stack"
    assert load_model(tmp_path / "model").card == forecaster.card
    assert load_model(tmp_path / "store" / "runs" / record.run_id).card == forecaster.card
    kinds = {(s.kind, s.target) for s in record.scores}
    assert kinds == {(k, t) for k in ("known", "in_flight") for t in ("peak", "shortfall")}
    assert {(c.kind, c.target) for c in record.checks} == {("known", "peak"), ("known", "shortfall")}
    assert len(record.checks) == 2 * len(STATISTICS)
    assert all(c.low <= c.median <= c.high and 0.0 <= c.p <= 1.0 for c in record.checks)
    card = (tmp_path / "model" / "card.md").read_text()
    assert card.count("| known | shortfall | mean, bps |") == 1
    assert len(record.costs) == 1 + 4 + 4
    assert all(c.wall_s > 0 and c.peak_bytes > 0 for c in record.costs.values())
    assert "walk-forward part 6" in record.scored_on
    assert record.versions["footprint"]
    assert "leaves=4" in record.parameters["models"]["known peak"]


def test_an_interrupted_fit_goes_on_where_it_stopped(planted_tape, tmp_path, watched, whole, capsys):
    watched["stop_at"] = 4
    with pytest.raises(KeyboardInterrupt):
        run(planted_tape, tmp_path / "model")
    assert [p.name for p in tmp_path.iterdir()] == ["model.partial"]
    run(planted_tape, tmp_path / "model")
    assert watched["fits"] == 4 + 5  # three of eight were kept
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    printed = json.loads(capsys.readouterr().out)
    assert printed["model"] == str(tmp_path / "model")
    assert printed["model_id"] == "stack"
    expected, resumed = (np.load(folder / "model" / "arrays.npz") for folder in (whole, tmp_path))
    assert expected.files == resumed.files
    assert all(np.array_equal(expected[name], resumed[name]) for name in expected.files)
    assert load(tmp_path / "model").card == load(whole / "model").card


def test_hyper_parameters_are_searched_for_before_the_last_part(planted_tape, tmp_path, monkeypatch):
    seen = []
    loss = tuning.loss

    def watching(asked):
        seen.append(set(asked[0].rows.part.tolist()))
        return loss(asked)

    monkeypatch.setattr(tuning, "loss", watching)
    run(planted_tape, store=tmp_path / "store", trials=2)
    assert seen == [{1, 2, 3, 4, 5}] * 8
    (record,) = open_store(tmp_path / "store").log().runs
    assert {(t.kind, t.target, t.trials, t.before_part) for t in record.tuned} == {
        (k, t, 2, 6) for k in ("known", "in_flight") for t in ("peak", "shortfall")
    }
    for one in record.tuned:
        assert one.loss <= one.own_loss
        chosen = record.parameters["models"][f"{one.kind} {one.target}"]
        assert f"leaves={one.parameters['leaves']}" in chosen
    card = next((tmp_path / "store" / "runs").glob("*/card.md")).read_text()
    assert "| known | peak | boosted_quantiles | 6 | 2 |" in card
    assert not (tmp_path / "store.partial").exists()


def test_a_fit_needs_somewhere_to_write(planted_tape):
    with pytest.raises(UsageError, match=r"nowhere to write, allowed: --out DIR, --store STORE"):
        run(planted_tape)


def test_foreign_files_are_never_replaced(planted_tape, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.doc").write_text("mine")
    with pytest.raises(UsageError, match=r"holds thesis\.doc"):
        run(planted_tape, tmp_path / "model")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
