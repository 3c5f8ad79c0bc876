"""One forecast record in process, features ready: the median time, from the benchmark of the hot path."""

from __future__ import annotations

from scorecard.bar import Bar, Limit, NotMeasured

_LATENCY = Bar(
    2, "one forecast record, features ready: p50", "ms", Limit(at_most=1), Limit(at_most=0.2),
    "python -m scorecard --only forecast_latency",
)  # fmt: skip
BARS = (_LATENCY,)


def measure() -> list[Bar]:
    try:
        from benchmarks.forecast import measure as median_ms
    except ImportError as error:
        raise NotMeasured(f"benchmarks/forecast.py cannot be imported: {error}") from error
    return [_LATENCY.measured(float(median_ms()))]
