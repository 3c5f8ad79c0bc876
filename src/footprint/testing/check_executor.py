"""The contract of an executor, as a check that anyone can run on an engine of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator

from footprint.impact.executor import Executor

ITEMS = 40


def check_executor(executor: Executor, ahead: int) -> None:
    """Check that an engine is an executor: results in order, items taken as they are needed, errors passed on.

    Args:
        ahead: how many more items it may have taken than it has given results.

    Raises:
        AssertionError: the contract is broken; the text says which part.
    """
    _require(list(executor.map(math.isqrt, [])) == [], "no items, no results")
    numbers = [n * n for n in range(ITEMS)]
    _require(list(executor.map(math.isqrt, numbers)) == list(range(ITEMS)), "results must be in the order of the items")
    _check_pace(executor, ahead)
    _check_error(executor, ahead)
    _require(list(executor.map(abs, [-1, 2])) == [1, 2], "an executor must work again after an error")


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


class _Counted:
    """Items that count how many were taken."""

    def __init__(self, items: list[int]) -> None:
        self._items = items
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        for item in self._items:
            self.taken += 1
            yield item


def _check_pace(executor: Executor, ahead: int) -> None:
    items = _Counted(list(range(ITEMS)))
    for given, _ in enumerate(executor.map(abs, items)):
        _require(items.taken <= given + ahead, f"{items.taken} items were taken for {given} results")
    unread = _Counted(list(range(ITEMS)))
    results = executor.map(abs, unread)
    next(results)
    del results
    _require(unread.taken <= 1 + ahead, "results that nobody takes must not be made")


def _check_error(executor: Executor, ahead: int) -> None:
    items = _Counted([4, 9, -1, *([16] * ITEMS)])
    try:
        list(executor.map(math.isqrt, items))
    except ValueError:
        _require(items.taken <= 3 + ahead, "no item may be taken after an error")
        return
    raise AssertionError("what the function raises must be raised")
