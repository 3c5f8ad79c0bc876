"""Recordings of raw frames: what came and went on the wire, byte for byte, so that a feed can be replayed.

A recording is a header line (JSON) and then frames, each `<u32 length> <u32 CRC-32 of the body> <body>`, little endian;
the body is `<u8 kind> <i64 time ns> <u16 length of the origin> <origin> <payload>`. A recording that was cut off in the
middle of a frame is read up to the cut, which is reported. Segments may be compressed (gz, zst) as a whole afterwards.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.data.files.compressed import head
from footprint.data.files.lines import read_chunks
from footprint.errors import DataRefused

FORMAT = "footprint-frames-1"
MAX_FRAME_BYTES = 1 << 26

_PREFIX = struct.Struct("<II")
_BODY = struct.Struct("<BqH")
_KINDS = (
    FrameKind.CONNECTED,
    FrameKind.SENT,
    FrameKind.RECEIVED,
    FrameKind.RESPONSE,
    FrameKind.DISCONNECTED,
)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class RecordingWriter:
    """Appends frames to one new file."""

    def __init__(self, path: Path, protocol: str) -> None:
        """Start a recording of one protocol.

        Raises:
            FileExistsError: a recording is never overwritten.
        """
        self.frames = 0
        self._file: BinaryIO = path.open("xb")
        self._file.write(json.dumps({"format": FORMAT, "protocol": protocol}).encode() + b"\n")

    def append(self, frame: RawFrame) -> None:
        """Add a frame; its `row` is not kept, a reader counts anew.

        Raises:
            ValueError: the frame is larger than MAX_FRAME_BYTES.
        """
        origin = frame.origin.encode()[: (1 << 16) - 1]
        body = _BODY.pack(_NUMBERS[frame.kind], frame.time_ns, len(origin)) + origin + frame.payload
        if len(body) > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {len(body)} bytes, allowed: {MAX_FRAME_BYTES}")
        self._file.write(_PREFIX.pack(len(body), zlib.crc32(body)) + body)
        self.frames += 1

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """End the recording."""
        self._file.close()

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass
class Recording:
    """A recording that is being read.

    Attributes:
        protocol: name of the protocol it was made with.
        cut: why it ends early, "" while it does not.
    """

    path: Path
    protocol: str
    cut: str = field(default="", init=False)

    def __iter__(self) -> Iterator[RawFrame]:
        """The frames in order.

        Raises:
            DataRefused: a frame does not agree with its checksum although more follows it, or the archive is damaged.
        """
        buffer = _Buffer(read_chunks(self.path))
        buffer.line()
        row = 0
        while True:
            prefix = buffer.take(_PREFIX.size)
            if len(prefix) < _PREFIX.size:
                self.cut = f"cut off after frame {row}" if prefix else ""
                return
            length, checksum = _PREFIX.unpack(prefix)
            row += 1
            if not _BODY.size <= length <= MAX_FRAME_BYTES:
                raise self._damaged(row, "length", length, f"{_BODY.size} to {MAX_FRAME_BYTES}")
            body = buffer.take(length)
            if len(body) < length:
                self.cut = f"cut off inside frame {row}"
                return
            if zlib.crc32(body) != checksum:
                raise self._damaged(row, "checksum", zlib.crc32(body), str(checksum))
            yield self._frame(row, body)

    def _frame(self, row: int, body: bytes) -> RawFrame:
        number, time_ns, origin_length = _BODY.unpack_from(body)
        start = _BODY.size + origin_length
        if number >= len(_KINDS) or start > len(body):
            raise self._damaged(row, "kind", number, f"below {len(_KINDS)}, and an origin inside the frame")
        origin = body[_BODY.size : start].decode("utf-8", "replace")
        return RawFrame(row, time_ns, _KINDS[number], body[start:], origin)

    def _damaged(self, row: int, field_name: str, found: object, allowed: str) -> DataRefused:
        return DataRefused("damaged frame", path=self.path, row=row, field=field_name, found=found, allowed=allowed)


def is_recording(path: Path) -> bool:
    """True when the first line is the header of a recording."""
    return head(path).content.startswith(b'{"format": "' + FORMAT.encode())


def read_recording(path: Path) -> Recording:
    """Open a recording.

    Raises:
        DataRefused: no header of this format.
    """
    try:
        header = json.loads(_Buffer(read_chunks(path)).line())
        if header["format"] == FORMAT and isinstance(header["protocol"], str):
            return Recording(path, header["protocol"])
    except (ValueError, KeyError, TypeError):
        pass
    raise DataRefused("not a recording", path=path, row=1, field="format", allowed=FORMAT)


class _Buffer:
    """Exact numbers of bytes out of chunks of any size."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._bytes = b""
        self._at = 0

    def line(self) -> bytes:
        """Up to and without the next line end; everything when there is none in the first 64 KiB."""
        while b"\n" not in self._bytes and len(self._bytes) < 1 << 16 and self._more():
            pass
        line, _, self._bytes = self._bytes.partition(b"\n")
        return line

    def take(self, count: int) -> bytes:
        """`count` bytes, fewer at the end."""
        while len(self._bytes) - self._at < count and self._more():
            pass
        taken = self._bytes[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._bytes = self._bytes[self._at :] + chunk
        self._at = 0
        return True
