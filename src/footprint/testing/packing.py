"""A file as content in a container, so that either can be damaged: plain, gz, zst, xz, or a zip of members."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
from typing import NamedTuple

import zstandard

_GZIP, _ZSTD, _XZ, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"PK\x03\x04"


class Packed(NamedTuple):
    """Content as it lies unpacked.

    Attributes:
        container: "plain", "gz", "zst", "xz" or "zip".
        members: (name, content); one member with an empty name unless the container is a zip.
    """

    container: str
    members: tuple[tuple[str, bytes], ...]


def unpack(raw: bytes) -> Packed:
    """What is in a whole file.

    Raises:
        Exception: the container is damaged; each library has errors of its own.
    """
    if raw.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return Packed("zip", tuple((name, archive.read(name)) for name in archive.namelist()))
    if raw.startswith(_GZIP):
        return Packed("gz", (("", gzip.decompress(raw)),))
    if raw.startswith(_XZ):
        return Packed("xz", (("", lzma.decompress(raw)),))
    if raw.startswith(_ZSTD):
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw), read_across_frames=True) as stream:
            return Packed("zst", (("", stream.read()),))
    return Packed("plain", (("", raw),))


def pack(packed: Packed) -> bytes:
    """The file again; the same content always gives the same bytes."""
    content = packed.members[0][1]
    match packed.container:
        case "gz":
            return gzip.compress(content, 1, mtime=0)
        case "xz":
            return lzma.compress(content, preset=0)
        case "zst":
            return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(content)  # as the tool
        case "zip":
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for name, member in packed.members:
                    archive.writestr(zipfile.ZipInfo(name), member, zipfile.ZIP_DEFLATED)
            return file.getvalue()
    return content
