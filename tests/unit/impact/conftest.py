"""A small planted market, read once, and what is fitted on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.app.history import History, read_history
from footprint.data.planted import PlantedLaw
from footprint.data.session import Session
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.fits import fit_forecaster
from footprint.impact.forecaster import Forecaster, fit_baseline
from footprint.units import NS_PER_HOUR

SMALL = replace(Protocol(), rows_per_cell=60)


@pytest.fixture(scope="session")
def planted_days() -> list[Session]:
    return list(planted_sessions(PlantedLaw(), 3, np.random.default_rng(0)))


@pytest.fixture(scope="session")
def planted_history(planted_days: list[Session]) -> History:
    """Known two hours before the last close."""
    return read_history(planted_days, planted_days[-1].close_ns - 2 * NS_PER_HOUR, SMALL)


@pytest.fixture(scope="session")
def baseline(planted_history: History) -> Forecaster:
    return fit_baseline(planted_history.tapes, "2024-01-10", "test", seed=0)


@pytest.fixture(scope="session")
def mixture(planted_history: History) -> Forecaster:
    return fit_forecaster(planted_history.tapes, "2024-01-10", "test", seed=0)
