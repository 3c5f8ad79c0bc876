"""Walk-forward parts: which stretch of a tape trains and which is tested, the same for every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from footprint.impact.rows import Rows
from footprint.units import NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Span:
    """One contiguous stretch of a tape, ns UTC: from `start_ns` (inside) to `end_ns` (outside)."""

    start_ns: int
    end_ns: int


def part_spans(sessions: Sequence[Span], parts: int) -> list[list[Span]]:
    """Cut the sessions of a tape into `parts` consecutive parts.

    With fewer sessions than parts each session is first cut into equal times, as few as are needed; the pieces are
    then dealt in order, earlier parts taking one more where they do not divide.

    >>> [len(p) for p in part_spans([Span(0, 10)] * 13, 6)]
    [3, 2, 2, 2, 2, 2]
    >>> part_spans([Span(0, 12)], 3)
    [[Span(start_ns=0, end_ns=4)], [Span(start_ns=4, end_ns=8)], [Span(start_ns=8, end_ns=12)]]
    """
    cuts = -(-parts // len(sessions))
    pieces = [
        Span(s.start_ns + (s.end_ns - s.start_ns) * i // cuts, s.start_ns + (s.end_ns - s.start_ns) * (i + 1) // cuts)
        for s in sessions
        for i in range(cuts)
    ]
    return [[pieces[i] for i in index] for index in np.array_split(np.arange(len(pieces)), parts)]


def assign_parts(rows: Rows, sessions: Sequence[Span], parts: int, embargo_s: float) -> Rows:
    """Rows with their part number, without those whose outcome may lie beyond the end of the piece they start in."""
    part = np.zeros(len(rows), np.int64)
    keep = np.zeros(len(rows), bool)
    outcome_end = rows.end_ns + int(embargo_s * NS_PER_SECOND)
    for number, pieces in enumerate(part_spans(sessions, parts), start=1):
        for piece in pieces:
            inside = (rows.start_ns >= piece.start_ns) & (rows.start_ns < piece.end_ns)
            part[inside] = number
            keep |= inside & (outcome_end <= piece.end_ns)
    return replace(rows, part=part).take(keep)
