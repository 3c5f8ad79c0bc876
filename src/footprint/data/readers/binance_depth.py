"""Joining a REST snapshot to the stream of depth updates, by the rule of the exchange.

Every update carries the ids it covers: (previous, last], with previous = `pu` on futures and `U - 1` on spot. The
snapshot often arrives after updates that are newer than it, so updates are held until a snapshot is there; then those
with last <= snapshot id are dropped, and the first one kept must reach back to it: previous <= id < last. From there on
previous must equal the last of the update before, else something was lost and the book waits for a new snapshot.

Source: Binance developer documentation, "How to manage a local order book correctly" (spot, USD-M and COIN-M).
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

import numpy as np

from footprint.data.readers.binance_blocks import FrameBlock

MAX_HELD = 20_000  # updates held while no snapshot is there; older ones cannot be joined any more


class DepthUpdate(NamedTuple):
    """One depth message: the ids it covers, (previous, last], and its levels."""

    previous: int
    last: int
    levels: FrameBlock


class Joined(Enum):
    """What became of an update."""

    APPLY = "applies to the book"
    HELD = "held until a snapshot arrives"
    OLD = "older than the snapshot"
    GAP = "ids are missing before it; the book is void until the next snapshot"


class DepthJoiner:
    """Holds, drops and orders updates around snapshots.

    Attributes:
        seen: id of the newest update of the stream, None before the first.
    """

    def __init__(self) -> None:
        self.seen: int | None = None
        self._book_id: int | None = None
        self._held: deque[DepthUpdate] = deque(maxlen=MAX_HELD)

    @property
    def joined(self) -> bool:
        """True while the book follows the stream."""
        return self._book_id is not None

    def follow(self, previous: np.ndarray, last: np.ndarray) -> int:
        """How many of the next updates simply apply, one after the other; those are taken, the one after them is not.

        Args:
            previous, last: ids of the updates, int64 of shape (n,).
        """
        if self._book_id is None or self.seen is None or not len(last):
            return 0
        if previous[0] != self.seen or previous[0] > self._book_id or last[0] <= self._book_id:
            return 0
        breaks = np.flatnonzero((previous[1:] != last[:-1]) | (last[1:] <= last[:-1]))
        count = int(breaks[0]) + 1 if len(breaks) else len(last)
        self.seen = self._book_id = int(last[count - 1])
        return count

    def update(self, update: DepthUpdate) -> Joined:
        """Say what to do with the next update of the stream."""
        lost = self.seen is not None and update.previous != self.seen
        self.seen = update.last
        if self._book_id is not None:
            lost |= update.previous > self._book_id
            if not lost:
                if update.last <= self._book_id:
                    return Joined.OLD
                self._book_id = update.last
                return Joined.APPLY
        if lost:
            self._book_id = None
            self._held.clear()
        self._held.append(update)
        return Joined.GAP if lost else Joined.HELD

    def snapshot(self, last_update_id: int) -> list[DepthUpdate] | None:
        """Join a snapshot: the held updates that apply after it, or None when it is of no use.

        It is of no use when the book already follows the stream, or when ids between it and the held updates are lost.
        """
        if self.joined:
            return None
        newer = [update for update in self._held if update.last > last_update_id]
        if newer and newer[0].previous > last_update_id:
            return None
        self._held.clear()
        self._book_id = newer[-1].last if newer else last_update_id
        return newer
