"""The benchmark command end to end on two small planted symbols."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.app import benchmarking
from footprint.app.progress import NullProgress
from footprint.data.planted import PlantedLaw
from footprint.data.readers.lean_writer import write_lean
from footprint.data.synthetic import planted_sessions
from footprint.errors import FootprintError
from footprint.impact.evaluation.protocol import Protocol

SMALL = replace(Protocol(), parts=4, rows_per_cell=40, bootstrap_draws=100, in_flight_fractions=(0.5,))
FIELDS = ["data", "split", "target", "model", "metric", "value", "low", "high", "n", "blocks", "slice"]


@pytest.fixture(scope="module")
def two_symbols(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    for seed, symbol in enumerate(("ONE", "TWO")):
        for session in planted_sessions(PlantedLaw(), 3, np.random.default_rng(seed)):
            write_lean(replace(session, instrument=replace(session.instrument, symbol=symbol)), folder)
    return folder


@pytest.fixture(scope="module")
def document(two_symbols: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("scores") / "results.json"
    benchmarking.run([two_symbols], out, seed=0, as_json=False, progress=NullProgress(), protocol=SMALL)
    assert not out.with_name("results.json.partial").exists()
    return json.loads(out.read_text())


def test_rows_have_the_published_fields(document: dict) -> None:
    assert all(list(row) == FIELDS for row in document["rows"])


def test_every_split_and_model_is_scored(document: dict) -> None:
    splits = {row["split"] for row in document["rows"]}
    assert splits >= {"walk_forward", "strict_calendar", "unseen_symbol", "random_split", "in_flight_50"}
    models = {row["model"] for row in document["rows"] if (row["split"], row["target"]) == ("walk_forward", "peak")}
    assert models == {
        "square_root_constant",
        "square_root_diffusive",
        "square_root_spread",
        "linear",
        "almgren_2005",
        "almgren_refit",
        "istar",
        "boosted_quantiles",
        "mixture",
    }


def test_the_protocol_says_what_was_done(document: dict) -> None:
    protocol = document["protocol"]
    assert protocol["version"] == "impact-protocol-2"
    assert protocol["seed"] == SMALL.seed
    assert protocol["embargo_s"] == 600.0
    assert set(protocol["tapes"]) == {"ONE 2024-01", "TWO 2024-01"}
    assert protocol["alarm"] is None


def test_pool_and_tapes_are_shown_with_intervals(document: dict) -> None:
    metric = "crps_skill_vs_square_root_constant_percent"
    skills = [
        row
        for row in document["rows"]
        if (row["split"], row["target"], row["model"], row["metric"]) == ("walk_forward", "peak", "mixture", metric)
    ]
    assert {row["data"] for row in skills} == {"pool", "us", "ONE 2024-01", "TWO 2024-01"}
    for row in skills:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["blocks"] > 1
    pool = next(row for row in skills if row["data"] == "pool")
    tapes = [row["value"] for row in skills if row["data"].endswith("2024-01")]
    assert pool["value"] == pytest.approx(np.mean(tapes), abs=1e-9)


def test_look_ahead_fails_the_run_but_the_results_are_kept(
    two_symbols: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarking, "alarm", lambda figures: "too good")
    monkeypatch.setattr(benchmarking, "score", lambda *given: iter(()))
    out = tmp_path / "results.json"
    with pytest.raises(FootprintError, match="too good"):
        benchmarking.run([two_symbols], out, seed=0, as_json=False, progress=NullProgress(), protocol=SMALL)
    assert json.loads(out.read_text())["protocol"]["alarm"] == "too good"
