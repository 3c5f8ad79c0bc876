"""The planted set: what is planted is in the outcomes, the truth cannot be beaten, and models come near it."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.catalogue import CONSTANT, SPREAD
from footprint.impact.evaluation.planted_set import (
    PLANTED_TARGETS,
    TAPES,
    PlantedTruth,
    _average_share,
    mean_bps,
    planted_set,
)
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import covered, crps_bps
from footprint.impact.rows import Rows

PROTOCOL = replace(Protocol(), rows_per_cell=250)


@pytest.fixture(scope="module")
def planted() -> tuple[Rows, PlantedTruth]:
    return planted_set(0, PROTOCOL)


def test_parts_and_tapes_are_full_and_in_order(planted: tuple[Rows, PlantedTruth]) -> None:
    rows, _ = planted
    assert len(rows) == 2 * 250 * TAPES * PROTOCOL.parts
    for tape in np.unique(rows.tape):
        mine = rows.take(rows.tape == tape)
        assert np.bincount(mine.part)[1:].tolist() == [500] * PROTOCOL.parts
        assert np.all(np.diff(mine.start_ns) >= 0)
        last_ns = mine.end_ns + 600 * 10**9
        for k in range(1, PROTOCOL.parts):
            assert last_ns[mine.part == k].max() < mine.start_ns[mine.part == k + 1].min()


def test_a_seed_gives_the_same_set_and_another_seed_another_law(planted: tuple[Rows, PlantedTruth]) -> None:
    rows, truth = planted
    again, same = planted_set(0, PROTOCOL)
    assert np.array_equal(rows.outcomes, again.outcomes, equal_nan=True)
    assert same == truth
    assert planted_set(1, PROTOCOL)[1].law.exponent != truth.law.exponent


@pytest.mark.parametrize("target", PLANTED_TARGETS)
def test_the_truth_is_calibrated_and_its_mean_is_that_of_the_outcomes(
    planted: tuple[Rows, PlantedTruth], target: str
) -> None:
    rows, truth = planted
    outcome = rows.outcome(target)
    quantiles = truth.fit(rows, target).quantiles(rows)
    assert covered(quantiles, outcome, 0.9).mean() == pytest.approx(0.9, abs=0.01)
    surprise = (outcome - mean_bps(truth.law, rows, target)) / rows.scale_bps(target)
    assert abs(surprise.mean()) < 3.0 * surprise.std() / np.sqrt(len(rows))


@pytest.mark.parametrize("target", PLANTED_TARGETS)
def test_no_model_beats_the_truth_and_a_learner_finds_what_a_law_cannot(
    planted: tuple[Rows, PlantedTruth], target: str
) -> None:
    rows, truth = planted
    train, test = rows.take(rows.part <= 4), rows.take(rows.part > 4)

    def crps(model) -> float:
        quantiles = model.fit(train, target).quantiles(test)
        return float(np.mean(crps_bps(quantiles, test.outcome(target)) / test.scale_bps(target)))

    best, law, textbook = crps(truth), crps(SPREAD), crps(CONSTANT)
    learner = crps(BoostedQuantiles(start=SPREAD, stages=(60,), levels=(0.05, 0.25, 0.5, 0.75, 0.95)))
    assert best < learner < law < textbook


def test_share_of_equal_children() -> None:
    # three children: 0, sqrt(1/3), sqrt(2/3) of the peak before them
    expected = (np.sqrt(1 / 3) + np.sqrt(2 / 3)) / 3
    assert _average_share(0.5, np.array([3, 1])) == pytest.approx([expected, 0.0])
    assert _average_share(0.5, np.array([2_000]))[0] == pytest.approx(2 / 3, abs=0.001)


def test_the_kernel_is_planted_in_the_shift(planted: tuple[Rows, PlantedTruth]) -> None:
    rows, truth = planted
    ratio = (mean_bps(truth.law, rows, "shift_600") - _drift(rows, "shift_600")) / (
        mean_bps(truth.law, rows, "peak") - _drift(rows, "peak")
    )
    assert ratio == pytest.approx((1.0 + 600.0 / rows.horizon_s) ** -truth.law.decay)


def _drift(rows: Rows, target: str) -> np.ndarray:
    return 0.26 * rows.scale_bps(target) * rows.x[:, rows.x_names.index("signed_imbalance_touch")]
