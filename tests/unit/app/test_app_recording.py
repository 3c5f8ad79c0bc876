"""`footprint record` from the command line: what a person sees, what is on disk, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scenarios"))

from fault_scripts import no_faults
from fault_server import FaultServer
from fault_venues import tape_of

from footprint.adapters.websockets_connection import WebsocketConnector
from footprint.app import recording
from footprint.app.cli.record import record
from footprint.data.feeds.recording import read_recording
from footprint.data.readers.frames import FramesReader
from footprint.errors import UsageError
from footprint.live.folder import FRAMES_FILE, REPORT_FILE
from footprint.live.segments import recorded_symbols


def command(*arguments):
    """The exit status of `footprint record ...`."""
    app = typer.Typer()
    app.command()(record)
    return app(args=list(arguments), standalone_mode=False) or 0


@pytest.fixture
def venue(shared_data, monkeypatch):
    """Binance on this machine, in a thread, playing at 50 frames a second; `record --venue` finds it."""
    dialect, tape = tape_of("binance-spot", shared_data / "ws_frames" / "cryptofeed")
    ready, done = threading.Event(), threading.Event()
    found = {}

    def play():
        async def run():
            server = FaultServer(dialect, tape, no_faults())
            async with server.running():
                found["protocol"] = server.protocol
                ready.set()
                playing = asyncio.create_task(server.play())
                while not done.is_set():
                    await asyncio.sleep(0.02)
                playing.cancel()

        asyncio.run(run())

    thread = threading.Thread(target=play)
    thread.start()
    assert ready.wait(10)
    monkeypatch.setattr(recording, "source_of", lambda name: recording.Source(found["protocol"], WebsocketConnector()))
    yield ",".join(tape.start)
    done.set()
    thread.join()


def test_a_duration_ends_the_recording_whole(venue, tmp_path, capsys):
    folder = tmp_path / "r"
    status = command("--venue", "x", "--symbols", venue, "--out", str(folder), "--duration", "1500ms", "--json")
    told = json.loads(capsys.readouterr().out)
    assert status == 0
    assert told["ended"] == "duration"
    assert told.pop("folder") == str(folder)
    assert told == json.loads((folder / REPORT_FILE).read_text())
    assert told["counts"]["frames"] > 20
    assert told["gaps"] == told["incidents"] == []
    assert {symbol["book"] for symbol in told["symbols"].values()} <= {"good", "none"}
    recorded = read_recording(folder / FRAMES_FILE)
    assert len(list(recorded)) == told["counts"]["frames"]
    assert recorded.cut == ""
    assert {s.instrument.symbol for s in FramesReader().sessions([folder / FRAMES_FILE])} == set(
        recorded_symbols(folder)
    )


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_ends_the_recording_whole_with_its_status(venue, tmp_path, capsys, number, name):
    folder = tmp_path / "r"
    threading.Timer(1.0, os.kill, (os.getpid(), number)).start()
    started_s = time.monotonic()
    status = command("--venue", "x", "--symbols", venue, "--out", str(folder), "--duration", "1h")
    assert status == 128 + number
    assert time.monotonic() - started_s < 10
    assert json.loads((folder / REPORT_FILE).read_text())["ended"] == name
    out = capsys.readouterr().out
    assert "written:" in out
    assert "books good" in out
    assert not list(folder.rglob("*.partial"))
    assert read_recording(folder / FRAMES_FILE).cut == ""


def test_a_venue_that_refuses_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    class Nowhere(type(recording.source_of("binance-spot").protocol)):
        url = "ws://127.0.0.1:1/stream"

    monkeypatch.setattr(recording, "source_of", lambda name: recording.Source(Nowhere(), WebsocketConnector()))
    with pytest.raises(UsageError, match=r"cannot connect to ws://127.0.0.1:1/stream: .*refused|Connect call failed"):
        command("--venue", "x", "--symbols", "BTCUSDT", "--out", str(tmp_path / "r"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("venue_name", ["nowhere", "kucoin-1", "BINANCE"])
def test_an_unknown_venue_names_those_that_are_known(venue_name, tmp_path):
    with pytest.raises(UsageError, match=f"no venue '{venue_name}', known: .*kraken") as error:
        command("--venue", venue_name, "--symbols", "A", "--out", str(tmp_path / "r"))
    assert error.value.exit_status == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("venue_name", sorted(recording.live_venues()))
def test_every_venue_that_is_named_can_be_asked_for(venue_name):
    source = recording.source_of(venue_name)
    assert source.protocol.venue == venue_name
    assert source.protocol.url.startswith("wss://")
    request = source.protocol.snapshot("ABC-DEF")
    assert source.protocol.subscribe(["ABC-DEF"])
    # a hole must be curable: by a GET or by frames
    assert request.url.startswith("https://") or request.frames


def test_orders_come_before_prices_and_an_old_protocol_can_be_named():
    assert recording.source_of("bitfinex").protocol.by_order
    assert recording.source_of("bitstamp").protocol.by_order
    assert recording.source_of("kraken-1").protocol.name == "kraken-1"


@pytest.mark.parametrize(
    ("library", "venue_name", "extra"), [("websockets", "kraken", "live"), ("ccxt", "ccxt:gate", "ccxt")]
)
def test_a_missing_library_says_what_to_install(monkeypatch, library, venue_name, extra):
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=rf'pip install "footprint\[{extra}\]"'):
        recording.source_of(venue_name)


def test_a_venue_through_ccxt():
    pytest.importorskip("ccxt")
    assert recording.source_of("ccxt:gate").protocol.name == "ccxt-1-gate"
    with pytest.raises(UsageError, match="ccxt does not stream 'nowhere'"):
        recording.source_of("ccxt:nowhere")


def test_no_symbols_is_misuse(tmp_path):
    with pytest.raises(UsageError, match="allowed: names separated by commas"):
        command("--venue", "kraken", "--symbols", " , ", "--out", str(tmp_path / "r"))


def test_a_folder_in_use_is_not_written_to(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="allowed: a new or empty folder"):
        command("--venue", "kraken", "--symbols", "BTC/USD", "--out", str(tmp_path))
