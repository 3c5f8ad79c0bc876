"""Kinds of events as a table to look up: of a short session `np.isin` costs more than all else."""

from __future__ import annotations

import numpy as np

from footprint.market.events import EVENT_DTYPE, EventKind

_VALUES = 1 << 8 * EVENT_DTYPE["kind"].itemsize


def kind_table(*names: str) -> np.ndarray:
    """True at every value of `kind` that is one of these; bool, to be indexed by the field itself.

    >>> bool(kind_table("TRADE", "QUOTE")[EventKind.TRADE])
    True
    """
    table = np.zeros(_VALUES, bool)
    table[[EventKind[name] for name in names]] = True
    return table
