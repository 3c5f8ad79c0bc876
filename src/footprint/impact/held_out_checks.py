"""Posterior predictive checks of the model that is scored: fitted without the last part, checked on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from footprint.errors import ModelError
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.fits import KNOWN, Fit, held_out_scores, last_part
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.predictive_checks import predictive_checks
from footprint.impact.registry.run import Check, Score
from footprint.impact.rows import Rows

# in flight one order gives several rows, which replicates do not share
CHECKED = ((KNOWN, "peak"), (KNOWN, "shortfall"))


@dataclass(slots=True)
class _Watched:
    """A model, and what its one fit gave: the scored fit is the one that is checked, at no second fit's cost."""

    model: ImpactModel
    fitted: FittedImpact | None = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    def fit(self, rows: Rows, target: str) -> FittedImpact:
        """Fit the model and keep it."""
        self.fitted = self.model.fit(rows, target)
        return self.fitted


def scores_and_checks(fit: Fit, protocol: Protocol) -> tuple[tuple[Score, ...], tuple[Check, ...]]:
    """Scores and checks on the last part; none when the orders are too few to hold a part back.

    Peak and shortfall of new orders are checked.
    """
    watched = _Watched(fit.model)
    scores = held_out_scores(replace(fit, model=watched), protocol)
    if not scores or watched.fitted is None or (fit.kind, fit.target) not in CHECKED:
        return scores, ()
    test = fit.rows.take(fit.rows.part == last_part(fit.rows.known(fit.target)))
    rng = np.random.default_rng([protocol.seed, 3])
    try:
        found = predictive_checks(watched.fitted, test, fit.target, rng)
    except ModelError:  # fewer rows than a check needs, as with scores
        return scores, ()
    return scores, tuple(Check(fit.kind, fit.target, **asdict(check)) for check in found)
