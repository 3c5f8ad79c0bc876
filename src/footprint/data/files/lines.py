"""Lines of a text file read as a stream: plain, gz, zst, xz or a zip of one file; memory does not grow with it."""

from __future__ import annotations

import gzip
import lzma
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from footprint.data.files.compressed import DAMAGED, ZSTD_STEP
from footprint.errors import DataRefused

_GZIP, _ZSTD, _XZ, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"PK\x03\x04"
_CHUNK = 1 << 20
MAX_LINE_BYTES = 1 << 26  # a snapshot of a deep book has a few MB


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, without their ends.

    Raises:
        DataRefused: empty, truncated or damaged, or a line of more than MAX_LINE_BYTES.
    """
    for block in whole_lines(read_chunks(path), path):
        lines = block.split(b"\n")
        lines.pop()
        yield from lines


def whole_lines(chunks: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Content as pieces of whole lines, each with its end, which the last line gets when it has none.

    Args:
        chunks: the content in pieces of any length.

    Raises:
        DataRefused: a line of more than MAX_LINE_BYTES.
    """
    begun: list[bytes] = []  # a line that has not ended yet, in pieces: joining them every time would be quadratic
    length = 0
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((*begun, chunk[:end]))
            begun, length = [], 0
        begun.append(chunk[end:])
        length += len(chunk) - end
        if length > MAX_LINE_BYTES:
            raise DataRefused("line too long", path=path, allowed=f"lines of at most {MAX_LINE_BYTES:,} bytes")
    if length:
        yield b"".join((*begun, b"\n"))


def read_chunks(path: Path) -> Iterator[bytes]:
    """The unpacked content in pieces of about a megabyte.

    Raises:
        DataRefused: empty, truncated or damaged.
    """
    with path.open("rb") as file:
        magic = file.read(len(_XZ))
        file.seek(0)
        if not magic:
            raise DataRefused("empty file", path=path, allowed="at least one line")
        try:
            yield from _chunks(file, magic, path)
        except DAMAGED as error:
            raise DataRefused(
                f"truncated or damaged archive ({error})", path=path, allowed="a whole archive"
            ) from error


def is_packed(path: Path) -> bool:
    """Whether the content has to be unpacked."""
    with path.open("rb") as file:
        return file.read(len(_XZ)).startswith((_GZIP, _ZSTD, _XZ, _ZIP))


def _chunks(file: BinaryIO, magic: bytes, path: Path) -> Iterator[bytes]:
    if magic.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield from iter(lambda: unpacked.read(_CHUNK), b"")
    elif magic.startswith(_ZSTD):
        yield from _unzstd(file)
    elif magic == _XZ:
        with lzma.LZMAFile(file) as unpacked:
            yield from iter(lambda: unpacked.read(_CHUNK), b"")
    elif magic.startswith(_ZIP):
        yield from _unzip(file, path)
    else:
        yield from iter(lambda: file.read(_CHUNK), b"")


def _unzip(file: BinaryIO, path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise DataRefused("wrong number of members", path=path, found=len(names), allowed="a zip of one file")
        with archive.open(names[0]) as unpacked:
            yield from iter(lambda: unpacked.read(_CHUNK), b"")


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    """Frame after frame; unlike the library's stream reader this notices a frame that never ends."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    fed = False
    for packed in iter(lambda: file.read(ZSTD_STEP), b""):
        while packed:
            if frame.eof:
                frame, fed = zstandard.ZstdDecompressor().decompressobj(), False
            yield frame.decompress(packed)
            fed = True
            packed = frame.unused_data if frame.eof else b""
    if fed and not frame.eof:
        raise EOFError("the last zstd frame has no end")
