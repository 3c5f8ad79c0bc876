"""How far an order lies from those a model was fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.rows import Rows

_EDGE = 0.99  # share of the training rows that lie inside
_LIMIT = 1e9


@dataclass(frozen=True, slots=True)
class TrainingRange:
    """Centre and spread of the training orders in size, duration, number of children, volatility and spread.

    Attributes:
        centre: medians of the logs, shape (5,).
        whiten: the inverse square root of their covariance, shape (5, 5).
        edge: distance within which 99 % of the training rows lie.
    """

    centre: np.ndarray
    whiten: np.ndarray
    edge: float

    @classmethod
    def of(cls, rows: Rows) -> TrainingRange:
        """The range of these rows, every tape with the same weight."""
        point, weights = _points(rows), rows.tape_weights()
        centre = np.median(point, axis=0)
        away = point - centre
        covariance = (away * weights[:, None]).T @ away / weights.sum()
        ridge = 1e-3 * max(float(np.trace(covariance)) / len(covariance), 1e-6)
        values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
        whiten = vectors / np.sqrt(values) @ vectors.T
        found = cls(centre, whiten, 1.0)
        edge = float(np.quantile(found.distance(rows), _EDGE))
        return cls(centre, whiten, max(edge, 1e-9))

    def distance(self, rows: Rows) -> np.ndarray:
        """Mahalanobis distance from the centre, shape (n,)."""
        return np.sqrt((((_points(rows) - self.centre) @ self.whiten) ** 2).sum(axis=1))

    def trust(self, rows: Rows) -> np.ndarray:
        """1 within the edge, falling as exp(1 - (distance / edge)^2) beyond it, shape (n,)."""
        return np.exp(np.minimum(1.0 - (self.distance(rows) / self.edge) ** 2, 0.0))


def _points(rows: Rows) -> np.ndarray:
    values = (rows.participation, rows.horizon_s, rows.children, rows.volatility, rows.spread_bps / rows.volatility)
    logs = np.log(np.clip(np.column_stack(values).astype(np.float64), 1.0 / _LIMIT, _LIMIT))
    return np.asarray(logs)
