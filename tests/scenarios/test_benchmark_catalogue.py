"""The whole catalogue on the planted set, at night: nothing beats the truth, and the product comes near it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from footprint.app import benchmarking
from footprint.app.progress import NullProgress
from footprint.impact.evaluation.protocol import Protocol


@pytest.mark.nightly
def test_the_whole_catalogue_on_the_planted_set(tmp_path: Path) -> None:
    out = tmp_path / "planted.json"
    medium = replace(Protocol(), rows_per_cell=200, bootstrap_draws=500)
    options = benchmarking.Options(planted=True)
    benchmarking.run([], out, seed=0, as_json=False, progress=NullProgress(), protocol=medium, options=options)
    rows = json.loads(out.read_text())["rows"]
    for target in ("peak", "shortfall", "shift_600"):
        wanted = {"target": target, "metric": "crps_regret_percent", "slice": "", "data": "pool"}
        regret = {row["model"]: row for row in rows if wanted.items() <= row.items()}
        assert -1.0 < regret["stack"]["value"] < regret["square_root_constant"]["value"]
        assert all(row["high"] > 0.0 for row in regret.values())  # nothing beats the truth
