"""One REST answer, by the standard library in a thread."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request

from footprint.live.connection import ConnectionLost

TIMEOUT_S = 10.0
MAX_BODY_BYTES = 32 << 20  # the deepest public snapshots are a few megabytes
_SCHEMES = ("http://", "https://")


async def fetch(url: str) -> bytes:
    """The body of the answer to a GET of an http or https address, byte for byte.

    Raises:
        ConnectionLost: no answer within TIMEOUT_S, a status other than 200, or a body over MAX_BODY_BYTES.
    """
    return await asyncio.to_thread(_get, url)


def _get(url: str) -> bytes:
    if not url.startswith(_SCHEMES):
        raise ConnectionLost(f"{url}: not an address of http or https")
    request = urllib.request.Request(url, headers={"User-Agent": "footprint"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            body = answer.read(MAX_BODY_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise ConnectionLost(f"{url}: status {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionLost(f"{url}: {getattr(error, 'reason', None) or error}") from None
    if len(body) > MAX_BODY_BYTES:
        raise ConnectionLost(f"{url}: more than {MAX_BODY_BYTES} bytes")
    return bytes(body)
