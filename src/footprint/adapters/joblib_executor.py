"""Work in processes of this machine, by joblib's loky."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

from joblib.externals.loky import ProcessPoolExecutor

from footprint.errors import FootprintError, UsageError

T = TypeVar("T")
R = TypeVar("R")

# one thread a process: thread pools of several processes only fight over the same cores
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
_AHEAD = 2  # items a worker: one that it works on, one that waits


@dataclass(frozen=True, slots=True)
class JoblibExecutor:
    """`impact.executor.Executor` with worker processes of its own for each `map`.

    loky's reusable pool is joblib's: the two would find each other's workers.

    `joblib.Parallel` goes on with its items whether or not anybody takes the results; here the two keep pace.

    Args:
        workers: processes, at least 1.
    """

    workers: int

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"{self.workers} worker processes, allowed: 1 or more")

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Results in the order of the items; see `Executor.map`.

        Raises:
            FootprintError: a worker died, as when the machine runs out of memory.
        """
        pool = ProcessPoolExecutor(max_workers=self.workers, env=_ONE_THREAD)
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= _AHEAD * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise FootprintError(f"a worker process died, out of memory? ({' '.join(str(error).split())})") from error
        finally:
            for future in waiting:
                future.cancel()
            pool.shutdown(wait=False)
