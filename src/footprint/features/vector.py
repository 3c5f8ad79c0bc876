"""The ordered, named, versioned feature vector: every family, fed together."""

from __future__ import annotations

import numpy as np

from footprint.features.adverse_selection import AdverseSelection
from footprint.features.clock import Clock
from footprint.features.curves import Curves
from footprint.features.depth import Depth
from footprint.features.flow import Flow
from footprint.features.imbalance import Imbalance
from footprint.features.interface import Feature
from footprint.features.kyle import Kyle
from footprint.features.momentum import Momentum
from footprint.features.resilience import Resilience
from footprint.features.spread import Spread
from footprint.features.volatility import Volatility
from footprint.features.vpin import Vpin

VERSION = "features-1"  # change it whenever a name, an order or a meaning changes


class FeatureVector:
    """All families as one `Feature`.

    Args:
        continuous: True for a venue that never closes, whose day is the UTC day (`TradingHours.continuous`).

    `names` is the order of the values; it depends on neither the instrument nor the venue. `curves` is the family that
    holds the time-of-day curves of past sessions.
    """

    version = VERSION

    def __init__(self, continuous: bool = False) -> None:
        self.curves = Curves(continuous)
        self.families: tuple[Feature, ...] = (
            Spread(),
            Imbalance(),
            Depth(),
            Resilience(),
            Volatility(),
            Momentum(),
            Flow(),
            self.curves,
            Clock(continuous),
            AdverseSelection(),
            Vpin(continuous),
            Kyle(continuous),
        )
        self.names: tuple[str, ...] = tuple(name for family in self.families for name in family.names)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Start a trading day in every family."""
        for family in self.families:
            family.begin_session(open_ns, close_ns, tick_size, lot_size)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each to every family; nothing happens on empty arrays."""
        for family in self.families:
            family.update(events, views)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (len(names),), nan where unknown."""
        return np.concatenate([family.values(now_ns) for family in self.families])

    def sample(self, events: np.ndarray, views: np.ndarray, stops: np.ndarray, times_ns: np.ndarray) -> np.ndarray:
        """Feed a session and read the vector on the way.

        Args:
            events, views: what is left of the session, shape (m,).
            stops: int64 of shape (n,), never decreasing, 0 to m: row k is read when `events[: stops[k]]` are fed.
            times_ns: int64 of shape (n,), the instants of the rows, ns UTC.

        Returns:
            float64 of shape (n, len(names)). The rest of the session is fed after the last row.

        Raises:
            ValueError: `stops` decreases or leaves the session, or the lengths differ.
        """
        if len(stops) != len(times_ns) or len(events) != len(views):
            raise ValueError("stops and times_ns, and events and views, must have the same lengths")
        edges = np.concatenate(([0], np.asarray(stops, np.int64), [len(events)]))
        if np.any(np.diff(edges) < 0):
            raise ValueError("stops must lie within the session and never decrease")
        rows = np.empty((len(stops), len(self.names)))
        for k in range(len(stops)):
            self._feed(events, views, edges[k], edges[k + 1])
            rows[k] = self.values(int(times_ns[k]))
        self._feed(events, views, edges[-2], edges[-1])
        return rows

    def _feed(self, events: np.ndarray, views: np.ndarray, start: int, stop: int) -> None:
        if stop > start:
            self.update(events[start:stop], views[start:stop])
