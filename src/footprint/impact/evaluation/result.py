"""One figure of the scoreboard."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from footprint.impact.evaluation.benchmark import Scored
from footprint.impact.evaluation.information import ARRIVAL
from footprint.impact.evaluation.scoring import Estimate


@dataclass(frozen=True, slots=True)
class Result:
    """One figure of the scoreboard.

    Attributes:
        data: "pool", a market, or a tape.
        split, information: what trained and was tested, and what was known.
        target, model, metric: what is measured of which model.
        reference: the model it is compared with, "" for none.
        slice: part of the rows, "" for all.
        low, high: two-sided 95 % interval; nan where there is none.
        n, blocks: rows and independent blocks behind it.
        seed: number of the assignment of children to traders; None for a figure over several.
    """

    data: str
    split: str
    target: str
    model: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    blocks: int
    slice: str = ""
    information: str = ARRIVAL
    reference: str = ""
    seed: int | None = 0

    @classmethod
    def of(
        cls,
        data: str,
        scored: Scored,
        model: str,
        metric: str,
        estimate: Estimate,
        slice: str = "",
        reference: str = "",
    ) -> Result:
        """A figure of one model's scores."""
        return cls(
            data, scored.split, scored.target, model, metric, **asdict(estimate), slice=slice,
            information=scored.information, reference=reference, seed=scored.seed,
        )  # fmt: skip

    def as_dict(self) -> dict[str, object]:
        """For results.json; nan becomes None."""
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in asdict(self).items()}
