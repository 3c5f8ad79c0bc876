"""Who is scored: the models of the catalogue in their roles, or some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from footprint.errors import UsageError
from footprint.impact.catalogue import PARAMETRIC, baselines, challengers, members
from footprint.impact.evaluation.submission import Submission
from footprint.impact.interface import ImpactModel
from footprint.impact.rows import TARGETS

PRODUCT = "stack"
REFERENCES = ("square_root_constant", "square_root_diffusive", "square_root_spread")
TRUTH = "planted_truth"

_Models = tuple[ImpactModel, ...]
_GUEST_TARGETS = ("peak", "shortfall")  # guests take minutes a fit


@dataclass(frozen=True, slots=True)
class LineUp:
    """The models of one job by how they are fitted.

    Attributes:
        members: cross-fitted; each is scored with its own conformal shifts, and all are combined into the product.
        baselines: cross-fitted and calibrated, scored only.
        challengers: expensive; fitted once and calibrated on the last training part, scored only.
        oracles: scored as they are; they know what was planted.
        submissions: from somebody's own files, treated as baselines.
    """

    members: _Models = ()
    baselines: _Models = ()
    challengers: _Models = ()
    oracles: _Models = ()
    submissions: tuple[Submission, ...] = ()

    def names(self) -> list[str]:
        """Names of all models that are scored, the product's own included."""
        known = (*self.members, *self.baselines, *self.challengers, *self.oracles)
        submitted = [s.load().name for s in self.submissions]
        return [m.name for m in known] + ([PRODUCT] if self.members else []) + submitted

    def only(self, names: frozenset[str]) -> LineUp:
        """The models of these names, all of them scored; the product needs all its members."""

        def keep(models: _Models) -> _Models:
            return tuple(m for m in models if m.name in names)

        if PRODUCT in names:
            return replace(self, baselines=keep(self.baselines), challengers=keep(self.challengers))
        scored = (*keep(self.members), *keep(self.baselines))
        return replace(self, members=(), baselines=scored, challengers=keep(self.challengers))


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user wants scored.

    Attributes:
        only: names of models; empty for all. The parametric ones are always scored too: they are the references.
        submissions: models from files.
        guests: challengers at arrival, for peak and shortfall, whose libraries the core does not have.
    """

    only: frozenset[str] = frozenset()
    submissions: tuple[Submission, ...] = ()
    guests: _Models = ()

    def check(self) -> None:
        """Refuse names that no target of the catalogue knows.

        Raises:
            UsageError: an unknown name, or a submitted model with the name of another.
        """
        known = self.names()
        submitted = [s.load().name for s in self.submissions]
        for name in submitted:
            if name in known or submitted.count(name) > 1:
                raise UsageError(f"a submitted model is called {name!r} like another, allowed: a name of its own")
        unknown = self.only - known - set(submitted)
        if unknown:
            allowed = ", ".join(sorted(known | set(submitted)))
            raise UsageError(f"no model is called {', '.join(sorted(unknown))}, allowed: {allowed}")

    def names(self) -> frozenset[str]:
        """Names of all models that could be scored, the product's own included."""
        full = [self._everybody(target, in_flight) for target in TARGETS for in_flight in (False, True)]
        return frozenset(name for one in full for name in one.names())

    def line_up(self, target: str, in_flight: bool = False) -> LineUp:
        """Every wanted model of a target."""
        full = self._everybody(target, in_flight)
        chosen = full.only(self.only | set(PARAMETRIC)) if self.only else full
        return replace(chosen, submissions=self.submissions)

    def without_challengers(self, target: str, in_flight: bool = False) -> LineUp:
        """The same without the models that are fitted once."""
        return replace(self.line_up(target, in_flight), challengers=())

    def booster_alone(self, target: str) -> LineUp:
        """The boosted models and the reference they are compared with; no product."""
        full = self._everybody(target, False)
        everybody = (*full.members, *full.baselines)
        wanted = [m for m in everybody if m.name.startswith("boosted") or m.name == "square_root_diffusive"]
        return LineUp(baselines=tuple(wanted))

    def product_alone(self, target: str) -> LineUp:
        """The product with its members and the references that are not among them."""
        full = self._everybody(target, False)
        return LineUp(full.members, tuple(m for m in full.baselines if m.name in REFERENCES))

    def _everybody(self, target: str, in_flight: bool) -> LineUp:
        invited = self.guests if target in _GUEST_TARGETS and not in_flight else ()
        expensive = (*challengers(target, in_flight), *invited)
        return LineUp(members(target, in_flight), baselines(target, in_flight), expensive)
