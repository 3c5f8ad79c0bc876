"""Split conformal: the last part alone calibrates, and never too narrowly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.unit.impact.planted_outcomes import planted, planted_rows

from footprint.errors import ModelError
from footprint.impact.calibration.split_quantile import SplitQuantile, outward_shifts
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.evaluation.scoring import covered
from footprint.impact.rows import Rows
from footprint.testing import check_impact_model
from footprint.testing.check_recovery import recover
from footprint.testing.random_rows import random_rows


@dataclass(frozen=True)
class Narrow:
    """Half the width it should have, and a third of a scale too high; notes the parts it was fitted on."""

    parts: list[frozenset] = field(default_factory=list, compare=False)
    name: str = "narrow"

    def fit(self, rows: Rows, target: str) -> Narrow:
        self.parts.append(frozenset(rows.part.tolist()))
        return self

    def quantiles(self, rows: Rows) -> np.ndarray:
        return DIFFUSIVE.basis(rows) + rows.scale_bps("peak")[:, None] * (0.33 + 0.5 * NORMAL_SCORES)


def test_contract() -> None:
    check_impact_model(SplitQuantile(DIFFUSIVE), scale_free=True)


def test_wrong_model_gets_the_right_coverage() -> None:
    past, fresh = (planted_rows(seed, 8_000, lambda r: DIFFUSIVE.basis(r)[:, 0]) for seed in (0, 1))
    fitted = SplitQuantile(Narrow()).fit(past, "peak")
    for band in (0.80, 0.90):
        assert covered(fitted.quantiles(fresh), fresh.outcome("peak"), band).mean() == pytest.approx(band, abs=0.02)


def test_last_part_calibrates_and_does_not_fit() -> None:
    narrow, rows = Narrow(), planted_rows(0, 1_200, lambda r: DIFFUSIVE.basis(r)[:, 0])
    fitted = SplitQuantile(narrow).fit(rows, "peak")
    assert narrow.parts == [frozenset({1, 2, 3, 4, 5})]
    wild = np.where(rows.part == 6, 1.0, 100.0)[:, None] * rows.outcomes
    assert np.array_equal(SplitQuantile(narrow).fit(replace(rows, outcomes=wild), "peak").shifts, fitted.shifts)


def test_few_rows_cover_at_least_what_they_say() -> None:
    """Sixty exchangeable rows: 90 % bands hold 90 % or a little more of the next one, on average."""
    rng = np.random.default_rng(0)
    base = random_rows(rng, 60)
    base = replace(base, tape=np.full(60, "A"))
    inside = []
    for _ in range(300):
        rows, fresh = (planted(base, DIFFUSIVE.basis(base)[:, 0], rng) for _ in range(2))
        quantiles = Narrow().quantiles(rows)
        shifts = outward_shifts(quantiles, rows, "peak")
        moved = quantiles + rows.scale_bps("peak")[:, None] * shifts
        inside.append(covered(moved, fresh.outcome("peak"), 0.90).mean())
    assert 0.895 <= np.mean(inside) <= 0.94


def test_shifts_are_order_statistics_one_place_outwards() -> None:
    """Of 199 errors the level 0.95 takes the 190th, the level 0.05 the 10th, the median the 100th."""
    base = random_rows(np.random.default_rng(0), 199)
    base = replace(base, tape=np.full(199, "A"))
    errors = np.random.default_rng(1).permutation(np.arange(1.0, 200.0))
    rows = replace(base, outcomes=np.tile((errors * base.scale_bps("peak"))[:, None], 5))
    shifts = outward_shifts(np.zeros((199, 99)), rows, "peak")
    assert shifts[[94, 4, 49]] == pytest.approx([190.0, 10.0, 100.0])
    assert shifts[[98, 0]] == pytest.approx([198.0, 2.0])


def test_coverage_over_draws_from_itself() -> None:
    assert recover(SplitQuantile(DIFFUSIVE), draws=60).mean_coverage == pytest.approx(0.90, abs=0.015)


def test_one_part_is_refused() -> None:
    rows = random_rows(np.random.default_rng(0), 600)
    with pytest.raises(ModelError, match="needs at least two parts with a known peak, found one"):
        SplitQuantile(DIFFUSIVE).fit(rows.take(rows.part == 2), "peak")
    few = rows.take((rows.part < 6) | (np.cumsum(rows.part == 6) <= 20))
    with pytest.raises(ModelError, match="last part needs at least 50 rows with a known peak, found 20"):
        SplitQuantile(DIFFUSIVE).fit(few, "peak")


def test_name() -> None:
    assert SplitQuantile(DIFFUSIVE).name == "square_root_diffusive_split"
