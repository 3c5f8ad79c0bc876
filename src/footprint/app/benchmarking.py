"""`footprint benchmark impact` as a service: tapes in, results.json, a table and a report out."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from footprint.app import benchmark_document, benchmark_report
from footprint.app.benchmark_rows import RowStore, Tapes
from footprint.app.files import check_writable
from footprint.app.progress import ProgressDisplay
from footprint.app.scoreboard_tables import print_scoreboard
from footprint.data import formats
from footprint.errors import FootprintError, UsageError
from footprint.features.curves import CURVES, score_curves
from footprint.impact.evaluation import plan
from footprint.impact.evaluation.benchmark import Cost, Scored, collect, costs, run_jobs
from footprint.impact.evaluation.information import in_flight
from footprint.impact.evaluation.job import Job
from footprint.impact.evaluation.line_up import Selection
from footprint.impact.evaluation.planted_set import planted_set
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.evaluation.scoreboard import alarm, results
from footprint.impact.evaluation.seeds import over_seeds
from footprint.impact.laws.planted_check import recover
from footprint.impact.rows import Rows, concatenate
from footprint.impact.training import TapeRows

LAW_ROWS = 300_000

arrival_job = plan.arrival_job


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be scored.

    Attributes:
        selection: which models.
        seeds: assignments of children to traders for which walk-forward is repeated; the first is the whole board.
        planted: also score orders whose law is known; without any path, only those.
        learning_curve: also forecast from ever more days and symbols.
        report: folder for the report in HTML and the table in Markdown.
    """

    selection: Selection = plan.ALL
    seeds: int = 1
    planted: bool = False
    learning_curve: bool = False
    report: Path | None = None


@dataclass
class _Run:
    """State of one run: where finished jobs are kept and what has been spent."""

    protocol: Protocol
    options: Options
    kept: Path
    progress: ProgressDisplay
    spent: list[Cost] = field(default_factory=list)
    reused: int = 0
    workers: int = field(default_factory=lambda: max(1, len(os.sched_getaffinity(0))))

    def fit(self, jobs: list[Job], rows: Rows, label: str) -> Iterator[Scored]:
        """Run the jobs that are not kept yet; give the scores of all."""
        before = _files(self.kept)
        for _ in self.progress.track(run_jobs(jobs, rows, self.protocol, self.kept, self.workers), label, len(jobs)):
            pass
        self.reused += len(jobs) - (_files(self.kept) - before)
        self.spent.extend(costs(jobs, rows, self.protocol, self.kept))
        return collect(jobs, rows, self.protocol, self.kept)


def _files(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.npz")) if folder.is_dir() else 0


def run(
    paths: Sequence[str | Path],
    out: Path,
    *,
    seed: int,
    as_json: bool,
    progress: ProgressDisplay,
    protocol: Protocol | None = None,
    options: Options = Options(),
) -> list[Result]:
    """Score every model, write results.json, print the scoreboard.

    Finished fits are kept in `<out>.partial` until the results are written, so an interrupted run resumes; rows are
    kept in `<out>.rows` for the next run.

    Args:
        seed: 0 is the protocol's own seed; any other is added to it.
        protocol: another protocol than the published one (tests use a smaller one).

    Raises:
        UsageError: nothing to score, no tape long enough, an unknown model.
        FootprintError: a skill or R2 beyond what can be had without look-ahead; the results are written all the same.
    """
    started = time.monotonic()
    check_writable(out)
    if not paths and not options.planted:
        raise UsageError("nothing to score, allowed: files or folders, --planted, or both")
    options.selection.check()
    protocol = protocol or Protocol()
    protocol = replace(protocol, seed=protocol.seed + seed)
    state = _Run(protocol, options, out.with_name(out.name + ".partial"), progress)
    figures: list[Result] = []
    tapes, rows_s = Tapes(()), 0.0
    if paths:
        with progress.step("audit"):
            verdicts = formats.audit(paths)
        store = RowStore(paths, verdicts, out.with_name(out.name + ".rows"))
        tapes = store.tapes(protocol, progress)
        rows_s = time.monotonic() - started
        figures += [*tapes.signing, *curve_scores(tapes.scored(protocol)), *score(state, tapes, store)]
    if options.planted:
        figures += score_planted(state)
    scored = tapes.scored(protocol) if paths else ()
    warning = alarm(figures)
    document = {
        "protocol": benchmark_document.describe(protocol, scored, tapes.left_out(protocol), options.selection, warning),
        "cost": benchmark_document.describe_cost(
            state.spent, time.monotonic() - started, rows_s, state.reused, state.workers
        ),
        "rows": benchmark_document.as_rows(figures, protocol, options.selection),
    }
    benchmark_document.write(document, out)
    shutil.rmtree(state.kept, ignore_errors=True)
    if options.report is not None:
        benchmark_report.write(document, options.report)
    if as_json:
        print(benchmark_document.as_text(document))
    else:
        print_scoreboard(figures, sorted({t.market for t in scored}), tapes.left_out(protocol))
    if warning:
        raise FootprintError(f"the run fails until explained: {warning}")
    return figures


def score(state: _Run, tapes: Tapes, store: RowStore) -> Iterator[Result]:
    """All splits and targets, in flight, under another mid rule, and over the seeds of the assignment."""
    protocol, wanted = state.protocol, state.options.selection
    chosen = tapes.scored(protocol)
    arrival, flying = (concatenate(parts) for parts in zip(*((t.arrival, t.in_flight) for t in chosen), strict=True))
    board: list[Result] = []
    for scored in state.fit(plan.arrival_jobs(arrival, protocol, wanted), arrival, "models at arrival"):
        board.extend(results(scored, protocol, detailed=scored.split == "walk_forward"))
    for scored in state.fit(plan.in_flight_jobs(flying, protocol, wanted), flying, "models in flight"):
        for fraction in protocol.in_flight_fractions:
            part = scored.take(scored.rows.stage == fraction)
            named = replace(part, split=f"in_flight_{100 * fraction:.0f}", information=in_flight(fraction))
            board.extend(results(named, protocol, detailed=False))
    yield from board
    yield from _other_mid(state, chosen, store.other_mid(protocol, state.progress))
    if state.options.learning_curve:
        for scored in state.fit(plan.learning_jobs(arrival, protocol, wanted), arrival, "learning curve"):
            yield from _headlines(scored, protocol)
    again = [r for k in range(1, state.options.seeds) for r in _another_seed(state, store, k)]
    yield from again
    yield from over_seeds([*board, *again])


def _other_mid(state: _Run, chosen: Sequence[TapeRows], other: Tapes) -> Iterator[Result]:
    """The forecasts again with a strictly past mid on the tapes whose own rule reads the print itself."""
    again = {t.name: t for t in other.all}
    if again:
        rows = concatenate([again.get(t.name, t).arrival for t in chosen])
        jobs = plan.other_mid_jobs(rows, state.protocol, state.options.selection)
        for scored in state.fit(jobs, rows, "models, other mid rule"):
            yield from results(scored, state.protocol, detailed=False)


def _another_seed(state: _Run, store: RowStore, number: int) -> Iterator[Result]:
    """Walk-forward on other synthetic orders of the same tapes."""
    protocol = replace(state.protocol, seed=state.protocol.seed + number)
    chosen = store.tapes(protocol, state.progress).scored(protocol)
    rows = concatenate([t.arrival for t in chosen])
    jobs = plan.seed_jobs(rows, protocol, number, state.options.selection)
    for scored in state.fit(jobs, rows, f"models, seed {number}"):
        yield from _headlines(scored, protocol)


def _headlines(scored: Scored, protocol: Protocol) -> Iterator[Result]:
    """Only the pooled figures."""
    return (r for r in results(scored, protocol, detailed=False) if r.data == "pool" and not r.slice)


def score_planted(state: _Run) -> Iterator[Result]:
    """Orders whose law, kernel and residual are known: regret of every forecast, and the law itself recovered."""
    board: list[Result] = []
    for number in range(state.options.seeds):
        rows, truth = planted_set(number, state.protocol)
        jobs = plan.planted_jobs(rows, truth, state.protocol, number, state.options.selection)
        for scored in state.fit(jobs, rows, f"planted set, seed {number}"):
            board.extend(results(scored, state.protocol, detailed=False))
        with state.progress.step(f"planted law, seed {number}"):
            board.extend(_law_errors(number))
    yield from board
    yield from over_seeds(board)


def _law_errors(seed: int) -> Iterator[Result]:
    found, nothing = recover(seed, LAW_ROWS), float("nan")
    errors = (
        ("exponent_error", found["exponent_fitted"] - found["exponent_true"], found["exponent_se"]),
        ("prefactor_error_percent", 100.0 * found["prefactor_error"], nothing),
        ("kernel_error", found["decay_fitted"] - found["decay_true"], found["decay_se"]),
        ("kernel_free_error", found["decay_free_fitted"] - found["decay_true"], found["decay_free_se"]),
    )
    for metric, error, se in errors:
        low, high = error - 1.96 * se, error + 1.96 * se
        yield Result("pool", "planted_law", "law", "law_fit", metric, error, low, high, LAW_ROWS, 0, seed=seed)


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
