"""What the message numbers of a stream say: numbers missing, going back, or counting more than this stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.data.quality import thresholds
from footprint.data.quality.kinds import kind_table
from footprint.market.events import EventFlag

_CHANNELS = {
    "book": kind_table("ADD", "CANCEL", "MODIFY", "FILL", "LEVEL", "DELETE", "FILL_NOTICE"),
    "quotes": kind_table("QUOTE"),
    "trades": kind_table("TRADE"),
}


@dataclass(frozen=True, slots=True)
class Sequence:
    """One channel of numbered messages.

    Attributes:
        channel: "all", "book", "quotes" or "trades".
        messages: how many.
        dense: the numbers step by one but for losses, so that a larger step is a loss.
        median_step: of the numbers of consecutive messages, zero steps left out.
        gaps, missing: larger steps, and the numbers that they pass over; 0 when not dense.
        first_gap_row: row of the source behind the first of them, 0 when there is none.
        back: messages whose number is below the one before.
    """

    channel: str
    messages: int
    dense: bool
    median_step: float
    gaps: int
    missing: int
    first_gap_row: int
    back: int


def numbered(events: np.ndarray) -> bool:
    """True when the source numbers its messages; a reader may put the row in place of a number."""
    return bool((events["sequence"] != events["row"]).any() and (events["sequence"] != 0).any())


def sequences(events: np.ndarray) -> tuple[Sequence, ...]:
    """The channels of a stream: one when all messages share a dense counter, else book, quotes and trades apart.

    Args:
        events: EVENT_DTYPE of shape (n,).
    """
    if not numbered(events):
        return ()
    kind = events["kind"]
    live = (events["flags"] & EventFlag.SNAPSHOT == 0) & (events["sequence"] != 0)
    parts = {name: live & among[kind] for name, among in _CHANNELS.items()}
    whole = _sequence("all", events, np.logical_or.reduce(list(parts.values())))
    if whole is None or whole.dense:
        return (whole,) if whole else ()
    found = (_sequence(name, events, mask) for name, mask in parts.items())
    return tuple(sequence for sequence in found if sequence is not None)


def _sequence(channel: str, events: np.ndarray, mask: np.ndarray) -> Sequence | None:
    number, row = events["sequence"][mask], events["row"][mask]
    step = np.diff(number)
    moved = np.flatnonzero(step)
    if not len(moved):
        return None
    step, row = step[moved], row[moved + 1]
    dense = float((step == 1).mean()) >= thresholds.DENSE_SEQUENCE.value
    jumps = np.flatnonzero(step > 1) if dense else np.zeros(0, np.int64)
    return Sequence(
        channel=channel,
        messages=len(moved) + 1,
        dense=dense,
        median_step=float(np.median(step)),
        gaps=len(jumps),
        missing=int((step[jumps] - 1).sum()),
        first_gap_row=int(row[jumps[0]]) if len(jumps) else 0,
        back=int((step < 0).sum()),
    )
