"""Small feeds written by hand: frames of a venue out of Python values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from footprint.data.feeds.messages import Message
from footprint.data.feeds.normaliser import Normaliser
from footprint.data.feeds.protocols import protocol
from footprint.data.feeds.wire import FrameKind, RawFrame
from footprint.market.events import EVENT_DTYPE, EventKind

START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000


def price(value: float) -> int:
    """In 1e-12."""
    return round(value * 10**6) * 10**6


def size(value: float) -> int:
    """In 1e-8."""
    return round(value * 10**8)


class Feed:
    """Frames of one connection with times one millisecond apart."""

    def __init__(self, name: str, origin: str) -> None:
        self.protocol = protocol(name)
        self.normaliser = Normaliser(self.protocol)
        self.origin = origin
        self.channels: dict[str, str] = {}
        self.row = 0

    def frame(self, body: Any, kind: FrameKind = FrameKind.RECEIVED, origin: str | None = None) -> RawFrame:
        """The next frame; `body` as JSON, or bytes as they are."""
        self.row += 1
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        return RawFrame(self.row, START_NS + self.row * STEP_NS, kind, payload, origin or self.origin)

    def decode(self, body: Any, url: str | None = None) -> list[Message]:
        """The messages of a frame, or of the answer to a request of `url`."""
        kind = FrameKind.RESPONSE if url else FrameKind.RECEIVED
        return list(self.protocol.decode(self.frame(body, kind, url), self.channels))

    def take(self, body: Any, url: str | None = None) -> np.ndarray:
        """The events of a frame, all symbols together."""
        kind = FrameKind.RESPONSE if url else FrameKind.RECEIVED
        return joined(events for _, events in self.normaliser.take(self.frame(body, kind, url)))

    def connect(self) -> np.ndarray:
        """A connection is made."""
        return joined(e for _, e in self.normaliser.take(self.frame(b"", FrameKind.CONNECTED)))

    def disconnect(self) -> np.ndarray:
        """The connection breaks."""
        return joined(e for _, e in self.normaliser.take(self.frame(b"", FrameKind.DISCONNECTED)))


def joined(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Arrays of events behind each other."""
    found = list(parts)
    return np.concatenate(found) if found else np.zeros(0, EVENT_DTYPE)


def kinds(events: np.ndarray) -> list[str]:
    """Names of the kinds."""
    return [EventKind(kind).name for kind in events["kind"].tolist()]


def book_of(events: np.ndarray) -> dict[tuple[int, int], int]:
    """Size by (side, price) after events by price level."""
    book: dict[tuple[int, int], int] = {}
    for event in events:
        if event["kind"] == EventKind.CLEAR:
            book.clear()
        elif event["kind"] == EventKind.LEVEL:
            key = (int(event["side"]), int(event["price_ticks"]))
            book[key] = int(event["size_lots"])
            if not book[key]:
                del book[key]
    return book
