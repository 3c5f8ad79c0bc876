"""Are book messages complete and in order? One small state machine per symbol over the ids of the messages.

A snapshot that came by request may be older than updates that have arrived, so updates are held while no snapshot is
there; when it comes, those that it already contains are dropped and the first one kept must reach back to it. The rules
by `Sequencing`; `seen` is the id of the newest update, `held` the bounded queue.

Sources: Binance "How to manage a local order book correctly" (spot, USD-M); KuCoin "Level-2 market data" (calibration);
Kraken Futures, Bybit 5 and Coinbase full channel ("sequence numbers are increasing by one").
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from footprint.data.feeds.messages import BookMessage
from footprint.data.feeds.wire import Sequencing

MAX_HELD = 20_000  # updates held while no snapshot is there; older ones cannot be joined any more
UNKNOWN = -1


class Step(Enum):
    """What becomes of an update."""

    APPLY = "applies to the book"
    HELD = "held until a snapshot arrives"
    OLD = "already in the book"
    DUPLICATE = "came before"
    LATE = "overtaken by a later one"
    GAP = "messages before it are missing; the book is void until the next snapshot"


class Missing(NamedTuple):
    """Ids that did not come: after `from_id`, before `to_id`; `ids` of them, UNKNOWN where ids are not consecutive."""

    from_id: int
    to_id: int
    ids: int


NO_IDS = Missing(UNKNOWN, UNKNOWN, UNKNOWN)


class Sequencer:
    """Holds, drops and orders the updates of one symbol around snapshots.

    Attributes:
        joined: True while the book follows the stream.
        missing: what the last GAP or LATE step found.
    """

    def __init__(self, rule: Sequencing) -> None:
        self._rule = rule
        self.reset()

    def reset(self) -> None:
        """Forget the stream: the connection is new."""
        self.joined = False
        self.missing = NO_IDS
        self._seen = UNKNOWN  # newest id of the stream
        self._book_id = UNKNOWN  # newest id in the book
        self._contained = UNKNOWN  # an update up to this id is in the book already
        self._held: deque[BookMessage] = deque(maxlen=MAX_HELD)

    def void(self) -> None:
        """The book cannot be trusted; wait for a snapshot, but go on watching the stream."""
        self.joined = False
        self._held.clear()

    def update(self, message: BookMessage) -> Step:
        """Say what to do with the next update of the stream."""
        step = self._continuity(message)
        if step in (Step.DUPLICATE, Step.LATE):
            if step is Step.LATE and self._rule is Sequencing.ORDER:
                self.void()  # what it changes cannot be told from what has changed since
            return step
        self._seen = max(self._seen, message.last_id)
        if step is Step.GAP:
            self.void()
        if not self.joined:
            self._held.append(message)
            return Step.GAP if step is Step.GAP else Step.HELD
        if UNKNOWN < message.last_id <= self._contained:
            return Step.OLD
        if not self._reaches(message, self._book_id):
            self.missing = self._hole(message, self._book_id)
            self.void()
            self._held.append(message)
            return Step.GAP
        self._book_id = max(self._book_id, message.last_id)
        if self._rule not in _REPEATS:
            self._contained = self._book_id
        return Step.APPLY

    def skipped(self, snapshot: BookMessage) -> Missing | None:
        """Updates that a snapshot of the stream contains and that have not come, for a book that follows."""
        if self._rule is not Sequencing.NEXT or not self.joined or not UNKNOWN < self._seen < snapshot.last_id:
            return None
        return Missing(self._seen, snapshot.last_id + 1, snapshot.last_id - self._seen)

    def snapshot(self, message: BookMessage, requested: bool) -> list[BookMessage] | None:
        """Join a snapshot: the held updates that apply after it, or None when it is of no use.

        It is of no use when the book already follows a stream that is at or beyond it, or when messages between it and
        the held updates are missing.
        """
        last_id = message.last_id
        if self.joined and (requested or UNKNOWN < last_id <= self._book_id):
            return None
        newer = [held for held in self._held if held.last_id > last_id] if self._joins_held(last_id) else []
        if newer and not self._reaches(newer[0], last_id):
            return None
        self._held.clear()
        self.joined = True
        self._book_id = newer[-1].last_id if newer else last_id
        self._contained = last_id if self._rule in _REPEATS else self._book_id
        if not requested:
            self._seen = self._book_id
        return newer

    def _joins_held(self, last_id: int) -> bool:
        return last_id != UNKNOWN and self._rule is not Sequencing.LEVELS

    def _continuity(self, message: BookMessage) -> Step:
        """Does the update follow the one before it? Without regard to the book."""
        last, seen = message.last_id, self._seen
        if last == UNKNOWN or seen == UNKNOWN or self._rule in (Sequencing.LEVELS, Sequencing.NONE):
            return Step.APPLY
        if self._rule is Sequencing.ORDER:
            self.missing = Missing(seen, last, UNKNOWN)
            return Step.LATE if last < seen else Step.APPLY
        if last == seen and message.previous_id != seen:
            return Step.DUPLICATE
        if last < seen:
            return Step.LATE
        follows = {
            Sequencing.RANGE: message.first_id <= seen + 1,
            Sequencing.NEXT: last == seen + 1,
            Sequencing.PREVIOUS: message.previous_id == seen,
        }.get(self._rule, True)
        if follows:
            return Step.APPLY
        self.missing = self._hole(message, seen)
        return Step.GAP

    def _hole(self, message: BookMessage, seen: int) -> Missing:
        match self._rule:
            case Sequencing.RANGE:
                return Missing(seen, message.first_id, message.first_id - seen - 1)
            case Sequencing.NEXT:
                return Missing(seen, message.last_id, message.last_id - seen - 1)
        return Missing(seen, message.previous_id, UNKNOWN)

    def _reaches(self, message: BookMessage, book_id: int) -> bool:
        """Nothing is missing between a book at `book_id` and this update."""
        if book_id == UNKNOWN:
            return True
        match self._rule:
            case Sequencing.RANGE:
                return message.first_id <= book_id + 1
            case Sequencing.NEXT:
                return message.last_id <= book_id + 1
            case Sequencing.PREVIOUS:
                return message.previous_id <= book_id
        return True


_REPEATS = (Sequencing.ORDER, Sequencing.LEVELS)  # several messages may carry one id
