"""How one record lies in a file: 12 bytes of header, then the record.

    length  u32  of the record, bytes
    crc     u32  CRC-32 of the record (zlib)
    check   u32  length ^ crc ^ CHECK: a header that is torn, zeroed or flipped anywhere does not fit itself

All little-endian. The length is proved by the header alone, so a record that is cut short by the end of the file is
told from one that was damaged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from zlib import crc32

import numpy as np

from footprint.errors import UsageError

HEADER = struct.Struct("<III")
CHECK = 0x46505231
MAX_RECORD_BYTES = 16 << 20
_U32 = np.dtype("<u4")


def frame(record: bytes) -> bytes:
    """Header and record.

    Raises:
        UsageError: the record is longer than MAX_RECORD_BYTES.
    """
    length = len(record)
    if length > MAX_RECORD_BYTES:
        raise UsageError(f"a record of {length} bytes, allowed: at most {MAX_RECORD_BYTES}")
    crc = crc32(record)
    return HEADER.pack(length, crc, length ^ crc ^ CHECK) + record


def frames(records: Iterable[bytes]) -> list[bytes]:
    """Headers and records by turns; the same bytes as `frame` of each."""
    parts: list[bytes] = []
    add, pack = parts.append, HEADER.pack
    for record in records:
        length = len(record)
        if length > MAX_RECORD_BYTES:
            raise UsageError(f"a record of {length} bytes, allowed: at most {MAX_RECORD_BYTES}")
        crc = crc32(record)
        add(pack(length, crc, length ^ crc ^ CHECK))
        add(record)
    return parts


def next_frame(data: bytes, position: int) -> int | None:
    """Where the frame at `position` ends, its record unread; None when its header is cut short by the end of `data`.

    Raises:
        ValueError: the header is damaged.
    """
    if position + HEADER.size > len(data):
        return None
    length, crc, check = HEADER.unpack_from(data, position)
    if length ^ crc ^ CHECK != check or length > MAX_RECORD_BYTES:
        raise ValueError("damaged header")
    return position + HEADER.size + length


def record_at(data: bytes, position: int) -> bytes | None:
    """The record of the frame at `position`; None when it is cut short by the end of `data`.

    Raises:
        ValueError: header or record is damaged.
    """
    end = next_frame(data, position)
    if end is None or end > len(data):
        return None
    record = data[position + HEADER.size : end]
    if crc32(record) != HEADER.unpack_from(data, position)[1]:
        raise ValueError("damaged record")
    return record


def holds_whole_frame(data: bytes, position: int) -> bool:
    """True when a whole undamaged frame begins anywhere at or after `position`."""
    for shift in range(position, min(position + 4, len(data))):
        rest = memoryview(data)[shift:]
        words = np.frombuffer(rest[: len(rest) // 4 * 4], _U32)
        fits = (words[:-2] ^ words[1:-1] ^ np.uint32(CHECK)) == words[2:]
        for at in shift + 4 * np.flatnonzero(fits):
            try:
                if record_at(data, int(at)) is not None:
                    return True
            except ValueError:
                continue
    return False
