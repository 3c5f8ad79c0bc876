"""One job of a benchmark: fit every model of a line-up on the training rows of a task, score its test rows."""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from footprint import __version__
from footprint.errors import ModelError
from footprint.impact.calibration.conformal import (
    CrossFit,
    FittedConformal,
    calibrate,
    cross_fit,
    held_out_crps,
    level_shifts,
)
from footprint.impact.distribution import mean, prob_exceed, probability_integral_transform
from footprint.impact.evaluation.fingerprint import source_digest
from footprint.impact.evaluation.information import ARRIVAL, NO_DURATION, usual_spacing
from footprint.impact.evaluation.line_up import PRODUCT, LineUp
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import brier, covered, crps_bps, interval_score, pinball_at
from footprint.impact.evaluation.splits import Task
from footprint.impact.interface import FittedImpact, ImpactModel, StagedModel
from footprint.impact.rows import Rows
from footprint.impact.stacking import stack

PINBALL_LEVELS = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
PINBALLS = tuple(f"pinball_{100 * level:g}" for level in PINBALL_LEVELS)
THRESHOLD_BPS = 10.0
SCORES = (
    "crps", "covered_80", "covered_90", "interval_90", "above_var95", "above_var99", "pit", "prob_10", "brier_10",
    "mean", "outcome", *PINBALLS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One target of one task: which rows, which models, what they may know.

    Attributes:
        information: name of the information set, see `information`.
        seed: number of the assignment of children to traders that made the rows.
    """

    task: Task
    target: str
    line_up: LineUp
    information: str = ARRIVAL
    seed: int = 0

    def key(self, rows_sha256: str, protocol: Protocol) -> str:
        """Hash of everything that the scores depend on, the source of the models included."""
        digest = hashlib.sha256()
        task = self.task
        parts = (
            __version__, source_digest("impact", "adapters"), protocol, rows_sha256, self.target, self.information,
            task.split, task.fold, task.fold_by, self.line_up,
        )  # fmt: skip
        for part in parts:
            digest.update(repr(part).encode())
        for array in (task.train, task.test):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class JobScores:
    """What a job gives.

    Attributes:
        scores: model name -> float64 array (test rows, len(SCORES)).
        seconds: model name -> CPU time of its fits and its answers; of the product, what it adds to its members.
        memory_mb: largest memory of the worker process so far.
    """

    scores: dict[str, np.ndarray]
    seconds: dict[str, float]
    memory_mb: float


def run_job(job: Job, rows: Rows) -> JobScores:
    """Fit all models of a job on its training rows and score its test rows.

    Raises:
        ModelError: two models have one name, or a model cannot be fitted on these rows.
    """
    target, fold_by, models = job.target, job.task.fold_by, job.line_up
    train, test = (rows.take(index).known(target) for index in (job.task.train, job.task.test))
    if job.information == NO_DURATION:
        usual = usual_spacing(train)
        train, test = usual.hide_duration(train), usual.hide_duration(test)
    crosses: list[CrossFit] = []

    def calibrated(model: ImpactModel) -> FittedImpact:
        return calibrate(cross_fit(model, train, target, fold_by), train, target)

    def calibrated_member(model: ImpactModel) -> FittedImpact:
        crosses.append(cross_fit(model, train, target, fold_by))
        return calibrate(crosses[-1], train, target)

    fits: list[tuple[str, Callable[[], FittedImpact]]] = [
        *((m.name, partial(calibrated_member, m)) for m in models.members),
        *((m.name, partial(calibrated, m)) for m in models.baselines),
        *((m.name, partial(calibrated, m)) for m in (s.load() for s in models.submissions)),
        *((m.name, partial(split_conformal, m, train, target)) for m in models.challengers),
        *((m.name, partial(m.fit, train, target)) for m in models.oracles),
    ]
    if models.members:
        fits.append((PRODUCT, lambda: stack(crosses, train, target, fold_by)))
    scores, seconds = {}, {}
    for name, fit in fits:
        if name in scores:
            raise ModelError(f"two models of a line-up are called {name!r}, allowed: names that differ")
        started = time.process_time()
        scores[name] = score_rows(fit().quantiles(test), test.outcome(target))
        seconds[name] = time.process_time() - started
    return JobScores(scores, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)


def split_conformal(model: ImpactModel, rows: Rows, target: str) -> FittedConformal:
    """Fit on all parts but the last and shift the quantiles by the errors there; with one part, by those in sample.

    Split conformal prediction level by level (Romano, Patterson, Candes 2019), for models that are too expensive to be
    fitted once per fold. A staged model stops where the last part tells it to.
    """
    last = rows.part == rows.part.max()
    held, fitting = rows.take(last), rows if last.all() else rows.take(~last)
    fitted = model.fit(fitting, target)
    if isinstance(model, StagedModel):
        answers = [fitted.at(stage) for stage in model.stages]  # type: ignore[attr-defined]
        fitted = min(answers, key=lambda one: held_out_crps(one.quantiles(held), held, target))
    return FittedConformal(fitted, target, level_shifts(fitted.quantiles(held), held, target))


def score_rows(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Every score of every row, shape (n, len(SCORES))."""
    return np.column_stack(
        [
            crps_bps(quantiles, outcome),
            covered(quantiles, outcome, 0.80),
            covered(quantiles, outcome, 0.90),
            interval_score(quantiles, outcome, 0.90),
            (outcome > quantiles[:, 94]).astype(np.float64),
            (outcome > quantiles[:, 98]).astype(np.float64),
            probability_integral_transform(quantiles, outcome),
            prob_exceed(quantiles, THRESHOLD_BPS),
            brier(quantiles, outcome, THRESHOLD_BPS),
            mean(quantiles),
            outcome,
            pinball_at(quantiles, outcome, PINBALL_LEVELS),
        ]
    )
