"""A clock that goes back is repaired in the open, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from footprint.data.clock_repair import raised_clock, repair_monotonic
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME
from footprint.units import NS_PER_SECOND

NOW_NS = 1_723_161_255_123_456_789
PATH = Path("a.csv")


def test_times_that_go_back_are_raised_and_every_one_is_logged():
    time_ns = np.array([10, 30, 20, 25, UNKNOWN_TIME, 40, 39]) + np.where(np.arange(7) == 4, 0, NOW_NS)
    repaired, log = repair_monotonic(time_ns)
    assert (repaired - NOW_NS)[[0, 1, 2, 3, 5, 6]].tolist() == [10, 30, 30, 30, 40, 40]
    assert repaired[4] == UNKNOWN_TIME
    assert log["index"].tolist() == [2, 3, 6]
    assert (log["from_ns"] - NOW_NS).tolist() == [20, 25, 39]
    assert (log["to_ns"] - NOW_NS).tolist() == [30, 30, 40]
    assert np.array_equal(np.where(np.isin(np.arange(7), log["index"]), repaired, time_ns), repaired)


def test_a_clock_in_order_is_left_alone():
    time_ns = NOW_NS + np.arange(5)
    repaired, log = repair_monotonic(time_ns)
    assert np.array_equal(repaired, time_ns)
    assert len(log) == 0


def test_a_clock_that_was_set_back_is_not_repaired():
    with pytest.raises(DataRefused, match=r"row 3, field time: clock goes back too far"):
        repair_monotonic(NOW_NS + np.array([0, 10 * NS_PER_SECOND, NS_PER_SECOND]))


def test_a_clock_is_raised_and_the_repair_said():
    rows = np.arange(1, 5)
    raised, findings = raised_clock(np.array([5, 3, 6, 2]) * NS_PER_SECOND, "local", PATH, rows)
    assert (raised // NS_PER_SECOND).tolist() == [5, 5, 6, 6]
    assert [(f.code, f.count) for f in findings] == [("clock_repaired", 2)]
    assert "by up to 4 s" in findings[0].text
    assert raised_clock(np.array([1, 1, 2]), "local", PATH, rows)[1] == []
    assert raised_clock(np.zeros(0, np.int64), "local", PATH, rows)[1] == []


def test_one_absurd_time_does_not_become_that_of_all_that_follows():
    """A single wrong stamp far ahead would else move the rest of the file to it."""
    time_ns = NOW_NS + np.array([0, 10**18, 1, 2])
    with pytest.raises(DataRefused, match=r"a.csv, row 12, field exchange time: clock goes back too far"):
        raised_clock(time_ns, "exchange", PATH, np.arange(10, 14))
