"""From scores to the published table: skills, coverage, calibration, each with its interval, per pool, market and tape.

A result row says data, split, target, model, metric, value, low, high, n, blocks, slice. Skills compare a model with a
named reference on the same rows. `crps_skill` is the mean of the tapes' own skills, so that every tape counts the same;
`pooled_crps_skill` is the ratio of mean CRPS in bps, which the noisiest tapes decide; Brier skills are pooled.
Intervals are two-sided 95 %, from half-hour blocks common to a market.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from footprint.impact.evaluation.benchmark import Scored
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import (
    Bootstrap,
    Estimate,
    clusters,
    mean_estimate,
    pooled_skill_percent,
    skill_percent,
    tape_means,
)
from footprint.impact.rows import Rows

REFERENCES = ("square_root_constant", "square_root_diffusive", "square_root_spread")
PARAMETRIC = (*REFERENCES, "linear", "almgren_2005", "almgren_refit", "istar")
PIT_DRAWS = 500
SKILL_ALARM_PERCENT = 10.0


@dataclass(frozen=True, slots=True)
class Result:
    """One figure of the scoreboard."""

    data: str
    split: str
    target: str
    model: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    blocks: int
    slice: str = ""

    def as_dict(self) -> dict[str, object]:
        """For results.json; nan becomes None."""
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in asdict(self).items()}


def results(scored: Scored, protocol: Protocol) -> Iterator[Result]:
    """All figures of one split and target: the pool, then each market, then each tape."""
    rng = np.random.default_rng([protocol.seed, 1])
    code = clusters(scored.rows.market, scored.rows.start_ns, protocol.cluster_s)
    bootstrap = Bootstrap.draw(code, scored.rows.market, protocol.bootstrap_draws, rng)
    pool = np.ones(len(scored.rows), bool)
    yield from _group("pool", scored, pool, bootstrap)
    yield from _slices(scored, bootstrap, protocol)
    for name in np.unique(scored.rows.market):
        yield from _group(str(name), scored, scored.rows.market == name, bootstrap)
    for name in np.unique(scored.rows.tape):
        yield from _group(str(name), scored, scored.rows.tape == name, bootstrap)


def best_parametric(scored: Scored) -> str:
    """The parametric model with the smallest CRPS (in noise scales) on these very rows: the hardest reference."""
    scale, weights = scored.rows.scale_bps(scored.target), scored.rows.tape_weights()
    present = [m for m in PARAMETRIC if m in scored.scores]
    return min(present, key=lambda m: float(np.average(scored.score(m, "crps") / scale, weights=weights)))


def alarm(all_results: list[Result]) -> str | None:
    """Why the run must fail: arrival-time skill or R2 beyond what can be had without looking ahead."""
    for r in all_results:
        arrival = r.data == "pool" and r.target == "peak" and r.split in ("walk_forward", "strict_calendar")
        if not arrival or r.value <= SKILL_ALARM_PERCENT:
            continue
        if r.metric in ("crps_skill_vs_square_root_diffusive_percent", "r2_percent"):
            return f"{r.split} {r.model} {r.metric} is {r.value:.1f}: above {SKILL_ALARM_PERCENT:g} means look-ahead"
    return None


def _group(data: str, scored: Scored, mask: np.ndarray, bootstrap: Bootstrap) -> Iterator[Result]:
    part, resampled = scored.take(mask), bootstrap.take(mask)
    rows, weights = part.rows, part.rows.tape_weights()
    best = best_parametric(part)
    crps = {m: tape_means(part.score(m, "crps"), rows.tape, resampled) for m in part.scores}
    briers = {m: tape_means(part.score(m, "brier_10"), rows.tape, resampled) for m in part.scores}
    references = [(r, r) for r in REFERENCES if r in part.scores] + [("best_parametric", best)]
    for model in part.scores:

        def result(metric: str, estimate: Estimate, model: str = model, slice_name: str = "") -> Result:
            return Result(data, part.split, part.target, model, metric, **asdict(estimate), slice=slice_name)

        for label, reference in references:
            if model == reference:
                continue
            note = reference if label == "best_parametric" else ""
            ours, theirs = crps[model], crps[reference]
            yield result(f"crps_skill_vs_{label}_percent", skill_percent(ours, theirs), slice_name=note)
            yield result(f"pooled_crps_skill_vs_{label}_percent", pooled_skill_percent(ours, theirs), slice_name=note)
            brier = pooled_skill_percent(briers[model], briers[reference])
            yield result(f"brier_10bps_skill_vs_{label}_percent", brier, slice_name=note)
        for score, name in (
            ("crps", "crps_bps"),
            ("covered_80", "coverage_80_percent"),
            ("covered_90", "coverage_90_percent"),
            ("above_var95", "above_var95_percent"),
        ):
            scale = 1.0 if score == "crps" else 100.0
            yield result(name, mean_estimate(scale * part.score(model, score), weights, resampled))
        yield result("pit_distance", _pit(part, model, weights, resampled))
        yield from (result(name, e) for name, e in _point_scores(part, model, weights, resampled))


def _pit(part: Scored, model: str, weights: np.ndarray, bootstrap: Bootstrap) -> Estimate:
    """Kolmogorov-Smirnov distance of the weighted PIT from uniform, on a grid of the 99 levels."""
    pit = part.score(model, "pit")
    grid = np.arange(1, 100) / 100.0

    def distance(below: np.ndarray) -> np.ndarray:
        return np.abs(below - grid).max(axis=-1)

    cells = np.minimum((pit * 100).astype(np.int64), 99)
    table = np.zeros((bootstrap.times.shape[1], 100))
    np.add.at(table, (bootstrap.cluster, cells), weights)
    point = np.cumsum(table.sum(axis=0))[:-1] / weights.sum()
    replicates = np.cumsum(bootstrap.times[:PIT_DRAWS] @ table, axis=1)
    draws = distance(replicates[:, :-1] / replicates[:, -1:])
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Estimate(float(distance(point)), float(low), float(high), len(pit), bootstrap.blocks)


def _point_scores(
    part: Scored, model: str, weights: np.ndarray, bootstrap: Bootstrap
) -> Iterator[tuple[str, Estimate]]:
    error = part.score(model, "outcome") - part.score(model, "mean")
    centred = part.score(model, "outcome") - np.average(part.score(model, "outcome"), weights=weights)
    squared = mean_estimate(error**2, weights, bootstrap)
    value, low, high = (float(np.sqrt(v)) for v in (squared.value, squared.low, squared.high))
    yield "rmse_bps", Estimate(value, low, high, squared.n, squared.blocks)
    yield "mae_bps", mean_estimate(np.abs(error), weights, bootstrap)
    ratio = bootstrap.sums(error**2 * weights) / np.maximum(bootstrap.sums(centred**2 * weights), 1e-12)
    low, high = np.nanpercentile(100.0 * (1.0 - ratio), [2.5, 97.5])
    explained = 100.0 * (1.0 - np.average(error**2, weights=weights) / np.average(centred**2, weights=weights))
    yield "r2_percent", Estimate(float(explained), float(low), float(high), len(error), bootstrap.blocks)


def _slices(scored: Scored, bootstrap: Bootstrap, protocol: Protocol) -> Iterator[Result]:
    """Coverage of the 90 % band in every tape x size x volatility cell, in the nine pooled cells, and their summary."""
    rows = scored.rows
    size, volatility = within_tape_terciles(rows, rows.participation), within_tape_terciles(rows, rows.volatility)
    weights = rows.tape_weights()
    for model in scored.scores:
        inside = 100.0 * scored.score(model, "covered_90")

        def cell(mask: np.ndarray, name: str, data: str, model: str = model, inside: np.ndarray = inside) -> Result:
            estimate = mean_estimate(inside[mask], weights[mask], bootstrap.take(mask))
            return Result(
                data, scored.split, scored.target, model, "slice_coverage_90_percent", **asdict(estimate), slice=name
            )

        fine = []
        for s in range(3):
            for v in range(3):
                here = (size == s) & (volatility == v)
                name = f"size {s + 1} volatility {v + 1}"
                if here.sum() >= protocol.slice_min_rows:
                    yield cell(here, name, "pool")
                for tape in np.unique(rows.tape):
                    mask = here & (rows.tape == tape)
                    if mask.sum() >= protocol.slice_min_rows:
                        fine.append(cell(mask, name, str(tape)))
        yield from fine
        good = np.array([84.0 <= r.value <= 96.0 for r in fine])
        if len(good):
            share = 100.0 * good.mean()
            nothing = float("nan")
            yield Result(
                "pool",
                scored.split,
                scored.target,
                model,
                "slices_in_84_96_percent",
                share,
                nothing,
                nothing,
                len(good),
                bootstrap.blocks,
            )


def within_tape_terciles(rows: Rows, values: np.ndarray) -> np.ndarray:
    """0, 1 or 2 by the terciles of the row's own tape, shape (n,)."""
    out = np.zeros(len(rows), np.int64)
    for tape in np.unique(rows.tape):
        mine = rows.tape == tape
        out[mine] = np.searchsorted(np.quantile(values[mine], [1 / 3, 2 / 3]), values[mine], side="right")
    return out
