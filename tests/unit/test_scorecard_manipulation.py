import numpy as np
import pytest
from scorecard import manipulation
from scorecard.bar import Reached

from footprint.features.manipulation.candidate import KINDS


def test_reduced_measure_reaches_its_bars(monkeypatch, shared_data):
    monkeypatch.setattr(manipulation, "_RUNS", 240)
    monkeypatch.setattr(manipulation, "_BATCH", 60)
    monkeypatch.setattr(manipulation, "_PLANTED", 18)
    monkeypatch.setattr(manipulation, "_TAPES", {"AMZN": manipulation._TAPES["AMZN"]})
    bars = manipulation.measure()
    assert [bar.name for bar in bars] == [bar.name for bar in manipulation.BARS]
    false_alarms = bars[:2]
    assert all(bar.value is not None and bar.value <= 10.0 for bar in false_alarms)
    assert all(bar.value is not None and bar.value >= 50.0 for bar in bars[2:6])


@pytest.mark.nightly
def test_full_measure_reaches_its_bars(shared_data):
    assert all(bar.reached is not Reached.MISSED for bar in manipulation.measure())


def test_blocks_go_on_where_they_began():
    places = manipulation._blocks(1_000, 4, 500, np.random.default_rng(1))
    steps = np.diff(places, axis=1) % 1_000
    assert places.shape == (4, 500)
    assert np.mean(steps == 1) > 0.95


def test_a_past_is_a_day_of_other_runs():
    pool = np.tile(np.arange(20.0)[:, None, None], (1, 180, len(KINDS)))
    assert 7.0 not in manipulation._past(pool, 7, np.random.default_rng(2))
