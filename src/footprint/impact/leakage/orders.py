"""Orders whose leakage is measured: who wanted what, from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from footprint.data.children import ChildTape
from footprint.data.metaorders import Metaorders, metaorders

TRADERS = 20
MIN_CHILDREN = 3
MIN_DURATION_S = 30.0
MARGIN_S = 300.0  # between two chosen orders, so that each has a quiet time before it
ACTIVE_SHARE = 0.1  # of a session's time


@dataclass(frozen=True, slots=True)
class WorkedOrders:
    """Orders of one instrument in order of their start, arrays of shape (n,).

    Attributes:
        sign: +1 buy, -1 sell.
        start_ns, end_ns: first and last moment at which the order was worked, end after start.
        quantity: total, in the instrument's unit.
        aggression: share of the quantity that took liquidity: only that part is among the market orders of the tape.
    """

    sign: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    quantity: np.ndarray
    aggression: np.ndarray

    def __len__(self) -> int:
        return len(self.sign)

    def take(self, index: np.ndarray) -> WorkedOrders:
        """The orders at `index` (positions or a boolean mask)."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self)})


def synthetic_orders(tapes: Sequence[ChildTape], rng: np.random.Generator, traders: int = TRADERS) -> WorkedOrders:
    """The largest metaorders of imaginary traders (`metaorders-1`) that leave quiet time around each.

    They are runs of one sign chosen after the fact from the tape's own flow: what is measured on them is what selection
    alone gives, a baseline for real orders and no leakage of anybody.
    """
    chosen = [_largest_apart(tape, metaorders(tape, traders, rng, "equal", MIN_CHILDREN, MIN_DURATION_S))
              for tape in tapes if len(tape)]  # fmt: skip
    columns = [(o.sign.astype(np.float64), o.start_ns, o.end_ns + 1, o.quantity, np.ones(len(o))) for o in chosen]
    found = WorkedOrders(*(np.concatenate(column) for column in zip(*columns, strict=True)))
    return found.take(np.argsort(found.start_ns, kind="stable"))


def _largest_apart(tape: ChildTape, orders: Metaorders) -> Metaorders:
    """Largest first, none within `MARGIN_S` of another, until a tenth of the session is worked."""
    margin_ns, left_ns = int(MARGIN_S * 1e9), ACTIVE_SHARE * float(tape.time_ns[-1] - tape.time_ns[0])
    kept: list[int] = []
    for i in np.argsort(-orders.quantity, kind="stable"):
        start, end = orders.start_ns[i] - margin_ns, orders.end_ns[i] + margin_ns
        duration = orders.end_ns[i] - orders.start_ns[i]
        if duration <= left_ns and all(end < orders.start_ns[k] or start > orders.end_ns[k] for k in kept):
            kept.append(int(i))
            left_ns -= duration
    return orders.take(np.array(sorted(kept), np.int64))
