"""Quantile regression forest: a forest of regression trees whose leaves keep their outcomes (Meinshausen 2006).

The trees are scikit-learn's, grown on outcome / noise scale by squared error. A row's forecast is the distribution of
the training outcomes that share a leaf with it, each weighted by its share of that leaf, averaged over the trees.

A leaf keeps the number of the bin that each of its training rows falls into, out of at most 1,000 bins with the same
weight of outcomes, so that a forecast is one addition for each row in its leaves and one pass over the bins: about 0.03
ms, whatever the number of training rows. With as many bins as rows this is Meinshausen's distribution itself; a summary
of each leaf by a few quantiles would be smaller, but leaves hold too few rows to have quantiles worth averaging.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit

from footprint.errors import ModelError
from footprint.impact.contributions import forest_contributions
from footprint.impact.distribution import LEVELS
from footprint.impact.importance import gain_importance
from footprint.impact.linear_mean import known_rows
from footprint.impact.rows import Rows
from footprint.impact.trees import MISSING_GOES_LEFT, MISSING_GOES_RIGHT, Forest

_BINS = 1_000


@dataclass(frozen=True, slots=True)
class FittedRandomForest:
    """Flattened trees and the training outcomes of every leaf.

    Attributes:
        forest: one booster; values are the leaves' mean outcomes over the number of trees: it predicts the mean.
        outcomes: mean outcome of each bin in noise scales, increasing, shape (bins,).
        members: bins of the training rows in each node, node after node; inner nodes hold none.
        shares: of each member in its leaf over the number of trees.
        first_member: where each node's members begin, shape (nodes + 1,).
    """

    target: str
    x_names: tuple[str, ...]
    forest: Forest
    outcomes: np.ndarray
    members: np.ndarray
    shares: np.ndarray
    first_member: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps.

        Raises:
            ModelError: the rows have other columns than the model was fitted on.
        """
        out = np.empty((len(rows), len(LEVELS)))
        leaves = self.forest.leaves(self._columns(rows))
        _pool(leaves, self.first_member, self.members, self.shares, self.outcomes, LEVELS, out)
        return rows.scale_bps(self.target)[:, None] * out

    def contributions(self, rows: Rows) -> np.ndarray:
        """Shapley values of the columns in the mean forecast, bps, shape (n, p); they add up to it less a constant.

        The constant, in noise scales, is the mean outcome of the training rows.
        """
        values = forest_contributions(self.forest, self._columns(rows), np.ones(1))
        return rows.scale_bps(self.target)[:, None] * values

    def importance(self) -> np.ndarray:
        """Share of each column in the squared error that the splits took away, shape (p,)."""
        return gain_importance(self.forest, len(self.x_names))

    def _columns(self, rows: Rows) -> np.ndarray:
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the forest was fitted on; fit it again")
        return _as_trained(rows.x)


@dataclass(frozen=True, slots=True)
class RandomForest:
    """Trees on random shares of rows and columns.

    Args:
        thresholds: "best" is Breiman's random forest (2001); "random" draws one threshold a column and keeps the best
            column (extremely randomised trees, Geurts, Ernst, Wehenkel 2006): smoother, faster and here better.
        trees: number of trees.
        min_rows_per_leaf: fewest rows of a tree's own sample in a leaf.
        column_share: share of the columns tried at each split.
        rows_per_tree: size of each tree's bootstrap sample, however many rows there are, so that more rows of one tape
            give it no finer leaves. Orders that overlap in time tell nearly the same, and trees of small samples are
            less alike; all training rows, drawn or not, are kept in the leaves of every tree.
    """

    thresholds: Literal["best", "random"] = "best"
    trees: int = 100
    min_rows_per_leaf: int = 5
    column_share: float = 0.35
    rows_per_tree: int = 2_500
    seed: int = 7

    @property
    def name(self) -> str:
        """random_forest or extra_trees."""
        return "random_forest" if self.thresholds == "best" else "extra_trees"

    @property
    def is_local(self) -> bool:
        """What it learns holds near its rows."""
        return True

    def fit(self, rows: Rows, target: str) -> FittedRandomForest:
        """Grow the trees, then drop every training row through them; single-threaded and deterministic.

        Raises:
            ModelError: fewer than 50 rows with a known outcome.
        """
        rows = known_rows(rows, target, self.name)
        standardised = rows.outcome(target) / rows.scale_bps(target)
        x, weights = _as_trained(rows.x), rows.tape_weights()
        forest = _flatten(self._grow(x, standardised, weights))
        leaves = forest.leaves(x)
        bins, binned = _binned(standardised, weights)
        first_member = np.concatenate(([0], np.cumsum(np.bincount(leaves.ravel(), minlength=len(forest.feature)))))
        members, shares = np.empty(leaves.size, np.uint16), np.empty(leaves.size, np.float32)
        nodes = (forest.feature, forest.left, forest.right)
        _fill(leaves, standardised, weights, bins, first_member, *nodes, forest.cover, forest.value, members, shares)
        return FittedRandomForest(target, rows.x_names, forest, binned, members, shares, first_member)

    def _grow(self, x: np.ndarray, outcomes: np.ndarray, weights: np.ndarray) -> list[Any]:
        """scikit-learn's trees. Rows are drawn in proportion to their weights, so that the trees need none."""
        from sklearn.tree import DecisionTreeRegressor

        rng = np.random.default_rng(self.seed)
        share = weights / weights.sum()
        grown = []
        for _ in range(self.trees):
            drawn = rng.choice(len(x), self.rows_per_tree, p=share)
            tree = DecisionTreeRegressor(
                splitter=self.thresholds,
                min_samples_leaf=self.min_rows_per_leaf,
                max_features=self.column_share,
                random_state=int(rng.integers(2**31)),
            )
            grown.append(tree.fit(x[drawn], outcomes[drawn]).tree_)
        return grown


def _as_trained(x: np.ndarray) -> np.ndarray:
    """Columns in the precision in which scikit-learn grows and walks its trees."""
    return x.astype(np.float32).astype(np.float64)


def _flatten(trees: list[Any]) -> Forest:
    """scikit-learn's trees as flat arrays; leaves are still without value and cover."""
    count = np.array([t.node_count for t in trees])
    root = np.concatenate(([0], np.cumsum(count)[:-1]))
    offset = np.repeat(root, count)
    left, right = (np.concatenate([getattr(t, f"children_{side}") for t in trees]) for side in ("left", "right"))
    inner = left >= 0
    left, right = (np.where(inner, child + offset, -1).astype(np.int32) for child in (left, right))
    loss = np.concatenate([t.impurity * t.weighted_n_node_samples for t in trees])
    goes_left = np.concatenate([t.missing_go_to_left for t in trees]).astype(bool)
    return Forest(
        feature=np.where(inner, np.concatenate([t.feature for t in trees]), -1).astype(np.int32),
        threshold=np.where(inner, np.concatenate([t.threshold for t in trees]), 0.0),
        missing=np.where(goes_left, MISSING_GOES_LEFT, MISSING_GOES_RIGHT).astype(np.int8),
        left=left,
        right=right,
        value=np.zeros(len(left)),
        cover=np.zeros(len(left)),
        gain=np.where(inner, loss - loss[left] - loss[right], 0.0),
        root=root.astype(np.int32),
        booster=np.zeros(len(trees), np.int32),
        round=np.arange(len(trees), dtype=np.int32),
        boosters=1,
    )


def _binned(outcomes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's bin, and the mean outcome of each bin, increasing."""
    order = np.argsort(outcomes, kind="stable")
    number = np.arange(len(order))
    if len(order) > _BINS:
        cumulated = np.cumsum(weights[order])
        number = np.unique((cumulated - 0.5 * weights[order]) * _BINS // cumulated[-1], return_inverse=True)[1]
    bins = np.empty(len(order), np.uint16)
    bins[order] = number
    return bins, np.bincount(bins, weights * outcomes) / np.bincount(bins, weights)


@njit(cache=True, nogil=True)
def _fill(leaves, outcomes, weights, bins, first_member, feature, left, right, cover, value, members, shares):  # type: ignore[no-untyped-def]
    """Cover of every node, mean outcome of every leaf over the number of trees, and who is in which leaf."""
    rows, trees = leaves.shape
    for i in range(rows):
        for leaf in leaves[i]:
            cover[leaf] += weights[i]
            value[leaf] += weights[i] * outcomes[i]
    free = first_member.copy()
    for i in range(rows):
        for leaf in leaves[i]:
            members[free[leaf]] = bins[i]
            shares[free[leaf]] = weights[i] / (cover[leaf] * trees)
            free[leaf] += 1
    for node in range(feature.shape[0] - 1, -1, -1):  # children stand behind their parents
        if feature[node] >= 0:
            cover[node] = cover[left[node]] + cover[right[node]]
        else:
            value[node] /= cover[node] * trees


@njit(cache=True, nogil=True)
def _pool(leaves, first_member, members, shares, outcomes, levels, out):  # type: ignore[no-untyped-def]
    """Weighted quantiles of the outcomes in each row's leaves, as `residuals.weighted_quantiles` reads them."""
    pooled = np.empty(outcomes.shape[0])
    for i in range(leaves.shape[0]):
        pooled[:] = 0.0
        for leaf in leaves[i]:
            for k in range(first_member[leaf], first_member[leaf + 1]):
                pooled[members[k]] += shares[k]
        total = pooled.sum()
        level, cumulated, before, value_before = 0, 0.0, -1.0, 0.0
        for k in range(outcomes.shape[0]):
            if pooled[k] == 0.0:
                continue
            middle = (cumulated + 0.5 * pooled[k]) / total
            while level < levels.shape[0] and levels[level] <= middle:
                if before < 0.0:
                    out[i, level] = outcomes[k]
                else:
                    slope = (outcomes[k] - value_before) / (middle - before)
                    out[i, level] = min(value_before + slope * (levels[level] - before), outcomes[k])
                level += 1
            cumulated, before, value_before = cumulated + pooled[k], middle, outcomes[k]
        out[i, level:] = value_before
