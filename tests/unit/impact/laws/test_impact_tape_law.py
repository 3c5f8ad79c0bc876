"""The law of a tape through synthetic metaorders, its null, and the choice of N."""

from pathlib import Path

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.child_tape import build_child_tape
from footprint.data.children import ChildTape
from footprint.data.planted import PlantedLaw
from footprint.data.planted_rows import ROWS_SHAPE, child_tapes
from footprint.data.planted_tape import planted_tape
from footprint.data.readers.lean import LeanReader
from footprint.errors import DataRefused
from footprint.impact.laws.tape_law import (
    balanced_mean,
    law_sample,
    range_bps,
    shuffle_signs,
    sign_shuffled_null,
    tape_exponent,
)


@pytest.fixture(scope="module")
def planted_days() -> list[ChildTape]:
    return child_tapes(planted_tape(PlantedLaw(), ROWS_SHAPE, 90, np.random.default_rng(0)))


def real_days(shared_data: Path, symbol: str) -> list[ChildTape]:
    files = sorted((shared_data / "lean" / "equity" / "usa" / "tick" / symbol).glob("*.zip"))
    return [build_child_tape(s, views(s.events)) for s in LeanReader().sessions(files)]


def test_balanced_mean_ignores_a_drift() -> None:
    sign = np.repeat([1, -1], [800, 200])
    move = np.full(1000, 5.0)  # the price went up whatever anyone did
    mean, error = balanced_mean(sign * move, sign, np.arange(1000) // 50)
    assert mean == pytest.approx(0.0)
    assert error == pytest.approx(0.0)
    assert np.mean(sign * move) == pytest.approx(3.0)


def test_shuffle_keeps_the_signs_of_each_segment(planted_days: list[ChildTape]) -> None:
    tape = planted_days[0]
    shuffled = shuffle_signs(tape, np.random.default_rng(0))
    assert shuffled.sign.sum() == tape.sign.sum()
    assert np.any(shuffled.sign != tape.sign)
    np.testing.assert_array_equal(shuffled.mid_before, tape.mid_before)


def test_impact_is_seen_and_gone_after_shuffling(planted_days: list[ChildTape]) -> None:
    rng = np.random.default_rng(1)
    sample = law_sample(planted_days, 5, rng)
    mean, error = balanced_mean(sample.peak_bps, sample.sign, sample.cluster)
    assert mean > 5 * error
    for seed in range(5):
        null = sign_shuffled_null(planted_days, 5, np.random.default_rng(seed))
        assert abs(null.mean_bps) < 3 * null.mean_se_bps
        assert not null.law.exists


def test_n_is_chosen_without_the_later_days(planted_days: list[ChildTape]) -> None:
    whole = tape_exponent(planted_days, np.random.default_rng(2), candidates=(2, 5))
    assert whole.training_days == 30
    # other later days, same first ones: the choice and what led to it stay
    changed = planted_days[:30] + [shuffle_signs(d, np.random.default_rng(9)) for d in planted_days[30:]]
    other = tape_exponent(changed, np.random.default_rng(2), candidates=(2, 5))
    assert other.traders == whole.traders
    assert other.training == whole.training
    assert other.law != whole.law
    assert whole.law == whole.later[whole.traders]


def test_refusals(planted_days: list[ChildTape]) -> None:
    with pytest.raises(DataRefused, match="too few days"):
        tape_exponent(planted_days[:1], np.random.default_rng(0))
    still = planted_days[0]
    frozen = ChildTape(**{n: getattr(still, n) for n in ChildTape.__slots__} | {"mid_before": np.full(len(still), 7.0)})
    with pytest.raises(DataRefused, match="never moves"):
        range_bps(frozen)


@pytest.mark.parametrize("symbol", ["aig", "bac"])
def test_real_tape_obeys_the_square_root_on_days_that_did_not_choose_n(shared_data: Path, symbol: str) -> None:
    days = real_days(shared_data, symbol)
    found = tape_exponent(days, np.random.default_rng(0))
    assert found.law.exponent == pytest.approx(0.5, abs=0.1)
    assert found.law.exists
    for seed in range(5):
        null = sign_shuffled_null(days, 20, np.random.default_rng(seed))
        assert abs(null.mean_bps) < 3 * null.mean_se_bps
        assert not null.law.exists
