"""What a piece of work cost: time and memory of the process that did it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Cost:
    """Time and memory.

    Attributes:
        wall_s: on the clock; a sum over pieces that ran side by side exceeds the time that passed.
        cpu_s: of the process, all its threads.
        peak_bytes: most memory that the process has held since its start, of the largest process where there are more.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


def total(costs: Iterable[Cost]) -> Cost:
    """Times added up, memory of the largest."""
    told = list(costs)
    return Cost(sum(c.wall_s for c in told), sum(c.cpu_s for c in told), max((c.peak_bytes for c in told), default=0))


@dataclass(frozen=True, slots=True)
class Measured(Generic[T, R]):
    """A function that also says what the call cost; for `Executor.map`, whose workers measure themselves."""

    function: Callable[[T], R]

    def __call__(self, item: T) -> tuple[R, Cost]:
        """The result and its cost."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        result = self.function(item)
        return result, Cost(time.perf_counter() - wall_s, time.process_time() - cpu_s, peak_bytes())


def peak_bytes() -> int:
    """Most memory that this process has held since its start."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
