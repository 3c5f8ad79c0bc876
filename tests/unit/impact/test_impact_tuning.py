"""Tuning: only the past is seen, a search resumes where it was, and it finds a planted optimum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from footprint.errors import ModelError
from footprint.impact import tuning
from footprint.impact.averaged import Averaged
from footprint.impact.boosted_scale import BoostedScale
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.catalogue import DIFFUSIVE, members
from footprint.impact.cost import Cost
from footprint.impact.executor import SERIAL
from footprint.impact.istar import IStar
from footprint.impact.random_forest import RandomForest
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.stacking import Stack
from footprint.impact.tuning import (
    SEARCH_SPACES,
    Real,
    Search,
    SearchSpace,
    Trial,
    Whole,
    loss,
    tunable,
    tune,
    tuned,
    with_settings,
)
from footprint.testing.random_rows import random_rows

SMALL = BoostedQuantiles(DIFFUSIVE, stages=(4, 8), levels=(0.1, 0.5, 0.9))


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(np.random.default_rng(3), 600)


class Listed:
    """A tuner in memory that proposes settings from a list."""

    def __init__(self, settings):
        self.settings, self.kept = settings, {}

    def trials(self, key):
        return tuple(self.kept.get(key, ()))

    def propose(self, key, space):
        return self.settings[len(self.kept.get(key, ())) - 1]

    def record(self, key, space, trial):
        self.kept.setdefault(key, []).append(trial)


@dataclass(frozen=True)
class Shifted:
    """The square root moved by `shift` noise scales: the best shift is none."""

    shift: float = 1.0
    times: int = 1
    name: str = "shifted"

    def fit(self, rows, target):
        return _Moved(DIFFUSIVE.fit(rows, target), target, self.shift * self.times)


@dataclass(frozen=True)
class _Moved:
    base: object
    target: str
    by: float

    def quantiles(self, rows):
        return self.base.quantiles(rows) + self.by * rows.scale_bps(self.target)[:, None]


SPACE = SearchSpace((("shift", Real(-1.0, 1.0)), ("times", Whole(1, 2))))


@pytest.fixture
def shifted_space(monkeypatch):
    monkeypatch.setattr(tuning, "SEARCH_SPACES", {"shifted": SPACE})


def test_the_parts_of_a_model_that_can_be_tuned_are_found_and_changed():
    trees, scale = BoostedQuantiles(Averaged((DIFFUSIVE, IStar()))), BoostedScale(DIFFUSIVE)
    model = Stack((DIFFUSIVE, trees, scale, RandomForest("random")), "symbol")
    assert tunable(model) == {"boosted_quantiles": trees, "boosted_scale": scale, "extra_trees": RandomForest("random")}
    changed = with_settings(model, {"boosted_quantiles": {"leaves": 7, "l2": 1.5}})
    assert changed == replace(model, members=(DIFFUSIVE, replace(trees, leaves=7, l2=1.5), *model.members[2:]))
    assert with_settings(model, {}) == model
    own = {name: SEARCH_SPACES[name].own(part) for name, part in tunable(model).items()}
    assert with_settings(model, own) == model


def test_every_space_holds_the_values_that_the_product_uses():
    for model in (m for target in TARGETS for in_flight in (False, True) for m in members(target, in_flight)):
        for name, part in tunable(model).items():
            for field, dimension in SEARCH_SPACES[name].dimensions:
                assert dimension.low <= getattr(part, field) <= dimension.high


def test_a_search_sees_the_parts_before_its_own_only(rows):
    search = Search.of("known", "shift_600", SMALL, rows, before_part=4)
    assert set(search.rows.part) == {1, 2, 3}
    assert np.isfinite(search.rows.outcome("shift_600")).all()
    later = rows.part >= 4
    future = replace(rows, outcomes=np.where(later[:, None], 1e6, rows.outcomes))
    again = Search.of("known", "shift_600", SMALL, future, before_part=4)
    assert search.key(0) == again.key(0)
    setting = {"leaves": 3}
    assert loss((search, setting)) == loss((again, setting))


@pytest.mark.parametrize("before_part", [1, 2])
def test_a_search_needs_two_parts(rows, before_part):
    with pytest.raises(ModelError, match=f"in {before_part - 1} parts, allowed: at least 2"):
        Search.of("known", "peak", SMALL, rows, before_part)


def test_the_key_depends_on_everything_that_the_trials_depend_on(rows):
    search = Search.of("known", "peak", SMALL, rows, 6)
    others = [
        Search.of("known", "shortfall", SMALL, rows, 6),
        Search.of("known", "peak", SMALL, rows, 5),
        Search.of("known", "peak", replace(SMALL, stages=(4, 9)), rows, 6),
        Search.of("known", "peak", SMALL, replace(rows, x=rows.x + 1e-9), 6),
        replace(search, space=SPACE),
        replace(search, fold_by="symbol"),
    ]
    keys = {s.key(0) for s in (search, *others)} | {search.key(1)}
    assert len(keys) == len(others) + 2


def test_a_search_starts_from_the_model_as_it_stands_and_keeps_the_best(rows, shifted_space):
    search = Search.of("known", "peak", Shifted(), rows, 6)
    tuner = Listed([{"shift": 0.5, "times": 1}, {"shift": 0.0, "times": 1}, {"shift": 0.0, "times": 2}])
    assert sum(1 for _ in tune([search], tuner, 4, 0, SERIAL)) == 4
    trials = tuner.trials(search.key(0))
    assert trials[0].setting == {"shift": 1.0, "times": 1}
    assert [t.loss for t in trials] == sorted((t.loss for t in trials), reverse=True)
    assert all(t.cost.cpu_s > 0 and t.cost.peak_bytes > 1_000_000 for t in trials)
    best = tuned(search, tuner, 4, 0)
    assert best.parameters == {"shift": 0.0, "times": 1}  # the earlier of equals
    assert (best.own_loss, best.loss, best.trials) == (trials[0].loss, trials[2].loss, 4)
    assert best.cost.cpu_s == pytest.approx(sum(t.cost.cpu_s for t in trials))


def test_an_interrupted_search_goes_on_with_the_trial_that_was_not_finished(rows, shifted_space):
    searches = [Search.of("known", target, Shifted(), rows, 6) for target in ("peak", "shortfall")]
    tuner = Listed([{"shift": s, "times": 1} for s in (0.5, 0.2, 0.1)])
    running = tune(searches, tuner, 4, 0, SERIAL)
    for _ in range(3):  # both first trials, and the second of the first search
        next(running)
    running.close()
    assert [len(tuner.trials(s.key(0))) for s in searches] == [2, 1]
    assert sum(1 for _ in tune(searches, tuner, 4, 0, SERIAL)) == 8
    assert [[t.setting["shift"] for t in tuner.trials(s.key(0))] for s in searches] == [[1.0, 0.5, 0.2, 0.1]] * 2


def test_trials_beyond_those_asked_for_do_not_count(rows, shifted_space):
    search = Search.of("known", "peak", Shifted(), rows, 6)
    tuner = Listed([])
    for value in (0.5, 0.4, 0.1):
        tuner.record(search.key(0), SPACE, Trial({"shift": value, "times": 1}, value, Cost(0, 0, 0)))
    assert sum(1 for _ in tune([search], tuner, 2, 0, SERIAL)) == 2
    assert tuned(search, tuner, 2, 0).loss == 0.4
