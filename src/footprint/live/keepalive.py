"""What some venues want to hear now and then, besides the pings of the WebSocket protocol itself.

Sources: the venues' developer documentation ("Connection", "Heartbeat", "Ping").
"""

from __future__ import annotations

from collections.abc import Mapping

# by `WireProtocol.venue`; a venue that is not named needs nothing
KEEPALIVE_FRAMES: Mapping[str, bytes] = {
    "okx": b"ping",
    "bybit": b'{"op":"ping"}',
    "bitmex": b"ping",
}
