"""Clocks: what is missing, early or going back."""

from __future__ import annotations

import numpy as np

from footprint.data.clock_findings import clock_findings
from footprint.market.events import UNKNOWN_TIME, empty_events


def events(exchange: list[int], received: list[int]) -> np.ndarray:
    made = empty_events(len(exchange))
    made["exchange_time_ns"], made["receive_time_ns"] = exchange, received
    return made


def found(exchange: list[int], received: list[int]) -> dict[str, int]:
    return {finding.code: finding.count for finding in clock_findings(events(exchange, received))}


def test_clocks() -> None:
    none = UNKNOWN_TIME
    assert found([1, 2], [3, 4]) == {}
    assert found([none, none], [3, 4]) == {"no_exchange_time": 1}
    assert found([1, 2], [none, none]) == {"no_receive_time": 1}
    assert found([5, none, 3, 4], [6, 7, 8, 9]) == {"exchange_clock_back": 1}
    assert found([5, 6, none], [6, 5, 7]) == {"receive_before_exchange": 1}
