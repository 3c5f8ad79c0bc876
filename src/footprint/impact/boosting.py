"""Gradient-boosted quantiles of the move in units of the market's own noise (LightGBM, pinball loss)."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np

from footprint.errors import ModelError
from footprint.impact.distribution import from_levels
from footprint.impact.linear_mean import known_rows
from footprint.impact.rows import Rows
from footprint.impact.trees import Forest, flatten

QUANTILE_LEVELS = (0.01, 0.03, 0.06, 0.1, 0.17, 0.25, 0.37, 0.5, 0.63, 0.75, 0.83, 0.9, 0.94, 0.97, 0.99)


@dataclass(frozen=True, slots=True)
class FittedBoostedQuantiles:
    """The flattened trees and the columns they expect."""

    target: str
    levels: tuple[float, ...]
    x_names: tuple[str, ...]
    forest: Forest

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps.

        Raises:
            ModelError: the rows have other columns than the model was fitted on.
        """
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the boosted model was fitted on; fit it again")
        values = from_levels(np.array(self.levels), self.forest.predict(rows.x))
        return values * rows.scale_bps(self.target)[:, None]


@dataclass(frozen=True, slots=True)
class BoostedQuantiles:
    """One booster per level on outcome / noise scale; crossing quantiles are sorted.

    Args:
        rounds, leaves, min_rows_per_leaf, learning_rate: size of the trees.
        column_share, row_share: random share of columns per tree and of rows per round.
        seed: of those shares.
    """

    rounds: int = 120
    leaves: int = 8
    min_rows_per_leaf: int = 300
    learning_rate: float = 0.06
    column_share: float = 0.5
    row_share: float = 0.7
    l2: float = 5.0
    seed: int = 7
    levels: tuple[float, ...] = QUANTILE_LEVELS

    @property
    def name(self) -> str:
        """boosted_quantiles."""
        return "boosted_quantiles"

    def fit(self, rows: Rows, target: str) -> FittedBoostedQuantiles:
        """Fit every level; single-threaded and deterministic, so that a fit can be repeated bit by bit.

        Raises:
            ModelError: fewer than 50 rows with a known outcome.
        """
        rows = known_rows(rows, target, self.name)
        ratio = rows.outcome(target) / rows.scale_bps(target)
        data = lightgbm.Dataset(
            rows.x, ratio, weight=rows.tape_weights(), free_raw_data=False, params={"verbosity": -1}
        )
        dumps = [self._booster(data, level).dump_model() for level in self.levels]
        return FittedBoostedQuantiles(target, self.levels, rows.x_names, flatten(dumps))

    def _booster(self, data: lightgbm.Dataset, level: float) -> lightgbm.Booster:
        parameters = {
            "objective": "quantile",
            "alpha": level,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_per_leaf,
            "learning_rate": self.learning_rate,
            "feature_fraction": self.column_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        return lightgbm.train(parameters, data, num_boost_round=self.rounds)
