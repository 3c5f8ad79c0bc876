"""The contract of a model store, as a check that anyone can run on an engine of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from footprint.data import metaorders
from footprint.errors import FootprintError, UsageError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact.cost import Cost
from footprint.impact.forecaster import BASELINE_ID, Forecaster, ModelCard
from footprint.impact.interface import FittedImpact
from footprint.impact.registry.interface import Log, ModelStore, Promotion, promotion, rollback
from footprint.impact.registry.run import ALL_TARGETS, Check, Run, Score, Tuned
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.rows import VERSION as ROWS_VERSION
from footprint.impact.square_root import SquareRoot
from footprint.testing.random_rows import random_rows
from footprint.units import NS_PER_SECOND

_ROWS = 200
_NOW_NS = 1_767_225_600 * NS_PER_SECOND  # 2026-01-01


def check_model_store(open_store: Callable[[], ModelStore], seed: int = 1) -> None:
    """Check that an engine is a model store: the same models and records back, one champion, an append-only record.

    Args:
        open_store: opens one and the same store, empty at the first call.
        seed: of the rows that the check fits its models on.

    Raises:
        AssertionError: the contract is broken; the text says which part.
    """
    rows = random_rows(np.random.default_rng(seed), _ROWS)
    models = [sample_forecaster(rows, number) for number in range(4)]
    *runs, last = (sample_run(forecaster) for forecaster in models)
    part = replace(last, targets=("peak",))
    store = open_store()
    _require(store.log() == Log((), ()), "a new store must be empty")
    _refuses(lambda: store.load("nothing"), "an unknown run must raise UsageError")
    for forecaster, run in zip(models, (*runs, part), strict=True):
        store.save(forecaster, run)
    _check_runs(open_store, models, (*runs, part), rows)
    _check_promotions(open_store, [run.run_id for run in runs], part.run_id)


def sample_run(forecaster: Forecaster) -> Run:
    """The record of a run with something of everything in it; the seed of the model's card numbers it."""
    number = forecaster.card.seed
    cost = Cost(1.5, 1.25, 1_000_000)
    score = Score("known", "peak", "crps_skill_percent", "square_root", "", 2.5, math.nan, 4.0, 100, 10)
    found = Tuned("known", "peak", "boosted_quantiles", 6, {"leaves": 4.0}, 0.59, 0.6, 10, cost)
    return Run(
        run_id=f"20260101T00000{number}-0000000{number}",
        made_ns=_NOW_NS + number * NS_PER_SECOND,
        targets=TARGETS,
        data_sha256=f"{number:064x}",
        card=asdict(forecaster.card),
        parameters={"seed": number, "protocol": {"parts": 6}, "text": 'é | "quoted"'},
        tuned=(found,),
        scores=(score, replace(score, metric="coverage_90_percent", against="", slice="size 1", value=89.0, low=80.0)),
        scored_on="walk-forward part 6",
        costs={"rows": cost, "known peak": cost},
        versions={"footprint": "1"},
        checks=(Check("known", "peak", "sd, bps", 9.0, 8.0, 9.5, math.nan, 0.75),),
    )


def sample_forecaster(rows: Rows, seed: int) -> Forecaster:
    """A small fitted forecaster whose card names `seed`."""
    fitted: dict[str, FittedImpact] = {"peak": SquareRoot(half_spread=seed % 2 == 1).fit(rows, "peak")}
    card = ModelCard(
        model_id=BASELINE_ID,
        model_version="1",
        calibrated_on="2026-01-01",
        training_start_ns=int(rows.start_ns.min()),
        training_end_ns=int(rows.end_ns.max()),
        feature_version=FEATURE_VERSION,
        rows_version=ROWS_VERSION,
        metaorders_version=metaorders.VERSION,
        seed=seed,
        orders=len(rows),
        symbols={"AAA": (6, 100), "BBB": (6, 100)},
        participation_range=(1e-5, 0.05),
        horizon_range_s=(5.0, 3600.0),
        children_range=(3.0, 100.0),
    )
    return Forecaster(card, fitted, {}, {}, outside=fitted)


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def _refuses(call: Callable[[], object], text: str) -> None:
    try:
        call()
    except UsageError:
        return
    except FootprintError as error:
        raise AssertionError(f"{text}, not {type(error).__name__}") from error
    raise AssertionError(text)


def _check_runs(
    open_store: Callable[[], ModelStore], models: list[Forecaster], runs: tuple[Run, ...], rows: Rows
) -> None:
    store = open_store()
    log = store.log()
    # the texts are compared: nan, which they write as null, is equal to nothing
    _require([r.as_json() for r in log.runs] == [r.as_json() for r in runs], "runs must come back as saved, by time")
    _require(log.promotions == (), "saving must promote nothing")
    _require(log.scopes() == (ALL_TARGETS, "peak"), "scopes must follow the targets")
    for forecaster, run in zip(models, runs, strict=True):
        found = store.load(run.run_id)
        _require(found.card == forecaster.card, "a model must come back with its card")
        same = np.array_equal(found.known["peak"].quantiles(rows), forecaster.known["peak"].quantiles(rows))
        _require(same, "a model must come back with the same bits")
        _require(log.run(run.run_id[:-4]).run_id == run.run_id, "a run must be found by the beginning of its id")
    _refuses(lambda: log.run(runs[0].run_id[:8]), "the beginning of several ids must raise UsageError")
    _refuses(lambda: store.save(models[0], runs[0]), "a second run of the same id must raise UsageError")


def _check_promotions(open_store: Callable[[], ModelStore], ids: list[str], other: str) -> None:
    def promote(run_id: str, at_ns: int) -> Promotion:
        line = promotion(open_store().log(), run_id, "ann", "better | sharper", at_ns)
        open_store().promote(line)
        return line

    def back(at_ns: int) -> Promotion:
        line = rollback(open_store().log(), ALL_TARGETS, "bob", "drift", at_ns)
        open_store().promote(line)
        return line

    _refuses(lambda: promote("nothing", 1), "promoting an unknown run must raise UsageError")
    _refuses(lambda: back(1), "a rollback without a champion must raise UsageError")
    lines = [promote(ids[0], 1)]
    _refuses(lambda: promote(ids[0], 2), "promoting the champion must raise UsageError")
    _refuses(lambda: back(2), "a rollback without an earlier champion must raise UsageError")
    lines += [promote(ids[1], 3), promote(ids[2], 4)]
    stale = promotion(Log(open_store().log().runs, tuple(lines[:2])), ids[0], "eve", "too late", 5)
    _refuses(lambda: open_store().promote(stale), "a promotion whose number is taken must raise UsageError")
    lines += [back(6), back(7)]
    _refuses(lambda: back(8), "a rollback beyond the first champion must raise UsageError")
    lines += [promote(ids[2], 9)]
    apart = promote(other, 10)
    log = open_store().log()
    _require(log.record(ALL_TARGETS) == tuple(lines), "the record must hold every line as it was made, in order")
    _require(log.record("peak") == (apart,), "every scope must have a record of its own")
    expected = [ids[0], ids[1], ids[2], ids[1], ids[0], ids[2]]
    _require([line.after for line in lines] == expected, "rollbacks must take promotions back, the last one first")
    _require([line.before for line in lines] == [None, *expected[:-1]], "a line must name the champion before it")
    _require(log.champion(ALL_TARGETS) == ids[2], "the champion must be what the last line says")
    _require(log.challengers(ALL_TARGETS) == (), "challengers are the runs after the champion")
    _refuses(lambda: promotion(log, ids[1], " ", "why", 11), "a promotion without a name must raise UsageError")
