"""Gradient-boosted quantiles: trees that correct a parametric forecast, level by level (LightGBM, pinball loss).

Boosting from nothing has to relearn the law from noisy outcomes and loses to it where rows are few. Started from the
parametric quantiles (as LightGBM's initial score), a few small trees only add what the market's state tells, and the
forecast falls back to the law wherever they are silent. Boosting from nothing is kept as a baseline (`start=None`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm
import numpy as np

from footprint.errors import ModelError
from footprint.impact.contributions import forest_contributions
from footprint.impact.distribution import LEVELS, interpolation_weights, mean
from footprint.impact.importance import gain_importance
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.linear_mean import known_rows
from footprint.impact.rows import Rows
from footprint.impact.trees import Forest, flatten

QUANTILE_LEVELS = (0.01, 0.04, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96, 0.99)


@dataclass(frozen=True, slots=True)
class FittedBoosting:
    """The parametric start, the flattened trees and the columns they expect.

    Attributes:
        spread_levels: (k, 99) matrix that carries the k levels' corrections to the 99 levels.
    """

    target: str
    start: FittedImpact | None
    x_names: tuple[str, ...]
    forest: Forest
    spread_levels: np.ndarray

    def at(self, stage: int) -> FittedBoosting:
        """The same after fewer rounds."""
        return replace(self, forest=self.forest.first(stage))

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps; crossing quantiles are sorted (Chernozhukov, Fernandez-Val, Galichon 2010).

        Raises:
            ModelError: the rows have other columns than the model was fitted on.
        """
        self._check_columns(rows)
        correction = self.forest.predict(rows.x) @ self.spread_levels
        corrected = rows.scale_bps(self.target)[:, None] * correction
        if self.start is not None:
            corrected += self.start.quantiles(rows)
        corrected.sort(axis=1)
        return corrected

    def contributions(self, rows: Rows) -> np.ndarray:
        """Shapley values of the columns in what the trees add to the mean forecast, bps, shape (n, p).

        The mean is that of the levels before crossing ones are sorted; the values add up to what it has over the
        start's, less a constant number of noise scales.
        """
        self._check_columns(rows)
        booster_weights = self.spread_levels @ mean(np.eye(len(LEVELS)))
        return rows.scale_bps(self.target)[:, None] * forest_contributions(self.forest, rows.x, booster_weights)

    def importance(self) -> np.ndarray:
        """Share of each column in the pinball loss that the splits of all levels took away, shape (p,)."""
        return gain_importance(self.forest, len(self.x_names))

    def _check_columns(self, rows: Rows) -> None:
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the boosted model was fitted on; fit it again")


@dataclass(frozen=True, slots=True)
class BoostedQuantiles:
    """One booster per level on outcome / noise scale, started from a parametric model's quantile.

    Args:
        start: the parametric model that the trees correct; None: each level starts from its constant.
        stages: numbers of rounds to choose from on held-out folds.
        leaves, min_rows_per_leaf, learning_rate, l2: size and shrinkage of the trees.
        column_share, row_share: random share of columns per tree and of rows per round, drawn from `seed`.
    """

    start: ImpactModel | None = None
    stages: tuple[int, ...] = (30, 60, 120)
    leaves: int = 4
    min_rows_per_leaf: int = 150
    learning_rate: float = 0.06
    l2: float = 5.0
    column_share: float = 0.3
    row_share: float = 0.7
    seed: int = 7
    levels: tuple[float, ...] = QUANTILE_LEVELS

    @property
    def name(self) -> str:
        """boosted_quantiles, or boosted_quantiles_plain without a start."""
        return "boosted_quantiles" if self.start is not None else "boosted_quantiles_plain"

    @property
    def is_local(self) -> bool:
        """What it learns holds near its rows."""
        return True

    def fit(self, rows: Rows, target: str) -> FittedBoosting:
        """Fit every level; single-threaded and deterministic, so that a fit can be repeated bit by bit.

        Raises:
            ModelError: fewer than 50 rows with a known outcome.
        """
        rows = known_rows(rows, target, self.name)
        start, scale = None if self.start is None else self.start.fit(rows, target), rows.scale_bps(target)
        offsets = None if start is None else start.quantiles(rows) / scale[:, None]
        data = lightgbm.Dataset(
            np.array(rows.x),  # a copy that owns its memory: LightGBM warns of views
            rows.outcome(target) / scale,
            weight=rows.tape_weights(),
            free_raw_data=False,
            params={"verbosity": -1, "num_threads": 1},
        )
        dumps = []
        for level in self.levels:
            if offsets is not None:
                data.set_init_score(offsets[:, int(np.searchsorted(LEVELS, level - 1e-9))].copy())
            dumps.append(lightgbm.train(self._parameters(level), data, num_boost_round=self.stages[-1]).dump_model())
        return FittedBoosting(target, start, rows.x_names, flatten(dumps), interpolation_weights(np.array(self.levels)))

    def _parameters(self, level: float) -> dict[str, object]:
        return {
            "objective": "quantile",
            "alpha": level,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_per_leaf,
            "learning_rate": self.learning_rate,
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
