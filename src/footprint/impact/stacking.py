"""The product's own forecast: several models' quantile functions averaged with weights that the past has earned.

Quantile functions are averaged level by level (Vincent averaging), which keeps sharpness, unlike averaging distribution
functions (Lichtendahl, Grushka-Cockayne & Winkler 2013, Management Science 59, 1594). The weights minimise the CRPS of
quantiles that each member gave to rows it had not seen (stacking: Wolpert 1992; Yao, Vehtari, Simpson & Gelman 2018),
drawn towards equal weights by a penalty that fades as independent data grow. Members that are no laws are
trusted only near the training data: far from it their weight goes to the best of the laws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from footprint.impact.calibration.conformal import CrossFit, FoldBy, cross_fit, held_out_crps, level_shifts, shifted
from footprint.impact.distribution import mean
from footprint.impact.interface import Epistemic, FittedImpact, ImpactModel, Local
from footprint.impact.rows import Rows
from footprint.impact.training_range import TrainingRange
from footprint.impact.uniqueness import uniqueness

_EVERY = 5  # of the 99 levels, those on which weights are fitted: 3, 8, ..., 98 %
_PENALTY_BLOCKS = 2.0  # independent windows that the preference for equal weights is worth


@dataclass(frozen=True, slots=True)
class FittedStack:
    """Weighted average of members, each trusted as far as it reaches, then the conformal shifts of that average.

    Attributes:
        names: of the members.
        weights: of the members, shape (k,), summing to 1.
        local: whether a member is trusted only near the training data.
        fallback: position of the member that gets the weight of those that are not trusted.
        reach: how far a row lies from the training data.
        shifts: of each level in units of the row's noise scale, shape (99,).
    """

    target: str
    names: tuple[str, ...]
    members: tuple[FittedImpact, ...]
    weights: np.ndarray
    local: tuple[bool, ...]
    fallback: int
    reach: TrainingRange
    shifts: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps, sorted along the last axis."""
        weights = self.row_weights(rows)
        total = np.zeros((len(rows), len(self.shifts)))
        for position, member in enumerate(self.members):
            if self._used(position):
                total += weights[:, position, None] * member.quantiles(rows)
        return shifted(total, self.shifts, rows, self.target)

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """Deviation of the mean because the model is uncertain, shape (n,).

        Disagreement of the members' means and, within members that know it, their own uncertainty (law of total
        variance over the weights).
        """
        weights = self.row_weights(rows)
        means, variances = np.zeros(weights.shape), np.zeros(weights.shape)
        for position, member in enumerate(self.members):
            if self._used(position):
                means[:, position] = mean(member.quantiles(rows))
                if isinstance(member, Epistemic):
                    variances[:, position] = member.model_sd_bps(rows) ** 2
        centre = (weights * means).sum(axis=1, keepdims=True)
        return np.sqrt((weights * ((means - centre) ** 2 + variances)).sum(axis=1))

    def _used(self, position: int) -> bool:
        return bool(self.weights[position] > 0.0) or position == self.fallback

    def row_weights(self, rows: Rows) -> np.ndarray:
        """Each row's weights, shape (n, k)."""
        local = np.array(self.local)
        trust = np.where(local, self.reach.trust(rows)[:, None], 1.0)
        weights = self.weights * trust
        weights[:, self.fallback] += 1.0 - weights.sum(axis=1)
        return weights


@dataclass(frozen=True, slots=True)
class Stack:
    """The members before they have seen data.

    Args:
        members: at least one of them is a law, trusted everywhere.
        fold_by: "part" for symbols that the rows hold, "symbol" for unseen ones.
    """

    members: tuple[ImpactModel, ...]
    fold_by: FoldBy = "part"

    @property
    def name(self) -> str:
        """stack."""
        return "stack"

    def fit(self, rows: Rows, target: str) -> FittedStack:
        """Cross-fit every member, weigh them on the held-out folds, calibrate their average."""
        rows = rows.known(target)
        return stack([cross_fit(m, rows, target, self.fold_by) for m in self.members], rows, target, self.fold_by)


def stack(crosses: Sequence[CrossFit], rows: Rows, target: str, fold_by: FoldBy = "part") -> FittedStack:
    """The stack of members that were cross-fitted on the same rows.

    For symbols that the rows do not hold, learners that start from nothing are left out, because they repeat the
    symbols they know, and what corrects a law gets at most 1 - 1/sqrt(symbols): so many symbols' errors were seen.
    """
    if fold_by == "symbol":
        crosses = [c for c in crosses if not isinstance(c.model, Local) or hasattr(c.model, "start")]
    local = tuple(isinstance(c.model, Local) for c in crosses)
    weights = stacking_weights([c.held_out for c in crosses], rows, target)
    if fold_by == "symbol":
        weights = _capped(weights, np.array(local), 1.0 - 1.0 / np.sqrt(len(np.unique(rows.symbol))))
    losses = [np.inf if far else held_out_crps(c.held_out, rows, target) for c, far in zip(crosses, local, strict=True)]
    held_out = sum(w * c.held_out for w, c in zip(weights, crosses, strict=True))
    return FittedStack(
        target,
        tuple(c.model.name for c in crosses),
        tuple(c.fitted for c in crosses),
        weights,
        local,
        int(np.argmin(losses)),
        TrainingRange.of(rows),
        level_shifts(np.asarray(held_out), rows, target),
    )


def _capped(weights: np.ndarray, local: np.ndarray, most: float) -> np.ndarray:
    """Weights with those of the learners brought down to `most` in all, and the laws' raised in proportion."""
    learnt = float(weights[local].sum())
    if learnt <= most or local.all():
        return weights
    laws = np.where(local, 0.0, np.maximum(weights, 1e-6))
    return np.where(local, weights * most / learnt, (1.0 - most) * laws / laws.sum())


def stacking_weights(held_out: Sequence[np.ndarray], rows: Rows, target: str) -> np.ndarray:
    """Weights, shape (k,), that minimise relative CRPS plus a multiple of the distance from equal weights.

    The distance is the relative entropy, the multiple falls as independent windows grow. CRPS of a Vincent average is
    convex in the weights; they are
    found by gradient on their logits.

    Args:
        held_out: each member's quantiles of the rows, shape (n, 99).
    """
    count = len(held_out)
    if count == 1:
        return np.ones(1)
    scale = rows.scale_bps(target)
    picked = slice(2, None, _EVERY)
    levels = np.arange(1, 100)[picked] / 100.0
    members = np.stack([q[:, picked] / scale[:, None] for q in held_out], axis=-1)
    outcome = (rows.outcome(target) / scale)[:, None]
    row_weight = (rows.tape_weights() / (len(rows) * len(levels)))[:, None]
    usual = float((row_weight * _pinball(outcome - members.mean(axis=-1), levels)).sum())
    penalty = _PENALTY_BLOCKS / float(uniqueness(rows, target).sum())

    def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
        weights = _softmax(logits)
        error = outcome - members @ weights
        slope = row_weight * np.where(error > 0, -levels, 1.0 - levels) / usual
        by_weight = np.einsum("nl,nlk->k", slope, members, optimize=True)
        logs = np.log(np.maximum(weights, 1e-300)) + np.log(count)
        value = float((row_weight * _pinball(error, levels)).sum()) / usual + penalty * float(weights @ logs)
        by_weight = by_weight + penalty * (logs + 1.0)
        return value, weights * (by_weight - weights @ by_weight)

    found = minimize(loss, np.zeros(count), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    weights = _softmax(found.x)
    kept = np.where(weights < 0.01, 0.0, weights)  # a member of less than 1 % would cost its time and change nothing
    return kept / kept.sum()


def _pinball(error: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return np.maximum(levels * error, (levels - 1.0) * error)


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max())
    return raised / raised.sum()
