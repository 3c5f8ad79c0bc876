"""Progress of long steps on stderr; stdout carries results only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, TextIO, TypeVar

T = TypeVar("T")

QUIET_S = 2.0  # a step shorter than this is not worth a line in a log


class ProgressDisplay(Protocol):
    """Where a service says how far it is."""

    def track(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items, telling how many of `total` (their length, when they have one) are done."""
        ...

    def step(self, label: str) -> AbstractContextManager[None]:
        """Bracket one piece of work whose length is unknown."""
        ...


class NullProgress:
    """Says nothing."""

    def track(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items."""
        yield from items

    def step(self, label: str) -> AbstractContextManager[None]:
        """Bracket nothing."""
        return nullcontext()


class TerminalProgress:
    """A live bar per step, which stays when it took longer than two seconds."""

    def track(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items under a bar."""
        with self._bar(label, _length(items) if total is None else total) as advance:
            for item in items:
                yield item
                advance()

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show a moving bar and the time."""
        with self._bar(label, None):
            yield

    @contextmanager
    def _bar(self, label: str, total: int | None) -> Iterator[Callable[[], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        count = [MofNCompleteColumn()] if total is not None else []
        columns = [TextColumn("{task.description:<34}"), BarColumn(), *count, TimeElapsedColumn()]
        started = time.monotonic()
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(label, total=total)
            yield lambda: bar.advance(task)
            bar.update(task, total=total or 1, completed=total or 1)
            bar.live.transient = time.monotonic() - started < QUIET_S


class LogProgress:
    """Plain lines for a stream that is no terminal: one when a step has run for two seconds, one at its end."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock

    def track(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items and say how far they are after two seconds, four, eight, ..."""
        total = _length(items) if total is None else total
        of = "" if total is None else f" of {total}"
        started, silent_s = self._clock(), QUIET_S
        for done, item in enumerate(items):
            if self._clock() - started >= silent_s:
                self._say(f"{label}: {done}{of}, {self._clock() - started:.0f} s")
                silent_s *= 2
            yield item
        self._close(label, started)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Say how long it took, when it took longer than two seconds."""
        started = self._clock()
        yield
        self._close(label, started)

    def _close(self, label: str, started: float) -> None:
        if self._clock() - started >= QUIET_S:
            self._say(f"{label}: done in {self._clock() - started:.0f} s")

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def progress_on_stderr() -> ProgressDisplay:
    """Live bars on a terminal, plain lines elsewhere."""
    return TerminalProgress() if sys.stderr.isatty() else LogProgress(sys.stderr)


def _length(items: Iterable[object]) -> int | None:
    return len(items) if isinstance(items, Sized) else None
