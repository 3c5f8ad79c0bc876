"""Figures over several assignments of children to traders: their mean, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from footprint.impact.evaluation.result import Result


def over_seeds(figures: Sequence[Result]) -> Iterator[Result]:
    """Mean over the seeds of every pooled figure that has several, with their smallest and largest value.

    The seeds draw other synthetic orders from the same tapes: their spread is that of the procedure, not of the market,
    and says nothing about other days. `low` and `high` are the smallest and largest value, not a 95 % interval.
    """
    groups: dict[Result, list[Result]] = {}
    for figure in figures:
        if figure.data == "pool" and (not figure.slice):
            names = replace(figure, value=0.0, low=0.0, high=0.0, n=0, blocks=0, seed=None)
            # the best parametric model may be another in another draw
            names = replace(names, reference="") if "best_parametric" in figure.metric else names
            groups.setdefault(names, []).append(figure)
    for names, some in groups.items():
        if len({f.seed for f in some}) > 1:
            values = [f.value for f in some]
            yield replace(
                names,
                value=sum(values) / len(values),
                low=min(values),
                high=max(values),
                n=len(some),
                blocks=min(f.blocks for f in some),
                slice=f"mean of {len(some)} seeds, smallest, largest",
            )
