"""The walk-forward benchmark: fit every model on the past, score it on what came next.

A run is a list of independent jobs (one target of one task). Finished jobs are kept beside the output, so that an
interrupted run resumes where it stopped; a job's file name is a hash of everything its scores depend on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import joblib
import numpy as np

from footprint import __version__
from footprint.impact.calibration.conformal import calibrate, cross_fit
from footprint.impact.distribution import mean, probability_integral_transform
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import brier, covered, crps_bps
from footprint.impact.evaluation.splits import Task
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.mixture import mix
from footprint.impact.rows import Rows

SCORES = ("crps", "covered_80", "covered_90", "above_var95", "pit", "brier_10", "mean", "outcome")


@dataclass(frozen=True, slots=True)
class Job:
    """One target of one task: which rows, which models."""

    task: Task
    target: str
    candidates: tuple[ImpactModel, ...]
    baselines: tuple[ImpactModel, ...]
    boosted: ImpactModel

    def key(self, rows: Rows, protocol: Protocol) -> str:
        """Hash of everything that the scores depend on."""
        digest = hashlib.sha256()
        models = (self.candidates, self.baselines, self.boosted)
        for part in (
            __version__,
            protocol,
            rows.x_names,
            self.target,
            self.task.split,
            self.task.fold,
            self.task.fold_by,
            models,
        ):
            digest.update(repr(part).encode())
        columns = (getattr(rows, f.name) for f in fields(rows) if f.name != "x_names")
        for array in (self.task.train, self.task.test, *columns):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of the test rows of a split and target.

    Attributes:
        rows: the test rows with a known outcome.
        scores: model name -> float64 array (len(rows), len(SCORES)).
    """

    split: str
    target: str
    rows: Rows
    scores: dict[str, np.ndarray]

    def score(self, model: str, name: str) -> np.ndarray:
        """One score of one model, shape (n,)."""
        return self.scores[model][:, SCORES.index(name)]

    def take(self, mask: np.ndarray) -> Scored:
        """The same for a subset of the rows."""
        return Scored(self.split, self.target, self.rows.take(mask), {m: s[mask] for m, s in self.scores.items()})


def run_job(job: Job, rows: Rows) -> dict[str, np.ndarray]:
    """Fit all models of a job on its training rows and score its test rows."""
    train = rows.take(job.task.train).known(job.target)
    test = rows.take(job.task.test).known(job.target)
    fold_by = job.task.fold_by
    candidates = [cross_fit(m, train, job.target, fold_by) for m in job.candidates]
    baselines = [cross_fit(m, train, job.target, fold_by) for m in job.baselines]
    boosted = cross_fit(job.boosted, train, job.target, fold_by)
    scores = {c.model.name: _score(calibrate(c, train, job.target), test, job.target) for c in candidates + baselines}
    scores[job.boosted.name] = _score(calibrate(boosted, train, job.target), test, job.target)
    scores["mixture"] = _score(mix(candidates, boosted, train, job.target), test, job.target)
    return scores


def _score(model: FittedImpact, test: Rows, target: str) -> np.ndarray:
    quantiles, outcome = model.quantiles(test), test.outcome(target)
    return np.column_stack(
        [
            crps_bps(quantiles, outcome),
            covered(quantiles, outcome, 0.80),
            covered(quantiles, outcome, 0.90),
            (outcome > quantiles[:, 94]).astype(np.float64),
            probability_integral_transform(quantiles, outcome),
            brier(quantiles, outcome, 10.0),
            mean(quantiles),
            outcome,
        ]
    )


def run_jobs(jobs: Sequence[Job], rows: Rows, protocol: Protocol, kept: Path, workers: int) -> Iterator[None]:
    """Run jobs in parallel and keep their scores in `kept`, reusing those of an interrupted run.

    Yields once for every finished job, those reused first.
    """
    kept.mkdir(parents=True, exist_ok=True)
    missing = []
    for job in jobs:
        path = _kept_path(job, rows, protocol, kept)
        if path.exists():
            yield
        else:
            missing.append((job, path))
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from parallel(joblib.delayed(_run_and_keep)(job, rows, path) for job, path in missing)


def _kept_path(job: Job, rows: Rows, protocol: Protocol, kept: Path) -> Path:
    return kept / f"{job.key(rows, protocol)}.npz"


def _run_and_keep(job: Job, rows: Rows, path: Path) -> None:
    scores = run_job(job, rows)
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **scores)  # type: ignore[arg-type]
    temporary.replace(path)


def collect(jobs: Sequence[Job], rows: Rows, protocol: Protocol, kept: Path) -> Iterator[Scored]:
    """The kept scores of finished jobs, one `Scored` per (split, target)."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.task.split, job.target), []).append(job)
    for (split, target), members in groups.items():
        loaded = [dict(np.load(_kept_path(job, rows, protocol, kept))) for job in members]
        test_rows = rows.take(np.concatenate([job.task.test for job in members])).known(target)
        scores = {name: np.concatenate([part[name] for part in loaded]) for name in loaded[0]}
        yield Scored(split, target, test_rows, scores)
