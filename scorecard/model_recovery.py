"""Each model recovers data drawn from itself: 200 draws a model, generated orders, the shortfall as target.

A standard error is the deviation of a model's 200 estimates. 95.4 % of them lie within two of it of the truth if they
scatter like a normal law about it; three chance errors of that share are 4.4 points. Where a model fitted to the
generated orders ends at a bound of a parameter, about which no estimate can scatter, or where two parameters are too
weak there to be told apart, the truth is planted inside the bounds. The boosted models are taken with few trees, inside
the conformal wrapper that they are used in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from footprint.impact.almgren import Almgren2005
from footprint.impact.bayesian_ridge import BayesianRidge
from footprint.impact.boosted_scale import BoostedScale
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import SPREAD
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.istar import IStar
from footprint.impact.linear import Linear
from footprint.impact.logarithmic import Logarithmic
from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.pooled_law import PooledLaw
from footprint.impact.power_law import PowerLaw
from footprint.impact.propagator import Propagator
from footprint.impact.random_forest import RandomForest
from footprint.impact.square_root import SquareRoot
from footprint.impact.stacking import Stack
from footprint.testing.check_recovery import MOST_BIAS, NORMAL_SHARE, Parameters, centred, recover, share_margin
from footprint.testing.random_rows import random_rows
from scorecard.bar import Bar, Limit

DRAWS = 200
TARGET = "shortfall"
_TRUTH_ROWS = 8_000
_COMMAND = "python -m scorecard --only model_recovery"

_COVERAGE = "model recovery: coverage of the 90 % band,"
_LOWEST = Bar(4, f"{_COVERAGE} lowest model", "%", Limit(88, 92), Limit(89, 91), _COMMAND)
_HIGHEST = Bar(4, f"{_COVERAGE} highest model", "%", Limit(88, 92), Limit(89, 91), _COMMAND)
_WITHIN = Bar(
    4,
    "model recovery: estimates within 2 s.e. of the truth, lowest parameter",
    "%",
    Limit(at_least=round(100.0 * (NORMAL_SHARE - share_margin(DRAWS)), 1)),
    None,
    _COMMAND,
)
_BIAS = Bar(4, "model recovery: mean error, largest parameter", "s.e.", Limit(at_most=MOST_BIAS), None, _COMMAND)
BARS = (_LOWEST, _HIGHEST, _WITHIN, _BIAS)


@dataclass(frozen=True, slots=True)
class Case:
    """A model to be recovered.

    Attributes:
        parameters: gives a fitted model's parameters as one vector; None for a model without.
        planted: parts of the fitted truth that are set, not fitted.
        rows: orders a refit sees.
    """

    model: ImpactModel
    parameters: Parameters | None = None
    planted: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 1_000

    def truth(self) -> FittedImpact | None:
        """The law that outcomes are drawn from; None leaves it to `recover`."""
        if not self.planted:
            return None
        fitted = self.model.fit(random_rows(np.random.default_rng(DRAWS), _TRUTH_ROWS), TARGET)
        return replace(centred(fitted), **self.planted)


def _coefficients(fitted: Any) -> np.ndarray:
    return fitted.coefficients


def _shape_and_coefficients(fitted: Any) -> np.ndarray:
    return np.concatenate([fitted.shape, fitted.coefficients])


def _coefficients_and_variances(fitted: Any) -> np.ndarray:
    """Weights of the variance's parts for residuals of mean size 1: only together with those do they mean something."""
    mean_size = np.abs(fitted.residual_quantiles).mean()
    return np.concatenate([fitted.coefficients, np.array(fitted.variance_weights) * mean_size**2])


def _parameters(fitted: Any) -> np.ndarray:
    return fitted.parameters


def _pooled(fitted: Any) -> np.ndarray:
    """What all symbols share; their own departures are shrunk on purpose and no estimates without bias."""
    effects = fitted.effects
    return np.array([effects.law, effects.spread, effects.log_scale, effects.time_slope])


def _planted(shape: list[float], coefficients: list[float]) -> dict[str, np.ndarray]:
    return {"shape": np.array(shape), "coefficients": np.array(coefficients)}


_FEW_TREES = BoostedQuantiles(start=SPREAD, stages=(4, 8, 16), min_rows_per_leaf=40)
CASES: tuple[Case, ...] = (
    Case(SquareRoot("constant"), _coefficients),
    Case(SquareRoot(), _coefficients),
    Case(SquareRoot("fitted"), _coefficients_and_variances, {"variance_weights": (0.3, 0.2, 0.8)}),
    Case(SPREAD, _coefficients),
    Case(SquareRoot("fitted", True), _coefficients_and_variances, {"variance_weights": (0.3, 1.0, 0.2)}),
    Case(Linear(), _coefficients),
    Case(Almgren2005()),
    Case(Almgren2005(refit=True), _coefficients),
    Case(IStar(), _parameters, {"parameters": np.array([1.5, 0.5, 1.0, 0.5, 0.9])}, rows=2_000),
    Case(PowerLaw(half_spread=True), _shape_and_coefficients),
    Case(Logarithmic(half_spread=True), _shape_and_coefficients),
    Case(Propagator(half_spread=True), _shape_and_coefficients, _planted([0.6, 0.3], [0.3, 1.0])),
    Case(Propagator(True, 1.0, half_spread=True), _shape_and_coefficients, _planted([0.5], [1.0, 1.0])),
    Case(ObizhaevaWang(half_spread=True), _shape_and_coefficients, _planted([np.log(120.0)], [50.0, 5.0, 1.0])),
    Case(CrossConformal(_FEW_TREES)),
    Case(PooledLaw(), _pooled, rows=2_000),
    Case(BayesianRidge()),
    Case(CrossConformal(RandomForest("random", trees=30))),
    Case(CrossConformal(BoostedScale(start=SPREAD, stages=(8, 16), min_rows_per_leaf=40))),
    Case(Stack((SPREAD, IStar(), PooledLaw(), _FEW_TREES))),
)


def measure() -> list[Bar]:
    found = {
        case.model.name: recover(case.model, case.parameters, case.truth(), TARGET, DRAWS, case.rows) for case in CASES
    }
    coverage = {name: 100.0 * r.mean_coverage for name, r in found.items()}
    within = {f"{name} [{i}]": 100.0 * share for name, r in found.items() for i, share in enumerate(r.within)}
    bias = {f"{name} [{i}]": abs(error) for name, r in found.items() for i, error in enumerate(r.bias)}
    low, high = min(coverage, key=coverage.__getitem__), max(coverage, key=coverage.__getitem__)
    few, off = min(within, key=within.__getitem__), max(bias, key=bias.__getitem__)
    figures = ", ".join(f"{name} {share:.1f}" for name, share in coverage.items())
    mean_share = float(np.mean(list(within.values())))
    return [
        _LOWEST.measured(coverage[low], n=len(found), note=f"{low}; {DRAWS} draws each: {figures}"),
        _HIGHEST.measured(coverage[high], n=len(found), note=high),
        _WITHIN.measured(within[few], n=len(within), note=f"{few}; mean {mean_share:.1f}, a normal law has 95.4"),
        _BIAS.measured(bias[off], n=len(bias), note=off),
    ]
