"""What is logged of one fit: `run.json` beside the model."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from footprint.errors import ModelError
from footprint.impact.cost import Cost
from footprint.impact.rows import TARGETS
from footprint.units import NS_PER_SECOND

FORMAT = "footprint-run-1"
ALL_TARGETS = "all"


@dataclass(frozen=True, slots=True)
class Score:
    """One figure out of sample, with its two-sided 95 % interval.

    Attributes:
        kind: which of the forecaster's models ("known", "in_flight").
        metric: unit in the name ("crps_skill_percent", "coverage_90_percent").
        against: the baseline of a skill, empty otherwise.
        slice: the part of the rows, empty for all of them.
        value, low, high: nan where the rows cannot say.
        n, blocks: rows, and independent blocks of them.
    """

    kind: str
    target: str
    metric: str
    against: str
    slice: str
    value: float
    low: float
    high: float
    n: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Check:
    """One statistic of the scored outcomes beside that of data sets drawn from their forecasts.

    Attributes:
        kind: which of the forecaster's models.
        statistic: its name, with its unit.
        observed: of the outcomes.
        low, median, high: 5, 50 and 95 % quantiles over the drawn data sets.
        p: share of them at or above the observed; near 0 or 1 the model misses it.
    """

    kind: str
    target: str
    statistic: str
    observed: float
    low: float
    median: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """Hyper-parameters that a search chose.

    Attributes:
        model: name of the tuned part.
        before_part: the search saw walk-forward parts before this one only.
        parameters: chosen values by field.
        loss, own_loss: held-out CRPS in noise scales of the chosen and of the model's own values.
        trials: that were scored, the model's own values among them.
    """

    kind: str
    target: str
    model: str
    before_part: int
    parameters: dict[str, float]
    loss: float
    own_loss: float
    trials: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class Run:
    """One fit: what went in, what came out, what it cost.

    Attributes:
        run_id: unique; sorts by time.
        made_ns: when the fit ended, ns UTC.
        targets: that the models answer for.
        data_sha256: of the training rows.
        parameters: all choices, as plain JSON: protocol, models with their hyper-parameters.
        tuned: searches that chose some of them; empty when none did.
        scored_on: what the scores are read on, in words; why there are none otherwise.
        card: the forecaster's `ModelCard` as plain JSON: what the model is and has seen.
        costs: by step.
        versions: of the package, the features, the rows, the libraries.
        checks: predictive checks on the rows of the scores; empty in records from before there were any.
    """

    run_id: str
    made_ns: int
    targets: tuple[str, ...]
    data_sha256: str
    card: dict[str, Any]
    parameters: dict[str, Any]
    tuned: tuple[Tuned, ...]
    scores: tuple[Score, ...]
    scored_on: str
    costs: dict[str, Cost]
    versions: dict[str, str]
    checks: tuple[Check, ...] = ()

    @property
    def scope(self) -> str:
        """The set of targets for which there is one champion: "all", or their names."""
        return scope_of(self.targets)

    def as_json(self) -> str:
        """For run.json; nan becomes null."""
        return json.dumps(_finite({"format": FORMAT, **asdict(self)}), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Run:
        """Read run.json.

        Raises:
            ModelError: damaged, or of another format; the text names `where`.
        """
        try:
            plain = json.loads(text)
            if plain.pop("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")
            tuned = tuple(Tuned(**{**_known(t), "cost": Cost(**t["cost"])}) for t in plain.pop("tuned"))
            scores = tuple(Score(**_known(s)) for s in plain.pop("scores"))
            checks = tuple(Check(**_known(c)) for c in plain.pop("checks", ()))
            costs = {name: Cost(**cost) for name, cost in plain.pop("costs").items()}
            rest = {**plain, "targets": tuple(plain["targets"])}
            return cls(**rest, tuned=tuned, scores=scores, costs=costs, checks=checks)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{where} cannot be read as the record of a run ({error})") from None


def scope_of(targets: tuple[str, ...]) -> str:
    """One name for a set of targets: `ALL_TARGETS`, or their own names in the usual order."""
    named = [t for t in TARGETS if t in targets]
    return ALL_TARGETS if len(named) == len(TARGETS) else "+".join(named)


def run_id(made_ns: int, data_sha256: str, parameters: Mapping[str, Any]) -> str:
    """Time of the fit and the first digits of a hash of data and parameters: equal digits, equal fits."""
    moment = datetime.fromtimestamp(made_ns // NS_PER_SECOND, UTC).strftime("%Y%m%dT%H%M%S")
    content = data_sha256 + json.dumps(parameters, sort_keys=True)
    return f"{moment}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


_FIGURES = ("value", "low", "high", "loss", "own_loss", "observed", "median")


def _known(plain: dict[str, Any]) -> dict[str, Any]:
    """The figures that are null are nan again."""
    return {name: math.nan if value is None and name in _FIGURES else value for name, value in plain.items()}
