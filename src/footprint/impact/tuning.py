"""Nested walk-forward tuning: hyper-parameters for testing part k are searched for on the parts before k only.

A search space is a value: which fields of a model may vary, and how far. A trial is one setting of those fields, scored
by the CRPS that models without each part gave it (`calibration.conformal.cross_fit`), in noise scales, every tape with
the same weight. The first trial of a search is the model as it stands, so that a search can only lower the loss.

What proposes settings is a `Tuner` (`adapters.optuna_tuning`). It keeps every finished trial, so that a search that
was interrupted goes on, with the same proposals as if it had not been.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, TypeVar

from footprint.errors import ModelError
from footprint.impact.calibration.conformal import FoldBy, cross_fit, held_out_crps
from footprint.impact.cost import Cost, Measured, total
from footprint.impact.evaluation.fingerprint import rows_digest, source_digest
from footprint.impact.executor import Executor
from footprint.impact.interface import ImpactModel
from footprint.impact.registry.run import Tuned
from footprint.impact.rows import Rows

Setting = dict[str, Any]
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole numbers from `low` to `high`, both inside; on a log scale when `log`."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True, slots=True)
class Real:
    """Numbers from `low` to `high`; on a log scale when `log`."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values that JSON can hold."""

    options: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Fields of a model and what they may be."""

    dimensions: tuple[tuple[str, Whole | Real | Choice], ...]

    def own(self, model: ImpactModel) -> Setting:
        """The model's present values of those fields."""
        return {name: getattr(model, name) for name, _ in self.dimensions}


_TREES: tuple[tuple[str, Whole | Real | Choice], ...] = (
    ("leaves", Whole(2, 16, log=True)),
    ("min_rows_per_leaf", Whole(50, 1_000, log=True)),
    ("l2", Real(0.1, 100.0, log=True)),
    ("column_share", Real(0.1, 1.0)),
)
_RATE = Real(0.01, 0.15, log=True)
_FOREST = SearchSpace(
    (
        ("min_rows_per_leaf", Whole(2, 50, log=True)),
        ("column_share", Real(0.1, 1.0)),
        ("rows_per_tree", Whole(1_000, 5_000, log=True)),
    )
)
# by the name of the model; a model that is not here has nothing to tune
SEARCH_SPACES: Mapping[str, SearchSpace] = {
    "boosted_quantiles": SearchSpace((*_TREES, ("learning_rate", _RATE))),
    "boosted_scale": SearchSpace((*_TREES, ("learning_rate_mean", _RATE), ("learning_rate_scale", _RATE))),
    "extra_trees": _FOREST,
    "random_forest": _FOREST,
}


def tunable(model: ImpactModel, spaces: Mapping[str, SearchSpace] = SEARCH_SPACES) -> dict[str, ImpactModel]:
    """The model and the parts of it that have a search space, by name."""
    found: dict[str, ImpactModel] = {}

    def visit(value: Any) -> None:
        if _is_model(value) and value.name in spaces:
            found[value.name] = value
        for part in _parts(value):
            visit(part)

    visit(model)
    return found


def with_settings(model: M, settings: Mapping[str, Setting]) -> M:
    """The model with other values in the parts that `settings` names."""

    def changed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(changed(part) for part in value)
        if not is_dataclass(value) or isinstance(value, type):
            return value
        inner: Any = replace(value, **{f.name: changed(getattr(value, f.name)) for f in fields(value) if f.init})
        return replace(inner, **settings[inner.name]) if _is_model(inner) and inner.name in settings else inner

    return changed(model)


def _is_model(value: Any) -> bool:
    return hasattr(value, "fit") and isinstance(getattr(value, "name", None), str)


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, tuple):
        return value
    return [getattr(value, f.name) for f in fields(value)] if is_dataclass(value) else []


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting, its held-out CRPS in noise scales, and what the fits cost."""

    setting: Setting
    loss: float
    cost: Cost


class Tuner(Protocol):
    """Proposes settings and keeps trials, by the key of a search. A trial that `record` has taken is never lost."""

    def trials(self, key: str) -> tuple[Trial, ...]:
        """Finished trials of a search, in the order in which they were recorded."""
        ...

    def propose(self, key: str, space: SearchSpace) -> Setting:
        """The next setting; depends on the finished trials and the tuner's seed alone."""
        ...

    def record(self, key: str, space: SearchSpace, trial: Trial) -> None:
        """Keep a finished trial."""
        ...


@dataclass(frozen=True, slots=True)
class Search:
    """One model of one target, and the past that its tuning may look at.

    Attributes:
        kind: which rows ("known" at arrival, "in_flight").
        rows: of walk-forward parts before `before_part`, outcomes known.
        fold_by: folds of the inner cross-fit.
    """

    kind: str
    target: str
    model: ImpactModel
    space: SearchSpace
    rows: Rows
    before_part: int
    fold_by: FoldBy = "part"

    @classmethod
    def of(cls, kind: str, target: str, model: ImpactModel, rows: Rows, before_part: int) -> Search:
        """The search of a model with a space on the parts before one.

        Raises:
            ModelError: those parts are fewer than two: there would be nothing to hold out.
        """
        past = rows.take(rows.part < before_part).known(target)
        parts = sorted(set(past.part.tolist()))
        if len(parts) < 2:
            raise ModelError(
                f"{target}: tuning before part {before_part} finds orders in {len(parts)} parts, allowed: at least 2"
            )
        return cls(kind, target, model, SEARCH_SPACES[model.name], past, before_part)

    def key(self, seed: int) -> str:
        """Hash of everything that its trials depend on."""
        about = (
            source_digest("impact"),
            rows_digest(self.rows),
            self.target,
            self.model,
            self.space,
            self.fold_by,
            seed,
        )
        return hashlib.sha256(repr(about).encode()).hexdigest()[:24]


def loss(asked: tuple[Search, Setting]) -> float:
    """Held-out CRPS of a setting, in noise scales."""
    search, setting = asked
    model = replace(search.model, **setting)  # type: ignore[type-var]
    cross = cross_fit(model, search.rows, search.target, search.fold_by)
    return held_out_crps(cross.held_out, search.rows, search.target)


def tune(searches: Sequence[Search], tuner: Tuner, trials: int, seed: int, executor: Executor) -> Iterator[None]:
    """Bring every search to `trials` trials; yields once for each, those of an interrupted run first.

    Searches go side by side, the trials of one after the other: each is proposed from those before it.
    """
    keys = [search.key(seed) for search in searches]
    done = [min(trials, len(tuner.trials(key))) for key in keys]
    yield from (None for _ in range(sum(done)))
    for number in range(trials):
        open_ = [(search, key) for search, key, count in zip(searches, keys, done, strict=True) if count <= number]
        asked = [(s, tuner.propose(key, s.space) if number else s.space.own(s.model)) for s, key in open_]
        results = executor.map(Measured(loss), asked)
        for (search, key), (_, setting), (value, cost) in zip(open_, asked, results, strict=True):
            tuner.record(key, search.space, Trial(setting, value, cost))
            yield


def tuned(search: Search, tuner: Tuner, trials: int, seed: int) -> Tuned:
    """The best of the first `trials` trials of a search, the earliest of equals."""
    finished = tuner.trials(search.key(seed))[:trials]
    best = min(finished, key=lambda t: t.loss)
    return Tuned(
        search.kind,
        search.target,
        search.model.name,
        search.before_part,
        best.setting,
        best.loss,
        finished[0].loss,
        len(finished),
        total(t.cost for t in finished),
    )
