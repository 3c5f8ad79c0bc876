"""What many protocols share: lists of `[price, size]`, and no checksum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from footprint.data.feeds.messages import Level
from footprint.data.feeds.values import price, size


class NoChecksum:
    """A venue that sends no checksum of its books."""

    def checksum(self, bids: Sequence[str], asks: Sequence[str]) -> int:
        """Never asked for: no message of this venue carries one."""
        raise NotImplementedError(f"{type(self).__name__} has no checksum")


def levels(entries: Sequence[Sequence[Any]], side: int) -> tuple[Level, ...]:
    """`[price, size, ...]` texts or numbers -> entries by price.

    Raises:
        BadFrame: a value is no price or size; IndexError, TypeError: not a list of lists.
    """
    return tuple([Level(side, price(entry[0]), size(entry[1])) for entry in entries])
