"""VPIN: mean absolute imbalance over buckets of equal volume (Easley, Lopez de Prado, O'Hara, RFS 25, 2012).

With true or quote-rule signs in place of bulk classification. A trade that fills a bucket is split between it and the
next, as in the online feature (`features/vpin.py`), whose bucket is read off the past instead of the session itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from footprint.data.children import ChildTape
from footprint.features.vpin import BUCKETS_PER_DAY
from footprint.impact.leakage.blocks import Blocks
from footprint.impact.leakage.measure import Kind, Measure

MIN_TRADES = 10 * BUCKETS_PER_DAY  # a bucket of fewer trades is one-sided by chance

VPIN = Kind(
    "vpin", "share",
    "Does not prove informed flow: random signs alone give about 0.8 / root of the equal trades in a bucket, and it "
    "follows volume and volatility.",
)  # fmt: skip
KINDS = (VPIN,)


def vpin(tapes: Sequence[ChildTape], block_s: float, rng: np.random.Generator) -> list[Measure]:
    """Mean over the buckets of all sessions, 50 a session, each of 1/50 of its own session's volume."""
    count = sum(map(len, tapes))
    if count < MIN_TRADES * len(tapes):
        return [VPIN.unknown(f"{count} trades, needs {MIN_TRADES} a session", count, block_s)]
    parts = [_buckets(tape) for tape in tapes]
    imbalance, time_ns = (np.concatenate(column) for column in zip(*parts, strict=True))
    blocks = Blocks.draw(time_ns, block_s, rng)
    return [VPIN.of(blocks.means(imbalance[:, None])[:, 0], blocks)]


def _buckets(tape: ChildTape) -> tuple[np.ndarray, np.ndarray]:
    """Absolute imbalance of every bucket, 0 to 1, and the time at which it was full."""
    volume = np.append(0.0, np.cumsum(tape.quantity))
    bought = np.append(0.0, np.cumsum(np.where(tape.sign > 0, tape.quantity, 0.0)))
    edges = np.linspace(0.0, volume[-1], BUCKETS_PER_DAY + 1)
    share = np.diff(np.interp(edges, volume, bought)) / (volume[-1] / BUCKETS_PER_DAY)
    filled_by = np.clip(np.searchsorted(volume, edges[1:]) - 1, 0, len(tape) - 1)
    return np.abs(2.0 * share - 1.0), tape.time_ns[filled_by]
