"""A writer of the event log that is killed at any moment loses nothing that it has acknowledged."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.testing.log_kills import kill_writers


def test_nothing_acknowledged_is_lost_at_ten_kills():
    kills = kill_writers(10, np.random.default_rng(1))
    assert (kills.points, kills.lost) == (10, 0)
    assert kills.acknowledged > 1_000


@pytest.mark.nightly
def test_nothing_acknowledged_is_lost_at_two_hundred_kills():
    kills = kill_writers(200, np.random.default_rng(2))
    assert (kills.points, kills.lost) == (200, 0)
    assert kills.acknowledged > 20_000
