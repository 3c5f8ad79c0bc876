"""Which columns matter to a fitted model: by what trees gained from them, and by what is lost without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from footprint.impact.evaluation.scoring import crps_bps
from footprint.impact.interface import FittedImpact
from footprint.impact.rows import Rows
from footprint.impact.trees import Forest


def gain_importance(forest: Forest, columns: int) -> np.ndarray:
    """Share of each column in the training loss that the splits took away, shape (columns,), summing to 1.

    All 0 when no tree has split. A column with many values gets more than it deserves, because the gain is in-sample
    (Strobl et al. 2007); `permutation_importance` on rows that were not trained on is free of that.
    """
    gain = np.zeros(columns)
    node = _nodes(forest)
    split = node[forest.feature[node] >= 0]
    np.add.at(gain, forest.feature[split], forest.gain[split])
    return gain / gain.sum() if gain.any() else gain


def _nodes(forest: Forest) -> np.ndarray:
    """Nodes of the trees that are kept (`Forest.first` leaves the others' in the arrays)."""
    level, found = forest.root, []
    while len(level):
        found.append(level)
        inner = level[forest.feature[level] >= 0]
        level = np.concatenate([forest.left[inner], forest.right[inner]])
    return np.concatenate(found) if found else np.zeros(0, np.int32)


def permutation_importance(
    fitted: FittedImpact, rows: Rows, target: str, rng: np.random.Generator, repeats: int = 3
) -> np.ndarray:
    """Growth of the mean CRPS when a column is shuffled among the rows of its tape (Breiman 2001; Fisher et al. 2019).

    Works for any fitted model, on rows of any kind; rows that the model was not fitted on say what it is worth. Only
    `rows.x` is shuffled: what a model reads elsewhere (size, volatility, spread) keeps its value. Columns that tell the
    same share the credit, each may look idle alone.

    Args:
        rows: at least one with a known outcome.
        repeats: shuffles that are averaged.

    Returns:
        shape (p,), in the rows' noise scales, every tape with the same weight; about 0 or a little below for a column
        that the model does not need.
    """
    rows = rows.known(target)
    outcome, weights = rows.outcome(target), rows.tape_weights() / rows.scale_bps(target)

    def loss(x: np.ndarray) -> float:
        return float(np.mean(weights * crps_bps(fitted.quantiles(replace(rows, x=x)), outcome)))

    tapes = [np.flatnonzero(rows.tape == name) for name in np.unique(rows.tape)]
    growth = np.zeros(rows.x.shape[1])
    for _ in range(repeats):
        shuffled = np.arange(len(rows))
        for mine in tapes:
            shuffled[mine] = rng.permutation(mine)
        for column in range(rows.x.shape[1]):
            x = rows.x.copy()
            x[:, column] = x[shuffled, column]
            growth[column] += loss(x)
    return growth / repeats - loss(rows.x)
