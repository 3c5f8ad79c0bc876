"""The embedded event log: segments in a folder, one writer, any number of readers in other processes.

    DIR/00000000000000000000.log    records from offset 0 on (`segments.py`, `frames.py`)
    DIR/00000000000000000000.index  where some of them are, written when the segment is full
    DIR/groups/NAME                 committed offset of a group of consumers
    DIR/writer.lock                 held by the writer, as long as it lives

A record is acknowledged when the write to the file has returned: the kernel has it, and it survives the death of the
process by any signal. With `sync` the disk has it too, and it survives a loss of power; that costs one flush a call.

A process that is killed while it writes can leave the beginning of a record at the end of the newest segment. The next
writer cuts it off, keeps the bytes in a `.torn` file beside it, and says so in `repaired`. A damaged record with whole
ones after it is never cut off: it is an error that names segment and byte.
"""

from __future__ import annotations

import fcntl
import os
import threading
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from footprint.data.event_log.consumer_offsets import ConsumerOffsets
from footprint.data.event_log.frames import HEADER, frame, frames, holds_whole_frame, record_at
from footprint.data.event_log.interface import LogDamaged, OffsetGone
from footprint.data.event_log.segments import (
    INDEX_BYTES,
    START,
    Segment,
    create_segment,
    read_whole,
    remove_segment,
    segment_bases,
    segment_path,
    sync_folder,
    write_index,
)
from footprint.errors import UsageError

SEGMENT_BYTES = 64 << 20
_SCAN_BYTES = 1 << 20
_OPEN_SEGMENTS = 8


class SegmentedReader:
    """`EventLogReader` of a folder; sees what its writer has written, at once. One thread at a time may use it.

    Args:
        sync: a committed offset survives a loss of power.

    Raises:
        UsageError: the folder holds no log.
    """

    def __init__(self, folder: str | Path, *, sync: bool = False) -> None:
        self._folder = Path(folder)
        self._groups = ConsumerOffsets(self._folder / "groups", sync)
        self._old: dict[int, Segment] = {}
        self._last = self._newest()

    def start(self) -> int:
        """Offset of the first record that is left."""
        bases = segment_bases(self._folder)
        return bases[0] if bases else self.end()

    def end(self) -> int:
        """Offset of the next record to be written."""
        self._follow()
        if self._last.damage is not None:
            raise self._last.damage
        return self._last.next_offset

    def read(self, offset: int, limit: int) -> list[bytes]:
        """At most `limit` records from `offset` on; see `EventLogReader.read`."""
        self._follow()
        if offset < 0 or offset > self._last.next_offset:
            raise UsageError(f"{self._folder}: no record {offset}, allowed: 0 to {self._last.next_offset}")
        records: list[bytes] = []
        try:
            while len(records) < limit:
                here = offset + len(records)
                segment = self._holding(here)
                if here >= segment.next_offset:
                    self._check_ended(segment)
                    break
                for record in segment.records(here, limit - len(records)):
                    records.append(record)
        except LogDamaged:
            if not records:
                raise
        return records

    def commit(self, group: str, offset: int) -> None:
        """Keep the offset of the next record that a group wants."""
        end = self.end()
        if not 0 <= offset <= end:
            raise UsageError(f"{self._folder}: no record {offset} to commit, allowed: 0 to {end}")
        self._groups.commit(group, offset)

    def committed(self, group: str) -> int | None:
        """What the group committed last."""
        return self._groups.committed(group)

    def close(self) -> None:
        """Release the files."""
        for segment in (*self._old.values(), self._last):
            segment.close()
        self._old.clear()

    def _newest(self) -> Segment:
        while True:
            bases = segment_bases(self._folder)
            if not bases:
                raise UsageError(f"{self._folder}: no event log")
            try:
                return Segment.open(self._folder, bases[-1])
            except FileNotFoundError:
                continue  # removed since it was listed, so there is a newer one

    def _follow(self) -> None:
        """See what was written since, in segments that were begun since too."""
        while True:
            self._last.look()
            following = segment_path(self._folder, self._last.next_offset)
            if self._last.next_offset > self._last.base and following.exists():
                try:
                    newer = Segment.open(self._folder, self._last.next_offset)
                except FileNotFoundError:
                    continue  # removed in this instant, and so is the one before it
                self._keep(self._last)
                self._last = newer
            elif self._last.removed():
                self._last.close()
                self._last = self._newest()
            else:
                return

    def _keep(self, segment: Segment) -> None:
        if segment.base in self._old:
            self._old.pop(segment.base).close()
        self._old[segment.base] = segment
        while len(self._old) > _OPEN_SEGMENTS:
            self._old.pop(next(iter(self._old))).close()

    def _holding(self, offset: int) -> Segment:
        """The segment that holds a record, or ends where it would be."""
        if offset >= self._last.base:
            return self._last
        for segment in self._old.values():
            if segment.base <= offset < segment.next_offset and not segment.removed():
                return segment
        bases = segment_bases(self._folder)
        place = bisect_right(bases, offset) - 1
        if place < 0:
            raise OffsetGone(f"{self._folder}: record {offset} was removed, allowed: {bases[0]} and later")
        try:
            segment = Segment.open(self._folder, bases[place])
        except FileNotFoundError:
            raise OffsetGone(f"{self._folder}: record {offset} was removed while it was read") from None
        segment.look()
        self._keep(segment)
        return segment

    def _check_ended(self, segment: Segment) -> None:
        """A segment may end only where the log does.

        Raises:
            LogDamaged: it is damaged there, or records are missing before the next segment.
        """
        if segment.damage is not None:
            raise segment.damage
        if segment is not self._last:
            raise segment.damaged(segment.next_offset, segment.next_byte, "records missing before the next segment")


class SegmentedLog:
    """`EventLog` in a folder, which is made when it is absent.

    Args:
        segment_bytes: a segment holds at most so many, or one record or batch that alone is longer.
        sync: acknowledged records and committed offsets survive a loss of power.

    Attributes:
        repaired: what was cut off the end, in one line; empty when nothing was.

    Raises:
        UsageError: another process writes this log.
        LogDamaged: the newest segment is damaged before its end.
    """

    def __init__(self, folder: str | Path, *, segment_bytes: int = SEGMENT_BYTES, sync: bool = False) -> None:
        self._folder, self._segment_bytes, self._sync = Path(folder), segment_bytes, sync
        self._folder.mkdir(parents=True, exist_ok=True)
        self._mutex = threading.Lock()
        self._path, self._handle = self._folder, -1
        self._next, self._byte, self._index = 0, 0, [(0, 0)]
        self.repaired = ""
        self._lock_handle = _locked(self._folder / "writer.lock")
        try:
            for partial in self._folder.glob("*.partial"):
                partial.unlink()
            bases = segment_bases(self._folder)
            if bases:
                self._continue(bases[-1])
            else:
                self._begin(0)
            self._reader = SegmentedReader(self._folder, sync=sync)
        except BaseException:
            if self._handle >= 0:
                os.close(self._handle)
            os.close(self._lock_handle)
            raise

    def append(self, record: bytes) -> int:
        """Write one record; its offset."""
        data = frame(record)
        with self._mutex:
            return self._write(data, 1)

    def append_many(self, records: Iterable[bytes]) -> int:
        """Write records in one go, all of them in one segment; the offset of the first."""
        parts = frames(records)
        data = b"".join(parts)
        with self._mutex:
            return self._write(data, len(parts) // 2)

    def start(self) -> int:
        """Offset of the first record that is left."""
        return self._reader.start()

    def end(self) -> int:
        """Offset of the next record to be written."""
        return self._next

    def read(self, offset: int, limit: int) -> list[bytes]:
        """At most `limit` records from `offset` on; see `EventLogReader.read`."""
        with self._mutex:
            return self._reader.read(offset, limit)

    def commit(self, group: str, offset: int) -> None:
        """Keep the offset of the next record that a group wants."""
        with self._mutex:
            self._reader.commit(group, offset)

    def committed(self, group: str) -> int | None:
        """What the group committed last."""
        return self._reader.committed(group)

    def trim(self, offset: int) -> int:
        """Remove the segments whose records all lie before `offset`, never the newest; the new `start()`."""
        with self._mutex:
            bases = segment_bases(self._folder)
            for base, following in pairwise(bases):
                if following <= offset:
                    remove_segment(segment_path(self._folder, base))
            if self._sync:
                sync_folder(self._folder)
            return self._reader.start()

    def close(self) -> None:
        """Let another process write; closing twice is allowed."""
        with self._mutex:
            if self._handle < 0:
                return
            handle, self._handle = self._handle, -1
            self._reader.close()
            os.close(handle)
            os.close(self._lock_handle)

    def _write(self, data: bytes, records: int) -> int:
        first, byte = self._next, self._byte
        if byte + len(data) > self._segment_bytes and byte > START.size:
            self._roll()
            byte = self._byte
        try:
            written = os.write(self._handle, data)
            while written < len(data):
                written += os.write(self._handle, memoryview(data)[written:])
            if self._sync:
                os.fdatasync(self._handle)
            self._next, self._byte = first + records, byte + written
        except BaseException:
            # the beginning of a record must not stay in front of the next one
            self._next, self._byte = first, byte
            os.ftruncate(self._handle, byte)
            raise
        if self._byte - self._index[-1][1] >= INDEX_BYTES:
            self._index.append((self._next, self._byte))
        return first

    def _begin(self, base: int) -> None:
        self._handle = create_segment(self._folder, base, self._sync)
        self._path = segment_path(self._folder, base)
        self._next, self._byte = base, START.size
        self._index = [(base, START.size)]

    def _roll(self) -> None:
        if self._index[-1] != (self._next, self._byte):
            self._index.append((self._next, self._byte))
        write_index(self._path, self._index, self._sync)
        full = self._handle
        self._begin(self._next)
        os.close(full)

    def _continue(self, base: int) -> None:
        """Check every record of the newest segment and cut off what a killed writer left unfinished."""
        segment = Segment.open(self._folder, base)
        self._path = segment.path
        try:
            self._next, self._byte, self._index, why = _checked(segment)
            size = os.fstat(segment.handle).st_size
            rest = read_whole(segment.handle, self._byte, size - self._byte)
        finally:
            segment.close()
        if why == "damaged" and holds_whole_frame(rest, 1):
            raise segment.damaged(self._next, self._byte, "damaged, with whole records after it")
        self._handle = os.open(self._path, os.O_RDWR | os.O_APPEND)
        if rest:
            torn = self._path.with_suffix(f".{self._byte}.torn")
            torn.write_bytes(rest)
            os.ftruncate(self._handle, self._byte)
            if self._sync:
                os.fsync(self._handle)
            self.repaired = (
                f"{self._path}: {len(rest)} bytes of an unfinished record at byte {self._byte}, after record "
                f"{self._next - 1}, moved to {torn.name}"
            )


def _checked(segment: Segment) -> tuple[int, int, list[tuple[int, int]], str]:
    """Offset and byte after the last whole record, the index up to there, and what ended it: "", "cut", "damaged"."""
    offset, byte, index, size = segment.base, START.size, [(segment.base, START.size)], _SCAN_BYTES
    while chunk := read_whole(segment.handle, byte, size):
        position = 0
        try:
            while (record := record_at(chunk, position)) is not None:
                position += HEADER.size + len(record)
                offset += 1
                if byte + position - index[-1][1] >= INDEX_BYTES:
                    index.append((offset, byte + position))
        except ValueError:
            return offset, byte + position, index, "damaged"
        if not position and len(chunk) < size:
            return offset, byte, index, "cut"
        size = _SCAN_BYTES if position else 2 * size
        byte += position
    return offset, byte, index, ""


def _locked(path: Path) -> int:
    """A handle that holds the lock; the system releases it when the process ends, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UsageError(f"{path.parent}: another process is writing this log, allowed: one at a time") from None
    return handle
