"""What a feature is."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Feature(Protocol):
    """A family of order-free numbers computed from events and the book views after them.

    `update` takes any number of consecutive events, one included, and runs the same compiled loop for one as for a
    day: feeding events singly, in chunks or all at once gives the same bits. `values` is what is known after the last
    event fed, `nan` where the data cannot say. Nothing is remembered outside the object; what it has learned of
    earlier sessions (day volume, curves) survives `begin_session`, everything intraday is reset by it.
    """

    names: tuple[str, ...]

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Start a trading day (or a continuous span); sizes convert ticks and lots to currency and quantity."""
        ...

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events (EVENT_DTYPE) and the view after each (VIEW_DTYPE), same length >= 1, in order of arrival."""
        ...

    def values(self, now_ns: int) -> np.ndarray:
        """The numbers as known at `now_ns` (at or after the last event fed), float64 of shape (len(names),)."""
        ...
