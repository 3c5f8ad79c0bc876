"""Lines of a text file read as a stream: plain, gz or zst, in memory that does not grow with the file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from footprint.errors import DataRefused

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, without their ends.

    Raises:
        DataRefused: empty, truncated or damaged.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if not magic:
            raise DataRefused("empty file", path=path, allowed="at least one line")
        try:
            yield from _split(_chunks(file, magic))
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise DataRefused(
                f"truncated or damaged archive ({error})", path=path, allowed="a whole archive"
            ) from error


def _split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from lines
    if rest:
        yield rest


def _chunks(file: BinaryIO, magic: bytes) -> Iterator[bytes]:
    if magic.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield from iter(lambda: unpacked.read(_CHUNK), b"")
    elif magic == _ZSTD:
        yield from _unzstd(file)
    else:
        yield from iter(lambda: file.read(_CHUNK), b"")


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    """Frame after frame; unlike the library's stream reader this notices a frame that never ends."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    fed = False
    for packed in iter(lambda: file.read(_CHUNK), b""):
        while packed:
            if frame.eof:
                frame, fed = zstandard.ZstdDecompressor().decompressobj(), False
            yield frame.decompress(packed)
            fed = True
            packed = frame.unused_data if frame.eof else b""
    if fed and not frame.eof:
        raise EOFError("the last zstd frame has no end")
