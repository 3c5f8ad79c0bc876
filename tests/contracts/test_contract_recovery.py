"""Every model recovers data drawn from itself: a few draws here, the full number in the nightly form."""

from __future__ import annotations

import pytest
from scorecard.model_recovery import CASES, DRAWS, TARGET, Case

from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import SPREAD
from footprint.impact.stacking import Stack
from footprint.testing.check_recovery import check_recovery

QUICK = tuple(c for c in CASES if not isinstance(c.model, CrossConformal | Stack))


def check(case: Case, draws: int) -> None:
    found = check_recovery(case.model, case.parameters, case.truth(), TARGET, draws, case.rows)
    assert found.coverage.shape == (draws,)
    assert found.estimates.shape == (draws, len(found.truth))


@pytest.mark.parametrize("case", QUICK, ids=lambda c: c.model.name)
def test_parametric_models_recover_their_own_data(case: Case) -> None:
    check(case, draws=40)


def test_conformal_wrapper_keeps_the_coverage() -> None:
    check(Case(CrossConformal(SPREAD)), draws=20)


@pytest.mark.nightly
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.model.name)
def test_models_recover_their_own_data_in_full(case: Case) -> None:
    check(case, DRAWS)
