"""What must hold of every book, as masks over rows: True marks a row that breaks it."""

from __future__ import annotations

import numpy as np

from footprint.book.view import NO_PRICE, SIZE_UNKNOWN


def one_sided(views: np.ndarray) -> np.ndarray:
    """A side is empty. Args: VIEW_DTYPE of shape (n,). Returns: bool of shape (n,)."""
    return (views["bid_ticks"] == NO_PRICE) | (views["ask_ticks"] == NO_PRICE)


def crossed(views: np.ndarray) -> np.ndarray:
    """The best bid lies above the best ask."""
    return ~one_sided(views) & (views["bid_ticks"] > views["ask_ticks"])


def locked(views: np.ndarray) -> np.ndarray:
    """The best bid equals the best ask."""
    return ~one_sided(views) & (views["bid_ticks"] == views["ask_ticks"])


def negative(views: np.ndarray) -> np.ndarray:
    """A price or a size is negative; SIZE_UNKNOWN is not a size."""
    sizes = ("bid_lots", "ask_lots", "bid_depth_5_lots", "ask_depth_5_lots")
    bad = (views["bid_ticks"] < 0) | (views["ask_ticks"] < 0)
    for name in sizes:
        bad |= (views[name] < 0) & (views[name] != SIZE_UNKNOWN)
    return bad


def misordered(prices: np.ndarray, side: int) -> np.ndarray:
    """Some level is not strictly worse than the one before it.

    Args:
        prices: int64 of shape (n, levels), best first, NO_PRICE where there is no level.
        side: +1 bids (must fall), -1 asks (must rise).

    Returns:
        bool of shape (n,).
    """
    better, worse = prices[:, :-1], prices[:, 1:]
    missing = worse == NO_PRICE
    hole = (better == NO_PRICE) & ~missing
    return (hole | (~missing & (side * worse >= side * better))).any(axis=1)
