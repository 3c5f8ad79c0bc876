"""Conformal calibration from out-of-fold residuals of all the past.

Splitting off the last part for calibration wastes the freshest data. Here every fold of the past is predicted by a
model that has not seen it; the quantile of those standardised errors, level by level, is the shift that would have
made the level right, and the model is then refitted on everything. This is CV+ (Barber, Candes, Ramdas, Tibshirani
2021) applied to each level as in conformalised quantile regression (Romano, Patterson, Candes 2019). Folds are whole
walk-forward parts, so that overlapping orders never sit on both sides; for a symbol that the model will not have seen,
folds are whole tapes, so that the errors are those of an unseen symbol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from footprint.impact.distribution import LEVELS
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

FoldBy = Literal["part", "tape"]
_TAPE_FOLDS = 4


@dataclass(frozen=True, slots=True)
class CrossFit:
    """A model fitted on all rows, and the quantiles that models without each row's fold gave it, shape (n, 99)."""

    model: ImpactModel
    fitted: FittedImpact
    held_out: np.ndarray


def cross_fit(model: ImpactModel, rows: Rows, target: str, fold_by: FoldBy = "part") -> CrossFit:
    """Fit on everything and, fold by fold, on everything else.

    Args:
        rows: all with a known outcome.
        fold_by: "part", or "tape" (whole tapes dealt to four folds); with a single fold the held-out quantiles are
            in-sample.
    """
    fold = rows.part if fold_by == "part" else np.unique(rows.tape, return_inverse=True)[1] % _TAPE_FOLDS
    fitted = model.fit(rows, target)
    names = np.unique(fold)
    if len(names) == 1:
        return CrossFit(model, fitted, fitted.quantiles(rows))
    held_out = np.empty((len(rows), len(LEVELS)))
    for name in names:
        mine = fold == name
        held_out[mine] = model.fit(rows.take(~mine), target).quantiles(rows.take(mine))
    return CrossFit(model, fitted, held_out)


@dataclass(frozen=True, slots=True)
class FittedConformal:
    """A fitted model and the shift of each level in units of the row's noise scale, shape (99,)."""

    base: FittedImpact
    target: str
    shifts: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps, sorted along the last axis."""
        return shifted(self.base.quantiles(rows), self.shifts, rows, self.target)


@dataclass(frozen=True, slots=True)
class CrossConformal:
    """Wraps any model; every model of a scoreboard gets the same step."""

    model: ImpactModel
    fold_by: FoldBy = "part"

    @property
    def name(self) -> str:
        """Name of the wrapped model."""
        return self.model.name

    def fit(self, rows: Rows, target: str) -> FittedConformal:
        """Out-of-fold shifts around a fit on all rows."""
        rows = rows.known(target)
        return calibrate(cross_fit(self.model, rows, target, self.fold_by), rows, target)


def calibrate(cross: CrossFit, rows: Rows, target: str) -> FittedConformal:
    """The full fit with the shifts that its held-out errors ask for."""
    return FittedConformal(cross.fitted, target, level_shifts(cross.held_out, rows, target))


def level_shifts(quantiles: np.ndarray, rows: Rows, target: str) -> np.ndarray:
    """Shift of each level, in noise scales, that puts the right share of outcomes below it; shape (99,)."""
    errors = (rows.outcome(target)[:, None] - quantiles) / rows.scale_bps(target)[:, None]
    weights = rows.tape_weights()
    return np.array([weighted_quantiles(errors[:, i], weights, LEVELS[i : i + 1])[0] for i in range(len(LEVELS))])


def shifted(quantiles: np.ndarray, shifts: np.ndarray, rows: Rows, target: str) -> np.ndarray:
    """Quantiles moved by `shifts` noise scales and sorted, shape (n, 99)."""
    return np.sort(quantiles + rows.scale_bps(target)[:, None] * shifts, axis=1)
