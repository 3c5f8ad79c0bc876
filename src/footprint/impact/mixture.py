"""The careful forecast: boosted quantiles shrunk towards the best parametric model.

Quantile functions are averaged (Vincent averaging), which keeps sharpness, unlike averaging distribution functions
(Lichtendahl, Grushka-Cockayne, Winkler 2013). Both the parametric partner and the weight are chosen by CRPS on
held-out folds of the past, never on the rows that are scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.impact.calibration.conformal import CrossFit, FoldBy, cross_fit, held_out_crps, level_shifts, shifted
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.rows import Rows

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class FittedMixture:
    """weight * boosted + (1 - weight) * parametric, then the conformal shifts of that average.

    Attributes:
        weight: of the boosted quantiles, 0 to 1.
        shifts: in units of the row's noise scale, shape (99,).
    """

    target: str
    parametric: FittedImpact
    boosted: FittedImpact
    weight: float
    shifts: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps, sorted along the last axis."""
        if self.weight in (0.0, 1.0):
            mixed = (self.boosted if self.weight else self.parametric).quantiles(rows)
        else:
            mixed = (1.0 - self.weight) * self.parametric.quantiles(rows) + self.weight * self.boosted.quantiles(rows)
        return shifted(mixed, self.shifts, rows, self.target)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Best of several parametric models, mixed with a boosted one.

    Args:
        parametric: candidates; the one with the smallest held-out CRPS is used.
        boosted: the flexible partner.
        fold_by: "part" for symbols that the rows hold, "symbol" for unseen ones.
    """

    parametric: tuple[ImpactModel, ...]
    boosted: ImpactModel
    fold_by: FoldBy = "part"

    @property
    def name(self) -> str:
        """mixture."""
        return "mixture"

    def fit(self, rows: Rows, target: str) -> FittedMixture:
        """Cross-fit all candidates, choose partner and weight on held-out folds, calibrate their average."""
        rows = rows.known(target)
        candidates = [cross_fit(m, rows, target, self.fold_by) for m in self.parametric]
        return mix(candidates, cross_fit(self.boosted, rows, target, self.fold_by), rows, target)


def mix(candidates: Sequence[CrossFit], boosted: CrossFit, rows: Rows, target: str) -> FittedMixture:
    """Mixture from cross-fits of the same rows."""
    parametric = best(candidates, rows, target)
    losses = [held_out_crps((1.0 - w) * parametric.held_out + w * boosted.held_out, rows, target) for w in WEIGHTS]
    weight = WEIGHTS[int(np.argmin(losses))]
    mixed = (1.0 - weight) * parametric.held_out + weight * boosted.held_out
    return FittedMixture(target, parametric.fitted, boosted.fitted, weight, level_shifts(mixed, rows, target))


def best(candidates: Sequence[CrossFit], rows: Rows, target: str) -> CrossFit:
    """The cross-fit with the smallest held-out CRPS."""
    return min(candidates, key=lambda c: held_out_crps(c.held_out, rows, target))
