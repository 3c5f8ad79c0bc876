"""How much better the product's forecast is than the references: CRPS and Brier skill with intervals.

One run of the benchmark gives all of these. In flight the diffusive square root is the updated one: it knows what is
left, the time left, the volatility now and the realised cost, and gets the same conformal step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from scorecard.bar import Bar, Limit
from scorecard.benchmark_results import COMMAND, Row, benchmark_rows, figure, measured

_CRPS = "crps_skill_vs_{}_percent"
_BRIER = "brier_10bps_skill_vs_{}_percent"


class _Skill(NamedTuple):
    bar: Bar
    split: str
    target: str
    metric: str


def _skill(name: str, split: str, target: str, metric: str, must: Limit, aim: Limit) -> _Skill:
    return _Skill(Bar(2, name, "%", must, aim, COMMAND), split, target, metric)


_SKILLS = (
    _skill(
        "peak: skill vs constant-residual square root",
        "walk_forward", "peak", _CRPS.format("square_root_constant"), Limit(6), Limit(8),
    ),
    _skill(
        "peak: skill vs diffusive square root",
        "walk_forward", "peak", _CRPS.format("square_root_diffusive"), Limit(1.8, low_above=0), Limit(3.5),
    ),
    _skill(
        "shortfall: skill vs constant-residual square root",
        "walk_forward", "shortfall", _CRPS.format("square_root_constant"), Limit(10), Limit(12.5),
    ),
    _skill(
        "shortfall: skill vs square root + spread",
        "walk_forward", "shortfall", _CRPS.format("square_root_spread"), Limit(1.5, low_above=0), Limit(3.3),
    ),
    _skill(
        "lasting shift at 10 min: skill vs diffusive square root",
        "walk_forward", "shift_600", _CRPS.format("square_root_diffusive"), Limit(-0.5), Limit(0.7, low_above=0),
    ),
    _skill(
        "unseen symbol, peak: skill vs best parametric",
        "unseen_symbol", "peak", _CRPS.format("best_parametric"), Limit(0), Limit(2),
    ),
    _skill(
        "unseen symbol, shortfall: skill vs best parametric",
        "unseen_symbol", "shortfall", _CRPS.format("best_parametric"), Limit(0), Limit(2),
    ),
    _skill(
        "unseen market, peak: skill vs diffusive square root",
        "unseen_market", "peak", _CRPS.format("square_root_diffusive"), Limit(-0.5), Limit(1),
    ),
    _skill(
        "unseen market, shortfall: skill vs square root + spread",
        "unseen_market", "shortfall", _CRPS.format("square_root_spread"), Limit(0), Limit(2),
    ),
    _skill(
        "half way in flight, peak: skill vs updated square root",
        "in_flight_50", "peak", _CRPS.format("square_root_diffusive"), Limit(1.8), Limit(3.5),
    ),
    _skill(
        "peak: Brier skill of P(> 10 bps) vs diffusive square root",
        "walk_forward", "peak", _BRIER.format("square_root_diffusive"), Limit(1.2), Limit(3),
    ),
    _skill(
        "shortfall: Brier skill of P(> 10 bps) vs diffusive square root",
        "walk_forward", "shortfall", _BRIER.format("square_root_diffusive"), Limit(4.5), Limit(8),
    ),
)  # fmt: skip
# the same skills as a ratio of mean CRPS in bps, which the noisiest tapes decide: the reading of "equal weight" that
# was printed first (docs/decisions/2026-11-21-tapes-weigh-equally.md), held to the same limits
_POOLED = tuple(
    _Skill(replace(s.bar, name=f"{s.bar.name}, pooled bps"), s.split, s.target, f"pooled_{s.metric}")
    for s in _SKILLS
    if s.metric.startswith("crps")
)
_ALL = (*_SKILLS, *_POOLED)
BARS = tuple(skill.bar for skill in _ALL)


def measure() -> list[Bar]:
    return judged(benchmark_rows())


def judged(rows: tuple[Row, ...]) -> list[Bar]:
    """The bars with the figures of these rows."""
    return [_judge(skill, figure(rows, skill.split, skill.target, skill.metric)) for skill in _ALL]


def _judge(skill: _Skill, row: Row) -> Bar:
    # for the best parametric model the slice says which one it was
    best = f", best parametric is {row['slice']}" if row["slice"] else ""
    return measured(skill.bar, row, f"{row['blocks']} blocks{best}")
