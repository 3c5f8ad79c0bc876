"""Seeded scripts of what goes wrong with a feed, by position in the frames that the venue sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUIET_START, QUIET_END = 0.05, 0.8  # nothing is injected outside, so that every hole has frames behind it
MALFORMED = (b"{", b"", b"\xff\xfe\x00", b'{"e":', b"[1,2", b"null", b'"text"', b"0")


@dataclass(frozen=True)
class FaultScript:
    """What happens at which position; no position has two faults.

    Attributes:
        drops: the frame is not sent.
        copies: the frame is sent again that many positions later.
        delays: the frame is overtaken by that many frames.
        malformed: bytes that are no frame of the venue follow it.
        breaks: the connection is cut after it; new ones are refused for that many seconds.
        bursts: the next so many frames come at once.
        snapshot_delays_s: how late the k-th snapshot comes; the last one goes on for the rest.
    """

    seed: int
    drops: frozenset[int]
    copies: dict[int, int]
    delays: dict[int, int]
    malformed: dict[int, bytes]
    breaks: dict[int, float]
    bursts: dict[int, int]
    snapshot_delays_s: tuple[float, ...]


def no_faults() -> FaultScript:
    """Everything arrives."""
    return FaultScript(0, frozenset(), {}, {}, {}, {}, {}, (0.0,))


def fault_script(seed: int, droppable: Sequence[int], positions: int) -> FaultScript:
    """A script drawn from a seed.

    Args:
        droppable: positions whose loss can be seen by a later frame.
        positions: how many frames the venue sends.
    """
    generator = np.random.default_rng(seed)
    first, last = int(QUIET_START * positions), int(QUIET_END * positions)
    free = [int(p) for p in generator.permutation(np.arange(first, last))]
    wanted = set(droppable)
    drops: set[int] = set()
    for start in [p for p in free if p in wanted][: int(generator.integers(1, 9))]:
        run = range(start, start + int(generator.choice([1, 1, 1, 2, 3])))
        drops.update(p for p in run if p in wanted and p < last)
    rest = iter([p for p in free if p not in drops])

    def some(most: int) -> list[int]:
        return [next(rest) for _ in range(int(generator.integers(0, most + 1)))]

    return FaultScript(
        seed=seed,
        drops=frozenset(drops),
        copies={p: int(generator.integers(0, 4)) for p in some(6)},
        delays={p: int(generator.integers(1, 4)) for p in some(4)},
        malformed={p: MALFORMED[int(generator.integers(len(MALFORMED)))] for p in some(4)},
        breaks={p: float(generator.uniform(0.0, 0.6)) for p in some(2)},
        bursts={p: int(generator.integers(80, 200)) for p in some(1)},
        snapshot_delays_s=tuple(generator.choice([0.0, 0.02, 0.3, 1.0], size=8).tolist()),
    )
