"""How much more data would help: the same test rows, forecast from ever more days and ever more symbols."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.splits import Task
from footprint.impact.rows import Rows

OVER_PARTS, OVER_SYMBOLS = "learning_parts", "learning_symbols"
_REPETITIONS = 2


def over_parts(rows: Rows, protocol: Protocol) -> Iterator[Task]:
    """Test the last part, train on the one, two, three ... parts before it; split "learning_parts 3" is three."""
    last = protocol.parts
    for count in range(1, last):
        train = (rows.part < last) & (rows.part >= last - count)
        yield Task(f"{OVER_PARTS} {count}", f"part {last}", np.flatnonzero(train), np.flatnonzero(rows.part == last))


def over_symbols(rows: Rows, protocol: Protocol) -> Iterator[Task]:
    """Test the late half of a third of the symbols, train on the early half of 1, 2, 4 ... of the others.

    The order of the symbols is drawn twice; both draws are one split, "learning_symbols 4" for four symbols.
    """
    symbol, middle = rows.symbol, protocol.parts // 2
    names = np.unique(symbol)
    tested = max(1, len(names) // 3)
    for repetition in range(_REPETITIONS):
        order = np.random.default_rng([protocol.seed, 3, repetition]).permutation(names)
        test = np.flatnonzero((rows.part > middle) & np.isin(symbol, order[:tested]))
        for count in _doubling(len(names) - tested):
            train = np.flatnonzero((rows.part <= middle) & np.isin(symbol, order[tested : tested + count]))
            yield Task(f"{OVER_SYMBOLS} {count}", f"draw {repetition + 1}", train, test, "symbol")


def _doubling(most: int) -> list[int]:
    """1, 2, 4, ... and `most` itself."""
    return sorted({*(2**k for k in range(most.bit_length()) if 2**k <= most), most} - {0})
