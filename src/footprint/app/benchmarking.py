"""`footprint benchmark impact` as a service: tapes in, results.json and a table out."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path

from footprint import __version__
from footprint.app.files import check_writable, replacing
from footprint.app.progress import ProgressDisplay
from footprint.app.scoreboard_tables import print_scoreboard
from footprint.book.replay import views as book_views
from footprint.data import formats
from footprint.data.mid import CORRECTED_QUOTE, TRADE_DERIVED, default_mid_rule
from footprint.data.session import Session
from footprint.data.signing import signing_accuracy
from footprint.data.verdict import FileVerdict
from footprint.errors import FootprintError, UsageError
from footprint.features.curves import CURVES, score_curves
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact.catalogue import BASELINES, CANDIDATES, IN_FLIGHT_CANDIDATES, boosted_for
from footprint.impact.evaluation.benchmark import Job, Scored, collect, run_jobs
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoreboard import Result, alarm, results
from footprint.impact.evaluation.splits import (
    Task,
    random_split,
    strict_calendar,
    unseen_market,
    unseen_symbol,
    walk_forward,
)
from footprint.impact.rows import Rows, concatenate
from footprint.impact.training import TapeRows, tape_rows

ARRIVAL_TARGETS = ("peak", "shortfall", "shift_300", "shift_600")
UNSEEN_TARGETS = ("peak", "shortfall", "shift_600")


@dataclass(frozen=True, slots=True)
class Source:
    """Paths and what their one audit said."""

    paths: Sequence[str | Path]
    verdicts: Sequence[FileVerdict]

    def sessions(self) -> Iterator[Session]:
        """All sessions, read anew; raises `DataRefused` when any file is refused."""
        return formats.sessions(self.paths, verdicts=self.verdicts)


@dataclass(frozen=True, slots=True)
class Tapes:
    """What the files gave: tapes that are scored, the names of those that are not and why, and signing accuracies."""

    scored: tuple[TapeRows, ...]
    left_out: dict[str, str]
    signing: tuple[Result, ...]


def run(
    paths: Sequence[str | Path],
    out: Path,
    *,
    seed: int,
    as_json: bool,
    progress: ProgressDisplay,
    protocol: Protocol | None = None,
) -> list[Result]:
    """Score every model, write results.json, print the scoreboard.

    Finished fits are kept in `<out>.partial` until the results are written, so an interrupted run resumes.

    Args:
        seed: 0 is the protocol's own seed; any other is added to it.
        protocol: another protocol than the published one (tests use a smaller one).

    Raises:
        UsageError: no tape is long enough to be scored.
        FootprintError: a skill or R2 beyond what can be had without look-ahead; the results are written all the same.
    """
    check_writable(out)
    protocol = protocol or Protocol()
    protocol = replace(protocol, seed=protocol.seed + seed)
    kept = out.with_name(out.name + ".partial")
    with progress.step("audit"):
        source = Source(paths, formats.audit(paths))
    tapes = read_tapes(source, protocol, progress)
    figures = [
        *tapes.signing,
        *curve_scores(tapes.scored),
        *score(tapes, source, protocol, kept, progress),
    ]
    warning = alarm(figures)
    document = {
        "protocol": _describe(protocol, tapes, warning),
        "rows": [figure.as_dict() for figure in figures],
    }
    with replacing(out) as partial:
        partial.write_text(json.dumps(document, indent=1, allow_nan=False))
    shutil.rmtree(kept, ignore_errors=True)
    if as_json:
        print(json.dumps(document, allow_nan=False))
    else:
        print_scoreboard(figures, sorted({t.market for t in tapes.scored}), tapes.left_out)
    if warning:
        raise FootprintError(f"the run fails until explained: {warning}")
    return figures


def read_tapes(source: Source, protocol: Protocol, progress: ProgressDisplay) -> Tapes:
    """Read all sessions once; tapes that are too short or give no order are left out, with the reason."""
    signing: list[Result] = []
    watched = _watch_signing(progress.track(source.sessions(), "reading sessions"), signing)
    tapes = list(tape_rows(watched, protocol))
    left_out = {t.name: reason for t in tapes if (reason := _why_not(t, protocol))}
    scored = tuple(t for t in tapes if t.name not in left_out)
    if not scored:
        raise UsageError(f"no tape is long enough to be scored: {left_out}")
    return Tapes(scored, left_out, tuple(signing))


def _why_not(tape: TapeRows, protocol: Protocol) -> str:
    if not tape.eligible(protocol):
        return f"shorter than {protocol.min_sessions} sessions or {protocol.min_continuous_s / 3600:g} h"
    if not len(tape.arrival):
        return "no order with known spread, volatility and volume (no quotes?)"
    return ""


def _watch_signing(sessions: Iterator[Session], signing: list[Result]) -> Iterator[Session]:
    """Pass sessions on and note how well each signing rule does where the source itself names the aggressor."""
    for session in sessions:
        for rule, accuracy in signing_accuracy(session, book_views(session.events)).items():
            for metric, value in (("by_count", accuracy.by_count), ("by_volume", accuracy.by_volume)):
                name = f"{session.instrument.symbol} {session.day}"
                nothing = float("nan")
                signing.append(
                    Result(
                        name, "all", "sign", rule, f"accuracy_{metric}_percent",
                        100.0 * value, nothing, nothing, accuracy.prints, 0,
                    )
                )  # fmt: skip
        yield session


def curve_scores(tapes: Sequence[TapeRows]) -> Iterator[Result]:
    """Time-of-day curves as the mean of all earlier days, scored on the next day against the day before it."""
    for tape in tapes:
        for i, curve in enumerate(CURVES):
            figure = score_curves(tape.curve_days[:, i])
            if figure.n:
                nothing = float("nan")
                metric = "mae_skill_vs_previous_day_percent"
                value = 100.0 * figure.skill
                count = len(tape.curve_days) - 2
                yield Result(
                    tape.name, "walk_forward", f"curve_{curve}", "mean_of_days", metric, value, nothing, nothing,
                    figure.n, count,
                )  # fmt: skip


def score(tapes: Tapes, source: Source, protocol: Protocol, kept: Path, progress: ProgressDisplay) -> Iterator[Result]:
    """All splits and targets, the in-flight forecasts, and the sensitivity to the mid rule."""
    arrival = concatenate([t.arrival for t in tapes.scored])
    in_flight = concatenate([t.in_flight for t in tapes.scored])
    for scored in _fit(arrival_jobs(arrival, protocol), arrival, protocol, kept, "models at arrival", progress):
        yield from results(scored, protocol)
    for scored in _fit(in_flight_jobs(in_flight, protocol), in_flight, protocol, kept, "models in flight", progress):
        for fraction in protocol.in_flight_fractions:
            part = scored.take(scored.rows.stage == fraction)
            yield from results(replace(part, split=f"in_flight_{100 * fraction:.0f}"), protocol)
    yield from _mid_rule_sensitivity(tapes, source, protocol, kept, progress)


def _fit(
    jobs: list[Job], rows: Rows, protocol: Protocol, kept: Path, label: str, progress: ProgressDisplay
) -> Iterator[Scored]:
    workers = max(1, len(os.sched_getaffinity(0)))
    finished = progress.track(run_jobs(jobs, rows, protocol, kept, workers), label, total=len(jobs))
    for _ in finished:
        pass
    return collect(jobs, rows, protocol, kept)


def arrival_jobs(rows: Rows, protocol: Protocol) -> list[Job]:
    """Every split of the arrival-time forecasts."""
    plan: list[tuple[Iterator[Task], tuple[str, ...]]] = [
        (walk_forward(rows, protocol), ARRIVAL_TARGETS),
        (strict_calendar(rows, protocol), ("peak", "shortfall")),
        (unseen_symbol(rows, protocol), UNSEEN_TARGETS),
        (unseen_market(rows, protocol), UNSEEN_TARGETS),
        (random_split(rows, protocol), ("peak",)),
    ]
    return [
        arrival_job(task, target) for tasks, targets in plan for task in tasks for target in targets if _usable(task)
    ]


def in_flight_jobs(rows: Rows, protocol: Protocol) -> list[Job]:
    """Walk-forward forecasts of the rest of an order, all stages in one model."""
    tasks = [t for t in walk_forward(rows, protocol, "in_flight") if _usable(t)]
    return [
        Job(task, target, IN_FLIGHT_CANDIDATES, (), boosted_for(target, in_flight=True))
        for task in tasks
        for target in ("peak", "shortfall")
    ]


def arrival_job(task: Task, target: str) -> Job:
    """All models of one target of one task at arrival."""
    return Job(task, target, CANDIDATES, BASELINES, boosted_for(target))


def _usable(task: Task) -> bool:
    return len(task.train) > 0 and len(task.test) > 0


def _mid_rule_sensitivity(
    tapes: Tapes, source: Source, protocol: Protocol, kept: Path, progress: ProgressDisplay
) -> Iterator[Result]:
    """The forecasts again with a strictly past mid on the tapes whose own rule reads the print itself."""

    def stale(session: Session) -> bool:
        return default_mid_rule(session) == TRADE_DERIVED

    sessions = (s for s in source.sessions() if stale(s))
    again = {t.name: t for t in tape_rows(progress.track(sessions, "other mid rule"), protocol, CORRECTED_QUOTE)}
    if not again:
        return
    rows = concatenate([again.get(t.name, t).arrival for t in tapes.scored])
    tasks = [t for t in walk_forward(rows, protocol, "walk_forward_corrected_quote") if _usable(t)]
    jobs = [arrival_job(task, target) for task in tasks for target in ("peak", "shortfall")]
    for scored in _fit(jobs, rows, protocol, kept, "models, other mid rule", progress):
        yield from results(scored, protocol)


def _describe(protocol: Protocol, tapes: Tapes, warning: str | None) -> dict[str, object]:
    return {
        **protocol.as_dict(),
        "package_version": __version__,
        "feature_version": FEATURE_VERSION,
        "libraries": {name: metadata.version(name) for name in ("numpy", "scipy", "numba", "lightgbm")},
        "python": platform.python_version(),
        "tapes": {
            t.name: {
                "market": t.market,
                "sessions": len(t.sessions),
                "children_per_session": list(t.children_per_session),
                "traders": list(t.traders),
                "orders": len(t.arrival),
            }
            for t in tapes.scored
        },
        "left_out": tapes.left_out,
        "candidates": [repr(m) for m in CANDIDATES],
        "baselines": [repr(m) for m in BASELINES],
        "boosted": {target: asdict(boosted_for(target)) for target in ARRIVAL_TARGETS},
        "tuning": "tree size and column share chosen on parts 1-2 only, about 50 trials shared by all targets; rounds, "
        "mixture partner and weight chosen inside each fit on held-out folds; baselines have no other free choice than "
        "their least-squares fit",
        "alarm": warning,
    }
