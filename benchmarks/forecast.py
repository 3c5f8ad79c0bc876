"""One forecast record in process, features ready: wall and CPU time per record, beside its parts.

Run: python benchmarks/forecast.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from statistics import median

import numpy as np

from footprint.app.history import read_history
from footprint.data.planted import PlantedLaw
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.fits import fit_forecaster
from footprint.impact.forecast import forecast, request_rows
from footprint.impact.forecaster import Forecaster
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Style

REPEATS = 2_000


@lru_cache(maxsize=1)
def prepared() -> tuple[Forecaster, ImpactRequest]:
    """A mixture fitted on a planted tape and a request inside its training range."""
    sessions = list(planted_sessions(PlantedLaw(), 3, np.random.default_rng(0)))
    history = read_history(sessions, None, Protocol())
    forecaster = fit_forecaster(history.tapes, "2024-01-10", "benchmark", seed=0)
    market = history.market
    quantity = 10.0 * market.feature("typical_trade")
    plan = style_plan(Style.BALANCED, quantity, 600.0, market.feature("volume_per_s_30m"), quantity / 10.0)
    order = ParentOrder("benchmark", history.instrument.symbol, 1, quantity, market.as_of_ns)
    return forecaster, ImpactRequest(order, plan, market)


def measure() -> float:
    """Median wall milliseconds of one forecast record."""
    forecaster, request = prepared()
    return _median_ms(lambda: forecast(forecaster, request))


def _median_ms(call: Callable[[], object]) -> float:
    for _ in range(20):
        call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return median(times) / 1e6


def main() -> None:
    forecaster, request = prepared()
    rows = request_rows(request)
    models = forecaster.models(request.order.symbol, in_flight=False)
    record = forecast(forecaster, request)
    parts: dict[str, Callable[[], object]] = {
        "forecast record": lambda: forecast(forecaster, request),
        "  request as a row": lambda: request_rows(request),
        "  quantiles of five targets": lambda: [model.quantiles(rows) for model in models.values()],
        "record to JSON": record.to_json,
    }
    print(f"confidence {record.confidence}: {'; '.join(record.reasons) or 'no reservation'}")
    for name, call in parts.items():
        print(f"{name:28s} {1000 * _median_ms(call):8.1f} us median of {REPEATS}")


if __name__ == "__main__":
    main()
