"""The benchmark command end to end on two small planted symbols and on the planted set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.app import benchmark_rows, benchmarking
from footprint.app.benchmark_submission import submissions
from footprint.app.progress import NullProgress
from footprint.data.planted import PlantedLaw
from footprint.data.readers.lean_writer import write_lean
from footprint.data.synthetic import planted_sessions
from footprint.errors import FootprintError, UsageError
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.catalogue import CONSTANT, DIFFUSIVE, SPREAD
from footprint.impact.evaluation import line_up
from footprint.impact.evaluation.line_up import REFERENCES, Selection
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.istar import IStar
from footprint.impact.linear import Linear

SMALL = replace(Protocol(), parts=4, rows_per_cell=40, bootstrap_draws=100, in_flight_fractions=(0.5,))
FIELDS = [
    "data", "split", "target", "model", "metric", "value", "low", "high", "n", "blocks", "slice", "information",
    "reference", "seed", "protocol", "tuning_trials", "hyperparameters",
]  # fmt: skip
MINE = """
from dataclasses import dataclass
from footprint.impact.linear_mean import fit_linear_mean

@dataclass(frozen=True)
class Mine:
    name: str = "mine"
    residual: str = "diffusive"

    def basis(self, rows):
        return 0.5 * rows.spread_bps[:, None]

    def fit(self, rows, target):
        return fit_linear_mean(self, rows, target)
"""
METRICS = {
    "crps_bps", "crps_noise_scales", "crps_skill_vs_square_root_constant_percent",
    "crps_skill_vs_square_root_diffusive_percent", "crps_skill_vs_square_root_spread_percent",
    "crps_skill_vs_best_parametric_percent", "diebold_mariano_p_vs_best_parametric", "coverage_80_percent",
    "coverage_90_percent", "interval_score_90_bps", "pit_distance", "pit_block_p", "brier_10bps", "above_var95_percent",
    "above_var99_percent", "rmse_bps", "mae_bps", "r2_percent",
    *(f"pinball_{level}_bps" for level in (1, 5, 25, 50, 75, 95, 99)),
}  # fmt: skip


@pytest.fixture(scope="module")
def two_symbols(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    for seed, symbol in enumerate(("ONE", "TWO")):
        for session in planted_sessions(PlantedLaw(), 3, np.random.default_rng(seed)):
            write_lean(replace(session, instrument=replace(session.instrument, symbol=symbol)), folder)
    return folder


@pytest.fixture(scope="module")
def few_models() -> Iterator[None]:
    """A line-up that is quick to fit; test_benchmark_catalogue.py takes the whole catalogue."""
    trees = BoostedQuantiles(start=SPREAD, stages=(2, 4), min_rows_per_leaf=20)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_up, "members", lambda target, in_flight=False: (SPREAD, trees))
        patched.setattr(line_up, "baselines", lambda target, in_flight=False: (CONSTANT, DIFFUSIVE, Linear()))
        patched.setattr(line_up, "challengers", lambda target, in_flight=False: (IStar(),))
        yield


@pytest.fixture(scope="module")
def out(few_models: None, two_symbols: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scores") / "results.json"
    options = benchmarking.Options(seeds=2, report=out.parent / "report")
    benchmarking.run(
        [two_symbols], out, seed=0, as_json=False, progress=NullProgress(), protocol=SMALL, options=options
    )
    assert not out.with_name("results.json.partial").exists()
    return out


@pytest.fixture(scope="module")
def document(out: Path) -> dict:
    return json.loads(out.read_text())


def test_rows_have_the_published_fields(document: dict) -> None:
    assert all(list(row) == FIELDS for row in document["rows"])
    assert {row["protocol"] for row in document["rows"]} == {"impact-protocol-3"}


def test_every_split_information_set_and_model_is_scored(document: dict) -> None:
    splits = {(row["split"], row["information"]) for row in document["rows"]}
    assert splits >= {
        ("walk_forward", "A"),
        ("walk_forward", "A0"),
        ("strict_calendar", "A"),
        ("unseen_symbol", "A"),
        ("random_split", "A"),
        ("in_flight_50", "F50"),
    }
    models = {row["model"] for row in document["rows"] if (row["split"], row["target"]) == ("walk_forward", "peak")}
    listed = document["protocol"]["line_up"]["peak"]
    assert len(models) == sum(map(len, listed.values())) + 1
    assert {"stack", *REFERENCES} <= models


def test_the_product_has_every_metric(document: dict) -> None:
    wanted = {"data": "pool", "split": "walk_forward", "information": "A", "target": "shortfall", "model": "stack"}
    own = {row["metric"] for row in document["rows"] if wanted.items() <= row.items() and row["seed"] == 0}
    assert own >= METRICS
    scored = [row for row in document["rows"] if row["metric"] == "crps_bps"]
    assert all(row["tuning_trials"] >= 0 for row in scored)
    assert any(row["hyperparameters"] for row in scored)


def test_the_protocol_says_what_was_done(document: dict) -> None:
    protocol = document["protocol"]
    assert protocol["benchmark"] == "Impact Benchmark v1"
    assert protocol["version"] == "impact-protocol-3"
    assert protocol["seed"] == SMALL.seed
    assert protocol["embargo_s"] == 600.0
    assert set(protocol["tapes"]) == {"ONE 2024-01", "TWO 2024-01"}
    assert protocol["alarm"] is None


def test_time_and_memory_of_every_job_are_kept(document: dict) -> None:
    cost = document["cost"]
    assert cost["jobs_reused"] == 0
    assert cost["wall_s"] >= cost["rows_s"] > 0.0
    assert len(cost["jobs"]) > 20
    assert all(job["seconds"] > 0.0 and job["memory_mb"] > 0 for job in cost["jobs"])
    assert cost["cpu_s"] == pytest.approx(sum(job["seconds"] for job in cost["jobs"]), abs=1.0)


def test_pool_and_tapes_are_shown_with_intervals(document: dict) -> None:
    wanted = {
        "split": "walk_forward", "information": "A", "target": "peak", "model": "stack", "seed": 0, "slice": "",
        "metric": "crps_skill_vs_square_root_constant_percent",
    }  # fmt: skip
    skills = [row for row in document["rows"] if wanted.items() <= row.items()]
    assert {row["data"] for row in skills} == {"pool", "us", "ONE 2024-01", "TWO 2024-01"}
    for row in skills:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["blocks"] > 1
    pool = next(row for row in skills if row["data"] == "pool")
    tapes = [row["value"] for row in skills if row["data"].endswith("2024-01")]
    assert pool["value"] == pytest.approx(np.mean(tapes), abs=1e-9)


def test_another_seed_draws_other_orders_and_both_are_summed_up(document: dict) -> None:
    wanted = {"data": "pool", "split": "walk_forward", "information": "A", "target": "peak", "model": "stack"}
    some = [r for r in document["rows"] if wanted.items() <= r.items() and r["metric"] == "crps_noise_scales"]
    by_seed = {row["seed"]: row["value"] for row in some}
    assert set(by_seed) == {0, 1, None}
    assert by_seed[0] != by_seed[1]
    assert by_seed[None] == pytest.approx((by_seed[0] + by_seed[1]) / 2)


def test_the_report_is_beside_the_results(out: Path) -> None:
    page = (out.parent / "report" / "benchmark.html").read_text()
    assert "Plotly.newPlot" in page
    assert "in_flight" not in page.split("<main>")[0]
    table = (out.parent / "report" / "benchmark.md").read_text()
    assert "### shortfall, walk_forward, information A0" in table
    assert "| `stack` |" in table


def test_a_second_run_starts_from_the_rows_of_the_first(
    two_symbols: Path, out: Path, document: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object, **named: object) -> None:
        raise AssertionError("the tapes were read again")

    monkeypatch.setattr(benchmark_rows.formats, "sessions", never)
    again = out.with_name("again.json")
    out.with_name("results.json.rows").rename(out.with_name("again.json.rows"))
    options = benchmarking.Options(Selection(frozenset({"linear"})))
    benchmarking.run(
        [two_symbols], again, seed=0, as_json=False, progress=NullProgress(), protocol=SMALL, options=options
    )
    few = json.loads(again.read_text())["rows"]
    models = {row["model"] for row in few if row["split"] == "walk_forward" and row["metric"] == "crps_bps"}
    assert "linear" in models
    assert "stack" not in models

    def linear(rows: list[dict]) -> list[dict]:
        wanted = {"split": "walk_forward", "model": "linear", "metric": "crps_bps", "seed": 0}
        return [row for row in rows if wanted.items() <= row.items()]

    assert linear(few) == linear(document["rows"])


def test_planted_set_needs_no_file_and_scores_a_submitted_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarking, "LAW_ROWS", 20_000)
    (tmp_path / "mine.py").write_text(MINE)
    selection = Selection(frozenset({"mine"}), submissions([f"{tmp_path / 'mine.py'}:Mine"]))
    options = benchmarking.Options(selection, planted=True)
    out = tmp_path / "planted.json"
    benchmarking.run([], out, seed=0, as_json=False, progress=NullProgress(), protocol=SMALL, options=options)
    rows = json.loads(out.read_text())["rows"]
    wanted = {"target": "peak", "metric": "crps_regret_percent", "slice": "", "data": "pool"}
    regret = {row["model"]: row["value"] for row in rows if wanted.items() <= row.items()}
    assert regret["square_root_constant"] > regret["square_root_diffusive"] > -1.0
    assert regret["mine"] > 0.0
    law = {row["metric"]: row["value"] for row in rows if row["split"] == "planted_law"}
    assert abs(law["exponent_error"]) < 0.1
    assert set(law) == {"exponent_error", "prefactor_error_percent", "kernel_error", "kernel_free_error"}


def test_nothing_to_score_is_a_misuse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to score"):
        benchmarking.run([], tmp_path / "r.json", seed=0, as_json=False, progress=NullProgress())


def test_look_ahead_fails_the_run_but_the_results_are_kept(
    two_symbols: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarking, "alarm", lambda figures: "too good")
    monkeypatch.setattr(benchmarking, "score", lambda *given: iter(()))
    out = tmp_path / "results.json"
    with pytest.raises(FootprintError, match="too good"):
        benchmarking.run([two_symbols], out, seed=0, as_json=False, progress=NullProgress(), protocol=SMALL)
    assert json.loads(out.read_text())["protocol"]["alarm"] == "too good"
