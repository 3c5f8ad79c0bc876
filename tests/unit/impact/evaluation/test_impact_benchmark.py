"""Jobs are fitted once, kept, resumed, and give the same scores every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import CONSTANT, DIFFUSIVE, SPREAD
from footprint.impact.evaluation.benchmark import SCORES, Job, Scored, collect, run_job, run_jobs
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import brier, covered, crps_bps
from footprint.impact.evaluation.splits import walk_forward
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

PROTOCOL = Protocol(bootstrap_draws=50)
FEW_TREES = BoostedQuantiles(start=DIFFUSIVE, stages=(1, 2), min_rows_per_leaf=20)
TARGETS = ("peak", "shift_600")
MODELS = {"square_root_diffusive", "square_root_spread", "square_root_constant", "boosted_quantiles", "mixture"}


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(np.random.default_rng(0), 700)


@pytest.fixture(scope="module")
def jobs(rows: Rows) -> list[Job]:
    tasks = list(walk_forward(rows, PROTOCOL))[-2:]
    return [Job(task, target, (DIFFUSIVE, SPREAD), (CONSTANT,), FEW_TREES) for task in tasks for target in TARGETS]


@pytest.fixture(scope="module")
def kept(rows: Rows, jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "kept"
    assert sum(1 for _ in run_jobs(jobs, rows, PROTOCOL, folder, workers=1)) == len(jobs)
    return folder


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_one_file_a_job_and_nothing_else(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    assert set(stamps(kept)) == {f"{job.key(rows, PROTOCOL)}.npz" for job in jobs}
    assert len(stamps(kept)) == len(jobs)


def test_second_run_fits_nothing(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    before = stamps(kept)
    assert sum(1 for _ in run_jobs(jobs, rows, PROTOCOL, kept, workers=1)) == len(jobs)
    assert stamps(kept) == before


def test_interrupted_run_fits_what_is_missing_to_the_same_bits(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    before = stamps(kept)
    lost = kept / f"{jobs[1].key(rows, PROTOCOL)}.npz"
    scores = dict(np.load(lost))
    lost.unlink()
    assert sum(1 for _ in run_jobs(jobs, rows, PROTOCOL, kept, workers=1)) == len(jobs)
    after = stamps(kept)
    assert {name for name in before if before[name] != after[name]} == {lost.name}
    again = dict(np.load(lost))
    assert set(again) == set(scores) == MODELS
    assert all(np.array_equal(again[name], scores[name]) for name in scores)


def test_collected_scores_belong_to_their_rows(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    collected: list[Scored] = list(collect(jobs, rows, PROTOCOL, kept))
    assert [(s.split, s.target) for s in collected] == [("walk_forward", t) for t in TARGETS]
    for scored in collected:
        tested = rows.take(np.isin(rows.part, (5, 6))).known(scored.target)
        assert len(scored.rows) == len(tested)
        assert set(scored.scores) == MODELS
        for model in MODELS:
            assert np.array_equal(scored.score(model, "outcome"), scored.rows.outcome(scored.target))
            assert scored.scores[model].shape == (len(tested), len(SCORES))
            assert np.isfinite(scored.scores[model]).all()
    assert len(collected[1].rows) < len(collected[0].rows)  # some shifts are unknown


def test_scores_are_those_of_the_calibrated_model(rows: Rows, jobs: list[Job]) -> None:
    job = jobs[0]
    found = run_job(job, rows)["square_root_spread"]
    train, test = rows.take(job.task.train), rows.take(job.task.test)
    quantiles, outcome = CrossConformal(SPREAD).fit(train, "peak").quantiles(test), test.outcome("peak")
    expected = {
        "crps": crps_bps(quantiles, outcome),
        "covered_80": covered(quantiles, outcome, 0.8),
        "covered_90": covered(quantiles, outcome, 0.9),
        "above_var95": outcome > quantiles[:, 94],
        "brier_10": brier(quantiles, outcome, 10.0),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[:, SCORES.index(name)], values, err_msg=name)


def test_taking_rows_takes_their_scores(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    scored = next(iter(collect(jobs, rows, PROTOCOL, kept)))
    mask = scored.rows.market == "us"
    part = scored.take(mask)
    assert np.array_equal(part.score("mixture", "crps"), scored.score("mixture", "crps")[mask])
    assert len(part.rows) == mask.sum()


def test_key_changes_with_whatever_changes_the_scores(rows: Rows, jobs: list[Job]) -> None:
    job = jobs[0]
    changed = {
        job.key(rows, PROTOCOL),
        replace(job, target="shortfall").key(rows, PROTOCOL),
        replace(job, boosted=replace(FEW_TREES, stages=(3,))).key(rows, PROTOCOL),
        replace(job, candidates=(DIFFUSIVE,)).key(rows, PROTOCOL),
        replace(job, task=replace(job.task, test=job.task.test[1:])).key(rows, PROTOCOL),
        replace(job, task=replace(job.task, fold_by="symbol")).key(rows, PROTOCOL),
        job.key(rows, replace(PROTOCOL, seed=1)),
    }
    assert len(changed) == 7
    assert job.key(rows, PROTOCOL) in changed


@pytest.mark.parametrize(
    "name", ["x", "outcomes", "participation", "volatility", "spread_bps", "tape", "part", "horizon_s"]
)
def test_key_changes_with_the_rows(rows: Rows, jobs: list[Job], name: str) -> None:
    other = replace(rows, **{name: getattr(rows, name)[::-1].copy()})
    assert jobs[0].key(other, PROTOCOL) != jobs[0].key(rows, PROTOCOL)
