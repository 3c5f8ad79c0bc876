"""A tape of ten market orders, written by hand; and any other tape from its columns."""

from __future__ import annotations

import numpy as np

from footprint.data.children import ChildTape
from footprint.units import NS_PER_SECOND

#        second sign quantity price  mid before  segment
CHILDREN = (
    (1, +1, 10.0, 100.1, 100.0, 0),
    (2, +1, 5.0, 100.2, 100.1, 0),
    (3, +1, 20.0, 100.3, 100.2, 0),
    (4, -1, 10.0, 100.1, 100.2, 0),
    (5, +1, 30.0, 100.4, 100.3, 0),
    (6, -1, 10.0, 100.2, 100.3, 0),
    (6, +1, 7.0, 100.5, 100.25, 0),
    (8, -1, 20.0, 100.0, 100.1, 0),
    (9, -1, 5.0, 99.9, 100.0, 0),
    (20, -1, 10.0, 99.8, 99.9, 1),
)
MIDS = ((0, 100.0), (6.5, 100.4), (8, 100.2))
# trader 0: buys 0 2 4, sells 5 7, and after the halt sells 9; trader 1 never does two of one sign in a row
TRADERS = np.array([0, 1, 0, 1, 0, 0, 1, 0, 1, 0])


def child_tape(children=CHILDREN, mids=MIDS) -> ChildTape:
    """The tape of these columns."""
    second, sign, quantity, price, mid, segment = (np.array(c) for c in zip(*children, strict=True))
    mid_second, mid_value = (np.array(c) for c in zip(*mids, strict=True))
    return ChildTape(
        time_ns=(second * NS_PER_SECOND).astype(np.int64),
        sign=sign.astype(np.int8),
        quantity=quantity,
        price=price,
        mid_before=mid,
        known_mid=mid,
        event_index=np.arange(len(second)),
        segment=segment,
        parent_id=np.full(len(second), -1),
        mid_time_ns=(mid_second * NS_PER_SECOND).astype(np.int64),
        mid=mid_value,
    )


def empty_tape() -> ChildTape:
    """A tape without a market order."""
    full = child_tape()
    return ChildTape(**{name: getattr(full, name)[:0] for name in ChildTape.__dataclass_fields__})
