"""The wire of one venue: one small class per protocol version, without state and without I/O."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
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
    NEXT = "last_id is the last id seen + 1"  # Kraken Futures, Bybit 5, Coinbase full
    ORDER = "ids never go back, a hole does not show"  # Bitstamp, Bybit 2, Coinbase level2
    LEVELS = "an entry is older than what its price last had"  # dYdX 3: messages may overtake each other
    CHECKSUM = "the checksum of the book agrees"  # Kraken, Bitfinex
    NONE = "not at all"  # Gemini, BitMEX: only a new snapshot heals


CHECKED_LEVELS = 25  # no venue's checksum looks deeper


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
    """

    name: str
    venue: str
    url: str
    sequencing: Sequencing
    by_order: bool

    def recognise(self, frame: RawFrame) -> bool:
        """True when this frame is of this protocol, by its origin."""
        ...

    def decode(self, frame: RawFrame, channels: MutableMapping[str, str]) -> Sequence[Message]:
        """The messages in a received frame or a REST answer.

        Args:
            channels: what this connection has said of itself so far, such as the symbol of a channel number; the caller
                keeps it, empty for a new connection.

        Raises:
            BadFrame: the payload is not what the protocol allows. Fields that are missing or of another type may also
                raise KeyError, IndexError, TypeError, ValueError or AttributeError.
        """
        ...

    def subscribe(self, symbols: Sequence[str]) -> tuple[bytes, ...]:
        """Frames to send after connecting."""
        ...

    def snapshot(self, symbol: str) -> Request:
        """How to get a fresh snapshot of one book."""
        ...

    def checksum(self, bids: Sequence[str], asks: Sequence[str]) -> int:
        """The venue's checksum of a book.

        Args:
            bids, asks: `Level.check` of the best CHECKED_LEVELS entries or fewer, best first.
        """
        ...
