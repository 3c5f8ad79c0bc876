"""Informed and uninformed flow: the volume of those market orders after which the price stays where they sent it.

Nobody can be told informed from one markout, whose noise is a hundred times its mean. So orders are grouped by what
anybody can see, size (five classes of equal volume) and whether the sign repeats the one before, and a group is called
informed when its mean markout at the horizon is at least half of its markout after one second. The groups are named on
every other block of the clock and counted on the blocks between them, and the reverse: an error in the naming then
costs contrast but invents none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.blocks import Blocks, ratio
from footprint.impact.leakage.markouts import moves_bps
from footprint.impact.leakage.measure import Kind, Measure

HORIZON_S = 60.0
SOON_S = 1.0
STAYS = 0.5  # share of the early markout that must be left
SIZE_CLASSES = 5
MIN_TRADES = 1000

_GROUPS = "groups by size and sign mix both kinds of orders"
VOLUME = Kind("informed_volume_share", "share", f"Does not prove a share of informed traders: {_GROUPS}.")
INFORMED = Kind(
    "informed_markout", "bps", f"After {HORIZON_S:g} s; does not prove knowledge: persistent flow moves prices too."
)
UNINFORMED = Kind("uninformed_markout", "bps", f"After {HORIZON_S:g} s; does not prove harmless flow: {_GROUPS}.")
KINDS = (VOLUME, INFORMED, UNINFORMED)


def informed_flow(
    tapes: Sequence[ChildTape], block_s: float, rng: np.random.Generator, horizon_s: float = HORIZON_S
) -> list[Measure]:
    """Share of the volume in informed groups, and the mean markouts of the orders of both kinds.

    The mean move of a session over the horizon is taken off first, so that a trend informs nobody.
    """
    parts = [_session(tape, horizon_s) for tape in tapes]
    time_ns, size, volume, repeats, soon, late = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(time_ns) < MIN_TRADES:
        reason = f"{len(time_ns)} market orders with a mid {horizon_s:g} s later, needs {MIN_TRADES}"
        return [kind.unknown(reason, len(time_ns), block_s) for kind in KINDS]
    blocks = Blocks.draw(time_ns, block_s, rng)
    group = 2 * _size_class(size, volume) + repeats
    one_hot = group[:, None] == np.arange(2 * SIZE_CLASSES)
    counted = (volume, np.ones(len(volume)), soon, late)
    sums = np.stack([blocks.bootstrap.block_sums(one_hot * column[:, None]) for column in counted], axis=-1)
    even = (np.arange(len(sums)) % 2 == 0)[:, None, None]
    halves = blocks.replicates(np.where(even, sums, 0.0)), blocks.replicates(np.where(even, 0.0, sums))
    informed = _informed(*halves) + _informed(*halves[::-1])
    everything = (halves[0] + halves[1]).sum(axis=-2)
    others = everything - informed
    return [
        VOLUME.of(ratio(informed[:, 0], everything[:, 0]), blocks),
        INFORMED.of(ratio(informed[:, 3], informed[:, 1]), blocks),
        UNINFORMED.of(ratio(others[:, 3], others[:, 1]), blocks),
    ]


def _informed(named: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Sums over those groups of one half that the other half names informed, shape (replicates, 4)."""
    soon, late = named[..., 2], named[..., 3]
    stays = (soon > 0) & (late >= STAYS * soon)
    return (counted * stays[..., None]).sum(axis=-2)


def _session(tape: ChildTape, horizon_s: float) -> tuple[np.ndarray, ...]:
    """Time, size, share of volume, sign repeated, signed markouts soon and late of the orders that have both."""
    moves = moves_bps(tape, (SOON_S, horizon_s))
    known = np.isfinite(moves).all(axis=1)
    repeats = np.append(False, (tape.sign[1:] == tape.sign[:-1]) & (tape.segment[1:] == tape.segment[:-1]))[: len(tape)]
    trend = moves[known].mean(axis=0) if known.any() else np.zeros(2)
    soon, late = (tape.sign[known, None] * (moves[known] - trend)).T
    share = tape.quantity[known] / tape.quantity.sum()
    return tape.time_ns[known], share * len(tape), share, repeats[known], soon, late


def _size_class(size: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """0 to SIZE_CLASSES - 1, small to large; equal sizes share a class."""
    order = np.argsort(size, kind="stable")
    cumulated = np.cumsum(volume[order]) / volume.sum()
    places = np.searchsorted(cumulated, np.arange(1, SIZE_CLASSES) / SIZE_CLASSES)
    return np.searchsorted(size[order][np.minimum(places, len(size) - 1)], size, side="left")
