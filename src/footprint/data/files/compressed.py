"""Files read in place: plain, gz, zst, xz, or a zip that holds exactly one member."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import zstandard

from footprint.errors import DataRefused

HEAD_BYTES = 4096
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
        DataRefused: truncated or damaged archive, or a zip without exactly one member.
    """
    raw = path.read_bytes()
    try:
        if raw.startswith(_ZIP):
            return _read_zip(raw, path)
        if raw.startswith(_GZIP):
            return gzip.decompress(raw)
        if raw.startswith(_ZSTD):
            return _read_zstd(raw)
        if raw.startswith(_XZ):
            return lzma.decompress(raw)
    except DAMAGED as error:
        raise DataRefused(f"truncated or damaged archive ({error})", path=path, allowed="a whole archive") from error
    return raw


def _read_zip(raw: bytes, path: Path) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise DataRefused("wrong number of members", path=path, found=len(names), allowed="a zip of one file")
        return archive.read(names[0])


def _read_zstd(raw: bytes) -> bytes:
    """Frame after frame; unlike the library's stream reader this notices a frame that never ends."""
    parts = []
    while raw:
        frame = zstandard.ZstdDecompressor().decompressobj()
        parts.append(frame.decompress(raw))
        if not frame.eof:
            raise EOFError("the last zstd frame has no end")
        raw = frame.unused_data
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
