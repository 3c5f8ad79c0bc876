"""The mean of several models' quantile functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.rows import Rows


@dataclass(frozen=True, slots=True)
class FittedAverage:
    """Fitted members with equal weights."""

    members: tuple[FittedImpact, ...]

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps."""
        total = self.members[0].quantiles(rows)
        for member in self.members[1:]:
            total = total + member.quantiles(rows)
        return total / len(self.members)


@dataclass(frozen=True, slots=True)
class Averaged:
    """Equal-weight Vincent average: quantile functions are averaged level by level, which keeps them sharp.

    Lichtendahl, Grushka-Cockayne, Winkler (2013), Management Science 59, 1594.
    """

    members: tuple[ImpactModel, ...]

    @property
    def name(self) -> str:
        """Names of the members joined by a plus sign."""
        return "+".join(m.name for m in self.members)

    def fit(self, rows: Rows, target: str) -> FittedAverage:
        """Fit every member on the same rows."""
        return FittedAverage(tuple(m.fit(rows, target) for m in self.members))
