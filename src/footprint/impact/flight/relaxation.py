"""How the impact of an order goes back after its last child: one exponent, fitted on the training rows.

With T the order's own duration, the share of its impact that is left t seconds after the end is (1 + t/T)^-beta, the
power-law relaxation of Bucci et al. 2018 (arXiv 1901.05332) in the order's own time. The ratio of single impacts
explodes where a peak is near zero, so an expected path is fitted to peaks and shifts after five and ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from footprint.errors import ModelError
from footprint.impact.evaluation.scoring import clusters
from footprint.impact.laws.law import sandwich
from footprint.impact.rows import RELAXATION_S, Rows
from footprint.impact.square_root import SquareRoot

MIN_ROWS = 50
_TARGETS = ("peak", "shift_300", "shift_600")
_LASTING_S = RELAXATION_S["shift_600"]
_EXPONENTS = (-0.5, 3.0)  # below 0 the price goes on after the end
_FREE = (-np.inf, np.inf)
_CLUSTER_S = 1_800.0


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A fitted relaxation.

    Attributes:
        exponent: beta; 0 keeps the whole impact, negative lets it grow on. `exponent_se` is one standard error,
            clustered by half hours.
    """

    exponent: float
    exponent_se: float

    def retained(self, after_s: float, duration_s: float) -> float:
        """Share of the impact left that long after the end of an order of that duration."""
        return float((1.0 + after_s / duration_s) ** -self.exponent)

    def lasting(self, duration_s: float) -> float:
        """Share left ten minutes after the end, which counts as permanent."""
        return self.retained(_LASTING_S, duration_s)

    def half_life_s(self, duration_s: float, idle_s: float = 0.0) -> float | None:
        """Seconds from now until half of what is still to decay is gone.

        Args:
            duration_s: of the order or of the part done.
            idle_s: seconds since its last child, during which some has decayed already.

        Returns:
            None where nothing is left to decay.
        """
        left = self.retained(idle_s, duration_s)
        if self.exponent <= 0.0 or idle_s >= _LASTING_S:
            return None
        middle = 0.5 * (left + self.lasting(duration_s))
        return float(duration_s * (middle ** (-1.0 / self.exponent) - 1.0)) - idle_s


def fit_relaxation(rows: Rows) -> Relaxation:
    """Fit the exponent on orders at arrival, every tape with the same weight.

    The expected peak is a square root with half-spread; its coefficients and the exponent are fitted together to the
    peak and the two shifts, by least squares weighted with the inverse of each outcome's noise variance.

    Args:
        rows: orders with outcomes.

    Raises:
        ModelError: fewer than 50 rows whose shifts are known.
    """
    for target in _TARGETS:
        rows = rows.known(target)
    if len(rows) < MIN_ROWS:
        raise ModelError(f"a relaxation needs at least {MIN_ROWS} rows with known shifts, found {len(rows)}")
    law = SquareRoot(half_spread=True)
    basis = law.basis(rows)
    after_s = np.array([RELAXATION_S[target] for target in _TARGETS])
    log_time = np.log1p(after_s / np.maximum(rows.horizon_s, 1.0)[:, None])
    outcome = np.column_stack([rows.outcome(target) for target in _TARGETS])
    weight = rows.tape_weights()[:, None] / np.column_stack([rows.scale_bps(target) for target in _TARGETS]) ** 2

    def error(parameters: np.ndarray) -> np.ndarray:
        mean = (basis @ parameters[1:])[:, None] * np.exp(-parameters[0] * log_time)
        return (outcome - mean).ravel()

    root = np.sqrt(weight.ravel())
    start = np.concatenate(([0.3], law.fit(rows, "peak").coefficients))
    low, high = (
        np.concatenate(([end], np.full(len(start) - 1, sign))) for end, sign in zip(_EXPONENTS, _FREE, strict=True)
    )
    fit = least_squares(lambda parameters: root * error(parameters), start, bounds=(low, high))
    block = np.repeat(clusters(rows.market, rows.start_ns, _CLUSTER_S), len(_TARGETS))
    covariance = sandwich(-fit.jac / root[:, None], error(fit.x), weight.ravel(), block)
    return Relaxation(float(fit.x[0]), float(np.sqrt(covariance[0, 0])))
