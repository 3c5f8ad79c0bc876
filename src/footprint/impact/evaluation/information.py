"""Information sets: what a forecast may know.

A   everything known at arrival, the planned duration included.
A0  the same without the planned duration. No column that a duration enters is given, and wherever a model needs a
    duration of its own (the noise scale of every residual, the pace in Almgren and I-star) it gets the one that the
    order's children would take at the usual spacing of its tape, the median of the training rows. Baselines and
    learners are treated alike.
F25, F50, F75   in flight, a quarter, half and three quarters of the children done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from footprint.impact.rows import Rows

ARRIVAL, NO_DURATION = "A", "A0"

# every column of `rows.model_columns` whose value changes with the planned duration alone
DURATION_COLUMNS = frozenset(
    {"log_horizon", "log_pace", "log_pace_5m", "log_child_rate", "spread_to_noise", "log_elapsed_to_horizon"}
)


def in_flight(stage: float) -> str:
    """Name of the information set with that share of the children done: "F50"."""
    return f"F{100 * stage:.0f}"


@dataclass(frozen=True, slots=True)
class UsualSpacing:
    """Median seconds of planned duration per child order, by tape and over all tapes."""

    by_tape: Mapping[str, float]
    overall: float

    def hide_duration(self, rows: Rows) -> Rows:
        """The rows as someone sees them who does not know how long the order will take."""
        spacing_s = np.array([self.by_tape.get(tape, self.overall) for tape in rows.tape.tolist()])
        horizon_s = np.clip(rows.children * spacing_s, 1.0, rows.day_s)
        keep = [name not in DURATION_COLUMNS for name in rows.x_names]
        names = tuple(name for name, kept in zip(rows.x_names, keep, strict=True) if kept)
        return replace(rows, horizon_s=horizon_s, x=rows.x[:, keep], x_names=names)


def usual_spacing(rows: Rows) -> UsualSpacing:
    """The usual spacing of the training rows' children."""
    spacing_s = rows.horizon_s / rows.children
    by_tape = {str(tape): float(np.median(spacing_s[rows.tape == tape])) for tape in np.unique(rows.tape)}
    return UsualSpacing(by_tape, float(np.median(list(by_tape.values()))))
