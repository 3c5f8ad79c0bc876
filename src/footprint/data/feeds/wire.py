"""The wire of one venue: one small frozen class per protocol version, without state and without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol, runtime_checkable

from footprint.data.feeds.messages import Message


class FrameKind(Enum):
    """What a frame of a recording is."""

    CONNECTED = "connected"
    SENT = "sent"
    RECEIVED = "received"
    RESPONSE = "response"  # the answer to a REST request
    DISCONNECTED = "disconnected"


class RawFrame(NamedTuple):
    """One frame as it came or went, byte for byte.

    Attributes:
        row: 1-based position in its recording.
        time_ns: local time of receipt (or sending), ns UTC.
        payload: exactly the bytes.
        origin: address of the connection or of the request.
    """

    row: int
    time_ns: int
    kind: FrameKind
    payload: bytes
    origin: str = ""


class BadFrame(Exception):
    """A frame that its protocol does not allow; it is quarantined with its bytes, and the feed goes on."""

    def __init__(self, reason: str, found: object = None, allowed: str = "", field: str = "") -> None:
        super().__init__(reason)
        self.reason, self.found, self.allowed, self.field = reason, found, allowed, field


class Sequencing(Enum):
    """How the book messages of a venue show that one is missing."""

    RANGE = "first_id is at most the last id seen + 1"  # Binance spot
    PREVIOUS = "previous_id is the last id seen"  # Binance futures, OKX, Deribit
    NEXT = "last_id is the last id seen + 1"  # Kraken Futures, Bybit
    CHECKSUM = "the checksum of the book agrees"  # Kraken, Bitfinex
    NONE = "not at all"  # Coinbase level2, Bitstamp: only a new snapshot heals


class Request(NamedTuple):
    """How a fresh snapshot is asked for: a GET of `url`, or frames to send on the connection when `url` is empty."""

    url: str = ""
    frames: tuple[bytes, ...] = ()


@runtime_checkable
class WireProtocol(Protocol):
    """One venue and one version of its protocol.

    Attributes:
        name: "binance-spot-1", "kraken-1": venue and version.
        venue: what `Instrument.venue` says.
        url: where to connect.
        sequencing: how holes show.
        by_order: the book entries speak of orders (L3), not of price levels.
        depth: levels a side that the venue keeps up to date; 0 for all. A deeper level must be dropped by the reader.
    """

    name: str
    venue: str
    url: str
    sequencing: Sequencing
    by_order: bool
    depth: int

    def recognise(self, frame: RawFrame) -> bool:
        """True when this frame is of this protocol (by its origin or its fields)."""
        ...

    def decode(self, frame: RawFrame) -> Sequence[Message]:
        """The messages in a received frame or a REST answer, none for other kinds.

        Raises:
            BadFrame: the payload is not what the protocol allows.
        """
        ...

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Frames to send after connecting."""
        ...

    def snapshot(self, symbol: str) -> Request:
        """How to get a fresh snapshot of one book."""
        ...
