"""The hand-written list of models: who is combined into the product's own forecast, who is scored beside it."""

from __future__ import annotations

from footprint.impact.almgren import Almgren2005
from footprint.impact.averaged import Averaged
from footprint.impact.bayesian_ridge import BayesianRidge
from footprint.impact.boosted_scale import BoostedScale
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import FoldBy
from footprint.impact.interface import ImpactModel
from footprint.impact.istar import IStar
from footprint.impact.linear import Linear
from footprint.impact.logarithmic import Logarithmic
from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.pooled_law import PooledLaw
from footprint.impact.power_law import PowerLaw
from footprint.impact.propagator import Propagator
from footprint.impact.random_forest import RandomForest
from footprint.impact.regimes.regime_model import RegimeAware
from footprint.impact.regimes.row_regimes import RowRegimes
from footprint.impact.square_root import SquareRoot
from footprint.impact.stacking import Stack

Models = tuple[ImpactModel, ...]

CONSTANT = SquareRoot(residual="constant")
DIFFUSIVE = SquareRoot()
SPREAD = SquareRoot(half_spread=True)
POOLED = PooledLaw(state_names=("signed_imbalance_touch",))
# settings of each model that were compared, per target, on the first two of the six parts, which no scored run tests;
# models that are not listed have no free choice beside their fit
TRIALS = {
    "pooled_law": 60,
    "boosted_quantiles": 50,
    "boosted_scale": 100,
    "random_forest": 100,
    "extra_trees": 100,
    "neural_quantile": 24,
    "neural_heteroscedastic": 24,
    "stack": 3,
}


def members(target: str, in_flight: bool = False) -> Models:
    """Models that are fitted on every fold and combined by the stack.

    Minutes after the end there is little to learn: hardly any trees there, and no column of the market's state. In
    flight what a desk would use is the square root of what is left, now.
    """
    if target.startswith("shift"):
        plain = PooledLaw()
        learnt: Models = (BoostedScale(start=Averaged((DIFFUSIVE, plain)), stages=(4, 8, 15)),)
        laws: Models = (DIFFUSIVE, SPREAD, IStar(), plain)
    else:
        scaled = BoostedScale(start=POOLED if in_flight else Averaged((POOLED, IStar())), stages=(30, 60))
        learnt = (BayesianRidge(), RandomForest("random"), scaled)
        laws = (SPREAD, POOLED) if in_flight else (SPREAD, IStar(), POOLED)
    return (*laws, *learnt)


def parametric(target: str, in_flight: bool = False) -> Models:
    """The published forms, with one noise scale for all symbols; the best of them is the hardest reference.

    Where the target is a cost, the forms with a half-spread term are the better ones and stand here.
    """
    if in_flight:
        return (DIFFUSIVE, SPREAD)
    cost = target in ("shortfall", "temporary")
    return (
        CONSTANT,
        DIFFUSIVE,
        SPREAD,
        Linear(),
        PowerLaw(half_spread=cost),
        Logarithmic(half_spread=cost),
        Almgren2005(),
        Almgren2005(refit=True),
        IStar(),
        Propagator(half_spread=cost),
        ObizhaevaWang(half_spread=cost),
    )


def baselines(target: str, in_flight: bool = False) -> Models:
    """Parametric models that are no members: fitted on every fold like them, and scored only."""
    own = {model.name for model in members(target, in_flight)}
    return tuple(model for model in parametric(target, in_flight) if model.name not in own)


PARAMETRIC = tuple(dict.fromkeys(m.name for target in ("peak", "shortfall") for m in parametric(target)))


def challengers(target: str, in_flight: bool = False) -> Models:
    """Learners that are fitted once, calibrated on the last part, and scored only."""
    if in_flight:
        return (RegimeAware(POOLED, RowRegimes()), BoostedQuantiles(start=POOLED))
    start = Averaged((DIFFUSIVE, PooledLaw())) if target.startswith("shift") else Averaged((POOLED, IStar()))
    stages = (2, 4, 8) if target.startswith("shift") else BoostedQuantiles(start=start).stages
    return (
        RegimeAware(SPREAD, RowRegimes()),
        RandomForest(column_share=0.2),
        BoostedQuantiles(),
        BoostedQuantiles(start=start, stages=stages),
    )


def stack_for(target: str, in_flight: bool = False, fold_by: FoldBy = "part") -> Stack:
    """The product's own forecast of a target."""
    return Stack(members(target, in_flight), fold_by)
