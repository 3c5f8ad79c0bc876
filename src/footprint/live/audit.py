"""The running audit of a recording: how late it is, which books are void and since when, who has fallen silent.

Holes, duplicates, checksums and crossed books are counted by the normaliser; here is what needs a clock or a memory of
the events that were written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind

UNKNOWN_ID = -1
MAX_LISTED = 10_000  # void spells and incidents listed one by one; all are counted
_SAMPLE = 4096

_CLEAR, _SNAPSHOT = int(EventKind.CLEAR), int(EventFlag.SNAPSHOT)
_WITH_UPDATE_ID = np.array(
    [kind in (EventKind.LEVEL, EventKind.ADD, EventKind.MODIFY, EventKind.DELETE) for kind in range(256)]
)


class VoidSpell(NamedTuple):
    """From a hole to the snapshot that healed it: what happened in between is not in the events.

    Attributes:
        after_id: update id of the last change before, UNKNOWN_ID where the venue has none.
        until_id: update id of the snapshot; UNKNOWN_ID while the book is still void, or where there is none.
        from_row, until_row: frames of the recording; until_row is 0 while the book is still void.
        from_ns, until_ns: their times, ns UTC.
    """

    symbol: str
    after_id: int
    until_id: int
    from_row: int
    until_row: int
    from_ns: int
    until_ns: int

    @property
    def open(self) -> bool:
        """True while no snapshot has come."""
        return self.until_row == 0


class Latency(NamedTuple):
    """Receive minus exchange time over a uniform sample of at most 4096 messages, milliseconds; nan without any."""

    messages: int
    negative: int
    median_ms: float
    p99_ms: float


class SymbolAudit:
    """What is remembered of one symbol.

    Attributes:
        events: how many were written.
        heard_ns: local time of its last event; of the start before any.
        voids: the first MAX_LISTED spells; `void_count` has all.
        silent: True while nothing has come for longer than allowed.
    """

    def __init__(self, symbol: str, now_ns: int, generator: np.random.Generator) -> None:
        self.symbol = symbol
        self.events = 0
        self.heard_ns = now_ns
        self.silent = False
        self.void_count = 0
        self.voids: list[VoidSpell] = []
        self._open: VoidSpell | None = None
        self._last_id = UNKNOWN_ID
        self._latencies = np.zeros(_SAMPLE, np.int64)
        self._generator = generator
        self._timed = self._negative = 0

    def take(self, events: np.ndarray) -> None:
        """The events of one frame (EVENT_DTYPE), at least one."""
        self.events += len(events)
        self.heard_ns = int(events["receive_time_ns"][-1])
        self.silent = False
        self._take_latency(events)
        clears = np.flatnonzero(events["kind"] == _CLEAR)
        start = 0
        for at in clears.tolist():
            self._remember_id(events[start:at])
            self._take_clear(events[at])
            start = at
        self._remember_id(events[start:])

    def all_voids(self) -> list[VoidSpell]:
        """The listed spells, the open one last."""
        return self.voids + ([self._open] if self._open else [])

    def latency(self) -> Latency:
        """Of the messages so far."""
        sample = self._latencies[: min(self._timed, _SAMPLE)] / 1e6
        median, p99 = np.quantile(sample, (0.5, 0.99)).tolist() if len(sample) else (np.nan, np.nan)
        return Latency(self._timed, self._negative, median, p99)

    def _take_latency(self, events: np.ndarray) -> None:
        first = events[0]
        exchange_ns = int(first["exchange_time_ns"])
        if exchange_ns == UNKNOWN_TIME or int(first["flags"]) & _SNAPSHOT:
            return
        latency_ns = int(first["receive_time_ns"]) - exchange_ns
        self._negative += latency_ns < 0
        # reservoir sampling (Vitter 1985, algorithm R): every message is as likely to be in the sample
        at = self._timed if self._timed < _SAMPLE else int(self._generator.integers(self._timed + 1))
        if at < _SAMPLE:
            self._latencies[at] = latency_ns
        self._timed += 1

    def _remember_id(self, events: np.ndarray) -> None:
        ids = events["sequence"][_WITH_UPDATE_ID[events["kind"]]]
        if len(ids):
            self._last_id = int(ids[-1])

    def _take_clear(self, event: np.void) -> None:
        row, time_ns, sequence = int(event["row"]), int(event["receive_time_ns"]), int(event["sequence"])
        if int(event["flags"]) & _SNAPSHOT:
            if self._open is not None:
                healed = self._open._replace(until_id=sequence, until_row=row, until_ns=time_ns)
                if len(self.voids) < MAX_LISTED:
                    self.voids.append(healed)
                self._open = None
        elif self._open is None:
            self.void_count += 1
            self._open = VoidSpell(self.symbol, self._last_id, UNKNOWN_ID, row, 0, time_ns, UNKNOWN_TIME)


class RunningAudit:
    """All symbols of a recording."""

    def __init__(self, symbols: Iterable[str], now_ns: int, generator: np.random.Generator) -> None:
        self._generator = generator
        self.symbols = {symbol: SymbolAudit(symbol, now_ns, generator) for symbol in symbols}

    def take(self, symbol: str, events: np.ndarray) -> None:
        """Events of one symbol in the order in which they were written."""
        mine = self.symbols.get(symbol)
        if mine is None:
            mine = self.symbols[symbol] = SymbolAudit(symbol, int(events["receive_time_ns"][0]), self._generator)
        mine.take(events)

    def newly_silent(self, now_ns: int, allowed_ns: int) -> list[SymbolAudit]:
        """Symbols of which nothing has come for longer than `allowed_ns`, each named once per silence."""
        found = [s for s in self.symbols.values() if not s.silent and now_ns - s.heard_ns > allowed_ns]
        for mine in found:
            mine.silent = True
        return found
