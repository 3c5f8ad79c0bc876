"""Files read in place: plain, gz, zst, xz, or a zip that holds exactly one member."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from footprint.errors import DataRefused

HEAD_BYTES = 4096
MAX_UNPACKED_PER_BYTE = 250  # real archives of text unpack to 5 to 20 times their size; a bomb claims more
ZSTD_STEP = 1 << 13  # bytes unpacked at a time: four of them can stand for 128 KiB of content
_SMALL = 1 << 24  # content of this size is no danger, however well it packs
_GZIP, _ZSTD, _ZIP, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xfd7zXZ\x00"
# What the libraries raise on damage: of a zip also for an unknown method, an encrypted member, a place before its start
DAMAGED = (
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
)
_ZIP_HEADER = struct.Struct("<4s5H3I2H")  # local file header, APPNOTE.TXT section 4.3.7
_DEFLATED = 8


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file: the name of what is inside and its first bytes, as far as they can be unpacked."""

    name: str
    content: bytes


def head(path: Path) -> Head:
    """Name and first bytes of the content; works on truncated archives too, so that a broken file is still recognised.

    A zip answers for its first member; other files lose the suffix of their compression.
    """
    with path.open("rb") as file:
        raw = file.read(HEAD_BYTES)
    if raw.startswith(_ZIP):
        return _zip_head(raw, path.name)
    if raw.startswith(_GZIP):
        return Head(path.name.removesuffix(".gz"), _inflate(raw, wbits=31))
    if raw.startswith(_ZSTD):
        return Head(path.name.removesuffix(".zst"), _unzstd(raw))
    if raw.startswith(_XZ):
        return Head(path.name.removesuffix(".xz"), _unxz(raw))
    return Head(path.name, raw)


def read_all(path: Path) -> bytes:
    """The whole content, unpacked.

    Raises:
        DataRefused: truncated or damaged archive, a zip without exactly one member, or content that is more than
            MAX_UNPACKED_PER_BYTE times the file.
    """
    raw = path.read_bytes()
    limit = max(MAX_UNPACKED_PER_BYTE * len(raw), _SMALL)
    try:
        if raw.startswith(_ZIP):
            return _read_zip(raw, path, limit)
        if raw.startswith(_GZIP):
            return _read_members(raw, limit, lambda: zlib.decompressobj(wbits=31))
        if raw.startswith(_ZSTD):
            return _read_zstd(raw, limit)
        if raw.startswith(_XZ):
            return _read_members(raw, limit, lzma.LZMADecompressor)
    except _TooLarge:
        allowed = f"{limit:,} bytes of content in {len(raw):,}"
        raise DataRefused("archive of absurd content", path=path, found="more", allowed=allowed) from None
    except DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole archive") from error
    return raw


class _TooLarge(Exception):
    """The content is larger than any market data packs."""


def _read_zip(raw: bytes, path: Path, limit: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = archive.infolist()
        if len(members) != 1:
            raise DataRefused("wrong number of members", path=path, found=len(members), allowed="a zip of one file")
        if members[0].file_size > limit:  # the library reads no more than this says
            raise _TooLarge
        return archive.read(members[0])


def _read_members(raw: bytes, limit: int, unpacker: Callable[[], Any]) -> bytes:
    """Member after member of a gz or xz file; zeros behind the last one are padding."""
    parts: list[bytes] = []
    while raw:
        member = unpacker()
        parts.append(member.decompress(raw, limit + 1))
        limit -= len(parts[-1])
        if limit < 0:
            raise _TooLarge
        if not member.eof:
            raise EOFError("the last member has no end")
        raw = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _read_zstd(raw: bytes, limit: int) -> bytes:
    """Frame after frame; unlike the library's stream reader this notices a frame that never ends."""
    parts: list[bytes] = []
    while raw:
        frame = zstandard.ZstdDecompressor().decompressobj()
        for at in range(0, len(raw), ZSTD_STEP):
            parts.append(frame.decompress(raw[at : at + ZSTD_STEP]))
            limit -= len(parts[-1])
            if limit < 0:
                raise _TooLarge
            if frame.eof:
                break
        if not frame.eof:
            raise EOFError("the last zstd frame has no end")
        raw = frame.unused_data + raw[at + ZSTD_STEP :]
    return b"".join(parts)


def _zip_head(raw: bytes, fallback: str) -> Head:
    if len(raw) < _ZIP_HEADER.size:
        return Head(fallback, b"")
    fields = _ZIP_HEADER.unpack_from(raw)
    method, name_length, extra_length = fields[3], fields[9], fields[10]
    body = _ZIP_HEADER.size + name_length
    name = raw[_ZIP_HEADER.size : body].decode("utf-8", "replace")
    packed = raw[body + extra_length :]
    return Head(name, _inflate(packed, wbits=-15) if method == _DEFLATED else packed)


def _inflate(packed: bytes, wbits: int) -> bytes:
    try:
        return zlib.decompressobj(wbits).decompress(packed, HEAD_BYTES)
    except zlib.error:
        return b""


def _unzstd(packed: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read(HEAD_BYTES)
    except zstandard.ZstdError:
        return b""


def _unxz(packed: bytes) -> bytes:
    try:
        return lzma.LZMADecompressor().decompress(packed, HEAD_BYTES)
    except lzma.LZMAError:
        return b""
