from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.app.history import History
from footprint.errors import ModelError
from footprint.impact.forecaster import Forecaster
from footprint.impact.rows import TARGETS
from footprint.impact.store import MODEL_FILE, load, save


@pytest.mark.parametrize("which", ["baseline", "mixture"])
def test_a_stored_model_answers_with_the_same_bits(
    which: str, request: pytest.FixtureRequest, planted_history: History, tmp_path: Path
) -> None:
    forecaster: Forecaster = request.getfixturevalue(which)
    save(forecaster, tmp_path)
    again = load(tmp_path)
    assert again.card == forecaster.card
    rows = planted_history.tapes[0].arrival
    for target in TARGETS:
        expected = forecaster.known[target].quantiles(rows)
        assert np.array_equal(again.known[target].quantiles(rows), expected)


def test_nothing_is_unpickled(baseline: Forecaster, tmp_path: Path) -> None:
    save(baseline, tmp_path)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays)


def test_unreadable_folders_are_named(baseline: Forecaster, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no readable model"):
        load(tmp_path / "nothing")
    save(baseline, tmp_path)
    (tmp_path / MODEL_FILE).write_text("{ not json")
    with pytest.raises(ModelError, match="holds no readable model"):
        load(tmp_path)


def test_another_format_is_refused(baseline: Forecaster, tmp_path: Path) -> None:
    save(baseline, tmp_path)
    structure = json.loads((tmp_path / MODEL_FILE).read_text())
    (tmp_path / MODEL_FILE).write_text(json.dumps({**structure, "format": "footprint-model-0"}))
    with pytest.raises(ModelError, match="footprint-model-0"):
        load(tmp_path)
    (tmp_path / MODEL_FILE).write_text(json.dumps({**structure, "model": {"type": "os.system", "fields": {}}}))
    with pytest.raises(ModelError, match="damaged"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text", ["[]", "null", '{"format": "footprint-model-2", "model": {"type": "Forecaster", "fields": []}}']
)
def test_a_structure_of_another_shape_is_one_clear_error(baseline: Forecaster, tmp_path: Path, text: str) -> None:
    save(baseline, tmp_path)
    (tmp_path / MODEL_FILE).write_text(text)
    with pytest.raises(ModelError):
        load(tmp_path)


def test_truncated_arrays_are_one_clear_error(baseline: Forecaster, tmp_path: Path) -> None:
    save(baseline, tmp_path)
    arrays = tmp_path / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-500])
    with pytest.raises(ModelError, match="holds no readable model"):
        load(tmp_path)


def test_a_model_of_other_features_is_refused(baseline: Forecaster, tmp_path: Path) -> None:
    save(replace(baseline, card=replace(baseline.card, feature_version="features-0")), tmp_path)
    with pytest.raises(ModelError, match="features-0"):
        load(tmp_path)
