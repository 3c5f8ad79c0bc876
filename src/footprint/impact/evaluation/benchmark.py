"""Running the jobs of a benchmark.

A run is a list of independent jobs (one target of one task). Finished jobs are kept beside the output, so that an
interrupted run resumes where it stopped; a job's file name is a hash of everything its scores depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np

from footprint.impact.evaluation.fingerprint import rows_digest
from footprint.impact.evaluation.information import ARRIVAL
from footprint.impact.evaluation.job import SCORES, Job, JobScores, run_job
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.rows import Rows

_SCORE, _SECONDS, _MEMORY = "score:", "seconds:", "memory_mb"


@dataclass(frozen=True, slots=True)
class Cost:
    """Time and memory of one job."""

    split: str
    fold: str
    target: str
    information: str
    seed: int
    seconds: dict[str, float]
    memory_mb: float


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
    information: str = ARRIVAL
    seed: int = 0

    def score(self, model: str, name: str) -> np.ndarray:
        """One score of one model, shape (n,)."""
        return self.scores[model][:, SCORES.index(name)]

    def take(self, mask: np.ndarray) -> Scored:
        """The same for a subset of the rows."""
        return replace(self, rows=self.rows.take(mask), scores={m: s[mask] for m, s in self.scores.items()})


def run_jobs(jobs: Sequence[Job], rows: Rows, protocol: Protocol, kept: Path, workers: int) -> Iterator[None]:
    """Run jobs in parallel and keep their scores in `kept`, reusing those of an interrupted run.

    Yields once for every finished job, those reused first. Long jobs start first, so that no core waits for one.
    """
    kept.mkdir(parents=True, exist_ok=True)
    sha256 = rows_digest(rows)
    missing = []
    for job in jobs:
        path = _kept_path(job, sha256, protocol, kept)
        if path.exists():
            yield
        else:
            missing.append((job, path))
    missing.sort(key=lambda one: -len(one[0].task.train))
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from parallel(joblib.delayed(_run_and_keep)(job, rows, path) for job, path in missing)


def _kept_path(job: Job, rows_sha256: str, protocol: Protocol, kept: Path) -> Path:
    return kept / f"{job.key(rows_sha256, protocol)}.npz"


def _run_and_keep(job: Job, rows: Rows, path: Path) -> None:
    done = run_job(job, rows)
    arrays = {_SCORE + name: table for name, table in done.scores.items()}
    arrays |= {_SECONDS + name: np.array(s) for name, s in done.seconds.items()} | {_MEMORY: np.array(done.memory_mb)}
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]
    temporary.replace(path)


def _load(path: Path) -> JobScores:
    with np.load(path) as kept:
        scores = {name.removeprefix(_SCORE): kept[name] for name in kept.files if name.startswith(_SCORE)}
        seconds = {n.removeprefix(_SECONDS): float(kept[n]) for n in kept.files if n.startswith(_SECONDS)}
        return JobScores(scores, seconds, float(kept[_MEMORY]))


def collect(jobs: Sequence[Job], rows: Rows, protocol: Protocol, kept: Path) -> Iterator[Scored]:
    """The kept scores of finished jobs, one `Scored` per (split, target, information, seed)."""
    groups: dict[tuple[str, str, str, int], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.task.split, job.target, job.information, job.seed), []).append(job)
    sha256 = rows_digest(rows)
    for (split, target, information, seed), some in groups.items():
        loaded = [_load(_kept_path(job, sha256, protocol, kept)).scores for job in some]
        test_rows = rows.take(np.concatenate([job.task.test for job in some])).known(target)
        scores = {name: np.concatenate([part[name] for part in loaded]) for name in loaded[0]}
        yield Scored(split, target, test_rows, scores, information, seed)


def costs(jobs: Sequence[Job], rows: Rows, protocol: Protocol, kept: Path) -> Iterator[Cost]:
    """What each finished job took."""
    sha256 = rows_digest(rows)
    for job in jobs:
        done = _load(_kept_path(job, sha256, protocol, kept))
        task = job.task
        yield Cost(task.split, task.fold, job.target, job.information, job.seed, done.seconds, done.memory_mb)
