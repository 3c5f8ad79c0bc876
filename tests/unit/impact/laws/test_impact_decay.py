"""The relaxation kernel after the end of a metaorder."""

import numpy as np
import pytest

from footprint.impact.laws.decay import fit_decay

LAGS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def sample(beta: float, offset: float, noise: float, rows: int, seed: int) -> tuple[np.ndarray, ...]:
    """Expected peak, peak, path (a random walk around the kernel), duration, cluster."""
    rng = np.random.default_rng(seed)
    duration = 10.0 ** rng.uniform(-4, 0, rows)
    expected = np.sqrt(duration)
    sd = noise * np.sqrt(duration)[:, None] * np.sqrt(np.diff((-1.0, 0.0, *LAGS)))
    walk = np.cumsum(sd * rng.standard_normal(sd.shape), axis=1)
    mean = expected[:, None] * (1 + np.array((0.0, *LAGS)) / offset) ** -beta
    path = mean + walk
    return expected, path[:, 0], path[:, 1:], duration, np.arange(rows) // 20


@pytest.mark.parametrize("beta", [0.2, 0.6])
@pytest.mark.parametrize("offset", [0.5, 1.0])
def test_recovers_the_kernel(beta: float, offset: float) -> None:
    expected, peak, path, duration, cluster = sample(beta, offset, 0.5, 40_000, 0)
    known = fit_decay(expected, peak, path, LAGS, duration, cluster, offset)
    free = fit_decay(expected, peak, path, LAGS, duration, cluster, None)
    assert abs(known.exponent - beta) < 3 * known.exponent_se < 0.04
    assert abs(free.exponent - beta) < 3 * free.exponent_se < 0.12
    assert abs(free.offset - offset) < 3 * free.offset_se
    assert free.exponent_se > known.exponent_se
    np.testing.assert_allclose(known.retention, (1 + np.array(LAGS) / offset) ** -beta, atol=0.05)


def test_ratio_of_means_survives_peaks_near_zero() -> None:
    expected, peak, path, duration, cluster = sample(0.4, 1.0, 3.0, 100_000, 1)
    naive = np.mean(path[:, 2] / peak)
    fit = fit_decay(expected, peak, path, LAGS, duration, cluster)
    assert abs(fit.retention[2] - 2**-0.4) < 0.05
    assert abs(naive - 2**-0.4) > 0.05


def test_paths_cut_by_the_close_do_not_bias() -> None:
    expected, peak, path, duration, cluster = sample(0.4, 1.0, 0.5, 40_000, 2)
    path = path.copy()
    path[duration > 0.1, 3:] = np.nan
    fit = fit_decay(expected, peak, path, LAGS, duration, cluster)
    assert abs(fit.exponent - 0.4) < 3 * fit.exponent_se < 0.05


def test_a_permanent_impact_has_exponent_zero() -> None:
    expected, peak, path, duration, cluster = sample(0.0, 1.0, 0.5, 40_000, 3)
    fit = fit_decay(expected, peak, path, LAGS, duration, cluster)
    assert abs(fit.exponent) < 3 * fit.exponent_se
