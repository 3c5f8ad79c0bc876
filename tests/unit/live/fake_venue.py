"""A venue of one symbol without sockets: numbered updates, snapshots by request, connections steered by tests."""

from __future__ import annotations

import asyncio
import json

import numpy as np

from footprint.data.feeds.messages import BookMessage, Level
from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.wire import BadFrame, FrameKind, Request, Sequencing
from footprint.live.backoff import BackoffSettings
from footprint.live.connection import Arrived, ConnectionLost
from footprint.live.recorder import Recorder, RecorderSettings

START_NS = 1_750_000_000_000_000_000


class FakeProtocol:
    """{"id": n} sets the bid at price 1 to size n; {"snapshot": n} is a book of that one level."""

    name = "fake-1"
    venue = "fake"
    url = "ws://fake"
    sequencing = Sequencing.NEXT
    by_order = False

    def __init__(self, snapshot_url="http://fake/ABC"):
        self.snapshot_url = snapshot_url

    def recognise(self, frame):
        return frame.origin == self.url

    def subscribe(self, symbols):
        return tuple(f"subscribe {symbol}".encode() for symbol in symbols)

    def snapshot(self, symbol):
        return Request(self.snapshot_url) if self.snapshot_url else Request(frames=(b"snapshot",))

    def checksum(self, bids, asks):
        raise NotImplementedError

    def decode(self, frame, channels):
        try:
            body = json.loads(frame.payload)
        except ValueError:
            raise BadFrame("not JSON", frame.payload) from None
        snapshot = "snapshot" in body
        number = body["snapshot" if snapshot else "id"]
        level = Level(1, 10**12, number * 10**8)
        return (BookMessage("ABC", -1, snapshot, (level,), number, number),)


class FakeConnection:
    """What a test puts into `frames` arrives; None ends the connection."""

    def __init__(self):
        self.frames = asyncio.Queue()
        self.sent = []
        self.closed = False

    async def receive(self):
        frame = await self.frames.get()
        if frame is None or self.closed:
            raise ConnectionLost("the venue left")
        return Arrived(frame)

    async def send(self, payload):
        if self.closed:
            raise ConnectionLost("closed")
        self.sent.append(payload)

    async def close(self):
        self.closed = True
        self.frames.put_nowait(None)

    def says(self, *numbers):
        for number in numbers:
            self.frames.put_nowait(json.dumps({"id": number}).encode())

    def shows(self, number):
        self.frames.put_nowait(json.dumps({"snapshot": number}).encode())


class FakeConnector:
    """Hands out connections; `refusals` attempts fail first."""

    def __init__(self, refusals=0):
        self.connections = []
        self.refusals = refusals
        self.attempts_s = []

    async def connect(self, url):
        self.attempts_s.append(asyncio.get_running_loop().time())
        if self.refusals:
            self.refusals -= 1
            raise ConnectionLost(f"{url}: refused")
        self.connections.append(FakeConnection())
        return self.connections[-1]


class MemorySink:
    def __init__(self):
        self.frames = []
        self.rows = []

    def frame(self, frame):
        self.frames.append(frame)

    def events(self, symbol, events):
        self.rows.append((symbol, events))

    def kinds(self):
        return [frame.kind for frame in self.frames]

    def received(self):
        return [frame.payload for frame in self.frames if frame.kind is FrameKind.RECEIVED]


def make_recorder(connector, fetch=None, sink=None, snapshot_url="http://fake/ABC", clock_ns=None, **settings):
    loop = asyncio.get_running_loop()
    chosen = RecorderSettings(
        **{
            "reconnect": BackoffSettings(first_s=1.0, longest_s=8.0, shortest_s=0.5),
            "snapshot": BackoffSettings(first_s=1.0, longest_s=8.0, shortest_s=0.5),
            **settings,
        }
    )

    async def no_answer(url):
        raise ConnectionLost(f"{url}: status 500")

    return Recorder(
        Normaliser(FakeProtocol(snapshot_url)),
        ["abc"],
        connector,
        fetch or no_answer,
        sink if sink is not None else MemorySink(),
        np.random.default_rng(0),
        chosen,
        clock_ns or (lambda: START_NS + round(loop.time() * 1e9)),
    )
