"""Checksums that more than one venue uses."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import chain, zip_longest

from footprint.data.feeds.wire import CHECKED_LEVELS


def signed_pairs_checksum(bids: Sequence[str], asks: Sequence[str]) -> int:
    """Signed CRC-32 of bids and asks in turn, joined by colons (OKX, Bitfinex)."""
    pairs = zip_longest(bids[:CHECKED_LEVELS], asks[:CHECKED_LEVELS])
    unsigned = zlib.crc32(":".join(text for text in chain(*pairs) if text is not None).encode())
    return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned
