"""The recorder against a venue that a test steers, in virtual time."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scenarios"))

from fake_venue import START_NS, FakeConnector, MemorySink, make_recorder
from virtual_time import run_virtual

from footprint.data.feeds.wire import FrameKind
from footprint.live.connection import ConnectionLost
from footprint.live.recorder import CannotConnect
from footprint.live.report import recording_report


async def snapshot_3(url):
    return b'{"snapshot": 3}'


def recorded(steer, **options):
    """Run a recorder while `steer(connector, recorder, sink)` acts, then stop it; the recorder and its sink."""

    async def run():
        connector = options.pop("connector", None) or FakeConnector()
        sink = options.pop("sink", None) or MemorySink()
        recorder = make_recorder(connector, sink=sink, **options)
        stop = asyncio.Event()
        running = asyncio.create_task(recorder.run(stop))
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        await steer(connector, recorder, sink)
        stop.set()
        await running
        return recorder, sink, connector

    return run_virtual(run())


def test_frames_are_recorded_in_order_with_our_own_between():
    async def steer(connector, recorder, sink):
        connector.connections[0].says(4, 5)
        await asyncio.sleep(0.1)

    _, sink, _ = recorded(steer)
    assert [f.payload for f in sink.frames] == [b"", b"subscribe abc", b'{"id": 4}', b'{"id": 5}']
    assert sink.kinds() == [FrameKind.CONNECTED, FrameKind.SENT, FrameKind.RECEIVED, FrameKind.RECEIVED]
    assert [f.row for f in sink.frames] == [1, 2, 3, 4]


def test_a_book_that_waits_is_fetched_and_updates_behind_the_snapshot_apply():
    async def steer(connector, recorder, sink):
        connector.connections[0].says(4, 5)
        await asyncio.sleep(1)
        assert recorder.normaliser.follows("ABC")

    recorder, sink, _ = recorded(steer, fetch=snapshot_3)
    assert FrameKind.RESPONSE in sink.kinds()
    assert recorder.counts["snapshot_requests"] == 1
    sizes = [int(size) for _, events in sink.rows for size in events["size_lots"] if size]
    assert sizes == [3 * 10**8, 4 * 10**8, 5 * 10**8]


def test_a_failing_snapshot_is_asked_for_again_ever_later_and_told():
    asked_s = []

    async def fails(url):
        asked_s.append(asyncio.get_running_loop().time())
        raise ConnectionLost(f"{url}: status 429")

    async def steer(connector, recorder, sink):
        connector.connections[0].says(4)
        for _ in range(60):
            await asyncio.sleep(1)
            connector.connections[0].frames.put_nowait(b"{}")

    recorder, _, _ = recorded(steer, fetch=fails)
    assert len(asked_s) == recorder.counts["snapshot_failed"]
    assert 8 <= len(asked_s) <= 40
    assert recorder.incidents[0].kind == "snapshot_failed"
    assert "status 429" in recorder.incidents[0].text


def test_a_venue_without_rest_is_asked_on_the_connection_once_its_own_snapshot_is_late():
    async def steer(connector, recorder, sink):
        connector.connections[0].says(4)
        await asyncio.sleep(4.5)
        assert connector.connections[0].sent == [b"subscribe abc"]
        await asyncio.sleep(1)
        assert connector.connections[0].sent == [b"subscribe abc", b"snapshot"]
        connector.connections[0].shows(4)
        await asyncio.sleep(1)
        assert recorder.normaliser.follows("ABC")

    _, sink, _ = recorded(steer, snapshot_url="")
    assert [f.payload for f in sink.frames if f.kind is FrameKind.SENT] == [b"subscribe abc", b"snapshot"]


def test_a_lost_connection_voids_the_book_and_is_made_again_with_growing_waits():
    async def steer(connector, recorder, sink):
        connector.connections[0].shows(3)
        await asyncio.sleep(0.1)
        connector.refusals = 5
        connector.connections[0].frames.put_nowait(None)
        await asyncio.sleep(60)
        assert recorder.connected

    recorder, _, connector = recorded(steer, idle_s=1000.0)
    waits = [b - a for a, b in zip(connector.attempts_s[1:], connector.attempts_s[2:], strict=False)]
    assert len(connector.attempts_s) == 7
    assert all(0.5 <= wait <= 8.0 for wait in waits)
    assert max(waits) > 2.0
    assert recorder.counts["cannot_connect"] == 5
    (void,) = recorder.audit.symbols["ABC"].all_voids()[:1]
    assert (void.after_id, void.open) == (3, True)


def test_silence_of_the_connection_ends_it():
    async def steer(connector, recorder, sink):
        await asyncio.sleep(31)
        connector.connections[0].says(4)
        await asyncio.sleep(10)

    recorder, _, connector = recorded(steer)
    assert recorder.counts["idle"] == 1
    assert len(connector.connections) == 2


def test_silence_of_a_symbol_is_told_once():
    async def steer(connector, recorder, sink):
        for _ in range(200):
            connector.connections[0].frames.put_nowait(b"{")  # something comes, but nothing of the symbol
            await asyncio.sleep(2)

    recorder, _, _ = recorded(steer)
    assert recorder.counts["silent"] == 1
    assert recorder.counts["idle"] == 0
    assert recording_report(recorder, "")["symbols"]["ABC"]["silent"]


@pytest.mark.parametrize("limit", [{"max_waiting_frames": 20}, {"max_waiting_bytes": 200}])
def test_a_full_queue_gives_the_connection_up_and_keeps_what_waited(limit):
    async def steer(connector, recorder, sink):
        connector.connections[0].shows(3)
        connector.connections[0].says(*range(4, 100))
        await asyncio.sleep(30)
        assert len(connector.connections) == 2

    recorder, sink, _ = recorded(steer, **limit)
    assert recorder.counts["queue_full"] == 1
    ids = [json.loads(p).get("id") for p in sink.received()]
    assert ids == [None, *range(4, 4 + len(ids) - 1)]
    assert len(ids) < 40
    assert recorder.queue.waiting_bytes == 0


def test_a_refused_first_connection_is_an_error_and_nothing_is_recorded():
    async def run():
        sink = MemorySink()
        with pytest.raises(CannotConnect, match="cannot connect to ws://fake: refused"):
            await make_recorder(FakeConnector(refusals=1), sink=sink).run(asyncio.Event())
        assert sink.frames == []

    run_virtual(run())


def test_a_sink_that_cannot_write_ends_the_recording():
    class Full(MemorySink):
        def frame(self, frame):
            if frame.kind is FrameKind.RECEIVED:
                raise OSError(28, "No space left on device", "frames.frames")
            super().frame(frame)

    async def run():
        connector = FakeConnector()
        running = asyncio.create_task(make_recorder(connector, sink=Full()).run(asyncio.Event()))
        await asyncio.sleep(0.1)
        connector.connections[0].says(4)
        with pytest.raises(OSError, match="No space"):
            await running
        assert connector.connections[0].closed

    run_virtual(run())


def test_a_clock_that_steps_back_is_waited_out_and_counted():
    times = iter([START_NS + 10, START_NS + 5, *range(START_NS + 6, START_NS + 10_000)])

    async def steer(connector, recorder, sink):
        connector.connections[0].says(4, 5)
        await asyncio.sleep(0.1)

    recorder, sink, _ = recorded(steer, clock_ns=lambda: next(times))
    stamps = [frame.time_ns for frame in sink.frames]
    assert stamps == sorted(stamps)
    assert recorder.counts["clock_stepped_back"] > 0


def test_stopping_while_the_first_connection_hangs_returns_at_once():
    class Hangs:
        async def connect(self, url):
            await asyncio.sleep(3600)

    async def run():
        stop = asyncio.Event()
        running = asyncio.create_task(make_recorder(Hangs()).run(stop))
        await asyncio.sleep(1)
        stop.set()
        await asyncio.wait_for(running, 1)

    run_virtual(run())


def test_a_malformed_frame_is_in_the_report_with_its_row():
    async def steer(connector, recorder, sink):
        connector.connections[0].shows(3)
        connector.connections[0].frames.put_nowait(b"\xff{")
        connector.connections[0].says(4)
        await asyncio.sleep(0.1)
        assert recorder.normaliser.follows("ABC")

    recorder, sink, _ = recorded(steer)
    (entry,) = recording_report(recorder, "")["quarantined"]
    assert sink.frames[entry["row"] - 1].payload == b"\xff{"


def test_a_request_that_fails_unforeseen_ends_the_recording_at_once():
    """Its book would else wait for ever for a snapshot that nobody asks for again."""
    seen = []

    async def breaks(url):
        raise ValueError("not foreseen")

    async def steer(connector, recorder, sink):
        connector.connections[0].says(4)
        await asyncio.sleep(2)
        seen.append(connector.connections[0].closed)

    with pytest.raises(ValueError, match="not foreseen"):
        recorded(steer, fetch=breaks)
    assert seen == [True]
