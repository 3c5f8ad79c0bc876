"""Segments: files of bounded size, each named after the offset of its first record.

A segment begins with 16 bytes: the magic word with the version of the format, and that offset again. It is made under
another name and moved, so a segment that can be seen is whole up to there.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from footprint.data.event_log.frames import HEADER, next_frame, record_at
from footprint.data.event_log.interface import LogDamaged

MAGIC = b"FPLOG\x00\x00\x01"
START = struct.Struct("<8sQ")
INDEX_BYTES = 64 << 10  # one entry of the sparse index for about so many bytes
_SUFFIX = ".log"
_ENTRY = struct.Struct("<QQ")  # offset, byte
_CRC = struct.Struct("<I")


def segment_path(folder: Path, base: int) -> Path:
    """Where the segment whose first record has the offset `base` lies."""
    return folder / f"{base:020d}{_SUFFIX}"


def segment_bases(folder: Path) -> list[int]:
    """First offsets of the segments in a folder, rising."""
    return sorted(int(p.stem) for p in folder.glob(f"*{_SUFFIX}") if p.stem.isdigit())


def create_segment(folder: Path, base: int, sync: bool) -> int:
    """Make an empty segment; a file descriptor that appends to it."""
    path = segment_path(folder, base)
    partial = path.with_suffix(".partial")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    try:
        os.write(handle, START.pack(MAGIC, base))
        if sync:
            os.fsync(handle)
        os.rename(partial, path)
        if sync:
            sync_folder(folder)
    except BaseException:
        os.close(handle)
        # the writer goes on in the segment before: an empty one behind its records would hide those that follow
        partial.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return handle


def sync_folder(folder: Path) -> None:
    """Make what was created in or removed from a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_whole(handle: int, position: int, count: int) -> bytes:
    """`count` bytes from `position`, fewer only at the end of the file."""
    data = os.pread(handle, count, position)
    while len(data) < count:
        more = os.pread(handle, count - len(data), position + len(data))
        if not more:
            break
        data += more
    return data


def write_index(path: Path, index: Sequence[tuple[int, int]], sync: bool) -> None:
    """Store the index of a segment that is full; the last entry is its end."""
    data = b"".join(_ENTRY.pack(*entry) for entry in index)
    replace_file(_index_path(path), data + _CRC.pack(crc32(data)), sync)


def remove_segment(path: Path) -> None:
    """Remove a segment and its index."""
    _index_path(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes, sync: bool) -> None:
    """Write a small file whole or not at all, whoever else writes it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if os.write(handle, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if sync:
            os.fsync(handle)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    if sync:
        sync_folder(path.parent)


def _index_path(path: Path) -> Path:
    return path.with_suffix(".index")


def _read_index(path: Path, size: int) -> list[tuple[int, int]]:
    """The stored index of a segment of `size` bytes; empty when there is none that fits, for it can be made again."""
    try:
        data = _index_path(path).read_bytes()
    except FileNotFoundError:
        return []
    body = data[: -_CRC.size]
    if len(data) < _CRC.size + _ENTRY.size or len(body) % _ENTRY.size or data[-_CRC.size :] != _CRC.pack(crc32(body)):
        return []
    index = list(_ENTRY.iter_unpack(body))
    return index if index[-1][1] == size else []


@dataclass(slots=True)
class Segment:
    """One segment as a reader knows it: how far it has been seen, and a sparse index of that part.

    Attributes:
        next_offset, next_byte: of the first record that has not been seen.
        index: (offset, byte) of a record about every INDEX_BYTES.
        damage: why nothing from `next_offset` on can be seen.
    """

    path: Path
    base: int
    handle: int
    index: list[tuple[int, int]]
    next_offset: int
    next_byte: int
    damage: LogDamaged | None = None

    @classmethod
    def open(cls, folder: Path, base: int) -> Segment:
        """Open an existing segment.

        Raises:
            FileNotFoundError: retention has removed it.
            LogDamaged: its first bytes are not those of a segment.
        """
        path = segment_path(folder, base)
        handle = os.open(path, os.O_RDONLY)
        start = os.pread(handle, START.size, 0)
        if start != START.pack(MAGIC, base):
            os.close(handle)
            allowed = f"a segment that begins at record {base}"
            raise LogDamaged("not a segment of this log (byte 0)", path=path, found=start.hex(), allowed=allowed)
        index = _read_index(path, os.fstat(handle).st_size) or [(base, START.size)]
        return cls(path, base, handle, index, *index[-1])

    def close(self) -> None:
        """Release the file."""
        os.close(self.handle)

    def removed(self) -> bool:
        """True when retention has removed the file, which stays readable as long as it is held."""
        return os.fstat(self.handle).st_nlink == 0

    def look(self) -> None:
        """See the records that were added since; only their headers are read."""
        self.damage, size = None, INDEX_BYTES
        while self.damage is None and (chunk := read_whole(self.handle, self.next_byte, size)):
            offset, position = self.next_offset, 0
            try:
                while (end := next_frame(chunk, position)) is not None and end <= len(chunk):
                    position, offset = end, offset + 1
            except ValueError as error:
                self.damage = self.damaged(offset, self.next_byte + position, error)
            if not position:
                if self.damage is not None or len(chunk) < size:
                    return  # still being written, or torn: that is for the writer to decide
                size *= 2  # one record is longer than what was read
                continue
            self.next_offset, self.next_byte, size = offset, self.next_byte + position, INDEX_BYTES
            if self.next_byte - self.index[-1][1] >= INDEX_BYTES:
                self.index.append((self.next_offset, self.next_byte))

    def place(self, offset: int) -> tuple[int, int]:
        """The last indexed (offset, byte) at or before a seen record."""
        low, high = 0, len(self.index)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.index[middle][0] <= offset else (low, middle)
        return self.index[low]

    def records(self, offset: int, limit: int) -> Iterator[bytes]:
        """At most `limit` seen records from `offset` on.

        Raises:
            LogDamaged: a record is damaged.
        """
        at, byte = self.place(offset)
        stop = min(self.next_offset, offset + limit)
        size = INDEX_BYTES
        while at < stop:
            chunk, position = read_whole(self.handle, byte, min(size, self.next_byte - byte)), 0
            try:
                while at < stop:
                    if at < offset:
                        end = next_frame(chunk, position)
                        if end is None or end > len(chunk):
                            break
                    else:
                        record = record_at(chunk, position)
                        if record is None:
                            break
                        yield record
                        end = position + HEADER.size + len(record)
                    position, at = end, at + 1
            except ValueError as error:
                raise self.damaged(at, byte + position, error) from None
            if not position and len(chunk) < size:
                raise self.damaged(at, byte, "cut short")
            size = INDEX_BYTES if position else 2 * size
            byte += position

    def damaged(self, offset: int, byte: int, what: object) -> LogDamaged:
        """The error that names record, segment and byte."""
        return LogDamaged(f"record {offset} at byte {byte} cannot be read ({what})", path=self.path)
