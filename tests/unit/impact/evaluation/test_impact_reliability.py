"""PIT test and reliability curve: right forecasts pass, wrong ones are found, dependence is allowed for."""

import numpy as np
import pytest

from footprint.impact.evaluation.reliability import pit_shares, pit_test, reliability
from footprint.impact.evaluation.scoring import Bootstrap


def bootstrap(cluster: np.ndarray, seed: int = 0) -> Bootstrap:
    return Bootstrap.draw(cluster, np.full(len(cluster), "us"), 400, np.random.default_rng(seed))


def test_the_p_value_of_right_forecasts_is_rarely_small_even_in_blocks() -> None:
    block = np.repeat(np.arange(60), 10)
    small = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shared = np.repeat(rng.standard_normal(60), 10)
        z = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.standard_normal(600)
        pit = np.searchsorted(np.sort(rng.standard_normal(20_000)), z) / 20_000
        small += pit_test(pit, np.ones(600), bootstrap(block, seed)).p < 0.05
    assert small <= 9


def test_a_forecast_that_is_too_wide_is_found() -> None:
    rng = np.random.default_rng(0)
    pit = 0.5 + 0.6 * (rng.random(3_000) - 0.5)
    found = pit_test(pit, np.ones(3_000), bootstrap(np.arange(3_000) // 10))
    assert found.distance.value == pytest.approx(0.2, abs=0.02)
    assert found.distance.low <= found.distance.value <= found.distance.high
    assert found.p == 0.0


def test_weights_count() -> None:
    pit = np.repeat([0.25, 0.75], 100)
    weights = np.repeat([3.0, 1.0], 100)
    shares = dict(pit_shares(pit, weights, bootstrap(np.arange(200))))
    assert shares["PIT 0.25 to 0.30"].value == pytest.approx(75.0)
    assert shares["PIT 0.75 to 0.80"].value == pytest.approx(25.0)
    assert len(shares) == 20
    assert sum(share.value for share in shares.values()) == pytest.approx(100.0)


def test_reliability_of_honest_and_of_bold_probabilities() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(20_000)
    happened = (rng.random(20_000) < probability).astype(float)
    blocks = bootstrap(np.arange(20_000) // 20)
    honest = list(reliability(probability, happened, np.ones(20_000), blocks))
    assert [b.name for b in honest] == [f"P {k / 10:.1f} to {(k + 1) / 10:.1f}" for k in range(10)]
    for b in honest:
        assert b.observed.low - 1.0 < b.predicted.value < b.observed.high + 1.0
    bold = np.where(probability > 0.5, 0.99, 0.01)
    low, high = reliability(bold, happened, np.ones(20_000), blocks)
    assert low.observed.low > low.predicted.value
    assert high.observed.high < high.predicted.value
