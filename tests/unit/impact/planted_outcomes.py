"""Rows whose outcomes are known: a stated mean plus normal noise of the size that every model assumes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from footprint.impact.rows import TARGETS, Rows
from footprint.testing.random_rows import random_rows


def planted(rows: Rows, mean_bps: np.ndarray, rng: np.random.Generator, noise: float = 1.0) -> Rows:
    """The same rows with outcome = mean + noise * scale * normal for every target; nothing unknown."""
    outcomes = [mean_bps + noise * rows.scale_bps(t) * rng.standard_normal(len(rows)) for t in TARGETS]
    return replace(rows, outcomes=np.column_stack(outcomes))


def planted_rows(seed: int, count: int, mean_of, noise: float = 1.0) -> Rows:
    """Generated rows with the mean that `mean_of(rows)` gives."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, count)
    return planted(rows, mean_of(rows), rng, noise)
