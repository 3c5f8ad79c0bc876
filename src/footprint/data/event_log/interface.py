"""What an event log has to offer, whatever engine is behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from footprint.errors import DataRefused, UsageError


class OffsetGone(UsageError):
    """Retention has removed that record; the text names the first one that is left."""


class LogDamaged(DataRefused):
    """A record that was acknowledged can no longer be read; the text names file and byte."""


class EventLogReader(Protocol):
    """Reads a log that another process may be writing. Records are numbered from 0: that is their offset."""

    def start(self) -> int:
        """Offset of the first record that retention has left; `end()` when there is none."""
        ...

    def end(self) -> int:
        """Offset of the next record to be written."""
        ...

    def read(self, offset: int, limit: int) -> list[bytes]:
        """At most `limit` records from `offset` on, those that there are; none at `end()`.

        Raises:
            OffsetGone: `offset` lies before `start()`.
            UsageError: `offset` lies beyond `end()`, or is negative.
            LogDamaged: a record is damaged; those before it can be read.
        """
        ...

    def commit(self, group: str, offset: int) -> None:
        """Keep the offset of the next record that a group of consumers wants; whole or not at all, in any direction.

        Raises:
            UsageError: `offset` lies beyond `end()` or is negative, or the name is not of letters, digits, `._-`.
        """
        ...

    def committed(self, group: str) -> int | None:
        """What the group committed last; None when it never did."""
        ...

    def close(self) -> None:
        """Release what is held; nothing is lost without it."""
        ...


class EventLog(EventLogReader, Protocol):
    """The one writer of a log.

    A record is acknowledged when `append` or `append_many` returns: it survives the death of the process. It survives
    a loss of power when the log was opened with `sync`.
    """

    def append(self, record: bytes) -> int:
        """Write one record; its offset."""
        ...

    def append_many(self, records: Iterable[bytes]) -> int:
        """Write records in one go; the offset of the first. A reader may see some of them before the rest.

        When it raises, none of them is in the log.
        """
        ...

    def trim(self, offset: int) -> int:
        """Let records before `offset` go, as far as the engine can do so cheaply; the new `start()`."""
        ...
