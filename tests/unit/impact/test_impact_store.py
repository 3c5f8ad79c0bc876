from __future__ import annotations

import json
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
