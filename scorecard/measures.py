"""The list of measures, in the order in which they run: cheap and exact ones first."""

from __future__ import annotations

from typing import Protocol

from scorecard import (
    bac_days,
    benchmark_time,
    binance_frames,
    book_speed,
    book_twin,
    event_log,
    file_speed,
    forecast_calibration,
    forecast_latency,
    forecast_skill,
    ingest,
    leakage,
    live_faults,
    lobster_replay,
    manipulation,
    model_recovery,
    multi_day,
    order_books,
    path_alarm,
    planted_law,
    reader_fuzz,
    reader_oracles,
    regimes,
    sanity,
    sign_shuffled_null,
    store_identity,
    tape_exponent,
    training_machinery,
)
from scorecard.bar import Bar


class Measure(Protocol):
    """A module that declares its bars and measures them all at once."""

    @property
    def __name__(self) -> str: ...

    @property
    def BARS(self) -> tuple[Bar, ...]:
        """Without figures."""
        ...

    def measure(self) -> list[Bar]:
        """Each of `BARS` with its figure."""
        ...


MEASURES: tuple[Measure, ...] = (
    forecast_latency,
    bac_days,
    lobster_replay,
    binance_frames,
    reader_oracles,
    order_books,
    store_identity,
    event_log,
    ingest,
    file_speed,
    book_speed,
    book_twin,
    live_faults,
    reader_fuzz,
    sign_shuffled_null,
    tape_exponent,
    planted_law,
    model_recovery,
    regimes,
    multi_day,
    path_alarm,
    training_machinery,
    leakage,
    manipulation,
    forecast_skill,
    forecast_calibration,
    benchmark_time,
    sanity,
)


def name_of(measure: Measure) -> str:
    """The name under which `--only` knows it: that of its file."""
    return measure.__name__.rpartition(".")[2]
