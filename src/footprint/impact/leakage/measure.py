"""A figure that cannot travel without its unit, its interval and the sentence of what it does not prove."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from footprint.data.verdict import counted
from footprint.impact.evaluation.scoring import Estimate, interval
from footprint.impact.leakage.blocks import Blocks

LEAST_BLOCKS = 5  # fewer say nothing of how much a figure varies


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure.

    Attributes:
        name: a stable name.
        unit: for a person: "bps", "share", ...
        estimate: value, two-sided 95 % interval, rows and blocks; nan where the data cannot support it.
        block_s: length of the resampled blocks, seconds.
        does_not_prove: one sentence.
        reason: why there is no value; empty when there is one.
    """

    name: str
    unit: str
    estimate: Estimate
    block_s: float
    does_not_prove: str
    reason: str = ""

    def excludes(self, value: float) -> bool:
        """True when the interval does not contain the value; an unknown interval excludes nothing."""
        return self.estimate.low > value or self.estimate.high < value


@dataclass(frozen=True, slots=True)
class Kind:
    """What a measure is before it has a value."""

    name: str
    unit: str
    does_not_prove: str

    def of(self, replicates: np.ndarray, blocks: Blocks, n: int | None = None) -> Measure:
        """The measure with its percentile interval; unknown on fewer than `LEAST_BLOCKS` blocks.

        Args:
            replicates: the estimate from the data, then from every replicate, shape (1 + draws,).
            n: rows behind it; all of the blocks' rows when None.
        """
        rows, count = blocks.rows if n is None else n, blocks.bootstrap.blocks
        if count < LEAST_BLOCKS:
            reason = f"{counted(count, 'blocks')} of {blocks.block_s:g} s, an interval needs {LEAST_BLOCKS}"
            return self.unknown(reason, rows, blocks.block_s)
        low, high = interval(replicates[1:])
        estimate = Estimate(float(replicates[0]), float(low), float(high), rows, count)
        return Measure(self.name, self.unit, estimate, blocks.block_s, self.does_not_prove)

    def unknown(self, reason: str, n: int, block_s: float) -> Measure:
        """The measure without a value."""
        estimate = Estimate(math.nan, math.nan, math.nan, n, 0)
        return Measure(self.name, self.unit, estimate, block_s, self.does_not_prove, reason)
