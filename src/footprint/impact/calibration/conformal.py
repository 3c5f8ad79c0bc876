"""Conformal calibration from out-of-fold residuals of all the past.

Splitting off the last part for calibration wastes the freshest data. Here every fold of the past is predicted by a
model that has not seen it; the quantile of those standardised errors, level by level, is the shift that would have
made the level right, and the model is then refitted on everything. This is cross-conformal prediction (Vovk 2015)
applied to each level as in conformalised quantile regression (Romano, Patterson, Candes 2019); it is near to CV+
(Barber, Candes, Ramdas, Tibshirani 2021) and, unlike it, has no finite-sample guarantee. Folds are whole walk-forward
parts, so that overlapping orders never sit on both sides; for a symbol that the model will not have seen, folds are
whole symbols, so that the errors are those of an unseen symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from footprint.impact.distribution import LEVELS
from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.interface import Epistemic, FittedImpact, ImpactModel, StagedModel
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

FoldBy = Literal["part", "symbol"]
_SYMBOL_FOLDS = 4


@dataclass(frozen=True, slots=True)
class CrossFit:
    """A model fitted on all rows, and the quantiles that models without each row's fold gave it, shape (n, 99)."""

    model: ImpactModel
    fitted: FittedImpact
    held_out: np.ndarray


def cross_fit(model: ImpactModel, rows: Rows, target: str, fold_by: FoldBy = "part") -> CrossFit:
    """Fit on everything and, fold by fold, on everything else; a staged model stops where the folds tell it to.

    Args:
        model: with `stages`, the one with the smallest held-out CRPS is taken.
        rows: all with a known outcome.
        fold_by: "part", or "symbol" (all tapes of a symbol in one of four folds); with a single fold the held-out
            quantiles are in-sample.
    """
    fold = rows.part if fold_by == "part" else np.unique(rows.symbol, return_inverse=True)[1] % _SYMBOL_FOLDS
    if not isinstance(model, StagedModel):
        fitted = model.fit(rows, target)
        return CrossFit(model, fitted, _held_out(model, rows, target, fold, fitted)[0])
    staged = model.fit(rows, target)
    held_out = _held_out(model, rows, target, fold, staged, model.stages)
    best = int(np.argmin([held_out_crps(quantiles, rows, target) for quantiles in held_out]))
    return CrossFit(model, staged.at(model.stages[best]), held_out[best])


def _held_out(
    model: ImpactModel, rows: Rows, target: str, fold: np.ndarray, fitted: FittedImpact, stages: Sequence[int] = ()
) -> list[np.ndarray]:
    """Quantiles of every row by a model without its fold, one array a stage (one in all without stages)."""

    def answers(given: Any, asked: Rows) -> list[np.ndarray]:
        return [given.at(s).quantiles(asked) for s in stages] if stages else [given.quantiles(asked)]

    names = np.unique(fold)
    if len(names) == 1:
        return answers(fitted, rows)
    out = [np.empty((len(rows), len(LEVELS))) for _ in range(max(1, len(stages)))]
    for name in names:
        mine = fold == name
        without = model.fit(rows.take(~mine), target)
        for array, quantiles in zip(out, answers(without, rows.take(mine)), strict=True):
            array[mine] = quantiles
    return out


def held_out_crps(quantiles: np.ndarray, rows: Rows, target: str) -> float:
    """Mean CRPS in noise scales, every tape with the same weight."""
    relative = crps_bps(quantiles, rows.outcome(target)) / rows.scale_bps(target)
    return float(np.average(relative, weights=rows.tape_weights()))


@dataclass(frozen=True, slots=True)
class FittedConformal:
    """A fitted model and the shift of each level in units of the row's noise scale, shape (99,)."""

    base: FittedImpact
    target: str
    shifts: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps, sorted along the last axis."""
        return shifted(self.base.quantiles(rows), self.shifts, rows, self.target)

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """As the base says, shape (n,); nan where it does not know.

        The shifts are common to all rows and add no uncertainty that could be told from theirs.
        """
        return self.base.model_sd_bps(rows) if isinstance(self.base, Epistemic) else np.full(len(rows), np.nan)


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
