"""Planted regimes are labelled online and help the forecast: five seeds, the second half of sixteen days each.

The tape is made of events; regimes are fitted on the minutes of the first eight days, number and kind chosen there, and
the later minutes are labelled by the filter alone. The forecast is the square root with the diffusive residual, with
and without regimes, both with the same conformal step, on orders rebuilt from the tape by metaorders-1.
"""

from __future__ import annotations

from footprint.impact.regimes.planted_check import PlantedRun, planted_run, skill_of_knowing
from footprint.impact.square_root import SquareRoot
from scorecard.bar import Bar, Limit

_SEEDS = range(100, 105)  # 0 to 4 were looked at while the choice of states was designed
_COMMAND = "python -m scorecard --only regimes"

_RAND = Bar(4, "planted regimes: online adjusted Rand, worst seed", "", Limit(0.8), None, _COMMAND)
_SKILL = {
    "peak": Bar(
        4, "planted regimes: peak CRPS skill of regime-aware vs blind, worst seed", "%",
        Limit(0.0, low_above=0.0), None, _COMMAND,
    ),
    "shortfall": Bar(
        4, "planted regimes: shortfall CRPS skill of regime-aware vs blind, worst seed", "%",
        Limit(0.0, low_above=0.0), None, _COMMAND,
    ),
}  # fmt: skip
BARS = (_RAND, *_SKILL.values())


def measure() -> list[Bar]:
    runs = [planted_run(seed) for seed in _SEEDS]
    agreement = [run.adjusted_rand for run in runs]
    found = ", ".join(f"{run.selection.states.kind} {len(run.selection.states)}" for run in runs)
    minutes = sum(int(run.is_later.sum()) for run in runs)
    return [
        _RAND.measured(min(agreement), min(agreement), max(agreement), minutes, f"range over seeds; chosen: {found}"),
        *(_skill(bar, target, runs) for target, bar in _SKILL.items()),
    ]


def _skill(bar: Bar, target: str, runs: list[PlantedRun]) -> Bar:
    """The seed whose interval begins lowest."""
    skills = [skill_of_knowing(run, SquareRoot(), target)[0] for run in runs]
    worst = min(skills, key=lambda s: s.low)
    every = ", ".join(f"{s.value:.2f}" for s in skills)
    note = f"square root, diffusive residual; by seed {every}; {worst.blocks} half hours in the worst"
    return bar.measured(worst.value, worst.low, worst.high, worst.n, note)
