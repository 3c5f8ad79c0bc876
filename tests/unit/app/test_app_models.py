"""`footprint models` and `--model` on a store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from footprint.app import models
from footprint.app.cli.models import app
from footprint.errors import ModelError, UsageError
from footprint.impact.registry.folder import FolderModelStore
from footprint.testing.check_model_store import sample_forecaster, sample_run
from footprint.testing.random_rows import random_rows


@pytest.fixture
def store(tmp_path) -> Path:
    rows = random_rows(np.random.default_rng(1), 200)
    folder = tmp_path / "store"
    for seed in range(2):
        forecaster = sample_forecaster(rows, seed)
        FolderModelStore(folder).save(forecaster, sample_run(forecaster))
    return folder


def invoke(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def runs(store):
    return [run.run_id for run in FolderModelStore(store).log().runs]


def test_promote_then_forecast_with_it_then_go_back(store):
    first, second = runs(store)
    with pytest.raises(UsageError, match=f"no champion yet, promote a run with: .* there is: {first}, {second}"):
        models.load_model(store)
    assert (
        f"{first} is the champion of all\n" in invoke("promote", store, first, "--by", "ann", "--why", "first").output
    )
    assert models.load_model(store).card.seed == 0
    done = invoke("promote", store, second[:-3], "--by", "ann", "--why", "sharper", "--json")
    assert json.loads(done.output)["before"] == first
    assert models.load_model(store).card.seed == 1
    done = invoke("rollback", store, "--by", "bob", "--why", "drift")
    assert done.output == f"{first} is the champion of all instead of {second}\n"
    assert models.load_model(store).card.seed == 0
    assert [p.by for p in FolderModelStore(store).log().promotions] == ["ann", "ann", "bob"]


def test_a_plain_folder_is_a_model_too(store):
    assert models.load_model(store / "runs" / runs(store)[1]).card.seed == 1
    with pytest.raises(ModelError, match="holds no readable model"):
        models.load_model(store / "nothing")


def test_list_and_show(store):
    first, second = runs(store)
    invoke("promote", store, first, "--by", "ann", "--why", "first")
    told = invoke("list", store).output
    assert [word for word in told.split() if word in ("champion", "challenger")] == ["champion", "challenger"]
    plain = json.loads(invoke("list", store, "--json").output)
    assert [(r["run_id"], r["champion"]) for r in plain["runs"]] == [(first, True), (second, False)]
    assert plain["promotions"][0]["by"] == "ann"
    assert invoke("show", store).output == (store / "runs" / first / "card.md").read_text()
    plain = json.loads(invoke("show", store, second, "--json").output)
    assert plain["run"]["run_id"] == second
    assert plain["promotions"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "missing"], "missing: no model store; make one with: footprint fit PATH --store missing"),
        (["show", "missing.db"], "missing.db: no model store"),
        (["show", "STORE", "x"], "no run 'x'"),
        (["show", "STORE"], "no champion yet"),
        (["promote", "STORE", "20260101", "--by", "a", "--why", "b"], "more than one run"),
        (["promote", "STORE", "x", "--by", " ", "--why", "b"], "no run 'x'"),
        (["rollback", "STORE", "--by", "a", "--why", "b"], "no earlier champion of all"),
        (["rollback", "STORE", "--by", "a", "--why", "b", "--targets", "odd"], "no earlier champion of odd"),
    ],
)
def test_misuse_is_told(store, arguments, told):
    with pytest.raises(UsageError, match=told):
        invoke(*[store if a == "STORE" else a for a in arguments])


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"is no folder, allowed: a folder, or a file that ends in \.db"):
        models.open_store(tmp_path / "file")
