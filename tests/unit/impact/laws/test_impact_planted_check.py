"""Planted laws are found again: reduced counts here, the full ones in the nightly form."""

import pytest

from footprint.impact.laws.planted_check import metaorders_estimate, recover


def misses(found: dict[str, float], exponent: float, prefactor: float, decay: float) -> list[str]:
    """Names of the parameters that lie farther off than allowed."""
    errors = {
        "exponent": abs(found["exponent_fitted"] - found["exponent_true"]) / exponent,
        "prefactor": abs(found["prefactor_error"]) / prefactor,
        "decay": abs(found["decay_fitted"] - found["decay_true"]) / decay,
    }
    return [name for name, error in errors.items() if error > 1.0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_recovers_the_planted_law(seed: int) -> None:
    """A tenth of the rows of the bar, hence about three times its tolerance."""
    found = recover(seed, rows=30_000)
    assert misses(found, exponent=0.03, prefactor=0.16, decay=0.1) == []
    assert found["noise_ratio"] > 3.0


@pytest.mark.nightly
def test_recovers_the_planted_law_in_nine_of_ten_seeds() -> None:
    missed = [misses(recover(seed), exponent=0.02, prefactor=0.05, decay=0.05) for seed in range(10)]
    assert sum(bool(names) for names in missed) <= 1, missed


def test_blind_estimate_sees_impact_but_not_the_law() -> None:
    law = metaorders_estimate(0, days=100)
    assert law.signal > 3.0
    assert law.prefactor > 0
