"""Markout curves: how far the mid follows a market order, and what is left of the half-spread that it paid.

For a market order of sign e at price p with mid m strictly before it: effective half-spread e (p - m) / m, markout
e (m_{t+h} - m) / m, realised half-spread their difference: what the other side keeps that closes at the mid h later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.blocks import Blocks
from footprint.impact.leakage.measure import Kind, Measure
from footprint.units import BPS, NS_PER_SECOND

HORIZONS_S = (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0)
MIN_TRADES = 50

EFFECTIVE = Kind(
    "effective_half_spread", "bps", "Does not prove what a trader chose: orders are sent when the spread is narrow."
)


def markout_kind(horizon_s: float) -> Kind:
    """The mean move of the mid with the order, `horizon_s` later."""
    text = "Does not prove that the order moved the price: later orders of the same side are in it."
    return Kind(f"markout_{horizon_s:g}s", "bps", text)


def realised_kind(horizon_s: float) -> Kind:
    """Effective half-spread less markout."""
    text = "Does not prove a dealer's profit: nobody can close at the mid, and fees and rebates are left out."
    return Kind(f"realised_half_spread_{horizon_s:g}s", "bps", text)


@dataclass(frozen=True, slots=True)
class MarkoutCurve:
    """The curve of one instrument; every order counts the same.

    Attributes:
        effective: effective half-spread.
        markout, realised: one a horizon of `horizons_s`.
    """

    horizons_s: tuple[float, ...]
    effective: Measure
    markout: tuple[Measure, ...]
    realised: tuple[Measure, ...]

    @property
    def measures(self) -> list[Measure]:
        """All of them in one list."""
        return [self.effective, *self.markout, *self.realised]


def moves_bps(tape: ChildTape, horizons_s: Sequence[float]) -> np.ndarray:
    """(m_{t+h} - m) / m x 1e4 of every market order, not signed; nan where its segment has ended by then.

    Returns:
        float64 of shape (len(tape), len(horizons_s)).
    """
    columns = []
    for horizon_s in horizons_s:
        when = tape.time_ns + int(horizon_s * NS_PER_SECOND)
        after = np.searchsorted(tape.time_ns, when, side="right")
        inside = (after < len(tape)) & (tape.segment[np.minimum(after, len(tape) - 1)] == tape.segment)
        move = (tape.mid_at(when) - tape.mid_before) / tape.mid_before * BPS
        columns.append(np.where(inside, move, np.nan))
    return np.column_stack(columns)


def effective_bps(tape: ChildTape) -> np.ndarray:
    """e (p - m) / m x 1e4 of every market order, shape (n,); nan without a mid."""
    return tape.sign * (tape.price - tape.mid_before) / tape.mid_before * BPS


def markout_curve(
    tapes: Sequence[ChildTape],
    block_s: float,
    rng: np.random.Generator,
    horizons_s: tuple[float, ...] = HORIZONS_S,
) -> MarkoutCurve:
    """Mean markouts of the market orders of several sessions of one instrument.

    The realised half-spread compares the orders whose markout is known. Blocks are at least twice the horizon long,
    because markouts that overlap are one piece of evidence.
    """
    time_ns = np.concatenate([tape.time_ns for tape in tapes])
    paid = np.concatenate([effective_bps(tape) for tape in tapes])
    moves = np.concatenate([tape.sign[:, None] * moves_bps(tape, horizons_s) for tape in tapes])
    effective = _mean(EFFECTIVE, time_ns, paid, block_s, rng)
    markout, realised = [], []
    for horizon_s, move in zip(horizons_s, moves.T, strict=True):
        length_s = max(block_s, 2.0 * horizon_s)
        markout.append(_mean(markout_kind(horizon_s), time_ns, move, length_s, rng))
        realised.append(_mean(realised_kind(horizon_s), time_ns, paid - move, length_s, rng))
    return MarkoutCurve(horizons_s, effective, tuple(markout), tuple(realised))


def _mean(kind: Kind, time_ns: np.ndarray, values: np.ndarray, block_s: float, rng: np.random.Generator) -> Measure:
    known = np.isfinite(values)
    count = int(known.sum())
    if count < MIN_TRADES:
        return kind.unknown(f"{count} market orders with a mid then, needs {MIN_TRADES}", count, block_s)
    blocks = Blocks.draw(time_ns[known], block_s, rng)
    return kind.of(blocks.means(values[known, None])[:, 0], blocks)
