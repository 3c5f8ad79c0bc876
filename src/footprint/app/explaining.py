"""Why a forecast says what it says: what the model's columns add to the mean cost of each style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.app.column_words import in_words
from footprint.impact.confidence import assess
from footprint.impact.explanation import explain
from footprint.impact.forecast import request_rows
from footprint.impact.forecaster import BASELINE_ID, Forecaster
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest

LAW = "a law answers, and a law has no columns to explain"
NOTHING = "no part of the answer has columns to explain: a law has none, and networks are not explained"


@dataclass(frozen=True, slots=True)
class ColumnPart:
    """One column's part of a mean.

    Attributes:
        value: that the model saw; None where the data could not say.
        contribution_bps: positive when it makes the order dearer.
    """

    column: str
    value: float | None
    contribution_bps: float


@dataclass(frozen=True, slots=True)
class StyleExplanation:
    """The columns' part of one style's mean cost.

    Attributes:
        style: as in the record.
        mean_bps: mean cost of an order, in flight of its rest, that crosses with every child: what the models answer
            before a share of it rests; None without a forecast.
        explained_weight: share of the answer's weight on members whose columns are explained, 0 to 1; None without a
            forecast.
        parts: columns that add something, the largest first.
        reason: why there are no parts.
    """

    style: str
    mean_bps: float | None
    explained_weight: float | None
    parts: tuple[ColumnPart, ...]
    reason: str | None

    @property
    def columns_bps(self) -> float:
        """What all columns add together."""
        return sum(part.contribution_bps for part in self.parts)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        columns = [
            {"name": p.column, "words": in_words(p.column), "value": p.value, "contribution_bps": p.contribution_bps}
            for p in self.parts
        ]
        return {
            "style": self.style,
            "mean_bps": self.mean_bps,
            "explained_weight": self.explained_weight,
            "columns": columns,
            "reason": self.reason,
        }


def explain_styles(
    forecaster: Forecaster, requests: Sequence[ImpactRequest], records: Sequence[ForecastRecord]
) -> list[StyleExplanation]:
    """One explanation for each request and the record that was made of it, in their order."""
    return [_explain(forecaster, request, record) for request, record in zip(requests, records, strict=True)]


def _explain(forecaster: Forecaster, request: ImpactRequest, record: ForecastRecord) -> StyleExplanation:
    if record.slippage_bps is None:
        return StyleExplanation(record.style, None, None, (), "N/A, " + "; ".join(record.reasons))
    rows = request_rows(request)
    outside = assess(forecaster, request, rows).outside
    models = forecaster.models(request.order.symbol, request.progress is not None and not outside, outside)
    found = explain(models["shortfall"], rows)
    weight, mean_bps = float(found.explained_weight[0]), float(found.mean_bps[0])
    if weight == 0.0:
        law = outside or forecaster.card.model_id == BASELINE_ID
        return StyleExplanation(record.style, mean_bps, weight, (), LAW if law else NOTHING)
    contributions = found.contributions_bps[0]
    order = [int(i) for i in np.argsort(-np.abs(contributions), kind="stable") if contributions[i] != 0.0]
    parts = tuple(ColumnPart(found.names[i], _known(rows.x[0, i]), float(contributions[i])) for i in order)
    return StyleExplanation(record.style, mean_bps, weight, parts, None)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
