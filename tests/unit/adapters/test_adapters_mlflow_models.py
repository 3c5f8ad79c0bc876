"""The model store on MLflow and SQLite: the contract, and what MLflow's own tools see."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.adapters.mlflow_models import MlflowModelStore
from footprint.errors import UsageError
from footprint.testing.check_model_store import check_model_store, sample_forecaster, sample_run
from footprint.testing.random_rows import random_rows


def test_the_contract_and_what_mlflow_shows(tmp_path, capfd):
    file = tmp_path / "models é.db"
    check_model_store(lambda: MlflowModelStore(file))
    client = MlflowModelStore(file)._client
    newest = client.get_model_version_by_alias("footprint-all", "champion")
    run = client.get_run(newest.run_id)
    assert run.data.tags["footprint.run_id"].startswith("20260101T000002")
    assert run.data.metrics["known/peak/crps_skill_percent/square_root"] == 2.5
    # a run that was killed half way counts for nothing
    client.create_run(run.info.experiment_id)
    assert len(MlflowModelStore(file).log().runs) == 4
    out, _ = capfd.readouterr()
    assert out == ""


@pytest.mark.nightly
def test_of_two_promotions_at_once_one_is_taken_back(tmp_path, monkeypatch):
    from footprint.impact.registry.interface import Log, Overtaken, promotion

    store = MlflowModelStore(tmp_path / "models.db")
    rows = random_rows(np.random.default_rng(1), 200)
    for seed in range(2):
        forecaster = sample_forecaster(rows, seed)
        store.save(forecaster, sample_run(forecaster))
    first, second = (promotion(store.log(), run.run_id, "ann", "why", 1) for run in store.log().runs)
    store.promote(first)
    with monkeypatch.context() as patched:
        patched.setattr(Log, "check_next", lambda self, promotion: None)
        with pytest.raises(Overtaken):
            store.promote(second)
    assert store.log().record("all") == (first,)
    again = promotion(store.log(), second.after, "ann", "why", 2)
    store.promote(again)
    assert store.log().record("all") == (first, again)


@pytest.mark.parametrize("place", ["missing/models.db", "models.db"])
def test_a_place_that_cannot_be_is_named(tmp_path, place):
    (tmp_path / "models.db").write_bytes(b"no database" * 200)
    with pytest.raises(UsageError, match=r"models\.db: "):
        MlflowModelStore(tmp_path / place)
