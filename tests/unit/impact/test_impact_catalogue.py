"""The list of models: names that differ, laws to fall back on, roles that do not overlap."""

from __future__ import annotations

import pytest

from footprint.impact.catalogue import PARAMETRIC, TRIALS, baselines, challengers, members, parametric, stack_for
from footprint.impact.interface import Local
from footprint.impact.rows import TARGETS

KINDS = [(target, in_flight) for target in TARGETS for in_flight in (False, True)]


@pytest.mark.parametrize(("target", "in_flight"), KINDS)
def test_every_model_has_one_role_and_a_name_of_its_own(target: str, in_flight: bool) -> None:
    everybody = (*members(target, in_flight), *baselines(target, in_flight), *challengers(target, in_flight))
    names = [model.name for model in everybody]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("target", "in_flight"), KINDS)
def test_a_stack_has_a_law_to_fall_back_on_and_something_learnt(target: str, in_flight: bool) -> None:
    local = [isinstance(model, Local) for model in stack_for(target, in_flight).members]
    assert any(local)
    assert not all(local)


@pytest.mark.parametrize("target", ["peak", "shortfall"])
def test_every_published_form_is_scored(target: str) -> None:
    scored = {model.name for model in (*members(target), *baselines(target))}
    assert {model.name for model in parametric(target)} <= scored
    assert {model.name for model in parametric(target)} <= set(PARAMETRIC)


def test_trials_are_stated_of_models_that_exist() -> None:
    known = {m.name for t, f in KINDS for m in (*members(t, f), *baselines(t, f), *challengers(t, f))}
    assert set(TRIALS) <= known | {"stack", "neural_quantile", "neural_heteroscedastic"}
