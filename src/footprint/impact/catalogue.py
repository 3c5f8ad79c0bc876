"""The hand-written list of models: who is scored, who may be mixed, and how hard each target is boosted."""

from __future__ import annotations

from footprint.impact.almgren import Almgren2005
from footprint.impact.averaged import Averaged
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import FoldBy
from footprint.impact.interface import ImpactModel
from footprint.impact.istar import IStar
from footprint.impact.linear import Linear
from footprint.impact.mixture import Mixture
from footprint.impact.square_root import SquareRoot

CONSTANT = SquareRoot(residual="constant")
DIFFUSIVE = SquareRoot()
SPREAD = SquareRoot(half_spread=True)

# candidates for the parametric half of the mixture; the baselines are scored only
CANDIDATES: tuple[ImpactModel, ...] = (DIFFUSIVE, SPREAD, Linear(), Almgren2005(refit=True), IStar())
BASELINES: tuple[ImpactModel, ...] = (CONSTANT, Almgren2005())
# an order in flight: what a desk would use is the square root of what is left, now
IN_FLIGHT_CANDIDATES: tuple[ImpactModel, ...] = (DIFFUSIVE, SPREAD)


def boosted_for(target: str, in_flight: bool = False) -> BoostedQuantiles:
    """The boosted partner: hardly any trees for what lies minutes after the end, where there is little to learn.

    Tree size, levels and column share were compared on the first two of the six parts of the development tapes only,
    which no scored run tests; the number of rounds is chosen inside every fit on held-out folds of its own past.
    """
    if target.startswith("shift"):
        return BoostedQuantiles(start=DIFFUSIVE, stages=(2, 4, 8), min_rows_per_leaf=500)
    return BoostedQuantiles(start=SPREAD if in_flight else Averaged((SPREAD, IStar())))


def mixture_for(target: str, in_flight: bool = False, fold_by: FoldBy = "part") -> Mixture:
    """The product's own forecast of a target."""
    candidates = IN_FLIGHT_CANDIDATES if in_flight else CANDIDATES
    return Mixture(candidates, boosted_for(target, in_flight), fold_by)
