"""Where work on many items runs: one after the other here, in processes in `adapters.joblib_executor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Applies a function to items, of which there may be more than fit into memory at once.

    Results come in the order of the items. Items are taken as results are asked for, at most a fixed number ahead, so
    that memory does not grow with their number. What the function raises, the iterator raises, and takes no more items.
    """

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Results of a function that depends on its item alone; both must be picklable where processes do the work."""
        ...


class Serial:
    """One item after the other, in this process."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Results, each made when it is asked for."""
        return map(function, items)


SERIAL = Serial()
