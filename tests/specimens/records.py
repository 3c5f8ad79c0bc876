"""Which record of a binary format holds a byte, by the number that its reader gives to events."""

from __future__ import annotations

import struct
from collections.abc import Callable

RecordOf = Callable[[bytes, int], int]

_NPY_PREFIX = 10  # magic, version, length of the header in two bytes


def block_line(content: bytes, offset: int) -> int:
    """1-based line on which the block of a byte begins: SGX writes a time, then the levels of then."""
    start = content.rfind(b"TimeStamp", 0, offset + len(b"TimeStamp"))
    return content.count(b"\n", 0, max(start, 0)) + 1


def itch_message(content: bytes, offset: int) -> int:
    """1-based: each message is preceded by its length in two bytes."""
    number, end = 0, 0
    while end <= offset and end + 2 <= len(content):
        end += 2 + int.from_bytes(content[end : end + 2], "big")
        number += 1
    return max(number, 1)


def dbn_record(content: bytes, offset: int) -> int:
    """1-based behind the metadata, which is 0; the first byte of a record is its length in words of 4 bytes."""
    end, number = 8 + int.from_bytes(content[4:8], "little"), 0
    if offset < end:
        return 0
    while end <= offset and end < len(content):
        end += max(4 * content[end], 1)  # a damaged length may be 0
        number += 1
    return number


def pcap_packet(content: bytes, offset: int) -> int:
    """1-based behind the header of the file, which is 0."""
    end, number = 24, 0
    if offset < end:
        return 0
    while end <= offset and end + 16 <= len(content):
        end += 16 + struct.unpack_from("<I", content, end + 8)[0]
        number += 1
    return number


def npy_row(content: bytes, offset: int) -> int:
    """1-based behind the header of the array, which is 0; for arrays of one float64 width or one structure."""
    start = _NPY_PREFIX + int.from_bytes(content[8:10], "little")
    if offset < start:
        return 0
    header = content[_NPY_PREFIX:start]
    width = 6 * 8 if b"'<f8'," in header and b"'ev'" not in header else 64
    return 1 + (offset - start) // width


def recorded_frame(content: bytes, offset: int) -> int:
    """1-based behind the header line, which is 0: length, checksum, body."""
    end, number = content.find(b"\n") + 1, 0
    if offset < end:
        return 0
    while end <= offset and end + 8 <= len(content):
        end += 8 + int.from_bytes(content[end : end + 4], "little")
        number += 1
    return number
