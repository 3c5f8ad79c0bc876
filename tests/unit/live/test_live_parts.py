"""Backoff, queue, segments, folder, audit and REST requests, each alone."""

import asyncio
import http.server
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from fake_venue import FakeProtocol

from footprint.data.feeds.recording import read_recording
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.errors import DataRefused, UsageError
from footprint.live.audit import RunningAudit, SymbolAudit
from footprint.live.backoff import Backoff, BackoffSettings
from footprint.live.connection import ConnectionLost
from footprint.live.folder import FRAMES_FILE, REPORT_FILE, RecordingFolder
from footprint.live.frame_queue import FrameQueue
from footprint.live.http import fetch
from footprint.live.segments import EventSegments, Units, read_segments, recorded_symbols
from footprint.market.events import EVENT_DTYPE, EventFlag, EventKind, empty_events

SNAPSHOT, LAST = int(EventFlag.SNAPSHOT), int(EventFlag.LAST)


def test_backoff_doubles_its_range_up_to_the_longest_and_repeats_with_the_seed():
    settings = BackoffSettings(first_s=1.0, longest_s=10.0, shortest_s=0.25)

    def waits():
        backoff = Backoff(settings, np.random.default_rng(7))
        return [backoff.next_s() for _ in range(2000)]

    found = waits()
    assert found == waits()
    for attempt, limit in enumerate((1, 2, 4, 8)):
        assert 0.25 <= found[attempt] <= limit
    assert 9.9 < max(found) <= 10.0
    assert min(found[4:]) < 0.35  # full jitter: long waits and short ones


def test_backoff_starts_anew_after_a_reset():
    backoff = Backoff(BackoffSettings(1.0, 1e9, 0.0), np.random.default_rng(0))
    for _ in range(5000):
        assert np.isfinite(backoff.next_s())
    backoff.reset()
    assert backoff.next_s() <= 1.0


def frame(payload=b"x", kind=FrameKind.RECEIVED):
    return RawFrame(0, 1, kind, payload, "ws://fake")


def test_queue_refuses_what_has_no_room_but_takes_our_own():
    queue = FrameQueue(max_frames=2, max_bytes=100)
    assert queue.offer(frame())
    assert queue.offer(frame())
    assert not queue.offer(frame())
    queue.put(frame(kind=FrameKind.DISCONNECTED))
    assert (len(queue), queue.deepest, queue.waiting_bytes) == (3, 3, 3)


def test_queue_bounds_bytes_but_lets_one_large_frame_through():
    queue = FrameQueue(max_frames=10, max_bytes=100)
    assert queue.offer(frame(b"y" * 1000))
    assert not queue.offer(frame())


def test_queue_gives_frames_in_order_then_none_when_closed():
    async def run():
        queue = FrameQueue(10, 100)
        first = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.put(frame(b"a"))
        queue.put(frame(b"b"))
        queue.close()
        assert [(await first).payload, (await queue.get()).payload, await queue.get()] == [b"a", b"b", None]
        await asyncio.wait_for(queue.drained(), 1)

    asyncio.run(run())


def events(*rows):
    """(kind, sequence, flags, row) at receive time = row."""
    made = empty_events(len(rows))
    for event, (kind, sequence, flags, row) in zip(made, rows, strict=True):
        event["kind"], event["sequence"], event["flags"], event["row"] = kind, sequence, flags, row
        event["receive_time_ns"] = row
    return made


def test_segments_come_back_in_order_whatever_their_size(tmp_path):
    written = [events((EventKind.LEVEL, n, LAST, n), (EventKind.TRADE, n, LAST, n)) for n in range(1, 8)]
    segments = EventSegments(tmp_path, "fake", lambda symbol: (10**8, 10**4), segment_events=4)
    for part in written:
        segments.append("XBT/USD", part)
    assert len(list(tmp_path.rglob("*.npy"))) == 3
    segments.flush()
    units, found = read_segments(tmp_path, "XBT/USD")
    assert units == Units(10**8, 10**4)
    assert found.dtype == EVENT_DTYPE
    assert np.array_equal(found, np.concatenate(written))
    assert recorded_symbols(tmp_path) == ["XBT/USD"]
    assert not list(tmp_path.rglob("*.partial"))


def test_a_missing_or_damaged_segment_is_refused(tmp_path):
    segments = EventSegments(tmp_path, "fake", lambda symbol: (1, 1), segment_events=1)
    for n in (1, 2, 3):
        segments.append("A", events((EventKind.LEVEL, n, LAST, n)))
    middle = tmp_path / "events" / "A" / "000002.npy"
    whole = middle.read_bytes()
    for damage in (whole[:-5], b"", b"\x93NUMPY", whole.replace(b"'kind'", b"'kine'")):
        middle.write_bytes(damage)
        with pytest.raises(DataRefused, match="not a segment"):
            read_segments(tmp_path, "A")
    middle.unlink()
    with pytest.raises(DataRefused, match="segment missing"):
        read_segments(tmp_path, "A")
    with pytest.raises(DataRefused, match="no units"):
        read_segments(tmp_path, "B")


def test_a_folder_that_holds_something_is_not_written_to(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="allowed: a new or empty folder"):
        RecordingFolder(tmp_path, FakeProtocol(), lambda symbol: (1, 1))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_holds_frames_events_and_report(tmp_path):
    folder = RecordingFolder(tmp_path / "r", FakeProtocol(), lambda symbol: (1, 1))
    folder.frame(frame(b"\x00\xff"))
    folder.events("A", events((EventKind.LEVEL, 1, LAST, 1)))
    folder.flush({"ended": ""})
    assert json.loads((tmp_path / "r" / REPORT_FILE).read_text()) == {"ended": ""}
    folder.close({"ended": "duration"})
    assert json.loads((tmp_path / "r" / REPORT_FILE).read_text()) == {"ended": "duration"}
    recording = read_recording(tmp_path / "r" / FRAMES_FILE)
    assert [f.payload for f in recording] == [b"\x00\xff"]
    assert (recording.protocol, recording.cut) == ("fake-1", "")


def test_discarding_leaves_nothing(tmp_path):
    RecordingFolder(tmp_path / "r", FakeProtocol(), lambda symbol: (1, 1)).discard()
    assert list(tmp_path.iterdir()) == []


def audit():
    return SymbolAudit("A", 0, np.random.default_rng(0))


def test_a_void_spell_reaches_from_the_last_change_to_the_snapshot():
    mine = audit()
    mine.take(events((EventKind.CLEAR, 5, SNAPSHOT, 1), (EventKind.LEVEL, 5, SNAPSHOT | LAST, 1)))
    assert mine.all_voids() == []  # a first snapshot heals nothing
    mine.take(events((EventKind.LEVEL, 7, LAST, 2), (EventKind.TRADE, 999, LAST, 2)))
    mine.take(events((EventKind.HALT, 9, LAST, 3), (EventKind.CLEAR, 9, LAST, 3), (EventKind.RESUME, 9, LAST, 3)))
    (void,) = mine.all_voids()
    assert void == ("A", 7, -1, 3, 0, 3, -1)
    assert void.open
    mine.take(events((EventKind.CLEAR, 12, SNAPSHOT, 4), (EventKind.LEVEL, 12, SNAPSHOT | LAST, 4)))
    assert mine.all_voids() == [("A", 7, 12, 3, 4, 3, 4)]
    assert mine.void_count == 1


def test_latency_is_of_messages_and_not_of_snapshots():
    mine = audit()
    assert np.isnan(mine.latency().median_ms)
    for n in range(1, 10_001):
        one = events((EventKind.TRADE, n, LAST, n))
        one["exchange_time_ns"], one["receive_time_ns"] = 10**18, 10**18 + n * 1000
        mine.take(one)
    old = events((EventKind.LEVEL, 1, SNAPSHOT, 1))
    old["exchange_time_ns"], old["receive_time_ns"] = 0, 10**18
    mine.take(old)
    early = events((EventKind.TRADE, 1, LAST, 1))
    early["exchange_time_ns"], early["receive_time_ns"] = 10**18, 10**18 - 1
    mine.take(early)
    latency = mine.latency()
    assert (latency.messages, latency.negative) == (10_001, 1)
    assert latency.median_ms == pytest.approx(5.0, rel=0.05)
    assert latency.p99_ms == pytest.approx(9.9, rel=0.02)


def test_a_symbol_is_silent_once_until_it_speaks_again():
    running = RunningAudit(["A", "B"], 0, np.random.default_rng(0))
    running.take("B", events((EventKind.TRADE, 1, LAST, 90)))
    assert [s.symbol for s in running.newly_silent(100, 50)] == ["A"]
    assert running.newly_silent(101, 50) == []
    running.take("A", events((EventKind.TRADE, 1, LAST, 120)))
    assert [s.symbol for s in running.newly_silent(160, 50)] == ["B"]
    assert [s.symbol for s in running.newly_silent(171, 50)] == ["A"]


@pytest.fixture
def rest():
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/book" else 429)
            self.end_headers()
            self.wfile.write(b'{"bids": []}\n')

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_fetch_gives_the_bytes(rest):
    assert asyncio.run(fetch(f"{rest}/book")) == b'{"bids": []}\n'


@pytest.mark.parametrize(
    ("url", "told"),
    [("REST/none", "status 429"), ("http://127.0.0.1:1/", "refused"), ("file:///etc/hostname", "not an address")],
)
def test_a_bad_answer_names_the_address_and_the_cause(rest, url, told):
    with pytest.raises(ConnectionLost, match=told):
        asyncio.run(fetch(url.replace("REST", rest)))


def test_the_library_for_connections_is_imported_on_use_only():
    source = Path(__file__).resolve().parents[3] / "src" / "footprint" / "live"
    text = "".join(path.read_text() for path in source.glob("*.py"))
    assert "import websockets" not in text
    assert "import ccxt" not in text
