"""Almgren, Thum, Hauptmann, Li (2005), "Direct Estimation of Equity Market Impact", Table 3: two worked examples."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.impact.almgren import ETA, GAMMA, INVERSE_TURNOVER, Almgren2005
from footprint.testing.random_rows import random_rows

SIGMA_IBM, SIGMA_DRI = 157.0, 226.0  # bps per day
DAYS = np.array([0.1, 0.2, 0.5])


def costs_bps(sigma_day: float, inverse_turnover: float) -> tuple[np.ndarray, np.ndarray]:
    """(permanent impact, temporary cost) of an order of 10 % of a day's volume over each of `DAYS`."""
    rows = random_rows(np.random.default_rng(0), len(DAYS))
    day_s = np.full(3, 23_400.0)
    rows = replace(
        rows,
        participation=np.full(3, 0.1),
        volatility=np.full(3, sigma_day) / np.sqrt(day_s),
        day_s=day_s,
        horizon_s=DAYS * day_s,
    )
    permanent, temporary = Almgren2005().basis(rows).T * np.array([[GAMMA], [ETA]])
    return permanent * (inverse_turnover / INVERSE_TURNOVER) ** 0.25, temporary


@pytest.mark.parametrize(
    ("sigma_day", "inverse_turnover", "permanent", "temporary", "realised"),
    [
        (SIGMA_IBM, 263.0, 20.0, (22.0, 15.0, 8.0), (32.0, 25.0, 18.0)),
        (SIGMA_DRI, 87.0, 22.0, (32.0, 21.0, 12.0), (43.0, 32.0, 23.0)),
    ],
    ids=["IBM", "DRI"],
)
def test_worked_examples(sigma_day, inverse_turnover, permanent, temporary, realised) -> None:
    found_permanent, found_temporary = costs_bps(sigma_day, inverse_turnover)
    # the table prints whole basis points
    assert found_permanent == pytest.approx(np.full(3, permanent), abs=0.6)
    assert found_temporary == pytest.approx(temporary, abs=0.6)
    assert 0.5 * found_permanent + found_temporary == pytest.approx(realised, abs=0.6)
