"""Synthetic metaorders rebuilt from a tape: the frozen procedure `metaorders-1`.

Maitrier, Loeper, Bouchaud (arXiv 2503.18199) deal the market orders of a tape to N imaginary traders; a maximal run of
one sign of one trader is a metaorder, and these obey the square-root law although no trader exists. This version fixes
what that procedure leaves open:

- a child is all prints of one side at one timestamp (`ChildTape`);
- start mid: strictly before the first child's timestamp;
- end mid: before the next market order of *anyone* strictly after the last child, so that the last child's own effect
  is in and the trader's next (by construction opposite) order is not;
- a run never crosses a day, halt or gap (`ChildTape.segment`); a run whose end has no next order is dropped.

A run is known to have ended only afterwards: these are distributions given a plan, not causal effects of your order.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from footprint.data.children import ChildTape
from footprint.units import BPS

VERSION = "metaorders-1"
PARETO_TAIL = 1.5  # tail exponent of trader activity (density exponent 2.5, as in the paper's example)

Activity = Literal["equal", "pareto"]


@dataclass(frozen=True, slots=True)
class Metaorders:
    """Metaorders of one session; arrays of shape (n,), ordered by (trader, time).

    Attributes:
        first, last: child indices into the tape.
        sign: +1 buy, -1 sell.
        quantity: total, in the instrument's unit.
        children: number of child orders.
        start_ns, end_ns: times of the first and last child.
        arrival_mid, end_mid: mids before the first child and before the next order of anyone.
        peak_bps: e (end_mid - arrival_mid) / arrival_mid x 1e4.
        shortfall_bps: e (execution VWAP - arrival_mid) / arrival_mid x 1e4, positive is a cost.
        members: child indices of all runs one after the other, shape (total children,); not of shape (n,).
        member_start: where each order's children start in `members`.
    """

    first: np.ndarray
    last: np.ndarray
    sign: np.ndarray
    quantity: np.ndarray
    children: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    arrival_mid: np.ndarray
    end_mid: np.ndarray
    peak_bps: np.ndarray
    shortfall_bps: np.ndarray
    members: np.ndarray
    member_start: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: np.ndarray) -> Metaorders:
        """The orders at `index` (positions or a boolean mask)."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "members"})


def deal_traders(count: int, traders: int, rng: np.random.Generator, activity: Activity = "equal") -> np.ndarray:
    """Trader number of each of `count` market orders.

    "equal": every trader is as active as any other; "pareto": activities are drawn from a Pareto law of tail 1.5.
    """
    if activity == "equal":
        return rng.integers(traders, size=count)
    weights = rng.pareto(PARETO_TAIL, size=traders) + 1.0
    return rng.choice(traders, size=count, p=weights / weights.sum())


def metaorders(
    tape: ChildTape,
    traders: int,
    rng: np.random.Generator,
    activity: Activity = "equal",
    min_children: int = 2,
    min_duration_s: float = 0.0,
) -> Metaorders:
    """Deal the children of a tape to `traders` and collect the runs."""
    return collect_runs(tape, deal_traders(len(tape), traders, rng, activity), min_children, min_duration_s)


def collect_runs(tape: ChildTape, trader: np.ndarray, min_children: int = 2, min_duration_s: float = 0.0) -> Metaorders:
    """Maximal runs of one sign of one trader within a segment.

    Args:
        trader: trader (or true parent) of each child, shape (len(tape),); negative numbers belong to nobody.
    """
    order = np.argsort(trader, kind="stable")
    order = order[trader[order] >= 0]
    who, sign, segment = trader[order], tape.sign[order], tape.segment[order]
    breaks = (np.diff(who) != 0) | (np.diff(sign) != 0) | (np.diff(segment) != 0)
    starts = np.concatenate(([0], np.flatnonzero(breaks) + 1))[: len(order)]
    ends = np.concatenate((starts[1:], [len(order)]))[: len(starts)]
    children = ends - starts
    quantity = _sum_runs(tape.quantity[order], starts)
    notional = _sum_runs(tape.quantity[order] * tape.price[order], starts)
    first, last = order[starts], order[ends - 1]

    following = np.searchsorted(tape.time_ns, tape.time_ns[last], side="right")
    has_next = following < len(tape)
    following = np.minimum(following, len(tape) - 1)
    arrival_mid, end_mid = tape.mid_before[first], tape.mid_before[following]
    duration_s = (tape.time_ns[last] - tape.time_ns[first]) / 1e9
    keep = (
        (children >= min_children)
        & (duration_s >= min_duration_s)
        & has_next
        & (tape.segment[following] == tape.segment[last])
        & np.isfinite(arrival_mid)
        & np.isfinite(end_mid)
    )
    run_sign = tape.sign[first].astype(np.float64)
    peak_bps = run_sign * (end_mid - arrival_mid) / arrival_mid * BPS
    shortfall_bps = run_sign * (notional / quantity - arrival_mid) / arrival_mid * BPS
    return Metaorders(
        first=first,
        last=last,
        sign=tape.sign[first],
        quantity=quantity,
        children=children,
        start_ns=tape.time_ns[first],
        end_ns=tape.time_ns[last],
        arrival_mid=arrival_mid,
        end_mid=end_mid,
        peak_bps=peak_bps,
        shortfall_bps=shortfall_bps,
        members=order,
        member_start=starts,
    ).take(keep)


def _sum_runs(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)


def lasting_shift_bps(tape: ChildTape, orders: Metaorders, after_s: float) -> np.ndarray:
    """e (mid `after_s` after the last child - arrival mid) / arrival mid x 1e4; nan where trading stopped before.

    Returns:
        float64 array of shape (len(orders),).
    """
    when = orders.end_ns + int(after_s * 1e9)
    index = np.searchsorted(tape.time_ns, when, side="right")
    inside = (index < len(tape)) & (tape.segment[np.minimum(index, len(tape) - 1)] == tape.segment[orders.last])
    shift = orders.sign * (tape.mid_at(when) - orders.arrival_mid) / orders.arrival_mid * BPS
    return np.where(inside, shift, np.nan)


@dataclass(frozen=True, slots=True)
class InFlight:
    """Orders part-way: the rest as orders of their own, and what has happened; arrays of shape (n,).

    Attributes:
        rest: the children still to come, its arrival the moment strictly before the next of them.
        filled_fraction: share of the whole quantity done.
        elapsed_s: seconds since the whole order's first child.
        realised_move_bps: e (mid known before the next child - whole arrival mid) / whole arrival mid x 1e4.
        realised_cost_bps: e (average fill - whole arrival mid) / whole arrival mid x 1e4.
    """

    rest: Metaorders
    filled_fraction: np.ndarray
    elapsed_s: np.ndarray
    realised_move_bps: np.ndarray
    realised_cost_bps: np.ndarray


def in_flight(tape: ChildTape, orders: Metaorders, fraction: float, min_rest_s: float = 1.0) -> InFlight:
    """Orders of at least two children after `fraction` of their children (at least one done, at least one to come)."""
    done = np.clip(np.round(fraction * orders.children).astype(np.int64), 1, orders.children - 1)
    cut = orders.member_start + done
    now = orders.members[cut]
    cumulated_quantity = np.concatenate(([0.0], np.cumsum(tape.quantity[orders.members])))
    cumulated_notional = np.concatenate(([0.0], np.cumsum((tape.quantity * tape.price)[orders.members])))
    filled = cumulated_quantity[cut] - cumulated_quantity[orders.member_start]
    filled_notional = cumulated_notional[cut] - cumulated_notional[orders.member_start]
    end = orders.member_start + orders.children
    rest_quantity = cumulated_quantity[end] - cumulated_quantity[cut]
    rest_price = (cumulated_notional[end] - cumulated_notional[cut]) / rest_quantity
    mid = tape.mid_before[now]
    known_mid = tape.known_mid[now]  # a mid rule at the print would tell the next child's price
    rest = replace(
        orders,
        first=now,
        quantity=rest_quantity,
        children=orders.children - done,
        start_ns=tape.time_ns[now],
        arrival_mid=mid,
        peak_bps=orders.sign * (orders.end_mid - mid) / mid * BPS,
        shortfall_bps=orders.sign * (rest_price - mid) / mid * BPS,
        member_start=cut,
    )
    keep = (orders.end_ns - rest.start_ns >= min_rest_s * 1e9) & np.isfinite(mid) & np.isfinite(known_mid)
    e_bps = orders.sign * BPS / orders.arrival_mid
    return InFlight(
        rest=rest.take(keep),
        filled_fraction=(filled / orders.quantity)[keep],
        elapsed_s=((rest.start_ns - orders.start_ns) / 1e9)[keep],
        realised_move_bps=(e_bps * (known_mid - orders.arrival_mid))[keep],
        realised_cost_bps=(e_bps * (filled_notional / filled - orders.arrival_mid))[keep],
    )
