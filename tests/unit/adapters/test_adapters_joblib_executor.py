from __future__ import annotations

import os

import pytest

from footprint.adapters.joblib_executor import JoblibExecutor
from footprint.errors import FootprintError, UsageError
from footprint.impact.executor import SERIAL
from footprint.testing.check_executor import check_executor


def test_one_after_the_other():
    check_executor(SERIAL, ahead=1)


def test_in_processes():
    executor = JoblibExecutor(2)
    check_executor(executor, ahead=4)
    assert os.getpid() not in set(executor.map(eval, ["__import__('os').getpid()"]))
    assert list(executor.map(os.getenv, ["OMP_NUM_THREADS"])) == ["1"]


class TakesAll:
    """Makes a list of its items first: memory grows with their number."""

    def map(self, function, items):
        return iter([function(item) for item in items])


class Unordered:
    def map(self, function, items):
        return reversed([function(item) for item in items])


@pytest.mark.parametrize("broken", [TakesAll(), Unordered()])
def test_the_contract_catches_a_broken_executor(broken):
    with pytest.raises(AssertionError):
        check_executor(broken, ahead=4)


def test_a_worker_that_dies_is_one_clear_error():
    executor = JoblibExecutor(1)
    with pytest.raises(FootprintError, match="a worker process died"):
        list(executor.map(os._exit, [1]))
    assert list(executor.map(abs, [-3])) == [3]


def test_no_worker_is_refused():
    with pytest.raises(UsageError, match="allowed: 1 or more"):
        JoblibExecutor(0)
