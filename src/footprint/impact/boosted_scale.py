"""Boosted mean and scale: where the move will be, then how far around it, each by a few small trees (LightGBM).

Two stages, as in generalised additive models for location and scale (Rigby & Stasinopoulos 2005), on z = outcome /
noise scale. Trees first correct the mean of a parametric start; the loss is Huber's, because squares of outcomes with
fat tails are mostly noise. Then they fit the log of the residual's size, eta = log E|z - mean|, by Laplace's
log-likelihood, eta + |z - mean| exp(-eta). That is LightGBM's gamma objective on |z - mean|: it needs no logarithm of
residuals near 0, and a far outlier weighs by its size, not by its square as in the Gaussian likelihood. What is left is
one distribution common to all rows.

Rows are cut into stretches of time; each is predicted by trees that have not seen it. The scale is fitted to those
residuals, so that the trees of the mean do not make it too small, and the common distribution is of those residuals
over scales that have not seen them either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm
import numpy as np

from footprint.errors import ModelError
from footprint.impact.contributions import forest_contributions
from footprint.impact.distribution import LEVELS, mean
from footprint.impact.importance import gain_importance
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.linear_mean import MIN_ROWS
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows
from footprint.impact.trees import Forest, flatten

_HUBER = 0.6  # widths beyond which a residual counts by its size and no longer by its square
_SMALLEST = 1e-6  # widths; keeps the log of an exact fit finite


@dataclass(frozen=True, slots=True)
class FittedBoostedScale:
    """outcome = width of the start * (mean + exp(log size) * residual).

    Attributes:
        mean: trees added to the start's mean, in widths (half of the start's central 90 % band).
        log_size: trees added to `log_size_start`, the log of the residuals' mean size in widths.
        stages: numbers of rounds whose residuals are known; the forests hold the last.
        residual_quantiles: of the standardised residual at each stage, shape (stages, 99).
    """

    target: str
    start: FittedImpact
    x_names: tuple[str, ...]
    mean: Forest
    log_size: Forest
    log_size_start: float
    stages: tuple[int, ...]
    residual_quantiles: np.ndarray

    def at(self, stage: int) -> FittedBoostedScale:
        """The same after fewer rounds, one of `stages`."""
        return replace(
            self,
            mean=self.mean.first(stage),
            log_size=self.log_size.first(stage),
            stages=(stage,),
            residual_quantiles=self.residual_quantiles[[self.stages.index(stage)]],
        )

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps.

        Raises:
            ModelError: the rows have other columns than the model was fitted on.
        """
        self._check_columns(rows)
        centre, width_bps = _start(self.start, rows)
        location = centre + self.mean.predict(rows.x)[:, 0]
        size = np.exp(self.log_size_start + self.log_size.predict(rows.x)[:, 0])
        return width_bps[:, None] * (location[:, None] + size[:, None] * self.residual_quantiles[-1])

    def contributions(self, rows: Rows) -> np.ndarray:
        """Shapley values of the columns in what the trees add to the start's mean, bps, shape (n, p).

        They add up to it less a constant number of the start's widths.
        """
        self._check_columns(rows)
        return _start(self.start, rows)[1][:, None] * forest_contributions(self.mean, rows.x, np.ones(1))

    def importance(self) -> np.ndarray:
        """Share of each column in the gain, half by the mean's trees and half by the scale's, shape (p,)."""
        shares = [gain_importance(forest, len(self.x_names)) for forest in (self.mean, self.log_size)]
        total = np.sum(shares, axis=0)
        return total / total.sum() if total.any() else total

    def _check_columns(self, rows: Rows) -> None:
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the boosted model was fitted on; fit it again")


@dataclass(frozen=True, slots=True)
class BoostedScale:
    """Trees for the mean, then for the log of the residual's size, started from a parametric model.

    Args:
        start: the parametric model whose mean and width the trees correct.
        stages: numbers of rounds, of mean and scale alike, to choose from on held-out folds.
        leaves, min_rows_per_leaf, l2: size and shrinkage of the trees.
        learning_rate_mean, learning_rate_scale: the scale is the clearer signal and is learnt faster.
        column_share, row_share: random share of columns per tree and of rows per round, drawn from `seed`.
        stretches: pieces of time that are held out in turn.
    """

    start: ImpactModel
    stages: tuple[int, ...] = (30, 60, 120)
    leaves: int = 4
    min_rows_per_leaf: int = 150
    learning_rate_mean: float = 0.03
    learning_rate_scale: float = 0.06
    l2: float = 5.0
    column_share: float = 0.3
    row_share: float = 0.7
    stretches: int = 3
    seed: int = 7

    @property
    def name(self) -> str:
        """boosted_scale."""
        return "boosted_scale"

    @property
    def is_local(self) -> bool:
        """What it learns holds near its rows."""
        return True

    def fit(self, rows: Rows, target: str) -> FittedBoostedScale:
        """Fit both stages; single-threaded and deterministic.

        Raises:
            ModelError: fewer than 100 rows with a known outcome.
        """
        rows = rows.known(target)
        if len(rows) < 2 * MIN_ROWS:
            raise ModelError(f"{self.name} needs at least {2 * MIN_ROWS} rows with a known {target}, found {len(rows)}")
        z, weights = np.empty(len(rows)), rows.tape_weights()
        stretches = _time_stretches(rows, self.stretches)
        location, log_size = np.empty((len(self.stages), len(rows))), np.empty((len(self.stages), len(rows)))
        for mine in stretches:
            start, trees = self._fit_mean(rows.take(~mine), target)
            centre, width_bps = _start(start, rows.take(mine))
            location[:, mine] = centre + self._staged(trees, rows.x[mine])
            z[mine] = rows.outcome(target)[mine] / width_bps
        size = np.maximum(np.abs(z - location[-1]), _SMALLEST)
        for mine in stretches:
            constant, trees = self._fit_log_size(rows.x[~mine], size[~mine], weights[~mine])
            log_size[:, mine] = constant + self._staged(trees, rows.x[mine])
        residuals = (z - location) / np.exp(log_size)
        start, mean_trees = self._fit_mean(rows, target)
        constant, size_trees = self._fit_log_size(rows.x, size, weights)
        residual_quantiles = np.array([weighted_quantiles(r, weights, LEVELS) for r in residuals])
        return FittedBoostedScale(
            target, start, rows.x_names, mean_trees, size_trees, constant, self.stages, residual_quantiles
        )

    def _fit_mean(self, rows: Rows, target: str) -> tuple[FittedImpact, Forest]:
        """The start, and the trees that correct its mean."""
        start = self.start.fit(rows, target)
        loss = {"objective": "huber", "alpha": _HUBER, "learning_rate": self.learning_rate_mean}
        centre, width_bps = _start(start, rows)
        return start, self._boost(rows.x, rows.outcome(target) / width_bps, rows.tape_weights(), centre, loss)

    def _fit_log_size(self, x: np.ndarray, size: np.ndarray, weights: np.ndarray) -> tuple[float, Forest]:
        """The log of the mean size, and the trees that correct it."""
        constant = float(np.log(np.average(size, weights=weights)))
        loss = {"objective": "gamma", "learning_rate": self.learning_rate_scale}
        return constant, self._boost(x, size, weights, np.full(len(x), constant), loss)

    def _boost(
        self, x: np.ndarray, label: np.ndarray, weights: np.ndarray, start: np.ndarray, loss: dict[str, object]
    ) -> Forest:
        parameters = {
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_per_leaf,
            "lambda_l2": self.l2,
            "feature_fraction": self.column_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        # copies that own their memory: LightGBM warns of views
        data = lightgbm.Dataset(np.array(x), label, weight=weights, init_score=np.array(start), params=parameters)
        return flatten([lightgbm.train({**parameters, **loss}, data, num_boost_round=self.stages[-1]).dump_model()])

    def _staged(self, trees: Forest, x: np.ndarray) -> np.ndarray:
        """What the trees add at each stage, shape (stages, n)."""
        return np.array([trees.first(stage).predict(x)[:, 0] for stage in self.stages])


def _start(start: FittedImpact, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the start's forecast in its widths, and the widths in bps: half of its central 90 % band; shapes (n,)."""
    quantiles = start.quantiles(rows)
    width_bps = 0.5 * (quantiles[:, 94] - quantiles[:, 4])
    return mean(quantiles) / width_bps, width_bps


def _time_stretches(rows: Rows, count: int) -> list[np.ndarray]:
    """Masks that cut each tape into stretches of time with about as many rows; orders that start together stay so."""
    stretch = np.empty(len(rows), np.int64)
    for name in np.unique(rows.tape):
        mine = np.flatnonzero(rows.tape == name)
        start_ns = rows.start_ns[mine]
        stretch[mine] = count * np.searchsorted(np.sort(start_ns), start_ns) // len(mine)
    return [stretch == number for number in range(count)]
