"""What the four patterns have in common: a candidate, its score, and the log that candidates are written to.

Every score is the logarithm of a multiple of what is usual on this tape, so that sizes with a Pareto tail give scores
with an exponential one. Where a pattern needs both size and trading, the multiple is the lesser of the two: a block on
display alone, or a burst of trading alone, is no candidate.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import njit

from footprint.features.windows import Record


class Kind(IntEnum):
    """The patterns, in the order of the scores."""

    LAYERING = 0
    SPOOFING = 1
    QUOTE_STUFFING = 2
    MOMENTUM_IGNITION = 3


KINDS: tuple[Kind, ...] = tuple(Kind)

CANDIDATE = np.dtype(
    [
        ("kind", np.uint8),  # Kind
        ("side", np.int8),  # side of the false orders, or direction of the ignition; 0 for stuffing
        ("start_ns", np.int64),
        ("end_ns", np.int64),
        ("known_ns", np.int64),  # when the score could be known
        ("score", np.float64),  # log of the multiple, above 0
        ("size", np.float64),  # lots withdrawn; messages; move in ticks
        ("multiple", np.float64),  # size over what is usual
        ("trading", np.float64),  # net orders on the other side; market orders; one-sidedness of an ignition, 0 to 1
        ("count", np.int64),  # orders withdrawn; messages; seconds of the first leg
    ],
    align=True,
)
LOG = np.dtype([("count", np.int64), ("rows", CANDIDATE, (1024,))], align=True)
LOG_ROOM = 512  # an event can write no more candidates than that


@njit(cache=True)
def write(
    log: Record,
    kind: int,
    side: int,
    start_ns: int,
    end_ns: int,
    known_ns: int,
    score: float,
    size: float,
    multiple: float,
    trading: float,
    count: int,
) -> None:
    """Append one candidate; the caller empties the log while there is room for one more event."""
    row = log.rows[log.count]
    row.kind, row.side, row.start_ns, row.end_ns, row.known_ns = kind, side, start_ns, end_ns, known_ns
    row.score, row.size, row.multiple, row.trading, row.count = score, size, multiple, trading, count
    log.count += 1
