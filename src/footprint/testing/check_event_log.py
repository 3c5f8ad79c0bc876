"""The contract of an event log, as a check that anyone can run on an engine of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from footprint.data.event_log.interface import EventLog, EventLogReader, OffsetGone
from footprint.errors import UsageError

RECORDS = 500
LONGEST_BYTES = 5_000


def check_event_log(writer: Callable[[], EventLog], reader: Callable[[], EventLogReader], seed: int = 1) -> None:
    """Check that an engine is an event log: dense offsets, the same bytes back, followed live, offsets per group.

    Args:
        writer: opens one and the same log, empty at the first call, for writing.
        reader: opens it for reading, beside the writer.
        seed: of the records that the check makes for itself.

    Raises:
        AssertionError: the contract is broken; the text says which part.
    """
    records = _random_records(np.random.default_rng(seed))
    _check_empty(writer, reader)
    _check_round_trip(writer, reader, records)
    _check_reopened(writer, reader, records)
    _check_one_writer(writer)
    _check_groups(writer, reader)
    _check_trim(writer, reader, records)


def _random_records(rng: np.random.Generator) -> list[bytes]:
    """Records of every size, an empty one first."""
    sizes = rng.integers(0, LONGEST_BYTES, RECORDS) // rng.integers(1, 200, RECORDS)
    return [b"", *(rng.bytes(int(size)) for size in sizes[1:])]


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def _refuses(call: Callable[[], object], kind: type[Exception], text: str) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(text)


def _check_empty(writer: Callable[[], EventLog], reader: Callable[[], EventLogReader]) -> None:
    log = writer()
    beside = reader()
    for one in (log, beside):
        _require((one.start(), one.end()) == (0, 0), "a new log must start and end at 0")
        _require(one.read(0, 10) == [], "a new log must hold nothing")
        _require(one.committed("group") is None, "a group that never committed has no offset")
    beside.close()
    log.close()


def _check_round_trip(
    writer: Callable[[], EventLog], reader: Callable[[], EventLogReader], records: list[bytes]
) -> None:
    log, beside = writer(), reader()
    half = len(records) // 2
    for offset, record in enumerate(records[:half]):
        _require(log.append(record) == offset, "append must number records from 0 without holes")
        _require(log.end() == beside.end() == offset + 1, "a reader must see a record once append has returned")
    _require(log.append_many(records[half:]) == half, "append_many must give the offset of its first record")
    _require(log.append_many([]) == len(records), "append_many of nothing must give the end")
    _require(beside.end() == len(records), "a reader must see a batch once append_many has returned")
    for one in (log, beside):
        _check_same(one, records, 0)
    beside.close()
    log.close()


def _check_same(log: EventLogReader, records: list[bytes], start: int) -> None:
    end = len(records)
    _require(_read_all(log, start, end) == records[start:], "records must come back as they were written")
    for offset in (start, (start + end) // 2, end - 1):
        _require(log.read(offset, 1) == [records[offset]], "a record must be found by its offset")
        _require(log.read(offset, 0) == [], "read must give at most `limit` records")
    _require(log.read(end, 5) == [], "there is nothing at the end")
    _refuses(lambda: log.read(end + 1, 1), UsageError, "reading beyond the end must raise UsageError")
    _refuses(lambda: log.read(-1, 1), UsageError, "a negative offset must raise UsageError")


def _read_all(log: EventLogReader, start: int, end: int) -> list[bytes]:
    found: list[bytes] = []
    while start + len(found) < end:
        part = log.read(start + len(found), 37)
        _require(0 < len(part) <= 37, "read must give at least one record before the end, and at most `limit`")
        found += part
    return found


def _check_reopened(writer: Callable[[], EventLog], reader: Callable[[], EventLogReader], records: list[bytes]) -> None:
    log = writer()
    _require(log.end() == len(records), "closing and opening must change nothing")
    _check_same(log, records, 0)
    beside = reader()
    _check_same(beside, records, 0)
    records.append(b"one more")
    _require(log.append(b"one more") == len(records) - 1, "a log that is opened again must go on where it ended")
    _check_same(beside, records, 0)
    beside.close()
    log.close()


def _check_one_writer(writer: Callable[[], EventLog]) -> None:
    log = writer()
    _refuses(writer, UsageError, "a second writer must raise UsageError")
    log.close()
    writer().close()


def _check_groups(writer: Callable[[], EventLog], reader: Callable[[], EventLogReader]) -> None:
    log, beside = writer(), reader()
    end = log.end()
    for offset in (5, end, 0, 3):
        beside.commit("fast", offset)
        _require(log.committed("fast") == beside.committed("fast") == offset, "commit must replace the offset")
    log.commit("slow.one", 1)
    _require((beside.committed("fast"), beside.committed("slow.one")) == (3, 1), "groups must not share an offset")
    for wrong in (end + 1, -1):
        _refuses(lambda wrong=wrong: beside.commit("fast", wrong), UsageError, "a commit outside the log must raise")  # type: ignore[misc]
    for name in ("", "../up", "a b", "a/b", ".hidden"):
        _refuses(lambda name=name: beside.commit(name, 0), UsageError, f"{name!r} must be no name of a group")  # type: ignore[misc]
    _require(beside.committed("fast") == 3, "a refused commit must change nothing")
    beside.close()
    log.close()
    again = reader()
    _require((again.committed("fast"), again.committed("slow.one")) == (3, 1), "commits must outlive the process")
    again.close()


def _check_trim(writer: Callable[[], EventLog], reader: Callable[[], EventLogReader], records: list[bytes]) -> None:
    log, beside = writer(), reader()
    wanted = 2 * len(records) // 3
    start = log.trim(wanted)
    _require(0 <= start <= wanted, "trim must keep every record from its offset on")
    for one in (log, beside):
        _require(one.start() == start, "trim must give the new start")
        _check_same(one, records, start)
        if start:
            _refuses(lambda one=one: one.read(start - 1, 1), OffsetGone, "a removed record must raise OffsetGone")  # type: ignore[misc]
    log.trim(log.end())
    _require(log.append(b"after") == len(records), "offsets must go on after everything was trimmed")
    _require(beside.read(len(records), 1) == [b"after"], "a reader must follow a log that was trimmed")
    beside.close()
    log.close()
