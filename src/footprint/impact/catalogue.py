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
from footprint.impact.square_root import SquareRoot
from footprint.impact.stacking import Stack

Models = tuple[ImpactModel, ...]

CONSTANT = SquareRoot(residual="constant")
DIFFUSIVE = SquareRoot()
SPREAD = SquareRoot(half_spread=True)
POOLED = PooledLaw(state_names=("signed_imbalance_touch",))


def members(target: str, in_flight: bool = False) -> Models:
    """Models that are fitted on every fold and combined by the stack.

    Minutes after the end there is little to learn: hardly any trees there, and no column of the market's state. In
    flight what a desk would use is the square root of what is left, now.
    """
    if in_flight:
        return (SPREAD, POOLED, BoostedQuantiles(start=POOLED))
    if target.startswith("shift"):
        law = PooledLaw()
        trees = BoostedQuantiles(start=Averaged((DIFFUSIVE, law)), stages=(2, 4, 8), min_rows_per_leaf=500)
        return (DIFFUSIVE, SPREAD, IStar(), law, trees)
    trees = BoostedQuantiles(start=Averaged((POOLED, IStar())))
    return (SPREAD, IStar(), POOLED, BayesianRidge(), BoostedScale(start=POOLED), trees)


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


def stack_for(target: str, in_flight: bool = False, fold_by: FoldBy = "part") -> Stack:
    """The product's own forecast of a target."""
    return Stack(members(target, in_flight), fold_by)


# --- to be removed with the mixture
from footprint.impact.mixture import Mixture  # noqa: E402

CANDIDATES: Models = (DIFFUSIVE, SPREAD, Linear(), Almgren2005(refit=True), IStar())
BASELINES: Models = (CONSTANT, Almgren2005())
IN_FLIGHT_CANDIDATES: Models = (DIFFUSIVE, SPREAD)


def boosted_for(target: str, in_flight: bool = False) -> BoostedQuantiles:
    """Old."""
    if target.startswith("shift"):
        return BoostedQuantiles(start=DIFFUSIVE, stages=(2, 4, 8), min_rows_per_leaf=500)
    return BoostedQuantiles(start=SPREAD if in_flight else Averaged((SPREAD, IStar())))


def mixture_for(target: str, in_flight: bool = False, fold_by: FoldBy = "part") -> Mixture:
    """Old."""
    candidates = IN_FLIGHT_CANDIDATES if in_flight else CANDIDATES
    return Mixture(candidates, boosted_for(target, in_flight), fold_by)
