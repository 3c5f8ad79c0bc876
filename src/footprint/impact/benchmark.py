"""The walk-forward benchmark: fit every model on the past, score it on what came next.

A run is a list of independent jobs (one target of one task). Finished jobs are kept beside the output, so that an
interrupted run resumes where it stopped; a job's file name is a hash of everything its scores depend on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from footprint.errors import ModelError
from footprint.impact.almgren import Almgren2005
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.conformal import CrossFit, calibrate, cross_fit
from footprint.impact.distribution import mean, probability_integral_transform
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.istar import IStar
from footprint.impact.linear import Linear
from footprint.impact.mixture import mix
from footprint.impact.protocol import Protocol
from footprint.impact.rows import Rows
from footprint.impact.scoring import brier, covered, crps_bps
from footprint.impact.splits import Task
from footprint.impact.square_root import SquareRoot

SCORES = ("crps", "covered_80", "covered_90", "above_var95", "pit", "brier_10", "mean", "outcome")

# candidates for the parametric half of the mixture; the other baselines are scored only
CANDIDATES: tuple[ImpactModel, ...] = (
    SquareRoot(),
    SquareRoot(half_spread=True),
    Linear(),
    Almgren2005(refit=True),
    IStar(),
)
BASELINES: tuple[ImpactModel, ...] = (SquareRoot(residual="constant"), Almgren2005())
IN_FLIGHT_CANDIDATES: tuple[ImpactModel, ...] = (SquareRoot(), SquareRoot(half_spread=True))


def boosted_for(target: str) -> BoostedQuantiles:
    """The boosted partner: smaller for what lies minutes after the end, where there is little to learn."""
    if target.startswith("shift"):
        return BoostedQuantiles(rounds=60, leaves=4, min_rows_per_leaf=800)
    return BoostedQuantiles()


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
        for part in (protocol, rows.x_names, self.target, self.task.split, self.task.fold, self.task.fold_by, models):
            digest.update(repr(part).encode())
        for array in (self.task.train, self.task.test, rows.x, rows.outcomes, rows.participation, rows.volatility):
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
    scores = {c.model.name: _score(_calibrated(c, train, job.target), test, job.target) for c in candidates + baselines}
    scores[job.boosted.name] = _score(_calibrated(boosted, train, job.target), test, job.target)
    scores["mixture"] = _score(mix(candidates, boosted, train, job.target), test, job.target)
    return scores


def _calibrated(cross: CrossFit, train: Rows, target: str) -> FittedImpact:
    return calibrate(cross, train, target)


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


def run_jobs(
    jobs: Sequence[Job],
    rows: Rows,
    protocol: Protocol,
    kept: Path,
    workers: int,
    done: Callable[[int, int], None],
) -> Iterator[Scored]:
    """Run jobs in parallel, reusing those kept from an interrupted run; yields one `Scored` per (split, target).

    Args:
        kept: folder for finished jobs, created when missing.
        done: called with (finished, total) after every job.
    """
    kept.mkdir(parents=True, exist_ok=True)
    paths = [kept / f"{job.key(rows, protocol)}.npz" for job in jobs]
    missing = [(job, path) for job, path in zip(jobs, paths, strict=True) if not path.exists()]
    finished = len(jobs) - len(missing)
    done(finished, len(jobs))
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    for _ in parallel(joblib.delayed(_run_and_keep)(job, rows, path) for job, path in missing):
        finished += 1
        done(finished, len(jobs))
    yield from _collect(jobs, paths, rows)


def _run_and_keep(job: Job, rows: Rows, path: Path) -> None:
    scores = run_job(job, rows)
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **scores)  # type: ignore[arg-type]
    temporary.replace(path)


def _collect(jobs: Sequence[Job], paths: Sequence[Path], rows: Rows) -> Iterator[Scored]:
    groups: dict[tuple[str, str], list[int]] = {}
    for i, job in enumerate(jobs):
        groups.setdefault((job.task.split, job.target), []).append(i)
    for (split, target), members in groups.items():
        loaded = [dict(np.load(paths[i])) for i in members]
        tested = np.concatenate([jobs[i].task.test for i in members])
        test_rows = rows.take(tested).known(target)
        scores = {name: np.concatenate([part[name] for part in loaded]) for name in loaded[0]}
        if len(test_rows) != len(next(iter(scores.values()))):
            raise ModelError(f"kept scores of {split} {target} do not fit the rows; delete the .partial folder")
        yield Scored(split, target, test_rows, scores)
