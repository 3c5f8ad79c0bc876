"""Parent and child orders, the plan between them, and what the market reports back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """How an order is worked."""

    AGGRESSIVE = "aggressive"  # fast, crosses the spread
    BALANCED = "balanced"  # follows volume
    PASSIVE = "passive"  # seeks liquidity, patient


@dataclass(frozen=True, slots=True)
class ParentOrder:
    """The whole order. `quantity` is in the instrument's own unit (shares, contracts, coins), positive."""

    parent_id: str
    symbol: str
    side: int  # +1 buy, -1 sell
    quantity: float
    arrival_ns: int  # the decision instant, ns UTC
    limit_price: float | None = None

    def __post_init__(self) -> None:
        if self.side not in (1, -1):
            raise ValueError(f"side must be +1 or -1, not {self.side!r}")
        if not self.quantity > 0:
            raise ValueError(f"quantity must be positive, not {self.quantity!r}")


@dataclass(frozen=True, slots=True)
class Plan:
    """How the parent is meant to be worked.

    Attributes:
        horizon_s: planned duration, seconds.
        participation: planned share of all volume over the horizon, own volume included, 0-1.
        children: planned number of child orders.
        aggression: planned share of the quantity that crosses the spread, 0-1.
    """

    style: Style
    horizon_s: float
    participation: float
    children: float
    aggression: float
    venues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildOrder:
    """One slice sent to a venue; `limit_price` None is a market order."""

    child_id: str
    parent_id: str
    side: int
    quantity: float
    sent_ns: int
    venue: str = ""
    limit_price: float | None = None


class ReportKind(Enum):
    """What a venue says of a child order. All are ordinary outcomes, never exceptions."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    CANCELLED = "cancelled"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One answer of a venue. `price` and `quantity` are set on fills."""

    child_id: str
    kind: ReportKind
    time_ns: int
    quantity: float = 0.0
    price: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """An order in flight: what has filled so far.

    Attributes:
        filled: quantity done.
        average_price: volume-weighted price of the fills.
        arrival_mid: mid at the decision instant, strictly before the first child.
        mid: mid now.
        elapsed_s: seconds since arrival.
        idle_s: of these, seconds since the last fill.
        others_flow: bought less sold quantity of everyone else since arrival over their volume, -1 to 1, positive when
            they bought; None when unknown.
        path_s, path_mids, path_filled: the path so far, parallel: seconds since arrival, increasing, the mid and the
            quantity done then.
    """

    filled: float
    average_price: float
    arrival_mid: float
    mid: float
    elapsed_s: float
    idle_s: float = 0.0
    others_flow: float | None = None
    path_s: tuple[float, ...] = ()
    path_mids: tuple[float, ...] = ()
    path_filled: tuple[float, ...] = ()
