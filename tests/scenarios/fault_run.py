"""One recording of a faulty venue, from the first connection to the report, and what a person would check of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fault_scripts import MALFORMED, FaultScript
from fault_server import FaultServer, Lost, PlainBook, Tape, fetch
from virtual_time import run_virtual

from footprint.adapters.websockets_connection import WebsocketConnector
from footprint.book.price_levels import PriceLevelBook
from footprint.data.feeds.messages import PRICE_UNITS_PER_ONE, SIZE_UNITS_PER_ONE
from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.recording import read_recording
from footprint.data.feeds.wire import FrameKind
from footprint.data.readers.frames import FramesReader
from footprint.data.session import Session
from footprint.live.backoff import BackoffSettings
from footprint.live.folder import FRAMES_FILE, RecordingFolder
from footprint.live.recorder import Recorder, RecorderSettings
from footprint.live.report import recording_report
from footprint.live.segments import Units, read_segments, recorded_symbols
from footprint.market.events import EVENT_DTYPE, EventFlag, EventKind

START_NS = 1_750_000_000_000_000_000
SETTINGS = RecorderSettings(
    max_waiting_frames=64,
    idle_s=60.0,
    silent_s=30.0,
    steady_s=2.0,
    resubscribe_after_s=0.5,
    tick_s=0.05,
    reconnect=BackoffSettings(first_s=0.1, longest_s=1.0, shortest_s=0.02),
    snapshot=BackoffSettings(first_s=0.1, longest_s=1.0, shortest_s=0.05),
)


@dataclass
class Outcome:
    """What the venue did and what the recorder made of it."""

    server: FaultServer
    report: dict[str, Any]
    folder: Path


def record_faulty(dialect: Any, tape: Tape, script: FaultScript, folder: Path) -> Outcome:
    """Play a script to a recorder over a real WebSocket, in virtual time."""
    return run_virtual(_record(dialect, tape, script, folder))


async def _record(dialect: Any, tape: Tape, script: FaultScript, folder: Path) -> Outcome:
    loop = asyncio.get_running_loop()
    server = FaultServer(dialect, tape, script)
    async with server.running():
        normaliser = Normaliser(server.protocol)
        sink = RecordingFolder(folder, normaliser.protocol, normaliser.units)
        recorder = Recorder(
            normaliser,
            list(tape.start),
            WebsocketConnector(),
            fetch,
            sink,
            np.random.default_rng(script.seed),
            SETTINGS,
            clock_ns=lambda: START_NS + round(loop.time() * 1e9),
        )
        stop = asyncio.Event()
        recording = asyncio.create_task(recorder.run(stop))
        await server.play()
        await asyncio.sleep(0.5)
        for _ in range(500):  # the venue is quiet now: the recorder heals what it still has to
            if recorder.connected and all(normaliser.follows(symbol) for symbol in tape.start):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.1)
        stop.set()
        await recording
        sink.close(recording_report(recorder, "end of the tape"))
        return Outcome(server, recording_report(recorder, "end of the tape"), folder)


def wrong_books(outcome: Outcome) -> list[str]:
    """Symbols whose book, replayed from the written events, is not the venue's."""
    wrong = []
    for symbol, clean in outcome.server.books.items():
        units, events = read_segments(outcome.folder, symbol)
        replayed = replayed_orders(events) if clean.by_order else replayed_levels(events)
        if replayed != in_units(clean, units):
            wrong.append(symbol)
    return wrong


def in_units(clean: PlainBook, units: Units) -> dict[Any, Any]:
    """The venue's book in the ticks and lots of the events; lots are to the nearest, but never 0."""
    price_scale = PRICE_UNITS_PER_ONE // units.price_units_per_one
    size_scale = SIZE_UNITS_PER_ONE // units.size_units_per_one

    def lots(size: int) -> int:
        return max((2 * size + size_scale) // (2 * size_scale), 1)

    if clean.by_order:
        return {i: (side, p // price_scale, lots(size)) for i, (side, p, size) in clean.entries.items()}
    return {(side, p // price_scale): lots(size) for (side, p), size in clean.entries.items()}


def replayed_levels(events: np.ndarray) -> dict[Any, Any]:
    """(side, ticks) -> lots at the end of the events."""
    book = PriceLevelBook()
    book.apply(events)
    levels = ((side, *map(int, level)) for side in (1, -1) for level in book.levels(side, 1 << 20))
    return {(side, ticks): lots for side, ticks, lots in levels}


def replayed_orders(events: np.ndarray) -> dict[Any, Any]:
    """Order id -> (side, ticks, lots): ADD and MODIFY set an order, DELETE removes it, CLEAR empties the book."""
    orders: dict[Any, Any] = {}
    for event in events:
        order_id = int(event["order_id"])
        match int(event["kind"]):
            case EventKind.CLEAR:
                orders.clear()
            case EventKind.ADD | EventKind.MODIFY:
                orders[order_id] = (int(event["side"]), int(event["price_ticks"]), int(event["size_lots"]))
            case EventKind.DELETE:
                del orders[order_id]
    return orders


def unreported(outcome: Outcome) -> list[Lost]:
    """Book messages that did not arrive and of which the report knows nothing.

    What was lost before the first snapshot of a symbol is no hole: its events begin with that snapshot.
    """
    first = {symbol: _first_snapshot(outcome, symbol) for symbol in outcome.server.books}
    ends = _connection_rows(outcome.folder)
    return [lost for lost in outcome.server.lost if not _is_reported(lost, outcome, first[lost.symbol], ends)]


def listed(outcome: Outcome) -> list[Lost]:
    """Lost messages that lie in a hole of their own; the others are within the void that an earlier hole opened."""
    rows = _connection_rows(outcome.folder)
    gaps = outcome.report["gaps"]
    return [lost for lost in outcome.server.lost if any(_explains(lost, gap, rows) for gap in gaps)]


def before_start(outcome: Outcome) -> list[Lost]:
    """Messages that were lost before the first snapshot of their book, which contains them."""
    first = {symbol: _first_snapshot(outcome, symbol).update_id for symbol in outcome.server.books}
    return [lost for lost in outcome.server.lost if -1 < lost.last_id <= first[lost.symbol]]


def unexplained(outcome: Outcome) -> list[dict[str, Any]]:
    """Holes in the report that nothing injected explains: false reports."""
    rows = _connection_rows(outcome.folder)
    causes = outcome.server.lost + outcome.server.overtaken
    named = [gap for gap in outcome.report["gaps"] if gap["reason"] in ("missing ids", "missing frames")]
    return [gap for gap in named if not any(_explains(lost, gap, rows) for lost in causes)]


def malformed_received(outcome: Outcome) -> int:
    """How many of the injected bytes that are no frame are in the recording."""
    received = (f for f in read_recording(outcome.folder / FRAMES_FILE) if f.kind is FrameKind.RECEIVED)
    return sum(frame.payload in MALFORMED for frame in received)


_OPEN = 1 << 62  # last row of a connection that the recorder itself ended


class _Connected(NamedTuple):
    first_row: int
    last_row: int


def _connection_rows(folder: Path) -> dict[int, _Connected]:
    """First and last row of each connection, counted from 1, in the recording."""
    rows: dict[int, _Connected] = {}
    for frame in read_recording(folder / FRAMES_FILE):
        if frame.kind is FrameKind.CONNECTED:
            rows[len(rows) + 1] = _Connected(frame.row, _OPEN)
        elif frame.kind is FrameKind.DISCONNECTED:
            rows[len(rows)] = rows[len(rows)]._replace(last_row=frame.row)
    return rows


class _First(NamedTuple):
    row: int
    update_id: int


def _first_snapshot(outcome: Outcome, symbol: str) -> _First:
    _, events = read_segments(outcome.folder, symbol)
    first = events[events["flags"] & int(EventFlag.SNAPSHOT) != 0][0]
    return _First(int(first["row"]), int(first["sequence"]))


def _is_reported(lost: Lost, outcome: Outcome, first: _First, rows: dict[int, _Connected]) -> bool:
    report = outcome.report
    if any(_explains(lost, gap, rows) for gap in report["gaps"]):
        return True
    voids = [void for void in report["voids"] if void["symbol"] == lost.symbol]
    if lost.last_id >= 0:
        return lost.last_id <= first.update_id or any(v["after_id"] < lost.last_id <= v["until_id"] for v in voids)
    # a venue that numbers the frames of a connection: what it sent last, or while nobody listened, only the end of the
    # connection tells of
    ends = [rows[lost.connection].last_row] if lost.connection > 0 else [c.last_row for c in rows.values()]
    return any(v["from_row"] <= end <= (v["until_row"] or _OPEN) for v in voids for end in ends) or first.row > ends[0]


def _explains(lost: Lost, gap: dict[str, Any], rows: dict[int, _Connected]) -> bool:
    """The message lies in the hole."""
    if gap["reason"] == "missing frames":
        mine = rows.get(lost.connection)
        same = mine is not None and mine.first_row < gap["row"] <= mine.last_row
        return same and gap["from_id"] < lost.wire_sequence < gap["to_id"]
    return gap["symbol"] == lost.symbol and gap["from_id"] < lost.last_id <= gap["to_id"]


def replay_differences(outcome: Outcome) -> list[str]:
    """Symbols whose events, made anew by the reader of recordings, are not those that were written while recording."""
    sessions = FramesReader().sessions([outcome.folder / FRAMES_FILE])
    replayed = {session.instrument.symbol: session for session in sessions}
    written = {symbol: read_segments(outcome.folder, symbol) for symbol in recorded_symbols(outcome.folder)}
    if replayed.keys() != written.keys():
        return sorted(replayed.keys() ^ written.keys())
    return [symbol for symbol, (units, events) in written.items() if not _same(replayed[symbol], units, events)]


def _same(session: Session, units: Units, events: np.ndarray) -> bool:
    """The reader counts in the coarsest tick and lot; everything else must be the same bits."""
    finer = {
        "price_ticks": round(session.instrument.tick_size * units.price_units_per_one),
        "size_lots": round(session.instrument.lot_size * units.size_units_per_one),
    }
    return len(session.events) == len(events) and all(
        np.array_equal(session.events[name] * finer.get(name, 1), events[name]) for name in EVENT_DTYPE.names or ()
    )
