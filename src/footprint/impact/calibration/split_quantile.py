"""Split conformalised quantile regression: the last part of the past calibrates what the parts before it fitted.

Each level of the fitted quantiles is moved by an order statistic of its own errors on rows that the fit has not seen
(Romano, Patterson & Candes 2019, theorem 2, one side at a time), taken one place further out than the plain quantile,
so that with exchangeable rows a band covers at least as often as it says, however few the rows. The price beside
`conformal.CrossConformal` is the freshest part, which does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.errors import ModelError
from footprint.impact.calibration.conformal import FittedConformal
from footprint.impact.distribution import LEVELS
from footprint.impact.interface import ImpactModel
from footprint.impact.linear_mean import known_rows
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows


@dataclass(frozen=True, slots=True)
class SplitQuantile:
    """Wraps any model."""

    model: ImpactModel

    @property
    def name(self) -> str:
        """Name of the wrapped model with "_split"."""
        return f"{self.model.name}_split"

    def fit(self, rows: Rows, target: str) -> FittedConformal:
        """Fit on all parts but the last, calibrate on the last.

        Raises:
            ModelError: fewer than two parts, or fewer than 50 known outcomes in the last one or before it.
        """
        rows = rows.known(target)
        last = rows.part == rows.part.max(initial=0)
        if last.all():
            raise ModelError(f"{self.name} needs at least two parts with a known {target}, found one")
        fitted = self.model.fit(rows.take(~last), target)
        fresh = known_rows(rows.take(last), target, f"{self.name}'s last part")
        return FittedConformal(fitted, target, outward_shifts(fitted.quantiles(fresh), fresh, target))


def outward_shifts(quantiles: np.ndarray, rows: Rows, target: str) -> np.ndarray:
    """Shift of each level in noise scales, one place outwards of the one that puts the right share below; shape (99,).

    Of n errors the level tau > 1/2 takes the ceil((n + 1) tau)-th, the level below 1/2 its mirror image. Weighted
    errors count as (sum of weights)^2 / (sum of squared weights) rows (Kish 1965).
    """
    errors = (rows.outcome(target)[:, None] - quantiles) / rows.scale_bps(target)[:, None]
    weights = rows.tape_weights()
    count = weights.sum() ** 2 / np.sum(weights**2)
    outer = np.minimum(np.ceil((count + 1.0) * np.maximum(LEVELS, 1.0 - LEVELS)) - 0.5, count - 0.5) / count
    taken = 0.5 + np.sign(LEVELS - 0.5) * (outer - 0.5)
    return np.array([weighted_quantiles(errors[:, i], weights, taken[i : i + 1])[0] for i in range(len(LEVELS))])
