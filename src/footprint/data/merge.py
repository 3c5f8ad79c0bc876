"""Several streams of events merged into one: the order in which one observer would have learned of them.

Events are ordered by event time (receive time where it is known, else exchange time), those of one time by (venue,
symbol) and then as their own stream has them. So the result depends on the events alone, not on the order in which the
streams are named nor on how they are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from footprint.data.session import Session
from footprint.errors import DataRefused, UsageError
from footprint.market.events import EVENT_DTYPE, event_time_ns

CHUNK_EVENTS = 1 << 16


class StreamKey(NamedTuple):
    """What tells one stream from another."""

    venue: str
    symbol: str


class Merged(NamedTuple):
    """A piece of the merged stream.

    Attributes:
        events: EVENT_DTYPE of shape (n,); ticks and lots are those of the instrument of each stream.
        source: int16 of shape (n,), index into the keys in sorted order.
    """

    events: np.ndarray
    source: np.ndarray


def merge_streams(
    streams: Sequence[tuple[StreamKey, Iterable[np.ndarray]]], chunk_events: int = CHUNK_EVENTS
) -> Iterator[Merged]:
    """Merge as the pieces come.

    Memory holds one piece a stream and what has the same time as its end, never a whole stream.

    Args:
        streams: a key and pieces of events (EVENT_DTYPE, any lengths) each; event time never decreases within one.
        chunk_events: events of a piece that is given out, the last one may be shorter.

    Raises:
        UsageError: two streams have one key.
        DataRefused: the event time of a stream goes back.
    """
    ordered = sorted(streams, key=lambda stream: stream[0])
    keys = [key for key, _ in ordered]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UsageError(f"two streams of {twice.symbol} at {twice.venue}, allowed: one of each venue and symbol")
    return _rechunked(_merged([_Source(key, iter(pieces)) for key, pieces in ordered]), chunk_events)


def merge_sessions(sessions: Iterable[Session]) -> tuple[tuple[StreamKey, ...], Merged]:
    """Merge sessions that are in memory; several of one instrument follow each other in time.

    Returns:
        The keys in sorted order, which `Merged.source` counts, and the whole stream.

    Raises:
        DataRefused: sessions of one instrument overlap in time.
    """
    by_key: dict[StreamKey, list[np.ndarray]] = {}
    for session in sessions:
        if len(session.events):
            by_key.setdefault(StreamKey(session.instrument.venue, session.instrument.symbol), []).append(session.events)
    for pieces in by_key.values():
        pieces.sort(key=lambda events: tuple(int(end) for end in event_time_ns(events[[0, -1]])))
    merged = list(merge_streams(list(by_key.items())))
    events = [piece.events for piece in merged] or [np.empty(0, EVENT_DTYPE)]
    source = [piece.source for piece in merged] or [np.empty(0, np.int16)]
    return tuple(sorted(by_key)), Merged(np.concatenate(events), np.concatenate(source))


class _Source:
    """What has been read of one stream and not been given out."""

    def __init__(self, key: StreamKey, pieces: Iterator[np.ndarray]) -> None:
        self.key = key
        self.ended = False
        self._pieces = pieces
        self._events = np.empty(0, EVENT_DTYPE)
        self._time_ns = np.empty(0, np.int64)

    @property
    def horizon_ns(self) -> int:
        """Time of the newest event read: another of this very time may still come."""
        return int(self._time_ns[-1])

    def read(self) -> None:
        """Add the next piece that holds anything."""
        events = next((piece for piece in self._pieces if len(piece)), None)
        if events is None:
            self.ended = True
            return
        time_ns = event_time_ns(events)
        joined = np.concatenate((self._time_ns[-1:], time_ns))
        back = np.flatnonzero(np.diff(joined) < 0)
        if len(back):
            at = int(back[0])
            raise DataRefused(
                f"event time goes back in {self.key.symbol} at {self.key.venue}",
                field="event time",
                found=int(joined[at + 1]),
                allowed=f"not before {int(joined[at])}",
            )
        self._events = np.concatenate((self._events, events))
        self._time_ns = np.concatenate((self._time_ns, time_ns))

    def take(self, before_ns: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Events and times before a time (all when None); they are gone then."""
        count = len(self._time_ns) if before_ns is None else int(np.searchsorted(self._time_ns, before_ns))
        taken = self._events[:count], self._time_ns[:count]
        self._events, self._time_ns = self._events[count:], self._time_ns[count:]
        return taken

    def needs(self, until_ns: int) -> bool:
        """True when events of this time may still come."""
        return not self.ended and (not len(self._time_ns) or self.horizon_ns <= until_ns)


def _merged(sources: list[_Source]) -> Iterator[Merged]:
    for source in sources:
        source.read()
    while True:
        open_ends = [source.horizon_ns for source in sources if not source.ended]
        horizon_ns = min(open_ends) if open_ends else None
        piece = _interleaved([source.take(horizon_ns) for source in sources])
        if len(piece.events):
            yield piece
        if horizon_ns is None:
            return
        for source in sources:
            while source.needs(horizon_ns):
                source.read()


def _interleaved(taken: Sequence[tuple[np.ndarray, np.ndarray]]) -> Merged:
    source = np.repeat(np.arange(len(taken), dtype=np.int16), [len(times) for _, times in taken])
    order = np.argsort(np.concatenate([times for _, times in taken] or [np.empty(0, np.int64)]), kind="stable")
    events = np.concatenate([events for events, _ in taken] or [np.empty(0, EVENT_DTYPE)])
    return Merged(events[order], source[order])


def _rechunked(pieces: Iterator[Merged], chunk_events: int) -> Iterator[Merged]:
    """Pieces of one length, so that what comes out does not depend on how the streams were cut."""
    held: list[Merged] = []
    count = 0
    for piece in chain(pieces, [None]):
        if piece is not None:
            held.append(piece)
            count += len(piece.events)
            if count < chunk_events:
                continue
        if not count:
            continue
        whole = Merged(np.concatenate([p.events for p in held]), np.concatenate([p.source for p in held]))
        stop = count if piece is None else count - count % chunk_events
        for start in range(0, stop, chunk_events):
            yield Merged(*(column[start : min(start + chunk_events, stop)] for column in whole))
        held, count = [Merged(whole.events[stop:], whole.source[stop:])], count - stop
