"""What each column adds to the answer of a forest: exact path-dependent TreeSHAP (Lundberg et al. 2018, algorithm 2).

A column that is left out is averaged over by the training rows' own shares at each split. With z the product of those
shares over a column's splits on the way to a leaf, and o = 1 where the row agrees with all of them, else 0, the Shapley
value of column i sums over leaves

    value (o_i - z_i) integral over t in (0, 1) of the product over the path's other columns j of (1 - t) z_j + t o_j

(Owen's multilinear extension, 1972). The integrand is a polynomial in t, so Gauss-Legendre nodes integrate it without
error, and the sums over leaves are shared between the splits above them as in Linear TreeSHAP (Yu et al. 2022): the
cost of a row is one pass down and one up each tree.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.impact.trees import Forest, goes_left


def forest_contributions(forest: Forest, x: np.ndarray, booster_weights: np.ndarray) -> np.ndarray:
    """Shapley values of the columns in `forest.predict(x) @ booster_weights`.

    Args:
        x: shape (n, p).
        booster_weights: shape (boosters,).

    Returns:
        shape (n, p); a row's values add up to its answer less `forest_average`.
    """
    order, above, same_above, share, column_count = _paths(
        forest.feature, forest.left, forest.right, forest.cover, forest.root
    )
    weighted = np.zeros(len(forest.value))
    weighted[order] = forest.value[order] * booster_weights[forest.booster[_tree_of(order, above)]]
    nodes, weights = np.polynomial.legendre.leggauss(max(1, (column_count + 1) // 2))
    out = np.zeros((len(x), x.shape[1]))
    _shapley(
        np.ascontiguousarray(x, dtype=np.float64),
        forest.feature,
        forest.threshold,
        forest.missing,
        forest.left,
        forest.right,
        weighted,
        order,
        above,
        same_above,
        share,
        0.5 * (1.0 + nodes),
        0.5 * weights,
        out,
    )
    return out


def forest_average(forest: Forest, booster_weights: np.ndarray) -> float:
    """Answer of the forest with every column left out: leaves weighted by the training rows in them."""
    order, above, *_ = _paths(forest.feature, forest.left, forest.right, forest.cover, forest.root)
    tree = _tree_of(order, above)
    share = forest.cover[order] / forest.cover[forest.root][tree]
    return float(np.sum(forest.value[order] * share * booster_weights[forest.booster[tree]]))


def _tree_of(order: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Which tree each node of `order` belongs to."""
    return np.cumsum(above[order] < 0) - 1


@njit(cache=True, nogil=True)
def _paths(feature, left, right, cover, root):  # type: ignore[no-untyped-def]
    """What does not depend on the row.

    Returns:
        Nodes with parents before children, tree by tree; the parent of each node; the nearest node at or above the
        parent whose own parent splits on the same column as this one's (-1: none); the product of shares over that
        column's splits down to here; the largest number of columns on any way down.
    """
    count = feature.shape[0]
    order, filled = np.empty(count, np.int32), 0
    above, same_above = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    share, columns = np.ones(count), np.zeros(count, np.int32)
    stack = np.empty(count, np.int32)
    for t in range(root.shape[0]):
        stack[0], height = root[t], 1
        while height > 0:
            height -= 1
            node = stack[height]
            order[filled] = node
            filled += 1
            if feature[node] < 0:
                continue
            earlier = node
            while above[earlier] >= 0 and feature[above[earlier]] != feature[node]:
                earlier = above[earlier]
            known = above[earlier] >= 0
            for child in (right[node], left[node]):
                above[child] = node
                share[child] = cover[child] / cover[node]
                columns[child] = columns[node]
                if known:
                    same_above[child] = earlier
                    share[child] *= share[earlier]
                else:
                    columns[child] += 1
                stack[height] = child
                height += 1
    return order[:filled], above, same_above, share, columns.max()


@njit(cache=True, nogil=True)
def _shapley(x, feature, threshold, missing, left, right, value, order, above, same_above, share, t, weight, out):  # type: ignore[no-untyped-def]
    points = t.shape[0]
    agrees = np.empty(feature.shape[0])
    product = np.empty((feature.shape[0], points))  # over the columns of the way down, then summed over leaves below
    for i in range(x.shape[0]):
        for node in order:
            parent, earlier = above[node], same_above[node]
            if parent < 0:
                agrees[node] = 1.0
                product[node] = 1.0
                continue
            column = feature[parent]
            taken = left[parent] if goes_left(x[i, column], threshold[parent], missing[parent]) else right[parent]
            agrees[node] = (1.0 if earlier < 0 else agrees[earlier]) if taken == node else 0.0
            for q in range(points):
                factor = (1.0 - t[q]) * share[node] + t[q] * agrees[node]
                if earlier >= 0:
                    factor /= (1.0 - t[q]) * share[earlier] + t[q] * agrees[earlier]
                product[node, q] = product[parent, q] * factor
        for node in order:
            for q in range(points):
                product[node, q] = product[node, q] * value[node] if feature[node] < 0 else 0.0
        for k in range(order.shape[0] - 1, -1, -1):
            node = order[k]
            parent, earlier = above[node], same_above[node]
            if parent < 0:
                continue
            total = 0.0
            for q in range(points):
                without = product[node, q] / ((1.0 - t[q]) * share[node] + t[q] * agrees[node])
                total += weight[q] * without * (agrees[node] - share[node])
                if earlier >= 0:
                    without = product[node, q] / ((1.0 - t[q]) * share[earlier] + t[q] * agrees[earlier])
                    total -= weight[q] * without * (agrees[earlier] - share[earlier])
                product[parent, q] += product[node, q]
            out[i, feature[parent]] += total
