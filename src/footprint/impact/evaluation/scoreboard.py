"""From scores to the published table: skills, coverage, calibration, each with its interval, per pool, market and tape.

Skills compare a model with a named reference on the same rows. `crps_skill` is the mean of the tapes' own skills, so
that every tape counts the same; `pooled_crps_skill` is the ratio of mean CRPS in bps, which the noisiest tapes decide;
Brier skills are pooled. Intervals are two-sided 95 %, from blocks common to a market (`scoring.resampled_blocks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from footprint.impact.catalogue import PARAMETRIC
from footprint.impact.evaluation.benchmark import Scored
from footprint.impact.evaluation.job import PINBALLS, THRESHOLD_BPS
from footprint.impact.evaluation.line_up import REFERENCES, TRUTH
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.reliability import pit_shares, pit_test, reliability
from footprint.impact.evaluation.result import Result
from footprint.impact.evaluation.scoring import (
    Bootstrap,
    Estimate,
    TapeMeans,
    interval,
    mean_estimates,
    pooled_skill_percent,
    resampled_blocks,
    skill_percent,
    tape_means_of_many,
)
from footprint.impact.evaluation.significance import diebold_mariano
from footprint.impact.evaluation.slices import slice_results, within_tape

SKILL_ALARM_PERCENT = 10.0
LARGEST = "largest quarter of each tape"

# score, metric, factor; those in the second tuple are given for the pool only
_MEANS = (
    ("crps", "crps_bps", 1.0),
    ("covered_80", "coverage_80_percent", 100.0),
    ("covered_90", "coverage_90_percent", 100.0),
    ("above_var95", "above_var95_percent", 100.0),
)
_POOL_MEANS = (
    ("above_var99", "above_var99_percent", 100.0),
    ("interval_90", "interval_score_90_bps", 1.0),
    ("brier_10", "brier_10bps", 1.0),
    *((name, f"{name}_bps", 1.0) for name in PINBALLS),
)


def results(scored: Scored, protocol: Protocol, detailed: bool = True) -> Iterator[Result]:
    """All figures of one split and target: the pool, then its slices, then each market and each tape.

    Args:
        detailed: also the bins behind PIT and reliability plots, and coverage by tape x size x volatility.
    """
    rows = scored.rows
    rng = np.random.default_rng([protocol.seed, 1])
    code = resampled_blocks(rows.market, rows.start_ns, protocol.cluster_s, protocol.day_clusters_from)
    bootstrap = Bootstrap.draw(code, rows.market, protocol.bootstrap_draws, rng)
    yield from _skills("pool", scored, bootstrap)
    yield from _means("pool", scored, bootstrap, (*_MEANS, *_POOL_MEANS))
    yield from _point_scores(scored, bootstrap)
    yield from _pit("pool", scored, bootstrap)
    largest = within_tape(rows, rows.participation, (0.75,)) == 1
    yield from _skills("pool", scored.take(largest), bootstrap.take(largest), LARGEST)
    yield from slice_results(scored, bootstrap, protocol, by_tape=detailed)
    if detailed:
        yield from _bins(scored, bootstrap)
    for group, is_tape in ((rows.market, False), (rows.tape, True)):
        for name in np.unique(group):
            mine = group == name
            part, resampled = scored.take(mine), bootstrap.take(mine)
            skills = _skills(str(name), part, resampled)
            # of a single tape the two ways to weigh tapes are one, and its Brier skill is mostly noise
            yield from (r for r in skills if not is_tape or r.metric.startswith("crps"))
            yield from _means(str(name), part, resampled, _MEANS)
            yield from _pit(str(name), part, resampled)


def best_parametric(scored: Scored) -> str:
    """The parametric model with the smallest CRPS (in noise scales) on these very rows: the hardest reference."""
    scale, weights = scored.rows.scale_bps(scored.target), scored.rows.tape_weights()
    present = [m for m in PARAMETRIC if m in scored.scores]
    return min(present, key=lambda m: float(np.average(scored.score(m, "crps") / scale, weights=weights)))


def alarm(all_results: Sequence[Result]) -> str | None:
    """Why the run must fail: arrival-time skill or R2 beyond what can be had without looking ahead."""
    for r in all_results:
        arrival = r.data == "pool" and r.target == "peak" and r.split in ("walk_forward", "strict_calendar")
        if not arrival or r.slice or r.value <= SKILL_ALARM_PERCENT:
            continue
        if r.metric in ("crps_skill_vs_square_root_diffusive_percent", "r2_percent"):
            return f"{r.split} {r.model} {r.metric} is {r.value:.1f}: above {SKILL_ALARM_PERCENT:g} means look-ahead"
    return None


def _skills(data: str, scored: Scored, bootstrap: Bootstrap, slice: str = "") -> Iterator[Result]:
    """CRPS and Brier skills against every reference, and the test against the hardest."""
    tape, models = scored.rows.tape, list(scored.scores)
    crps, briers = (_by_tape(scored, score, bootstrap) for score in ("crps", "brier_10"))
    best = best_parametric(scored)
    named = [(name, name) for name in REFERENCES if name in scored.scores] + [("best_parametric", best)]
    for model in models:

        def result(metric: str, estimate: Estimate, reference: str, model: str = model) -> Result:
            return Result.of(data, scored, model, metric, estimate, slice, reference)

        for label, reference in named:
            if model == reference:
                continue
            ours, theirs = crps[model], crps[reference]
            yield result(f"crps_skill_vs_{label}_percent", skill_percent(ours, theirs), reference)
            yield result(f"pooled_crps_skill_vs_{label}_percent", pooled_skill_percent(ours, theirs), reference)
            brier = pooled_skill_percent(briers[model], briers[reference])
            yield result(f"brier_10bps_skill_vs_{label}_percent", brier, reference)
        if model != best:
            per_tape = dict(zip(np.unique(tape).tolist(), crps[best].point, strict=True))
            level = np.array([per_tape[t] for t in tape.tolist()])
            better = (scored.score(best, "crps") - scored.score(model, "crps")) / level * scored.rows.tape_weights()
            p, nothing = diebold_mariano(better, bootstrap.cluster), float("nan")
            estimate = Estimate(p, nothing, nothing, len(better), bootstrap.blocks)
            yield result("diebold_mariano_p_vs_best_parametric", estimate, best)
        if TRUTH in crps and model != TRUTH:
            skill = skill_percent(crps[model], crps[TRUTH])
            regret = Estimate(-skill.value, -skill.high, -skill.low, skill.n, skill.blocks)
            yield result("crps_regret_percent", regret, TRUTH)


def _by_tape(scored: Scored, score: str, bootstrap: Bootstrap) -> dict[str, TapeMeans]:
    losses = np.column_stack([scored.score(model, score) for model in scored.scores])
    return dict(zip(scored.scores, tape_means_of_many(losses, scored.rows.tape, bootstrap), strict=True))


def _means(
    data: str, scored: Scored, bootstrap: Bootstrap, wanted: tuple[tuple[str, str, float], ...]
) -> Iterator[Result]:
    scale, weights = scored.rows.scale_bps(scored.target), scored.rows.tape_weights()
    names = [*(metric for _, metric, _ in wanted), "crps_noise_scales"]
    for model in scored.scores:
        columns = [factor * scored.score(model, score) for score, _, factor in wanted]
        values = np.column_stack([*columns, scored.score(model, "crps") / scale])
        for name, estimate in zip(names, mean_estimates(values, weights, bootstrap), strict=True):
            yield Result.of(data, scored, model, name, estimate)


def _pit(data: str, scored: Scored, bootstrap: Bootstrap) -> Iterator[Result]:
    weights, nothing = scored.rows.tape_weights(), float("nan")
    for model in scored.scores:
        test = pit_test(scored.score(model, "pit"), weights, bootstrap)
        p = Estimate(test.p, nothing, nothing, test.distance.n, test.distance.blocks)
        yield Result.of(data, scored, model, "pit_distance", test.distance)
        yield Result.of(data, scored, model, "pit_block_p", p)


def _bins(scored: Scored, bootstrap: Bootstrap) -> Iterator[Result]:
    weights = scored.rows.tape_weights()
    for model in scored.scores:
        for name, share in pit_shares(scored.score(model, "pit"), weights, bootstrap):
            yield Result.of("pool", scored, model, "pit_share_percent", share, name)
        happened = (scored.score(model, "outcome") > THRESHOLD_BPS).astype(np.float64)
        for part in reliability(scored.score(model, "prob_10"), happened, weights, bootstrap):
            yield Result.of("pool", scored, model, "predicted_above_10bps_percent", part.predicted, part.name)
            yield Result.of("pool", scored, model, "observed_above_10bps_percent", part.observed, part.name)


def _point_scores(scored: Scored, bootstrap: Bootstrap) -> Iterator[Result]:
    """Errors of the mean: RMSE, MAE, R2."""
    weights = scored.rows.tape_weights()
    for model in scored.scores:
        outcome = scored.score(model, "outcome")
        error = outcome - scored.score(model, "mean")
        centred = outcome - np.average(outcome, weights=weights)
        values = np.column_stack([error**2, np.abs(error)])
        squared, absolute = mean_estimates(values, weights, bootstrap)
        value, low, high = (float(np.sqrt(v)) for v in (squared.value, squared.low, squared.high))
        rmse = Estimate(value, low, high, squared.n, squared.blocks)
        sums = bootstrap.sums(np.column_stack([error**2, centred**2]) * weights[:, None])
        lowest, highest = interval(100.0 * (1.0 - sums[:, 0] / np.maximum(sums[:, 1], 1e-12)))
        explained = 100.0 * (1.0 - np.average(error**2, weights=weights) / np.average(centred**2, weights=weights))
        r2 = Estimate(float(explained), float(lowest), float(highest), squared.n, squared.blocks)
        for metric, estimate in (("rmse_bps", rmse), ("mae_bps", absolute), ("r2_percent", r2)):
            yield Result.of("pool", scored, model, metric, estimate)
