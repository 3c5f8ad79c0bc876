"""Training rows: where an order's size, side and plan meet the order-free features.

The same function turns a metaorder of the past and a request of the present into the columns that a model sees, so a
model cannot be trained on anything that a request does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from footprint.units import NS_PER_SECOND

VERSION = "rows-1"

TARGETS = ("peak", "shortfall", "shift_300", "shift_600", "temporary")
RELAXATION_S = {"peak": 0.0, "shortfall": 0.0, "shift_300": 300.0, "shift_600": 600.0, "temporary": 600.0}

_VOLATILITY_FLOOR = 0.25  # share of the previous sessions' volatility that the trailing one may not undercut


@dataclass(frozen=True, slots=True)
class OrderColumns:
    """What is known of each order when it is forecast; arrays of shape (n,).

    For an order in flight, quantity, children and horizon are those of the rest, and the last four fields tell what has
    happened; at arrival they are 0.

    Attributes:
        side: +1 buy, -1 sell.
        quantity: still to be done, in the instrument's unit.
        children: planned number of child orders still to come.
        horizon_s: planned time to the last child, seconds.
        filled_fraction: share of the whole order done.
        elapsed_s: seconds since arrival.
        realised_move_bps: e (mid now - arrival mid) / arrival mid x 1e4.
        realised_cost_bps: e (average fill - arrival mid) / arrival mid x 1e4.
    """

    side: np.ndarray
    quantity: np.ndarray
    children: np.ndarray
    horizon_s: np.ndarray
    filled_fraction: np.ndarray
    elapsed_s: np.ndarray
    realised_move_bps: np.ndarray
    realised_cost_bps: np.ndarray


@dataclass(frozen=True, slots=True)
class Rows:
    """Orders with what was known and what came; arrays have shape (n,) unless said.

    Attributes:
        tape, market: names; symbols weigh equally by `tape`, errors cluster by `market`.
        part: walk-forward part, 1-based; 0 before parts are assigned.
        stage: share of the order's children done when it is forecast; 0 at arrival.
        start_ns, end_ns: first and last child, ns UTC.
        side, quantity, children, horizon_s: the order (see `OrderColumns`).
        participation: quantity over the volume of a usual day.
        volatility: trailing 30-minute volatility with its floor, bps per sqrt(second).
        day_s: seconds in a trading day.
        spread_bps: full spread at arrival.
        x: model columns, shape (n, p), nan where the data cannot say.
        x_names: names of the p columns.
        outcomes: bps, shape (n, 5) in the order of `TARGETS`; nan where trading stopped before. "temporary" is the
            shortfall less half the 10-minute shift (Almgren et al. 2005).
    """

    tape: np.ndarray
    market: np.ndarray
    part: np.ndarray
    stage: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    side: np.ndarray
    quantity: np.ndarray
    children: np.ndarray
    horizon_s: np.ndarray
    participation: np.ndarray
    volatility: np.ndarray
    day_s: np.ndarray
    spread_bps: np.ndarray
    x: np.ndarray
    x_names: tuple[str, ...]
    outcomes: np.ndarray

    def __len__(self) -> int:
        return len(self.side)

    def take(self, index: np.ndarray) -> Rows:
        """The rows at `index` (positions or a boolean mask)."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "x_names"})

    def outcome(self, target: str) -> np.ndarray:
        """One target's outcomes, bps, shape (n,)."""
        return self.outcomes[:, TARGETS.index(target)]

    def known(self, target: str) -> Rows:
        """Rows whose outcome of that target is known."""
        return self.take(np.isfinite(self.outcome(target)))

    def scale_bps(self, target: str) -> np.ndarray:
        """Size of the market's own noise until the target is read: sqrt(sigma^2 (T + h) + (spread/2)^2), bps."""
        return np.sqrt(self.volatility**2 * (self.horizon_s + RELAXATION_S[target]) + (0.5 * self.spread_bps) ** 2)

    @property
    def volatility_day_bps(self) -> np.ndarray:
        """Trailing volatility carried to a trading day, bps."""
        return self.volatility * np.sqrt(self.day_s)

    @property
    def symbol(self) -> np.ndarray:
        """Symbol of each row: its tape's name without the month, shape (n,)."""
        return np.array([name.split(" ")[0] for name in self.tape.tolist()])

    def tape_weights(self) -> np.ndarray:
        """Weights with mean 1 that give every tape the same total."""
        _, code, count = np.unique(self.tape, return_inverse=True, return_counts=True)
        return (len(self) / (len(count) * count))[code]


def concatenate(parts: Sequence[Rows]) -> Rows:
    """Rows one after the other; all must have the same columns."""
    first = parts[0]
    merged = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Rows) if f.name != "x_names"}
    return Rows(**merged, x_names=first.x_names)


def make_rows(
    order: OrderColumns, feature: Mapping[str, np.ndarray], start_ns: np.ndarray, day_s: float, tape: str, market: str
) -> Rows:
    """Rows of orders with unknown outcomes: the one road from features to what a model sees.

    Args:
        order: the orders, arrays of shape (n,).
        feature: name -> values of the vector "features-1" at each order's start, shape (n,).
        start_ns: arrival, or now for an order in flight, ns UTC, shape (n,).
        day_s: seconds in a trading day.
    """
    n = len(order.side)
    state = market_state(feature)
    columns = model_columns(feature, state, order)
    x = np.array(list(columns.values())).T.copy()
    x[~np.isfinite(x)] = np.nan
    return Rows(
        tape=np.full(n, tape),
        market=np.full(n, market),
        part=np.zeros(n, np.int64),
        stage=order.filled_fraction,
        start_ns=start_ns,
        end_ns=start_ns + (order.horizon_s * NS_PER_SECOND).astype(np.int64),
        side=order.side,
        quantity=order.quantity,
        children=order.children,
        horizon_s=order.horizon_s,
        participation=order.quantity / state["day_volume"],
        volatility=state["volatility"],
        day_s=np.full(n, day_s),
        spread_bps=state["spread_bps"],
        x=x,
        x_names=tuple(columns),
        outcomes=np.full((n, len(TARGETS)), np.nan),
    )


def market_state(feature: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Volatility, day volume and spread that scale an order, from order-free features known at arrival.

    Args:
        feature: name -> values of shape (n,), of the vector "features-1".

    Returns:
        `volatility` (bps per sqrt s), `day_volume` (quantity), `spread_bps`; nan where the data cannot say.
    """
    trailing = np.where(
        np.isfinite(feature["volatility_30m"]), feature["volatility_30m"], feature["volatility_session"]
    )
    floor = _VOLATILITY_FLOOR * feature["volatility_previous"]
    volatility = np.fmax(trailing, floor)
    day_volume = np.where(
        np.isfinite(feature["day_volume_previous"]), feature["day_volume_previous"], feature["day_volume_rate"]
    )
    spread_bps = np.where(np.isfinite(feature["spread_bps"]), feature["spread_bps"], feature["spread_5m_bps"])
    return {
        "volatility": np.where(volatility > 0, volatility, np.nan),
        "day_volume": np.where(day_volume > 0, day_volume, np.nan),
        "spread_bps": spread_bps,
    }


def model_columns(
    feature: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray], order: OrderColumns
) -> dict[str, np.ndarray]:
    """The columns a model sees: free of units, signed to the order, so that symbols can share one model.

    Returns:
        name -> float64 array of shape (n,); sizes as logs of ratios, moves in units of sigma sqrt(t), flows as shares;
        not finite where a part is unknown or zero.
    """
    sigma, spread = state["volatility"], state["spread_bps"]
    e = order.side.astype(np.float64)
    horizon = np.maximum(order.horizon_s, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = sigma * np.sqrt(horizon)
        return {
            "log_participation": np.log(order.quantity / state["day_volume"]),
            "log_horizon": np.log(horizon),
            "log_children": np.log(order.children),
            "log_pace": np.log(order.quantity / horizon / feature["volume_per_s_30m"]),
            "log_pace_5m": np.log(order.quantity / horizon / feature["volume_per_s_5m"]),
            "log_child_rate": np.log(order.children / horizon / feature["trades_per_s_5m"]),
            "log_child_size": np.log(order.quantity / order.children / feature["typical_trade"]),
            "log_size_to_touch": np.log(order.quantity / feature["depth_touch_5m"]),
            "log_size_to_depth_10bps": np.log(order.quantity / feature["depth_10bps"]),
            "log_volatility": np.log(sigma),
            "volatility_1m_to_30m": np.log(feature["volatility_1m"] / sigma),
            "volatility_5m_to_30m": np.log(feature["volatility_5m"] / sigma),
            "volatility_session_to_30m": np.log(feature["volatility_session"] / sigma),
            "volatility_previous_to_30m": np.log(feature["volatility_previous"] / sigma),
            "log_spread_to_volatility": np.log(spread / sigma),
            "spread_to_noise": spread / noise,
            "spread_to_usual": np.log(spread / feature["spread_5m_bps"]),
            "activity_5m_to_30m": np.log(feature["trades_per_s_5m"] / feature["trades_per_s_30m"]),
            "volume_1m_to_30m": np.log(feature["volume_per_s_1m"] / feature["volume_per_s_30m"]),
            "day_fraction": feature["day_fraction"],
            "volume_curve": feature["volume_curve"],
            "volatility_curve": feature["volatility_curve"],
            "log_since_large_trade": np.log1p(feature["since_large_trade_s"]),
            "signed_imbalance_touch": e * feature["imbalance_touch"],
            "signed_imbalance_touch_1m": e * feature["imbalance_touch_1m"],
            "signed_imbalance_depth_5": e * feature["imbalance_depth_5"],
            "signed_trade_imbalance_1m": e * feature["trade_imbalance_1m"],
            "signed_trade_imbalance_5m": e * feature["trade_imbalance_5m"],
            "signed_trade_imbalance_30m": e * feature["trade_imbalance_30m"],
            "signed_return_1m": e * feature["return_1m_bps"] / (sigma * np.sqrt(60.0)),
            "signed_return_5m": e * feature["return_5m_bps"] / (sigma * np.sqrt(300.0)),
            "signed_return_30m": e * feature["return_30m_bps"] / (sigma * np.sqrt(1800.0)),
            "signed_order_flow_1m": e * feature["order_flow_imbalance_1m"],
            "signed_order_flow_5m": e * feature["order_flow_imbalance_5m"],
            "signed_run": e * feature["last_sign_run"],
            "sign_autocorrelation_1": feature["sign_autocorrelation_1"],
            "sign_autocorrelation_10": feature["sign_autocorrelation_10"],
            "trade_through_rate": feature["trade_through_rate"],
            "log_quote_revisions": np.log1p(feature["quote_revisions_per_s"]),
            "markout_10s_to_spread": feature["markout_10s_bps"] / spread,
            "markout_60s_to_spread": feature["markout_60s_bps"] / spread,
            "vpin": feature["vpin"],
            "log_spread_half_life": np.log1p(feature["spread_half_life_s"]),
            "filled_fraction": order.filled_fraction,
            "log_elapsed_to_horizon": np.log1p(order.elapsed_s) - np.log1p(horizon),
            "realised_move": order.realised_move_bps / (sigma * np.sqrt(np.maximum(order.elapsed_s, 1.0))),
            "realised_cost": order.realised_cost_bps / (sigma * np.sqrt(np.maximum(order.elapsed_s, 1.0))),
        }
