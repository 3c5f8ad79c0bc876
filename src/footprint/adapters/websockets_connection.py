"""Connections over WebSocket by the `websockets` library (extra `live`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from footprint.errors import UsageError
from footprint.live.connection import Arrived, ConnectionLost

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

MAX_FRAME_BYTES = 32 << 20  # a whole order-by-order book comes in one frame; a recording takes twice as much


@dataclass(frozen=True, slots=True)
class WebsocketConnector:
    """Opens connections that answer the venue's pings and send their own.

    Attributes:
        open_s: how long opening may take.
        ping_s: silence on our side after which a ping is sent; no answer for as long again ends the connection.
        queued_frames: frames that wait inside the library, above which it stops to read from the line.
    """

    open_s: float = 10.0
    ping_s: float = 20.0
    queued_frames: int = 256

    def __post_init__(self) -> None:
        require_websockets()

    async def connect(self, url: str) -> WebsocketConnection:
        """Open a connection to a ws:// or wss:// address."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        try:
            client = await connect(
                url,
                open_timeout=self.open_s,
                ping_interval=self.ping_s,
                ping_timeout=self.ping_s,
                close_timeout=1.0,
                max_size=MAX_FRAME_BYTES,
                max_queue=self.queued_frames,
            )
        except (OSError, WebSocketException) as error:
            raise ConnectionLost(f"{url}: {_one_line(error)}") from None
        return WebsocketConnection(client)


class WebsocketConnection:
    """One open connection."""

    def __init__(self, client: ClientConnection) -> None:
        self._client = client

    async def receive(self) -> Arrived:
        """The next frame, text or binary."""
        from websockets.exceptions import ConnectionClosed

        try:
            return Arrived(await self._client.recv(decode=False))
        except ConnectionClosed as error:
            raise ConnectionLost(_one_line(error)) from None

    async def send(self, payload: bytes) -> None:
        """Send one text frame."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._client.send(payload, text=True)
        except ConnectionClosed as error:
            raise ConnectionLost(_one_line(error)) from None

    async def close(self) -> None:
        """Close, waiting at most a second for the other side."""
        await self._client.close()


def require_websockets() -> None:
    """Say in one line what to install.

    Raises:
        UsageError: the library is missing.
    """
    try:
        import websockets  # noqa: F401
    except ImportError:
        raise UsageError('recording needs the extra "live": pip install "footprint[live]"') from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
