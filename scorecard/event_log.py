"""The embedded event log: speed with records of 200 bytes, and what is lost when its writer is killed."""

from __future__ import annotations

import numpy as np

from footprint.testing.log_kills import kill_writers
from scorecard.bar import Bar, Limit, NotMeasured

_POINTS = 200
_SEED = 3
_COMMAND = "python -m scorecard --only event_log"

_SINGLY = Bar(3, "event log: one by one", "records/CPU-s", Limit(at_least=200e3), None, _COMMAND)
_BATCHED = Bar(3, "event log: batched", "records/CPU-s", Limit(at_least=1e6), None, _COMMAND)
_LOST = Bar(3, "event log: acknowledged records lost", "records", Limit(at_most=0), None, _COMMAND)
BARS = (_SINGLY, _BATCHED, _LOST)


def measure() -> list[Bar]:
    try:
        from benchmarks import event_log
    except ImportError as error:
        raise NotMeasured(f"benchmarks/event_log.py cannot be imported: {error}") from error
    rates = event_log.measure()
    size = f"{event_log.RECORD_BYTES} bytes a record, a write to the kernel is the acknowledgement"
    kills = kill_writers(_POINTS, np.random.default_rng(_SEED))
    told = (
        f"{_POINTS} SIGKILLs of a writing process, {kills.acknowledged:,} records acknowledged, {kills.torn} torn ends"
    )
    return [
        _SINGLY.measured(rates["one by one"], n=event_log.RECORDS, note=size),
        _BATCHED.measured(rates["batched"], n=event_log.RECORDS, note=f"{size}, {event_log.BATCH} a batch"),
        _LOST.measured(kills.lost, n=_POINTS, note=told),
    ]
