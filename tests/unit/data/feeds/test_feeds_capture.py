"""Captures on disk: three formats of others and our own recordings."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from footprint.data.feeds.capture import Capture, captures, is_capture
from footprint.data.feeds.recording import RecordingWriter
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME

URL = "wss://ws.kraken.com"
WS = f"""{URL} <-> 1618678132.368463
{URL} <- 1618678132.83097: {{"event":"subscribe"}}
1618678132.9: {{"event":"heartbeat"}}
1618678133.5561652: {{"a": 1}}

""".encode()
HTTP = b"https://api.kraken.com/0/x?a=b -> 1618678133.1: [1,\n2]\n"


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content))
    return path


def only(paths: list[Path]) -> Capture:
    (capture,) = captures(paths)
    return capture


def test_the_files_of_a_venue_are_one_capture_in_order_of_time(tmp_path: Path) -> None:
    paths = [write(tmp_path, "KRAKEN.ws.48.0.gz", WS), write(tmp_path, "KRAKEN.http.0.0.gz", HTTP)]
    paths.append(write(tmp_path, "KRAKEN.0.gz", b'configuration: {"a": 1}\n'))
    assert all(is_capture(path) for path in paths)
    capture = only(paths)
    assert capture.name == "KRAKEN"
    origin = f"{URL}#KRAKEN.ws.48"
    assert list(capture) == [
        RawFrame(1, 1618678132_368463000, FrameKind.CONNECTED, b"", origin),
        RawFrame(2, 1618678132_830970000, FrameKind.SENT, b'{"event":"subscribe"}', origin),
        RawFrame(3, 1618678132_900000000, FrameKind.RECEIVED, b'{"event":"heartbeat"}', origin),
        RawFrame(1, 1618678133_100000000, FrameKind.RESPONSE, b"[1,\n2]", "https://api.kraken.com/0/x?a=b"),
        RawFrame(4, 1618678133_556165200, FrameKind.RECEIVED, b'{"a": 1}', origin),
    ]


def test_a_clock_that_goes_back_is_raised_and_counted(tmp_path: Path) -> None:
    content = f"{URL} <-> 1618678132.5\n1618678140.0: 1\n1618678139.0: 2\n1618678141.0: 3\n".encode()
    capture = only([write(tmp_path, "KRAKEN.ws.1.0.gz", content)])
    assert [f.time_ns // 10**9 for f in capture] == [1618678132, 1618678140, 1618678140, 1618678141]
    assert [f.payload for f in capture] == [b"", b"1", b"2", b"3"]
    assert capture.clock_steps_back == 2  # twice read, once each


def test_json_lines_hold_one_connection_behind_the_other(tmp_path: Path) -> None:
    lines = [
        {"t": "header", "format": 2, "exchange": "KRAKEN"},
        {"t": "connect", "conn": "K.1", "ts": 1618678132.1, "addr": URL},
        {"t": "recv", "conn": "K.1", "ts": 1618678135.0, "data": "late"},
        {"t": "connect", "conn": "K.2", "ts": 1618678132.2, "addr": URL},
        {"t": "send", "conn": "K.2", "ts": 1618678132.3, "addr": URL, "data": "ask"},
        {"t": "http", "conn": "K.http", "ts": 1618678133, "url": "https://x", "data": "body"},
    ]
    path = write(tmp_path, "KRAKEN.jsonl.gz", "\n\n".join(map(json.dumps, lines)).encode())
    assert is_capture(path)
    frames = list(only([path]))
    assert [(f.row, f.kind.value, f.payload, f.origin) for f in frames] == [
        (3, "connected", b"", f"{URL}#K.1"),
        (7, "connected", b"", f"{URL}#K.2"),
        (9, "sent", b"ask", f"{URL}#K.2"),
        (11, "response", b"body", "https://x"),
        (5, "received", b"late", f"{URL}#K.1"),
    ]


def test_a_json_list_has_no_times_and_keeps_the_text_of_its_elements(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json.gz", b'[\n {"channel": "order_book:1", "p": 1.50},\n {"x": []}\n]')
    frames = list(only([path]))
    assert [(f.row, f.time_ns, f.origin) for f in frames] == [(1, UNKNOWN_TIME, ""), (2, UNKNOWN_TIME, "")]
    assert frames[0].payload == b'{"channel": "order_book:1", "p": 1.50}'


def test_a_recording_that_was_cut_off_is_read_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.frames"
    frame = RawFrame(1, 1618678132_000000000, FrameKind.RECEIVED, b"x", URL)
    with RecordingWriter(path, "kraken-1") as writer:
        writer.append(frame)
        writer.append(frame)
    path.write_bytes(path.read_bytes()[:-1])
    capture = only([path])
    assert (list(capture), capture.protocol) == ([frame], "kraken-1")
    assert capture.cuts == ["a.frames: cut off inside frame 2"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("X.ws.1.0.gz", b"hello\n" + WS),
        ("X.jsonl.gz", b'{"t": "header", "a": 1}\n{"t": "recv"}\n'),
        ("X.jsonl.gz", b'{"t": "header", "a": 1}\n[1]\n'),
        ("X.jsonl.gz", b'{"t": "header", "a": 1}\n{"t": "other", "conn": "a", "ts": 1618678132}\n'),
        ("X.json.gz", b'[{"channel": "trade:1"}, {'),
    ],
)
def test_what_is_no_frame_is_refused_with_its_row(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(DataRefused, match=r"row \d.*not a frame"):
        list(only([write(tmp_path, name, content)]))


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "KRAKEN.ws.1.0.gz", WS * 50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataRefused, match="truncated or damaged archive"):
        list(only([path]))


def test_other_files_are_no_captures(tmp_path: Path) -> None:
    for number, content in enumerate((b"a,b\n1,2\n", b"", b'{"x": 1}', b"1618678132.9: {}\n")):
        path = tmp_path / str(number)
        path.write_bytes(content)
        assert not is_capture(path)
