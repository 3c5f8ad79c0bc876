"""How much wider a forecast is beyond the training range.

Both the size of the impact and that of the noise are powers of the order's size and horizon. With exponents that are
uncertain by 0.1, as they scatter between tapes and studies, each is uncertain by 10 % for every unit of the log
distance from the range.
"""

from __future__ import annotations

import math

import numpy as np

from footprint.impact.distribution import mean

EXPONENT_SD = 0.1


def extrapolation_sd_bps(quantiles: np.ndarray, beyond: float) -> float:
    """Deviation that the distance adds to one distribution, shape (99,), independent of its own.

    Args:
        beyond: log of how many times the order lies beyond the range, 0 inside.
    """
    return EXPONENT_SD * beyond * math.hypot(float(mean(quantiles)), float(quantiles.std()))


def extrapolated(quantiles: np.ndarray, beyond: float) -> np.ndarray:
    """Quantiles stretched around their mean so that the variances add, shape (99,)."""
    sd = float(quantiles.std())
    if sd == 0.0:
        return quantiles
    centre = float(mean(quantiles))
    return centre + (quantiles - centre) * math.hypot(1.0, extrapolation_sd_bps(quantiles, beyond) / sd)
