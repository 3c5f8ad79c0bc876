"""Recording a venue that drops, repeats, reorders, cuts, floods and garbles: the books heal and nothing is hidden.

A local WebSocket server plays recorded frames under seeded scripts (`fault_server`, `fault_scripts`); the recorder
talks to it over a real connection in virtual time. What a venue does not number cannot be seen missing, so the venues
here are those that number their updates or their frames.
"""

from __future__ import annotations

import json

import pytest
from fault_run import (
    malformed_received,
    record_faulty,
    replay_differences,
    unexplained,
    unreported,
    wrong_books,
)
from fault_scripts import FaultScript, fault_script, no_faults
from fault_venues import DIALECTS, tape_of

from footprint.data.feeds.recording import read_recording
from footprint.data.feeds.wire import FrameKind
from footprint.live.folder import FRAMES_FILE, REPORT_FILE

FEW, ALL = 4, 100


@pytest.fixture(params=DIALECTS)
def venue(request, shared_data):
    """Dialect and tape of one venue."""
    return tape_of(request.param, shared_data / "ws_frames" / "cryptofeed")


def check(dialect, tape, script, folder):
    outcome = record_faulty(dialect, tape, script, folder)
    assert wrong_books(outcome) == []
    assert unreported(outcome) == []
    assert unexplained(outcome) == []
    assert outcome.report["counts"].get("quarantined", 0) == malformed_received(outcome)
    return outcome


def test_without_faults_the_book_is_the_venues_and_nothing_is_reported(venue, tmp_path):
    dialect, tape = venue
    outcome = check(dialect, tape, no_faults(), tmp_path / "r")
    assert outcome.report["gaps"] == outcome.report["voids"] == outcome.report["incidents"] == []
    assert outcome.report["counts"]["connections"] == 1
    assert replay_differences(outcome) == []


def test_a_few_scripts_heal_and_are_reported(venue, tmp_path):
    dialect, tape = venue
    injected = 0
    for seed in range(1, 1 + FEW):
        outcome = check(dialect, tape, fault_script(seed, tape.droppable(), len(tape.frames)), tmp_path / str(seed))
        injected += outcome.server.injected["drops"]
        assert replay_differences(outcome) == []
    assert injected > 0


@pytest.mark.nightly
def test_all_scripts_heal_and_are_reported(venue, tmp_path):
    dialect, tape = venue
    for seed in range(1, 1 + ALL):
        check(dialect, tape, fault_script(seed, tape.droppable(), len(tape.frames)), tmp_path / str(seed))


def single(**faults):
    return FaultScript(**{**vars(no_faults()), **faults})


@pytest.fixture
def spot(shared_data):
    return tape_of("binance-spot", shared_data / "ws_frames" / "cryptofeed")


def test_a_drop_is_one_hole_with_its_ids(spot, tmp_path):
    dialect, tape = spot
    position = tape.droppable()[100]
    outcome = check(dialect, tape, single(drops=frozenset([position])), tmp_path / "r")
    (hole,) = outcome.report["gaps"]
    (lost,) = outcome.server.lost
    assert hole["symbol"] == lost.symbol
    assert hole["from_id"] < lost.last_id < hole["to_id"]


def test_a_check_that_drops_nothing_more_would_notice_a_silent_drop(spot, tmp_path):
    """The judge itself: a report without its holes fails."""
    dialect, tape = spot
    outcome = record_faulty(dialect, tape, single(drops=frozenset([tape.droppable()[100]])), tmp_path / "r")
    outcome.report["gaps"], outcome.report["voids"] = [], []
    assert len(unreported(outcome)) == 1
    outcome.server.lost.clear()
    assert unreported(outcome) == []


def test_a_malformed_frame_is_set_aside_with_its_bytes_and_the_feed_goes_on(spot, tmp_path):
    dialect, tape = spot
    outcome = check(dialect, tape, single(malformed={200: b'{"e":'}), tmp_path / "r")
    (set_aside,) = outcome.report["quarantined"]
    assert set_aside["payload_base64"] == "eyJlIjo="
    frames = list(read_recording(tmp_path / "r" / FRAMES_FILE))
    assert frames[set_aside["row"] - 1].payload == b'{"e":'
    assert sum(frame.kind is FrameKind.RECEIVED for frame in frames[set_aside["row"] :]) > 250
    assert outcome.report["gaps"] == []


def test_a_flood_ends_the_connection_on_purpose_and_is_told(spot, tmp_path):
    dialect, tape = spot
    outcome = check(dialect, tape, single(bursts={200: 150}), tmp_path / "r")
    (flood,) = [incident for incident in outcome.report["incidents"] if incident["kind"] == "queue_full"]
    assert "64 frames" in flood["text"]
    assert outcome.report["counts"]["connections"] == 2
    # our own frames (connected, sent, answers) are always taken
    assert 64 <= outcome.report["queue"]["deepest_frames"] < 64 + 16
    assert {void["symbol"] for void in outcome.report["voids"] if void["until_row"]} == set(tape.start)


def test_the_recording_holds_the_bytes_of_the_venue(spot, tmp_path):
    dialect, tape = spot
    record_faulty(dialect, tape, no_faults(), tmp_path / "r")
    received = [f.payload for f in read_recording(tmp_path / "r" / FRAMES_FILE) if f.kind is FrameKind.RECEIVED]
    assert received[1:] == [frame.payload for frame in tape.frames]  # the first is the answer to the subscription


def test_the_report_on_disk_is_the_report(spot, tmp_path):
    dialect, tape = spot
    outcome = record_faulty(dialect, tape, no_faults(), tmp_path / "r")
    assert json.loads((tmp_path / "r" / REPORT_FILE).read_text()) == outcome.report
    assert not list((tmp_path / "r").rglob("*.partial"))
