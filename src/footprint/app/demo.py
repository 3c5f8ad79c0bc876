"""`footprint demo`: the main job end to end on a synthetic tape whose impact law is planted and therefore known."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from footprint import __version__
from footprint.app import benchmarking, fitting, plots
from footprint.app.files import replacing_folder
from footprint.app.forecast_report import LIMITS, forecast_sections, forecast_table
from footprint.app.forecasting import forecast_styles, print_records
from footprint.app.history import History, read_history
from footprint.app.progress import ProgressDisplay
from footprint.app.report import Section, Table, write_report
from footprint.data import formats
from footprint.data.children import ChildTape
from footprint.data.metaorders import Metaorders, collect_runs
from footprint.data.planted import PlantedLaw, draw_law
from footprint.data.planted_rows import planted_rows
from footprint.data.prepare import prepare
from footprint.data.readers.lean_writer import write_lean
from footprint.data.session import Session
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.benchmark import Job, Scored, collect, run_jobs
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoreboard import Result, results
from footprint.impact.evaluation.scoring import Estimate
from footprint.impact.evaluation.splits import walk_forward
from footprint.impact.forecaster import Forecaster
from footprint.impact.laws.binned_law import fit_binned_law
from footprint.impact.laws.law import LawFit, fit_law
from footprint.impact.laws.tape_law import law_sample
from footprint.impact.record import ForecastRecord
from footprint.impact.rows import Rows
from footprint.impact.store import save
from footprint.impact.training import tape_rows
from footprint.market.orders import ParentOrder, Progress
from footprint.units import BPS, BUY, NS_PER_HOUR, NS_PER_SECOND

SESSIONS = 6
ROWS_PER_CELL = 150  # fewer than the benchmark's: the demo shall take about a minute
QUANTITY = 100_000.0
HORIZON_S = 1_800.0
LAW_ROWS = 100_000
TARGETS = ("peak", "shortfall")
REPORT = "report.html"
OWN = (REPORT, "results.json", "tape", "model")
_STAGES = (0.0, 0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class LawCheck:
    """The planted law, what the true parents give, and what the blind procedure makes of the demo's own tape."""

    planted: PlantedLaw
    fitted: LawFit
    bins: tuple[np.ndarray, np.ndarray, np.ndarray]
    blind: LawFit


def run(out: Path, *, seed: int, progress: ProgressDisplay) -> Path:
    """Run everything and write the tape, the model, the scores and the report into `out`; returns the report."""
    out.parent.mkdir(parents=True, exist_ok=True)
    protocol = replace(Protocol(), seed=Protocol().seed + seed, rows_per_cell=ROWS_PER_CELL)
    rng = np.random.default_rng(seed)
    law = draw_law(rng)
    with replacing_folder(out, OWN) as folder:
        with progress.step("planting the tape"):
            planted = list(planted_sessions(law, SESSIONS, rng))
            paths = [path for session in planted for path in write_lean(session, folder / "tape")]
        verdicts = formats.audit([folder / "tape"])
        sessions = list(progress.track(formats.sessions(paths, verdicts=verdicts), "books, features", SESSIONS))
        tape = next(iter(tape_rows(sessions, protocol)))
        check = _check_law(law, sessions, np.random.default_rng([seed, 1]), progress)
        forecaster = fitting.fit([tape], protocol, progress)
        (folder / "model").mkdir()
        save(forecaster, folder / "model")
        jobs = [benchmarking.arrival_job(t, target) for t in walk_forward(tape.arrival, protocol) for target in TARGETS]
        scored = _score(jobs, tape.arrival, protocol, folder / "scores.partial", progress)
        figures = [r for s in scored for r in results(s, protocol)]
        (folder / "results.json").write_text(json.dumps([r.as_dict() for r in figures], indent=1))
        records, history = _forecast(forecaster, sessions, protocol)
        flight = _fly(forecaster, planted[-1], sessions, protocol, progress)
        audit_rows = [(v.path.name, v.source, v.verdict.value, "; ".join(f.code for f in v.findings)) for v in verdicts]
        sections = [
            _headline(records, check, figures),
            Section("Audit", (), Table(("file", "format", "verdict", "findings"), audit_rows)),
            _law_section(check),
            _score_section(scored, figures),
            *forecast_sections(records, history)[:-1],
            flight,
            Section("Limits", LIMITS),
        ]
        write_report(folder / REPORT, "Footprint: a block on a planted market", sections, f"seed {seed}, {__version__}")
    _print(out, records, check, figures, law)
    return out / REPORT


def _check_law(
    law: PlantedLaw, sessions: Sequence[Session], rng: np.random.Generator, progress: ProgressDisplay
) -> LawCheck:
    with progress.step("planted law"):
        rows = planted_rows(law, LAW_ROWS, rng)
        fitted = fit_law(rows.participation, rows.peak, rows.duration, rows.day)
        binned = fit_binned_law(rows.participation, rows.peak, rows.day, rng)
        blind = law_sample([prepare(s).tape for s in sessions], 20, rng)
        blind_fit = fit_binned_law(blind.participation, blind.impact, blind.cluster, rng).law
    scale = law.volatility * BPS
    return LawCheck(law, fitted, (binned.participation, binned.impact * scale, binned.impact_se * scale), blind_fit)


def _score(jobs: Sequence[Job], rows: Rows, protocol: Protocol, kept: Path, progress: ProgressDisplay) -> list[Scored]:
    workers = len(os.sched_getaffinity(0))
    for _ in progress.track(run_jobs(jobs, rows, protocol, kept, workers), "walk-forward scores", len(jobs)):
        pass
    scored = list(collect(jobs, rows, protocol, kept))
    shutil.rmtree(kept)
    return scored


def _forecast(
    forecaster: Forecaster, sessions: Sequence[Session], protocol: Protocol
) -> tuple[list[ForecastRecord], History]:
    """A buy of 100,000 units two hours before the last close."""
    history = read_history(sessions, sessions[-1].close_ns - 2 * NS_PER_HOUR, protocol, with_rows=False)
    as_of_ns = history.market.as_of_ns
    order = ParentOrder(f"DEMO-{as_of_ns}", history.instrument.symbol, BUY, QUANTITY, as_of_ns)
    return forecast_styles(forecaster, history, order, HORIZON_S, (10.0,)), history


def _fly(
    forecaster: Forecaster, planted: Session, sessions: Sequence[Session], protocol: Protocol, progress: ProgressDisplay
) -> Section:
    """Forecast one true parent of the last day again at each quarter of its life."""
    tape, parents = _true_parents(planted)
    index = int(np.argmin(np.abs(parents.quantity - QUANTITY / 2)))
    children = parents.members[parents.member_start[index] : parents.member_start[index] + parents.children[index]]
    side, quantity = int(parents.sign[index]), float(parents.quantity[index])
    # the planted session counts its day in UTC, the files in New York time
    delay_ns = sessions[-1].open_ns - planted.open_ns
    arrival_ns = int(tape.time_ns[children[0]]) + delay_ns
    duration_s = float(parents.end_ns[index] - parents.start_ns[index]) / NS_PER_SECOND
    order = ParentOrder("DEMO-FLIGHT", sessions[-1].instrument.symbol, side, quantity, arrival_ns)
    fans, costs = [], []
    for stage in progress.track(_STAGES, "order in flight"):
        done = children[: round(stage * len(children))]
        now_ns = arrival_ns if not len(done) else int(tape.time_ns[children[len(done)]]) + delay_ns
        history = read_history(sessions, now_ns, protocol, with_rows=False)
        state = _progress(tape, done, history.market.mid, (now_ns - arrival_ns) / NS_PER_SECOND)
        remaining_s = max(duration_s * (1.0 - stage), 5.0)
        record = forecast_styles(forecaster, history, order, remaining_s, (10.0,), state)[1]
        if record.slippage_quantiles_bps is not None:
            fans.append(np.array(record.slippage_quantiles_bps))
            costs.append((stage, 0.0 if state is None else _cost_bps(side, state)))
    final = float(parents.shortfall_bps[index])
    text = (
        f"A true parent of the last day ({'buy' if side > 0 else 'sell'} {quantity:,.0f} in {duration_s / 60:.0f} "
        f"minutes), forecast again at each quarter of its children, balanced style. It really cost {final:.1f} bps."
    )
    stages, realised = (np.array(column) for column in zip(*costs, strict=True))
    return Section(
        "The forecast while the order works", (text,), None, [plots.in_flight(stages, np.array(fans), realised)]
    )


def _true_parents(session: Session) -> tuple[ChildTape, Metaorders]:
    """The planted parents of a session with at least eight children, as metaorders."""
    tape = prepare(session).tape
    parent = session.events["order_id"][tape.event_index].astype(np.int64) - 1
    return tape, collect_runs(tape, parent, min_children=8)


def _progress(tape: ChildTape, done: np.ndarray, mid: float, elapsed_s: float) -> Progress | None:
    if not len(done):
        return None
    quantity = tape.quantity[done]
    average = float(np.average(tape.price[done], weights=quantity))
    return Progress(float(quantity.sum()), average, float(tape.mid_before[done[0]]), mid, elapsed_s)


def _cost_bps(side: int, state: Progress) -> float:
    return side * (state.average_price - state.arrival_mid) / state.arrival_mid * BPS


def _headline(records: Sequence[ForecastRecord], check: LawCheck, figures: Sequence[Result]) -> Section:
    skill = _find(figures, "shortfall", "crps_skill_vs_square_root_constant_percent")
    coverage = _find(figures, "shortfall", "coverage_90_percent")
    text = (
        f"The planted exponent is {check.planted.exponent:.3f}; the true parents give {check.fitted.exponent:.3f}.",
        f"Out of sample the shortfall forecast beats the textbook square root by {skill.value:.1f} % of CRPS "
        f"[{skill.low:.1f}, {skill.high:.1f}], and its 90 % band covers {coverage.value:.1f} %.",
        "The market is synthetic: prices diffuse, and planted parent orders push them by a known law.",
        "The order is larger than any that can be rebuilt from this tape, so only the square root answers and the "
        "confidence is low. Rebuilt orders are pieces of longer planted ones: the price goes on after their end, the "
        "permanent part exceeds the cost, and the temporary part, which is the rest, is negative.",
    )
    return Section("In short", text, forecast_table(records))


def _law_section(check: LawCheck) -> Section:
    planted, fitted, scale = check.planted, check.fitted, check.planted.volatility * BPS
    grid = np.geomspace(check.bins[0].min(), check.bins[0].max(), 50)
    figure = plots.planted_and_fitted(
        grid, planted.impact(grid * planted.day_volume) * BPS, fitted.impact(grid) * scale, check.bins
    )
    rows = [
        ("exponent", planted.exponent, fitted.exponent, fitted.exponent_se, check.blind.exponent),
        (
            "prefactor, day volatilities",
            planted.prefactor,
            fitted.prefactor,
            fitted.prefactor_se,
            check.blind.prefactor,
        ),
    ]
    text = (
        f"{fitted.rows:,} true metaorders of a long tape under the same law; noise is at least three times the mean "
        "impact. The last column is what the blind procedure metaorders-1 makes of the six demo days: it mixes parents "
        "and background and scales by each day's own range, so it need not find the planted numbers."
    )
    return Section(
        "The planted law", (text,), Table(("", "planted", "fitted", "s.e.", "metaorders-1"), rows, 3), [figure]
    )


def _score_section(scored: Sequence[Scored], figures: Sequence[Result]) -> Section:
    wanted = [f for f in figures if f.data == "pool" and f.metric == "crps_skill_vs_square_root_diffusive_percent"]
    bars = [
        plots.skill_bars(
            [f.model for f in wanted if f.target == target],
            [_fraction(f) for f in wanted if f.target == target],
            f"{target}: CRPS skill against the diffusive square root, walk-forward",
        )
        for target in TARGETS
    ]
    slices = [
        f
        for f in figures
        if f.metric == "slice_coverage_90_percent"
        and f.model == "stack"
        and f.target == "shortfall"
        and f.data == "pool"
    ]
    coverage = plots.coverage_by_slice([f.slice for f in slices], [_fraction(f) for f in slices])
    pit = plots.pit_histogram(next(s for s in scored if s.target == "shortfall").score("stack", "pit"))
    text = "Every model sees only earlier parts of the tape; intervals are 95 %, from half-hour blocks."
    return Section("Scores out of sample", (text,), None, [*bars, coverage, pit])


def _fraction(figure: Result) -> Estimate:
    return Estimate(figure.value / 100.0, figure.low / 100.0, figure.high / 100.0, figure.n, figure.blocks)


def _find(figures: Sequence[Result], target: str, metric: str) -> Result:
    return next(f for f in figures if (f.data, f.model, f.target, f.metric) == ("pool", "stack", target, metric))


def _print(
    out: Path, records: Sequence[ForecastRecord], check: LawCheck, figures: Sequence[Result], law: PlantedLaw
) -> None:
    print_records(records)
    skill = _find(figures, "shortfall", "crps_skill_vs_square_root_constant_percent")
    coverage = _find(figures, "shortfall", "coverage_90_percent")
    print(f"planted exponent {law.exponent:.3f}, fitted on the true parents {check.fitted.exponent:.3f}")
    print(
        f"shortfall, walk-forward: {skill.value:.1f} % [{skill.low:.1f}, {skill.high:.1f}] better than the textbook "
        f"square root, 90 % band covers {coverage.value:.1f} %"
    )
    print(f"report: {out / REPORT}")
    print(f"the tape stays in {out / 'tape'}: try  footprint audit {out / 'tape'}")
