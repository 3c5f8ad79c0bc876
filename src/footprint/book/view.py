"""The read-only picture of a book that features see: one row after each event."""

from __future__ import annotations

import numpy as np

NO_PRICE = 0  # an empty side; valid prices are positive
SIZE_UNKNOWN = -1  # the source gives no size

VIEW_DTYPE = np.dtype(
    [
        ("bid_ticks", np.int64),  # best bid, NO_PRICE when empty
        ("ask_ticks", np.int64),
        ("bid_lots", np.int64),  # size at the best bid, SIZE_UNKNOWN when the source has none
        ("ask_lots", np.int64),
        ("bid_depth_5_lots", np.int64),  # size in the five best levels, SIZE_UNKNOWN below five known levels
        ("ask_depth_5_lots", np.int64),
        ("bid_depth_10bps_lots", np.int64),  # size within 10 bps of the mid, SIZE_UNKNOWN without depth
        ("ask_depth_10bps_lots", np.int64),
        ("mid_ticks", np.float64),  # reference mid by the tape's mid rule, nan when unknown
        ("spread_ticks", np.float64),  # spread that belongs to that mid, nan when unknown
    ],
    align=True,
)


def empty_views(count: int) -> np.ndarray:
    """`count` views of an empty book."""
    views = np.zeros(count, VIEW_DTYPE)
    for name in ("bid_depth_5_lots", "ask_depth_5_lots", "bid_depth_10bps_lots", "ask_depth_10bps_lots"):
        views[name] = SIZE_UNKNOWN
    views["mid_ticks"] = np.nan
    views["spread_ticks"] = np.nan
    return views
