"""What a forecast is asked with: everything frozen, nothing read from outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.passive_fill import PassiveFill
from footprint.market.orders import ParentOrder, Plan, Progress


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """The market as known at one instant.

    Attributes:
        as_of_ns: nothing later is in any field.
        mid: reference mid, currency; nan when unknown.
        quote_age_s: seconds since the last event that carried a price.
        is_open: the instant lies in regular hours.
        feature_names, features: the vector "features-1", shape (p,).
        day_s: seconds in a trading day.
        seconds_to_close: until the end of regular hours; inf for a venue that never closes.
        sessions: complete or begun sessions seen, this one included.
        passive: estimates for resting orders; None when the tape has no displayed sizes.
        cautions: what the data audit says about the source ("quotes are stale", ...).
        regime: name of the market state at this instant; None when no regime model is given.
        regime_probabilities: (name, probability) of every state, summing to 1; empty when there is none.
    """

    as_of_ns: int
    mid: float
    quote_age_s: float
    is_open: bool
    feature_names: tuple[str, ...]
    features: np.ndarray
    day_s: float
    seconds_to_close: float
    sessions: int
    passive: PassiveFill | None
    cautions: tuple[str, ...] = ()
    regime: str | None = None
    regime_probabilities: tuple[tuple[str, float], ...] = ()

    def feature(self, name: str) -> float:
        """One feature's value."""
        return float(self.features[self.feature_names.index(name)])


@dataclass(frozen=True, slots=True)
class ImpactRequest:
    """One order worked in one way in one market; `progress` is set once it is in flight."""

    order: ParentOrder
    plan: Plan
    market: MarketSnapshot
    progress: Progress | None = None
    thresholds_bps: tuple[float, ...] = (10.0,)

    @property
    def remaining(self) -> float:
        """Quantity still to be done."""
        return self.order.quantity - (self.progress.filled if self.progress else 0.0)
