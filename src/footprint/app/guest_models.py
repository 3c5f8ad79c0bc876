"""Models whose libraries are extras: found where installed, named where not."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from footprint.impact.catalogue import POOLED, Corrector
from footprint.impact.interface import ImpactModel

# by name: torch takes seconds to import, and only fits need it
_NETWORKS, _HIERARCHICAL = "footprint.adapters.torch_networks", "footprint.adapters.numpyro_hierarchical"
MEMBERS, PASSES = 3, 16  # of the stack's network: refitted on every fold, so fewer than when it answers alone
NO_NETWORK = "torch is not installed: the stack is fitted without its neural member (pip install 'footprint[neural]')"


def network() -> Corrector | None:
    """Makes the neural member of the stack; None without torch."""
    return neural_member if find_spec("torch") else None


def neural_member(start: ImpactModel, column_share: float) -> ImpactModel:
    """A quantile network that corrects `start`."""
    model: ImpactModel = import_module(_NETWORKS).NeuralImpact(
        start, members=MEMBERS, stages=(PASSES,), column_share=column_share
    )
    return model


def guests() -> tuple[ImpactModel, ...]:
    """Challengers that are scored where their libraries are installed."""
    found: list[ImpactModel] = []
    if find_spec("torch"):
        found.append(import_module(_NETWORKS).NeuralImpact(POOLED, kind="heteroscedastic", members=5, stages=(PASSES,)))
    if find_spec("numpyro"):
        found.append(import_module(_HIERARCHICAL).Hierarchical())
    return tuple(found)
