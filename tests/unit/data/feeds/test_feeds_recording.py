"""Recordings give back every byte, and a torn tail is noticed."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from footprint.data.feeds.recording import (
    MAX_FRAME_BYTES,
    RecordingWriter,
    is_recording,
    read_recording,
)
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.errors import DataRefused

FRAMES = (
    RawFrame(1, 1_700_000_000_000_000_001, FrameKind.CONNECTED, b"", "wss://x/y"),
    RawFrame(2, 1_700_000_000_000_000_002, FrameKind.SENT, b'{"a": 1}', "wss://x/y"),
    RawFrame(3, 1_700_000_000_000_000_003, FrameKind.RECEIVED, bytes(range(256)), "wss://x/y"),
    RawFrame(4, 1_700_000_000_000_000_003, FrameKind.RECEIVED, b"line\nline\r\n", "wss://x/y"),
    RawFrame(5, 1_700_000_000_000_000_004, FrameKind.RESPONSE, b"", "https://x/\u00e9?a=b"),
    RawFrame(6, 1_700_000_000_000_000_005, FrameKind.DISCONNECTED, b"", "wss://x/y"),
)


def written(folder: Path, frames: tuple[RawFrame, ...] = FRAMES) -> Path:
    path = folder / "a.frames"
    path.unlink(missing_ok=True)
    with RecordingWriter(path, "kraken-1") as writer:
        for frame in frames:
            writer.append(frame)
    return path


def test_every_byte_comes_back(tmp_path: Path) -> None:
    path = written(tmp_path)
    recording = read_recording(path)
    assert tuple(recording) == FRAMES
    assert (recording.protocol, recording.cut) == ("kraken-1", "")
    assert is_recording(path)


@given(st.lists(st.tuples(st.sampled_from(FrameKind), st.binary(max_size=300), st.integers(0, 1 << 62)), max_size=20))
def test_any_frames_come_back(
    tmp_path_factory: pytest.TempPathFactory, frames: list[tuple[FrameKind, bytes, int]]
) -> None:
    raw = tuple(RawFrame(n, stamp, kind, payload, "o") for n, (kind, payload, stamp) in enumerate(frames, start=1))
    assert tuple(read_recording(written(tmp_path_factory.mktemp("r"), raw))) == raw


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_compressed_segments_read_the_same(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path)
    packed = tmp_path / "a.frames.z"
    packed.write_bytes(pack(path.read_bytes()))
    assert is_recording(packed)
    assert tuple(read_recording(packed)) == FRAMES


def test_every_cut_keeps_the_whole_frames_before_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    header = content.index(b"\n") + 1
    for end in range(header, len(content)):
        path.write_bytes(content[:end])
        recording = read_recording(path)
        frames = tuple(recording)
        assert frames == FRAMES[: len(frames)]
        kept = header + sum(8 + 11 + len(f.origin.encode()) + len(f.payload) for f in frames)
        assert bool(recording.cut) == (end > kept)


def test_a_flipped_byte_is_refused_with_its_row(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataRefused, match="row 6, field checksum: damaged frame"):
        list(read_recording(path))


def test_an_absurd_length_is_refused_not_allocated(tmp_path: Path) -> None:
    path = written(tmp_path, ())
    path.write_bytes(path.read_bytes() + (1 << 31).to_bytes(4, "little") + bytes(100))
    with pytest.raises(DataRefused, match="field length"):
        list(read_recording(path))


def test_a_kind_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ())
    body = bytes([9]) + bytes(10)
    path.write_bytes(
        path.read_bytes() + len(body).to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little") + body
    )
    with pytest.raises(DataRefused, match="field kind"):
        list(read_recording(path))


def test_what_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (b"hello\n", b'{"format": "footprint-frames-1"}\n', b'{"format": "other", "protocol": "x"}\n'):
        path.write_bytes(content)
        with pytest.raises(DataRefused, match="not a recording"):
            read_recording(path)


def test_a_recording_is_never_overwritten_and_frames_are_bounded(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(FileExistsError):
        RecordingWriter(path, "kraken-1")
    with RecordingWriter(tmp_path / "b", "kraken-1") as writer, pytest.raises(ValueError, match="allowed"):
        writer.append(RawFrame(1, 0, FrameKind.RECEIVED, bytes(MAX_FRAME_BYTES), ""))


def test_flushed_frames_can_be_read_while_the_recorder_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.frames"
    with RecordingWriter(path, "kraken-1") as writer:
        writer.append(FRAMES[0])
        writer.flush()
        assert tuple(read_recording(path)) == FRAMES[:1]
        assert writer.frames == 1
