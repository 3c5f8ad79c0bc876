"""Models whose libraries are extras: scored beside the others where they are installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from footprint.impact.averaged import Averaged
from footprint.impact.catalogue import POOLED
from footprint.impact.interface import ImpactModel
from footprint.impact.istar import IStar

# by name: torch takes seconds to import, and only a benchmark needs it
_NETWORKS, _HIERARCHICAL = "footprint.adapters.torch_networks", "footprint.adapters.numpyro_hierarchical"
PASSES = 16


def guests() -> tuple[ImpactModel, ...]:
    """Challengers for peak and shortfall: two ensembles of five networks (torch), the sampled hierarchy (numpyro)."""
    found: list[ImpactModel] = []
    if find_spec("torch"):
        networks = import_module(_NETWORKS).NeuralImpact
        start = Averaged((POOLED, IStar()))
        found += [networks(start, kind=kind, stages=(PASSES,)) for kind in ("quantile", "heteroscedastic")]
    if find_spec("numpyro"):
        found.append(import_module(_HIERARCHICAL).Hierarchical())
    return tuple(found)
