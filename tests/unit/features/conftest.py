"""A tape written by hand: quotes and trades at stated seconds after the open."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.book.view import empty_views
from footprint.market.events import EventKind, empty_events
from footprint.units import NS_PER_SECOND

OPEN_NS = 1_700_000_000 * NS_PER_SECOND
DAY_S = 3_600


class Tape:
    """Rows to be fed to one feature; sizes in lots, prices in ticks."""

    def __init__(self, lot_size: float = 10.0) -> None:
        self.lot_size = lot_size
        self.open_ns = OPEN_NS
        self._rows: list[tuple[dict, dict]] = []
        self._view: dict = {}

    def time_ns(self, at_s: float) -> int:
        return self.open_ns + round(at_s * NS_PER_SECOND)

    def quote(self, at_s, bid, ask, bid_lots=100, ask_lots=100, flags=0, kind=EventKind.QUOTE, **depths):
        self._view = {"bid_ticks": bid, "ask_ticks": ask, "bid_lots": bid_lots, "ask_lots": ask_lots}
        self._view |= {"mid_ticks": (bid + ask) / 2, "spread_ticks": ask - bid, **depths}
        return self._event(at_s, kind=kind, flags=flags)

    def trade(self, at_s, side, size, price=0, flags=0):
        return self._event(at_s, kind=EventKind.TRADE, side=side, size_lots=size, price_ticks=price, flags=flags)

    def _event(self, at_s, **fields):
        self._rows.append(({"exchange_time_ns": self.time_ns(at_s), **fields}, self._view))
        return self

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        events, views = empty_events(len(self._rows)), empty_views(len(self._rows))
        for i, (event, view) in enumerate(self._rows):
            for name, value in event.items():
                events[name][i] = value
            for name, value in view.items():
                views[name][i] = value
        return events, views

    def begin(self, feature, length_s: float = DAY_S):
        feature.begin_session(self.open_ns, self.open_ns + round(length_s * NS_PER_SECOND), 0.01, self.lot_size)
        return feature

    def feed(self, feature):
        """Feed what was written, then forget it."""
        feature.update(*self.arrays())
        self._rows = []
        return feature

    def read(self, feature, at_s: float) -> dict[str, float]:
        """Feed what was written and read the feature by name."""
        if self._rows:
            self.feed(feature)
        return dict(zip(feature.names, feature.values(self.time_ns(at_s)), strict=True))

    def next_day(self):
        self.open_ns += 86_400 * NS_PER_SECOND
        self._view = {}


@pytest.fixture
def tape() -> Tape:
    return Tape()
