"""What the recorder asks of the world: a connection with frames in and out, and answers to REST requests.

How they are made is the business of an adapter.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class ConnectionLost(Exception):
    """The other side left, the line broke, or there was no good answer; the text says why, and the recorder retries."""


class Arrived(NamedTuple):
    """One frame as it came, byte for byte; `origin` is the address it came from, empty for that of the connection."""

    payload: bytes
    origin: str = ""


class Connection(Protocol):
    """One open connection to a venue."""

    async def receive(self) -> Arrived:
        """The next frame; may be cancelled without losing one.

        Raises:
            ConnectionLost: there will be none.
        """
        ...

    async def send(self, payload: bytes) -> None:
        """Send one frame.

        Raises:
            ConnectionLost: the connection is gone.
        """
        ...

    async def close(self) -> None:
        """Close; closing twice is allowed."""
        ...


class Connector(Protocol):
    """Opens connections."""

    async def connect(self, url: str) -> Connection:
        """Open a connection.

        Raises:
            ConnectionLost: it could not be opened.
        """
        ...


class Fetch(Protocol):
    """Asks a venue's REST interface."""

    async def __call__(self, url: str) -> bytes:
        """The body of the answer to a GET, byte for byte.

        Raises:
            ConnectionLost: no answer, or one that is not 200.
        """
        ...
