"""Prediction from LightGBM's trees in one compiled loop.

LightGBM's own predict costs about 0.1 ms a call whatever the number of rows; a forecast asks dozens of boosters for one
row. Here the trees of all of them are flat arrays walked together, with the same rules for missing values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit

_MISSING_IS_ZERO, MISSING_GOES_LEFT, MISSING_GOES_RIGHT = 0, 1, 2

# feature, threshold, missing, left, right, value, cover, gain
_Node = tuple[int, float, int, int, int, float, float, float]


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees of several boosters; node arrays of shape (nodes,), leaves are nodes with feature -1.

    Attributes:
        feature, threshold: go left when x[feature] <= threshold.
        missing: what nan does: counts as 0, goes left, goes right.
        left, right: child nodes.
        value: of leaves.
        cover: training rows (or their weight) that passed each node.
        gain: how much each split lessened the training loss; 0 at leaves.
        root: first node of each tree.
        booster, round: which booster each tree belongs to, and which of its trees it is, 0-based.
        boosters: number of boosters.
    """

    feature: np.ndarray
    threshold: np.ndarray
    missing: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    cover: np.ndarray
    gain: np.ndarray
    root: np.ndarray
    booster: np.ndarray
    round: np.ndarray
    boosters: int

    def first(self, rounds: int) -> Forest:
        """Only the first trees of every booster."""
        kept = self.round < rounds
        return replace(self, root=self.root[kept], booster=self.booster[kept], round=self.round[kept])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Sum of the trees of each booster, shape (n, boosters), for x of shape (n, p)."""
        out = np.zeros((len(x), self.boosters))
        _walk(
            np.ascontiguousarray(x, dtype=np.float64),
            self.feature,
            self.threshold,
            self.missing,
            self.left,
            self.right,
            self.value,
            self.root,
            self.booster,
            out,
        )
        return out

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """The node of each tree where a row ends, int32 of shape (n, trees), for x of shape (n, p)."""
        out = np.empty((len(x), len(self.root)), np.int32)
        _end(
            np.ascontiguousarray(x, dtype=np.float64),
            self.feature,
            self.threshold,
            self.missing,
            self.left,
            self.right,
            self.root,
            out,
        )
        return out


@njit(cache=True, nogil=True)
def goes_left(v, threshold, missing):  # type: ignore[no-untyped-def]
    """Whether the value v goes left at a split."""
    if np.isnan(v):
        if missing == _MISSING_IS_ZERO:
            return threshold >= 0.0
        return missing == MISSING_GOES_LEFT
    return v <= threshold


@njit(cache=True, nogil=True)
def _walk(x, feature, threshold, missing, left, right, value, root, booster, out):  # type: ignore[no-untyped-def]
    for i in range(x.shape[0]):
        for t in range(root.shape[0]):
            node = root[t]
            while feature[node] >= 0:
                go_left = goes_left(x[i, feature[node]], threshold[node], missing[node])
                node = left[node] if go_left else right[node]
            out[i, booster[t]] += value[node]


@njit(cache=True, nogil=True)
def _end(x, feature, threshold, missing, left, right, root, out):  # type: ignore[no-untyped-def]
    for i in range(x.shape[0]):
        for t in range(root.shape[0]):
            node = root[t]
            while feature[node] >= 0:
                go_left = goes_left(x[i, feature[node]], threshold[node], missing[node])
                node = left[node] if go_left else right[node]
            out[i, t] = node


def flatten(models: Sequence[dict[str, Any]]) -> Forest:
    """Flat arrays from `Booster.dump_model()` of each booster; numerical splits only.

    Raises:
        ValueError: a categorical split.
    """
    nodes: list[_Node] = []
    roots, owners, rounds = [], [], []
    for owner, model in enumerate(models):
        for number, tree in enumerate(model["tree_info"]):
            roots.append(len(nodes))
            owners.append(owner)
            rounds.append(number)
            nodes.extend(_tree_nodes(tree["tree_structure"], len(nodes)))
    feature, threshold, missing, left, right, value, cover, gain = zip(*nodes, strict=True)
    return Forest(
        np.array(feature, np.int32),
        np.array(threshold, np.float64),
        np.array(missing, np.int8),
        np.array(left, np.int32),
        np.array(right, np.int32),
        np.array(value, np.float64),
        np.array(cover, np.float64),
        np.array(gain, np.float64),
        np.array(roots, np.int32),
        np.array(owners, np.int32),
        np.array(rounds, np.int32),
        len(models),
    )


def _tree_nodes(structure: dict[str, Any], offset: int) -> Iterator[_Node]:
    """Nodes of one tree in depth-first order, the left child right behind its parent."""
    flat: list[dict[str, Any]] = []
    right_of: dict[int, int] = {}

    def visit(node: dict[str, Any]) -> int:
        index = len(flat)
        flat.append(node)
        if "left_child" in node:
            visit(node["left_child"])
            right_of[index] = visit(node["right_child"])
        return index

    visit(structure)
    for index, node in enumerate(flat):
        if "left_child" not in node:
            yield -1, 0.0, 0, -1, -1, float(node["leaf_value"]), float(node["leaf_count"]), 0.0
            continue
        if node["decision_type"] != "<=":
            raise ValueError(f"only numerical splits are supported, found {node['decision_type']!r}")
        if node["missing_type"] == "None":
            missing = _MISSING_IS_ZERO
        else:
            missing = MISSING_GOES_LEFT if node["default_left"] else MISSING_GOES_RIGHT
        yield (
            int(node["split_feature"]),
            float(node["threshold"]),
            missing,
            offset + index + 1,
            offset + right_of[index],
            0.0,
            float(node["internal_count"]),
            float(node["split_gain"]),
        )
