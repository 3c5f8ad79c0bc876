"""Leakage of an order: silent on planted markets whose orders do not leak, found where they do.

The issue sets no bar for leakage. The limit on false positives is the one it sets for alarms, 5 % and two standard
errors; what is found has none.
"""

from __future__ import annotations

import math

from footprint.impact.leakage.order_leakage import AUC, DRIFT, GROWTH
from footprint.impact.leakage.planted_check import detections
from scorecard.bar import Bar, Limit

_SILENT = range(5000, 5400)
_LEAKING = range(6000, 6060)
_LEAK = 0.5  # of the usual rate of one side
_COMMAND = "python -m scorecard --only leakage"
_MOST = round(100 * (0.05 + 2 * math.sqrt(0.05 * 0.95 / len(_SILENT))), 2)

_FIGURES = (DRIFT.name, GROWTH.name, AUC.name)
_FALSE = {
    name: Bar(4, f"order leakage, none planted: {name} found", "%", Limit(at_most=_MOST), None, _COMMAND)
    for name in _FIGURES
}
_FOUND = {name: Bar(4, f"order leakage, planted: {name} found", "%", None, None, _COMMAND) for name in _FIGURES}
BARS = (*_FALSE.values(), *_FOUND.values())


def measure() -> list[Bar]:
    silent, leaking = detections(0.0, _SILENT), detections(_LEAK, _LEAKING)
    note = f"{_LEAK:g} more market orders on the order's side; 50 orders in 5 days a market"
    return [
        *(bar.measured(100 * silent[name], n=len(_SILENT)) for name, bar in _FALSE.items()),
        *(bar.measured(100 * leaking[name], n=len(_LEAKING), note=note) for name, bar in _FOUND.items()),
    ]
