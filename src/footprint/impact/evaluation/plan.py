"""Which jobs make the board: every split with its targets, information set and line-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from footprint.impact.evaluation.information import ARRIVAL, NO_DURATION
from footprint.impact.evaluation.job import Job
from footprint.impact.evaluation.learning_curve import over_parts, over_symbols
from footprint.impact.evaluation.line_up import LineUp, Selection
from footprint.impact.evaluation.planted_set import PLANTED_TARGETS, PlantedTruth
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.splits import (
    Task,
    random_split,
    strict_calendar,
    unseen_market,
    unseen_symbol,
    walk_forward,
)
from footprint.impact.rows import Rows

ARRIVAL_TARGETS = ("peak", "shortfall", "shift_300", "shift_600")
UNSEEN_TARGETS = ("peak", "shortfall", "shift_600")
COST_TARGETS = ("peak", "shortfall")
PLANTED = "planted_walk_forward"
OTHER_MID = "walk_forward_corrected_quote"
ALL = Selection()


def arrival_jobs(rows: Rows, protocol: Protocol, wanted: Selection = ALL) -> list[Job]:
    """Every split of the arrival-time forecasts, and walk-forward again without the planned duration."""
    expensive = {target: wanted.line_up(target) for target in ARRIVAL_TARGETS}
    cheap = {target: wanted.without_challengers(target) for target in ARRIVAL_TARGETS}
    forward = list(walk_forward(rows, protocol))
    return [
        *_jobs(forward, {t: expensive[t] for t in ARRIVAL_TARGETS}),
        *_jobs(forward, {t: cheap[t] for t in COST_TARGETS}, NO_DURATION),
        *_jobs(strict_calendar(rows, protocol), {t: cheap[t] for t in COST_TARGETS}),
        *_jobs(unseen_symbol(rows, protocol), {t: cheap[t] for t in UNSEEN_TARGETS}),
        *_jobs(unseen_market(rows, protocol), {t: cheap[t] for t in UNSEEN_TARGETS}),
        *_jobs(random_split(rows, protocol), {"peak": wanted.booster_alone("peak")} if not wanted.only else {}),
    ]


def in_flight_jobs(rows: Rows, protocol: Protocol, wanted: Selection = ALL) -> list[Job]:
    """Walk-forward forecasts of the rest of an order, all stages in one model."""
    line_ups = {target: wanted.line_up(target, in_flight=True) for target in COST_TARGETS}
    return _jobs(walk_forward(rows, protocol, "in_flight"), line_ups)


def other_mid_jobs(rows: Rows, protocol: Protocol, wanted: Selection = ALL) -> list[Job]:
    """Walk-forward on rows whose mids come from another rule."""
    line_ups = {target: wanted.without_challengers(target) for target in COST_TARGETS}
    return _jobs(walk_forward(rows, protocol, OTHER_MID), line_ups)


def seed_jobs(rows: Rows, protocol: Protocol, seed: int, wanted: Selection = ALL) -> list[Job]:
    """Walk-forward on the orders of another assignment of children to traders."""
    line_ups = {target: wanted.without_challengers(target) for target in ARRIVAL_TARGETS}
    return _jobs(walk_forward(rows, protocol), line_ups, seed=seed)


def learning_jobs(rows: Rows, protocol: Protocol, wanted: Selection = ALL) -> list[Job]:
    """The product, and what it is compared with, from ever more days and symbols."""
    line_ups = {target: wanted.product_alone(target) for target in COST_TARGETS}
    return _jobs((*over_parts(rows, protocol), *over_symbols(rows, protocol)), line_ups)


def planted_jobs(rows: Rows, truth: PlantedTruth, protocol: Protocol, seed: int, wanted: Selection = ALL) -> list[Job]:
    """Walk-forward on orders whose law is known, beside the forecast that knows it."""
    line_ups = {t: replace(wanted.without_challengers(t), oracles=(truth,)) for t in PLANTED_TARGETS}
    return _jobs(walk_forward(rows, protocol, PLANTED), line_ups, seed=seed)


def arrival_job(task: Task, target: str) -> Job:
    """All models but the expensive ones, one target of one task at arrival."""
    return Job(task, target, ALL.without_challengers(target))


def _jobs(tasks: Iterable[Task], line_ups: dict[str, LineUp], information: str = ARRIVAL, seed: int = 0) -> list[Job]:
    return [
        Job(task, target, models, information, seed)
        for task in tasks
        if len(task.train) and len(task.test)
        for target, models in line_ups.items()
    ]
