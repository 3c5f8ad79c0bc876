"""Coverage by slice: thirds of size and of volatility within each tape. Pooled coverage hides what these show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from footprint.impact.evaluation.benchmark import Scored
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.evaluation.scoring import Bootstrap, Estimate, mean_estimate
from footprint.impact.rows import Rows

GOOD_PERCENT = (84.0, 96.0)
_BANDS = (("covered_80", "slice_coverage_80_percent"), ("covered_90", "slice_coverage_90_percent"))


def slice_results(scored: Scored, bootstrap: Bootstrap, protocol: Protocol, by_tape: bool) -> Iterator[Result]:
    """Coverage of nine pooled size x volatility cells, and the share of their slices by tape that lie within 84-96 %.

    Args:
        by_tape: also give every slice by tape itself (90 % band).
    """
    rows, weights = scored.rows, scored.rows.tape_weights()
    cells = list(_cells(rows))
    tapes = [(str(tape), rows.tape == tape) for tape in np.unique(rows.tape)]
    for model in scored.scores:
        fine = []
        for score, metric in _BANDS:
            inside = 100.0 * scored.score(model, score)
            for name, here in cells:
                for data, mine in (("pool", None), *tapes):
                    mask = here if mine is None else here & mine
                    if mask.sum() < protocol.slice_min_rows or (data != "pool" and score != "covered_90"):
                        continue
                    estimate = mean_estimate(inside[mask], weights[mask], bootstrap.take(mask))
                    result = Result.of(data, scored, model, metric, estimate, slice=name)
                    if data == "pool":
                        yield result
                    else:
                        fine.append(result)
        if by_tape:
            yield from fine
        if fine:
            good = np.mean([GOOD_PERCENT[0] <= r.value <= GOOD_PERCENT[1] for r in fine])
            nothing = float("nan")
            share = Estimate(100.0 * float(good), nothing, nothing, len(fine), bootstrap.blocks)
            yield Result.of("pool", scored, model, "slices_in_84_96_percent", share)


def _cells(rows: Rows) -> Iterator[tuple[str, np.ndarray]]:
    size, volatility = (within_tape_terciles(rows, values) for values in (rows.participation, rows.volatility))
    for s in range(3):
        for v in range(3):
            yield f"size {s + 1} volatility {v + 1}", (size == s) & (volatility == v)


def within_tape_terciles(rows: Rows, values: np.ndarray) -> np.ndarray:
    """0, 1 or 2 by the terciles of the row's own tape, shape (n,)."""
    return within_tape(rows, values, (1 / 3, 2 / 3))


def within_tape(rows: Rows, values: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Number of the row's tape's quantiles at or below its value, 0 ... len(levels), shape (n,)."""
    out = np.zeros(len(rows), np.int64)
    for tape in np.unique(rows.tape):
        mine = rows.tape == tape
        out[mine] = np.searchsorted(np.quantile(values[mine], levels), values[mine], side="right")
    return out
