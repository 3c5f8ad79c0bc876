"""Books and matching engine against their plain-Python twins on random messages, whole state compared often."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from scorecard.bar import Bar, Limit, NotMeasured
from scorecard.sources import ROOT

_TWINS = ROOT / "tests" / "unit" / "book" / "reference_books.py"
_COMMAND = "python -m scorecard --only book_twin"
_MESSAGES = 10_000_000
_SEED = 20240810

_ORDERS, _LEVELS, _MATCHING = (
    Bar(3, f"reference twin, 10 M random messages, {what}: differences", "", Limit(at_most=0), None, _COMMAND)
    for what in ("order-by-order book", "price-level book", "matching engine")
)
BARS = (_ORDERS, _LEVELS, _MATCHING)


def measure() -> list[Bar]:
    twins = _twins()
    every = f"levels, queues and counts compared every {twins.CHUNK:,} messages"
    orders, resting = twins.compare_orders(_SEED, _MESSAGES)
    levels, held = twins.compare_levels(_SEED, _MESSAGES)
    matching, fills = twins.compare_matching(_SEED, _MESSAGES)
    return [
        _ORDERS.measured(orders, n=_MESSAGES, note=f"{every}; {resting:,.0f} orders resting on average"),
        _LEVELS.measured(levels, n=_MESSAGES, note=f"levels compared as often; {held:,.0f} held on average"),
        _MATCHING.measured(matching, n=_MESSAGES, note=f"{every}; each of {fills:,.0f} fills compared"),
    ]


def _twins() -> ModuleType:
    specification = importlib.util.spec_from_file_location("reference_books", _TWINS)
    if specification is None or specification.loader is None or not _TWINS.is_file():
        raise NotMeasured(f"{_TWINS.relative_to(ROOT)} is absent")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
