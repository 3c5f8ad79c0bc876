"""Does the estimation find the law that was planted? Truth and estimate side by side, for tests and the scorecard."""

from __future__ import annotations

import numpy as np

from footprint.data.planted import draw_law
from footprint.data.planted_rows import ROWS_SHAPE, child_tapes, planted_rows
from footprint.data.planted_tape import planted_tape
from footprint.impact.laws.binned_law import fit_binned_law
from footprint.impact.laws.decay import fit_decay
from footprint.impact.laws.law import LawFit, fit_law
from footprint.impact.laws.tape_law import law_sample


def recover(seed: int, rows: int = 300_000) -> dict[str, float]:
    """Plant a law drawn from `seed`, measure `rows` true metaorders on its tape, fit, and compare.

    Returns:
        `exponent`, `prefactor`, `decay` with `_true`, `_fitted` and `_se` each, `decay_free_fitted` and `_se` (kernel
        offset fitted too), `prefactor_error` (relative), `noise_ratio` (sd of the noise over the mean impact, pooled).
    """
    rng = np.random.default_rng(seed)
    law = draw_law(rng)
    sample = planted_rows(law, rows, rng)
    fit = fit_law(sample.participation, sample.peak, sample.duration, sample.day)
    expected = fit.impact(sample.participation)
    kernel = [
        fit_decay(expected, sample.peak, sample.path, sample.lags, sample.duration, sample.day, offset)
        for offset in (1.0, None)
    ]
    noise = sample.peak - expected
    return {
        "seed": seed,
        "rows": rows,
        "exponent_true": law.exponent,
        "exponent_fitted": fit.exponent,
        "exponent_se": fit.exponent_se,
        "prefactor_true": law.prefactor,
        "prefactor_fitted": fit.prefactor,
        "prefactor_se": fit.prefactor_se,
        "prefactor_error": fit.prefactor / law.prefactor - 1.0,
        "decay_true": law.decay,
        "decay_fitted": kernel[0].exponent,
        "decay_se": kernel[0].exponent_se,
        "decay_free_fitted": kernel[1].exponent,
        "decay_free_se": kernel[1].exponent_se,
        "noise_ratio": float(np.std(noise) / np.mean(expected)),
    }


def metaorders_estimate(seed: int, days: int = 250, traders: int = 5) -> LawFit:
    """What `metaorders-1`, blind to the true parents, makes of a tape with the law of `seed`. Printed, never a bar.

    Its runs mix children of many parents and of nobody, and it scales by each day's own range and volume, so neither
    the exponent nor the prefactor is that of the planted law.
    """
    rng = np.random.default_rng(seed)
    law = draw_law(rng)
    sample = law_sample(child_tapes(planted_tape(law, ROWS_SHAPE, days, rng)), traders, rng)
    return fit_binned_law(sample.participation, sample.impact, sample.cluster, rng).law
