"""Jobs are fitted once, kept, resumed, and give the same scores every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.errors import ModelError
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import CONSTANT, DIFFUSIVE, SPREAD
from footprint.impact.evaluation.benchmark import Scored, collect, costs, run_jobs
from footprint.impact.evaluation.fingerprint import rows_digest
from footprint.impact.evaluation.job import SCORES, Job, run_job, split_conformal
from footprint.impact.evaluation.line_up import LineUp
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import brier, covered, crps_bps, interval_score, pinball_at
from footprint.impact.evaluation.splits import walk_forward
from footprint.impact.linear import Linear
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

PROTOCOL = Protocol(bootstrap_draws=50)
FEW_TREES = BoostedQuantiles(start=DIFFUSIVE, stages=(1, 2), min_rows_per_leaf=20)
TARGETS = ("peak", "shift_600")
LINE_UP = LineUp((DIFFUSIVE, SPREAD, FEW_TREES), (CONSTANT,), (Linear(),))
MODELS = {
    "square_root_diffusive",
    "square_root_spread",
    "square_root_constant",
    "boosted_quantiles",
    "linear",
    "stack",
}


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(np.random.default_rng(0), 700)


@pytest.fixture(scope="module")
def jobs(rows: Rows) -> list[Job]:
    tasks = list(walk_forward(rows, PROTOCOL))[-2:]
    return [Job(task, target, LINE_UP) for task in tasks for target in TARGETS]


@pytest.fixture(scope="module")
def kept(rows: Rows, jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "kept"
    assert sum(1 for _ in run_jobs(jobs, rows, PROTOCOL, folder, workers=1)) == len(jobs)
    return folder


def key(job: Job, rows: Rows, protocol: Protocol = PROTOCOL) -> str:
    return job.key(rows_digest(rows), protocol)


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def scores_in(path: Path) -> dict[str, np.ndarray]:
    kept = np.load(path)
    return {name.removeprefix("score:"): kept[name] for name in kept.files if name.startswith("score:")}


def test_one_file_a_job_and_nothing_else(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    assert set(stamps(kept)) == {f"{key(job, rows)}.npz" for job in jobs}
    assert len(stamps(kept)) == len(jobs)


def test_second_run_fits_nothing(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    before = stamps(kept)
    assert sum(1 for _ in run_jobs(jobs, rows, PROTOCOL, kept, workers=1)) == len(jobs)
    assert stamps(kept) == before


def test_interrupted_run_fits_what_is_missing_to_the_same_bits(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    before = stamps(kept)
    lost = kept / f"{key(jobs[1], rows)}.npz"
    scores = scores_in(lost)
    lost.unlink()
    assert sum(1 for _ in run_jobs(jobs, rows, PROTOCOL, kept, workers=1)) == len(jobs)
    after = stamps(kept)
    assert {name for name in before if before[name] != after[name]} == {lost.name}
    again = scores_in(lost)
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
    found = run_job(job, rows).scores["square_root_spread"]
    train, test = rows.take(job.task.train), rows.take(job.task.test)
    quantiles, outcome = CrossConformal(SPREAD).fit(train, "peak").quantiles(test), test.outcome("peak")
    expected = {
        "crps": crps_bps(quantiles, outcome),
        "covered_80": covered(quantiles, outcome, 0.8),
        "covered_90": covered(quantiles, outcome, 0.9),
        "above_var95": outcome > quantiles[:, 94],
        "brier_10": brier(quantiles, outcome, 10.0),
        "interval_90": interval_score(quantiles, outcome, 0.9),
        "above_var99": outcome > quantiles[:, 98],
        "pinball_75": pinball_at(quantiles, outcome, (0.75,))[:, 0],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[:, SCORES.index(name)], values, err_msg=name)


def test_taking_rows_takes_their_scores(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    scored = next(iter(collect(jobs, rows, PROTOCOL, kept)))
    mask = scored.rows.market == "us"
    part = scored.take(mask)
    assert np.array_equal(part.score("stack", "crps"), scored.score("stack", "crps")[mask])
    assert len(part.rows) == mask.sum()


def test_key_changes_with_whatever_changes_the_scores(rows: Rows, jobs: list[Job]) -> None:
    job = jobs[0]
    changed = {
        key(job, rows),
        key(replace(job, target="shortfall"), rows),
        key(replace(job, information="A0"), rows),
        key(replace(job, line_up=replace(LINE_UP, members=(DIFFUSIVE, SPREAD, replace(FEW_TREES, stages=(3,))))), rows),
        key(replace(job, line_up=replace(LINE_UP, challengers=())), rows),
        key(replace(job, task=replace(job.task, test=job.task.test[1:])), rows),
        key(replace(job, task=replace(job.task, fold_by="symbol")), rows),
        key(job, rows, replace(PROTOCOL, seed=1)),
    }
    assert len(changed) == 8
    assert key(job, rows) in changed


@pytest.mark.parametrize(
    "name", ["x", "outcomes", "participation", "volatility", "spread_bps", "tape", "part", "horizon_s"]
)
def test_key_changes_with_the_rows(rows: Rows, jobs: list[Job], name: str) -> None:
    other = replace(rows, **{name: getattr(rows, name)[::-1].copy()})
    assert key(jobs[0], other) != key(jobs[0], rows)


def test_every_fit_has_its_time_and_the_worker_its_memory(kept: Path, rows: Rows, jobs: list[Job]) -> None:
    spent = list(costs(jobs, rows, PROTOCOL, kept))
    assert [(c.split, c.fold, c.target) for c in spent] == [("walk_forward", j.task.fold, j.target) for j in jobs]
    for cost in spent:
        assert set(cost.seconds) == MODELS
        assert cost.seconds["boosted_quantiles"] > 0.0
        assert cost.memory_mb > 50.0


def test_split_conformal_makes_the_last_part_right_and_fits_the_others(rows: Rows) -> None:
    known = rows.known("peak")
    last = known.part == known.part.max()
    fitted = split_conformal(SPREAD, known, "peak")
    alone = SPREAD.fit(known.take(~last), "peak")
    assert np.array_equal(fitted.base.quantiles(known), alone.quantiles(known))
    below = known.take(last).outcome("peak")[:, None] <= fitted.quantiles(known.take(last))
    shares = np.average(below, axis=0, weights=known.take(last).tape_weights())
    assert np.abs(shares - np.arange(1, 100) / 100).max() < 0.05


def test_split_conformal_of_one_part_uses_it_twice_and_of_stages_the_best(rows: Rows) -> None:
    one = rows.take(rows.part == 1).known("peak")
    assert np.isfinite(split_conformal(SPREAD, one, "peak").quantiles(one)).all()
    staged = split_conformal(FEW_TREES, rows.known("peak"), "peak")
    assert np.isfinite(staged.quantiles(rows)).all()


def test_two_models_of_one_name_are_refused(rows: Rows, jobs: list[Job]) -> None:
    twice = replace(jobs[0], line_up=LineUp((), (DIFFUSIVE, DIFFUSIVE)))
    with pytest.raises(ModelError, match="two models of a line-up are called 'square_root_diffusive'"):
        run_job(twice, rows)


def test_without_a_duration_the_forecast_does_not_move_with_it(rows: Rows, jobs: list[Job]) -> None:
    job = replace(jobs[0], information="A0", line_up=LineUp((), (DIFFUSIVE,)))
    slow = rows.horizon_s.copy()
    slow[job.task.test] *= 7.0
    fast, other = (run_job(job, r).scores["square_root_diffusive"] for r in (rows, replace(rows, horizon_s=slow)))
    assert np.array_equal(fast, other)
    informed = replace(job, information="A")
    assert not np.array_equal(run_job(informed, rows).scores["square_root_diffusive"], fast)
