"""Memory stays flat over symbol-days, in one process and in several."""

from __future__ import annotations

import weakref
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from footprint.adapters.joblib_executor import JoblibExecutor
from footprint.data.planted import PlantedLaw
from footprint.data.session import Session
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.executor import SERIAL
from footprint.impact.rows import Rows
from footprint.impact.training import tape_rows
from footprint.units import NS_PER_DAY, NS_PER_HOUR

PROTOCOL = Protocol(traders_busy=(20,), traders_quiet=(20,), seeds=1, seeds_thin=1, rows_per_cell=20, parts=2)


@pytest.fixture(scope="module")
def day() -> Session:
    """The first hour of a planted day."""
    (whole,) = planted_sessions(PlantedLaw(), 1, np.random.default_rng(0))
    close_ns = whole.open_ns + NS_PER_HOUR
    return replace(whole, close_ns=close_ns, events=whole.events[whole.events["exchange_time_ns"] < close_ns])


class Days:
    """Copies of a day on days that follow, made one by one; counts how many of them live at once."""

    def __init__(self, day: Session, count: int) -> None:
        self._day, self._count = day, count
        self.most_alive = 0

    def __iter__(self):
        made = []
        for number in range(self._count):
            session = self._moved(number)
            made.append(weakref.ref(session.events))
            yield session
            del session
            self.most_alive = max(self.most_alive, sum(ref() is not None for ref in made))

    def _moved(self, number: int) -> Session:
        shift_ns = number * NS_PER_DAY
        events = self._day.events.copy()
        for clock in ("exchange_time_ns", "receive_time_ns"):
            events[clock] += shift_ns
        return replace(
            self._day,
            day=self._day.day + timedelta(days=number),
            events=events,
            open_ns=self._day.open_ns + shift_ns,
            close_ns=self._day.close_ns + shift_ns,
        )


@pytest.mark.parametrize(("executor", "bound"), [(SERIAL, 1), (JoblibExecutor(1), 3)])
def test_the_number_of_days_in_memory_does_not_grow(day, executor, bound):
    for count in (3, 9):
        days = Days(day, count)
        (tape,) = tape_rows(days, PROTOCOL, executor=executor)
        assert len(tape.sessions) == count
        assert days.most_alive <= bound


def test_processes_make_the_same_rows(day):
    one, other = (next(tape_rows(Days(day, 2), PROTOCOL, executor=e)) for e in (SERIAL, JoblibExecutor(1)))
    assert len(one.arrival) > 10
    for name in Rows.__dataclass_fields__:
        left, right = getattr(one.arrival, name), getattr(other.arrival, name)
        assert np.array_equal(left, right, equal_nan=name in ("x", "outcomes")), name
