"""What each column of the rows adds to a mean forecast, through calibration and through the stack.

Shapley values are linear in the model (Shapley 1953), so those of a weighted average are the weighted sum of those of
its parts. The mean of averaged quantile functions is the average of the means, and conformal shifts are constant in
noise scales, so both steps keep what the columns add. Laws have no columns and networks are not explained: the share of
the weight that is explained says how much of the answer the sum speaks for. Of an explained model the columns add to a
start (a law, or the mean of the training rows), which is no part of the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from footprint.impact.averaged import FittedAverage
from footprint.impact.calibration.conformal import FittedConformal
from footprint.impact.distribution import mean
from footprint.impact.interface import Explained, FittedImpact
from footprint.impact.rows import Rows
from footprint.impact.stacking import FittedStack


@dataclass(frozen=True, slots=True)
class Explanation:
    """The columns' part in the mean forecasts of n rows.

    Attributes:
        names: of the p columns.
        contributions_bps: what each column adds to the mean, shape (n, p); all 0 where nothing is explained.
        explained_weight: share of each row's weight that lies on explained members, shape (n,), 0 to 1.
        mean_bps: the mean forecast that they are a part of, shape (n,).
    """

    names: tuple[str, ...]
    contributions_bps: np.ndarray
    explained_weight: np.ndarray
    mean_bps: np.ndarray


def explain(fitted: FittedImpact, rows: Rows) -> Explanation:
    """Explain the mean forecast of every row.

    Raises:
        ModelError: the rows have other columns than an explained member was fitted on.
    """
    names, contributions = contributions_bps(fitted, rows)
    explained = np.zeros(len(rows))
    for member, weight in _members(fitted, rows):
        if isinstance(member, Explained):
            explained += weight
    return Explanation(names, contributions, explained, mean(fitted.quantiles(rows)))


def contributions_bps(fitted: FittedImpact, rows: Rows) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the columns, and what each adds to the mean forecast, bps, shape (n, p).

    Of a stack or an average it is the weighted sum over its explained members, each row with its own weights.

    Raises:
        ModelError: the rows have other columns than an explained member was fitted on.
    """
    total = np.zeros((len(rows), len(rows.x_names)))
    for member, weight in _members(fitted, rows):
        if isinstance(member, Explained) and weight.any():
            total += weight[:, None] * member.contributions(rows)
    return rows.x_names, total


def importance(fitted: FittedImpact) -> tuple[np.ndarray, float]:
    """Share of each column in what the explained members' fits explain, weighted as near the training data.

    Returns:
        shape (p,) in the order of the columns of the fit, summing to 1 (all 0 when no column is used, of shape (0,)
        when no member is explained); the share of the weight that is explained, 0 to 1.
    """
    parts = [(float(w[0]), m.importance()) for m, w in _members(fitted) if w[0] > 0.0 and isinstance(m, Explained)]
    if not parts:
        return np.zeros(0), 0.0
    total = np.sum([weight * shares for weight, shares in parts], axis=0)
    return (total / total.sum() if total.any() else total), sum(weight for weight, _ in parts)


def _members(fitted: FittedImpact, rows: Rows | None = None) -> Iterator[tuple[FittedImpact, np.ndarray]]:
    """The models that are no wrappers, with each row's weight, shape (n,); the weights of a row sum to 1.

    Without rows the weights near the training data, where every member is trusted, shape (1,).
    """
    if isinstance(fitted, FittedConformal):
        yield from _members(fitted.base, rows)
        return
    if isinstance(fitted, FittedStack):
        weights = fitted.weights[None] if rows is None else fitted.row_weights(rows)
    elif isinstance(fitted, FittedAverage):
        weights = np.full((1, len(fitted.members)), 1.0 / len(fitted.members))
    else:
        yield fitted, np.ones(1 if rows is None else len(rows))
        return
    for position, member in enumerate(fitted.members):
        for part, weight in _members(member, rows):
            yield part, weights[:, position] * weight
