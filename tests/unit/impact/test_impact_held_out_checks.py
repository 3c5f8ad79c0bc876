"""Checks of the scored fit: on the last part, by a model that has not seen it, without a second fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.unit.impact.planted_outcomes import planted_rows

from footprint.impact import held_out_checks
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.fits import IN_FLIGHT, KNOWN, Fit, held_out_scores
from footprint.impact.held_out_checks import scores_and_checks
from footprint.impact.predictive_checks import STATISTICS, predictive_checks
from footprint.impact.rows import Rows

SMALL = replace(Protocol(), bootstrap_draws=50, slice_min_rows=30)


@dataclass(frozen=True)
class Told:
    """A normal forecast around the planted mean; notes what it is fitted on."""

    width: float
    seen: list[set[int]]
    name: str = "told"

    def fit(self, rows: Rows, target: str) -> Told:
        self.seen.append(set(rows.part.tolist()))
        return self

    def quantiles(self, rows: Rows) -> np.ndarray:
        return DIFFUSIVE.basis(rows) + self.width * rows.scale_bps("peak")[:, None] * NORMAL_SCORES


@pytest.fixture(scope="module")
def rows() -> Rows:
    return planted_rows(0, 1_500, lambda rows: DIFFUSIVE.basis(rows)[:, 0])


def fit_of(rows: Rows, width: float, kind: str = KNOWN, target: str = "peak") -> Fit:
    return Fit(kind, target, Told(width, []), rows)


def test_checks_are_of_the_last_part_by_the_one_held_out_fit(rows: Rows) -> None:
    fit = fit_of(rows, 1.0)
    scores, checks = scores_and_checks(fit, SMALL)
    assert fit.model.seen == [{1, 2, 3, 4, 5}]
    assert scores == held_out_scores(fit, SMALL)
    assert [(c.kind, c.target, c.statistic) for c in checks] == [(KNOWN, "peak", name) for name in STATISTICS]
    rng = np.random.default_rng([SMALL.seed, 3])
    expected = predictive_checks(fit.model, rows.take(rows.part == 6), "peak", rng)
    assert [(c.observed, c.median, c.p) for c in checks] == [(e.observed, e.median, e.p) for e in expected]


def test_a_forecast_that_is_too_narrow_is_seen(rows: Rows) -> None:
    _, checks = scores_and_checks(fit_of(rows, 0.5), SMALL)
    sd = next(c for c in checks if c.statistic == "sd, bps")
    assert sd.observed > sd.high
    assert sd.p == 0.0


@pytest.mark.parametrize(("kind", "target"), [(IN_FLIGHT, "peak"), (KNOWN, "shift_300")])
def test_others_are_scored_only(rows: Rows, kind: str, target: str) -> None:
    scores, checks = scores_and_checks(fit_of(rows, 1.0, kind, target), SMALL)
    assert scores
    assert checks == ()


def test_too_few_orders_give_neither(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scores_and_checks(fit_of(rows.take(np.arange(20)), 1.0), SMALL) == ((), ())
    monkeypatch.setattr("footprint.impact.predictive_checks.FEWEST_ROWS", 10**6)
    scores, checks = held_out_checks.scores_and_checks(fit_of(rows, 1.0), SMALL)
    assert scores
    assert checks == ()
