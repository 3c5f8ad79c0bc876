"""Fixtures shared by every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# in CI the same examples every time, and no deadline that a busy machine can miss
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market files; tests on them are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("shared market data not present")
    return SHARED_DATA
