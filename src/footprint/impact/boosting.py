"""Gradient-boosted quantiles: trees that correct a parametric forecast, level by level (LightGBM, pinball loss).

Boosting from nothing has to relearn the law from noisy outcomes and loses to it where rows are few. Started from the
parametric quantiles (as LightGBM's initial score), a few small trees only add what the market's state tells, and the
forecast falls back to the law wherever they are silent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm
import numpy as np

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS, interpolation_weights
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
    start: FittedImpact
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
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the boosted model was fitted on; fit it again")
        correction = self.forest.predict(rows.x) @ self.spread_levels
        corrected = self.start.quantiles(rows) + rows.scale_bps(self.target)[:, None] * correction
        corrected.sort(axis=1)
        return corrected


@dataclass(frozen=True, slots=True)
class BoostedQuantiles:
    """One booster per level on outcome / noise scale, started from a parametric model's quantile.

    Args:
        start: the parametric model that the trees correct.
        stages: numbers of rounds to choose from on held-out folds.
        leaves, min_rows_per_leaf, learning_rate, l2: size and shrinkage of the trees.
        column_share, row_share: random share of columns per tree and of rows per round, drawn from `seed`.
    """

    start: ImpactModel
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
        """boosted_quantiles."""
        return "boosted_quantiles"

    def fit(self, rows: Rows, target: str) -> FittedBoosting:
        """Fit every level; single-threaded and deterministic, so that a fit can be repeated bit by bit.

        Raises:
            ModelError: fewer than 50 rows with a known outcome.
        """
        rows = known_rows(rows, target, self.name)
        start, scale = self.start.fit(rows, target), rows.scale_bps(target)
        offsets = start.quantiles(rows) / scale[:, None]
        data = lightgbm.Dataset(
            np.array(rows.x),  # a copy that owns its memory: LightGBM warns of views
            rows.outcome(target) / scale,
            weight=rows.tape_weights(),
            free_raw_data=False,
            params={"verbosity": -1, "num_threads": 1},
        )
        dumps = []
        for level in self.levels:
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
