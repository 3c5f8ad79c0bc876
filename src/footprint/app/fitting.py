"""`footprint fit` as a service: tapes -> metaorders and features -> fitted, scored, stored models.

Finished fits, scores and trials are kept in `<output>.partial` until the output is written, so that an interrupted run
resumes where it stopped.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from footprint import __version__
from footprint.adapters.joblib_executor import JoblibExecutor
from footprint.app.files import replacing_folder
from footprint.app.kept_fits import KeptFits
from footprint.app.models import open_store
from footprint.app.progress import ProgressDisplay
from footprint.app.tuning import open_tuner, settings_of, tune_fits
from footprint.data import formats
from footprint.data.verdict import counted
from footprint.errors import ModelError, UsageError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact import rows as rows_module
from footprint.impact.cost import Cost, Measured
from footprint.impact.evaluation.fingerprint import rows_digest
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.executor import SERIAL, Executor
from footprint.impact.fits import KNOWN, UNSEEN, Fit, fits_of, forecaster_of, last_part
from footprint.impact.forecaster import Forecaster, fit_baseline
from footprint.impact.linear_mean import MIN_ROWS
from footprint.impact.registry.folder import RUN_FILES, write_run
from footprint.impact.registry.run import Check, Run, Score, Tuned, run_id
from footprint.impact.rows import TARGETS, concatenate
from footprint.impact.training import TapeRows, tape_rows
from footprint.impact.tuning import Tuner
from footprint.units import NS_PER_SECOND

_LIBRARIES = ("numpy", "scipy", "numba", "lightgbm")


def run(
    paths: Sequence[str | Path],
    out: Path | None,
    *,
    seed: int,
    as_json: bool,
    progress: ProgressDisplay,
    store: Path | None = None,
    trials: int = 0,
    protocol: Protocol | None = None,
) -> Forecaster:
    """Fit on every tape of the files, score on the last part of each, and store the result.

    Args:
        out: folder for the model with its record and card.
        store: model store in which the run is saved too, or instead.
        trials: settings of the hyper-parameters that are tried for every target; 0 tries none.
        protocol: another protocol than the published one (tests use a smaller one).

    Raises:
        ModelError: too few orders with a known spread, volatility and volume.
        UsageError: nowhere to write, or a library that tuning or the store needs is not installed.
    """
    protocol = protocol or Protocol()
    protocol = replace(protocol, seed=protocol.seed + seed)
    place = out or store
    if place is None:
        raise UsageError("nowhere to write, allowed: --out DIR, --store STORE, or both")
    kept = place.resolve().with_name(place.resolve().name + ".partial")
    with ExitStack() as opened:
        folder = opened.enter_context(replacing_folder(out, RUN_FILES)) if out else None
        models = open_store(store) if store else None
        tuner = open_tuner(kept, protocol.seed) if trials else None
        tapes, reading = Measured(partial(read_tapes, protocol=protocol, progress=progress))(paths)
        found = _search(tapes, protocol, tuner, trials, progress) if tuner else ()
        forecaster, record = _fit_and_score(tapes, protocol, kept, found, reading, progress)
        if folder:
            write_run(forecaster, record, folder)
        if models:
            models.save(forecaster, record)
    shutil.rmtree(kept, ignore_errors=True)
    _print(forecaster, record, out, store, as_json)
    return forecaster


def read_tapes(paths: Sequence[str | Path], protocol: Protocol, progress: ProgressDisplay) -> list[TapeRows]:
    """Rows of every tape that gave orders, tapes by market and name: the order of the files does not matter.

    Raises:
        ModelError: too few orders.
    """
    with progress.step("audit"):
        verdicts = formats.audit(paths)
    sessions = progress.track(formats.sessions(paths, verdicts=verdicts), "reading sessions")
    return usable(list(tape_rows(sessions, protocol)))


def usable(tapes: Sequence[TapeRows]) -> list[TapeRows]:
    """Tapes with orders, by market and name.

    Raises:
        ModelError: fewer orders than a fit needs.
    """
    found = sorted((t for t in tapes if len(t.arrival) and len(t.in_flight)), key=lambda t: (t.market, t.name))
    orders = sum(int(np.isfinite(t.arrival.outcomes).all(axis=1).sum()) for t in found)
    if orders < MIN_ROWS:
        raise ModelError(f"the tapes hold {orders} orders to learn from, allowed: at least {MIN_ROWS} (quotes needed)")
    return found


def fit(tapes: Sequence[TapeRows], protocol: Protocol, progress: ProgressDisplay) -> Forecaster:
    """Fit on the tapes that gave orders, without scores and search; today is the calibration date.

    Raises:
        ModelError: too few orders.
    """
    found = usable(tapes)
    base = _base(found, protocol)
    fits = fits_of(found, {})
    with TemporaryDirectory() as folder:
        kept = KeptFits(Path(folder), base, protocol)
        _run(kept, fits, (), progress)
        return forecaster_of(base, fits, [kept.model(one)[0] for one in fits])


def _search(
    tapes: Sequence[TapeRows], protocol: Protocol, tuner: Tuner, trials: int, progress: ProgressDisplay
) -> tuple[Tuned, ...]:
    return tune_fits(fits_of(tapes, {}), tuner, trials, protocol.seed, _executor(), progress)


def _fit_and_score(
    tapes: Sequence[TapeRows],
    protocol: Protocol,
    kept_in: Path,
    found: tuple[Tuned, ...],
    reading: Cost,
    progress: ProgressDisplay,
) -> tuple[Forecaster, Run]:
    base, fits = _base(tapes, protocol), fits_of(tapes, settings_of(found))
    scored = [one for one in fits if one.kind != UNSEEN]
    kept = KeptFits(kept_in, base, protocol)
    _run(kept, fits, scored, progress)
    models, scores = [kept.model(one) for one in fits], [kept.scores(one) for one in scored]
    costs = {"reading": reading}
    costs |= {f"tuning {t.kind} {t.target}": t.cost for t in found}
    costs |= {f"fit {one.name}": cost for one, (_, cost) in zip(fits, models, strict=True)}
    costs |= {f"scores {one.name}": cost for one, (*_, cost) in zip(scored, scores, strict=True)}
    forecaster = forecaster_of(base, fits, [model for model, _ in models])
    figures = tuple(score for some, *_ in scores for score in some)
    checks = tuple(check for _, some, _ in scores for check in some)
    return forecaster, _record(forecaster, fits, tapes, protocol, found, figures, checks, costs)


def _run(kept: KeptFits, fits: Sequence[Fit], scored: Sequence[Fit], progress: ProgressDisplay) -> None:
    steps = kept.run(fits, scored, _executor())
    for _ in progress.track(steps, "fitting models", len(fits) + len(scored)):
        pass


def _executor() -> Executor:
    workers = len(os.sched_getaffinity(0))
    return JoblibExecutor(workers) if workers > 1 else SERIAL


def _base(tapes: Sequence[TapeRows], protocol: Protocol) -> Forecaster:
    return fit_baseline(tapes, datetime.now(UTC).date().isoformat(), __version__, protocol.seed)


def _record(
    forecaster: Forecaster,
    fits: Sequence[Fit],
    tapes: Sequence[TapeRows],
    protocol: Protocol,
    found: tuple[Tuned, ...],
    scores: tuple[Score, ...],
    checks: tuple[Check, ...],
    costs: Mapping[str, Cost],
) -> Run:
    rows = concatenate([getattr(t, name) for name in ("arrival", "in_flight") for t in tapes])
    data, made_ns = rows_digest(rows), time.time_ns()
    parameters = {"protocol": protocol.as_dict(), "models": {f.name: repr(f.model) for f in fits}}
    last = last_part(rows)
    return Run(
        run_id=run_id(made_ns, data, parameters),
        made_ns=made_ns,
        targets=TARGETS,
        data_sha256=data,
        card=asdict(forecaster.card),
        parameters=parameters,
        tuned=found,
        scores=scores,
        scored_on=f"walk-forward part {last} of every tape by models fitted on the parts before it; unseen symbols are "
        "scored by `footprint benchmark impact` only"
        if scores
        else f"part {last} of the tapes, or those before it, hold too few orders",
        costs=dict(costs),
        versions={
            "footprint": __version__,
            "features": FEATURE_VERSION,
            "rows": rows_module.VERSION,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        checks=checks,
    )


def _print(forecaster: Forecaster, record: Run, out: Path | None, store: Path | None, as_json: bool) -> None:
    card = forecaster.card
    if as_json:
        places = {"model": out and str(out), "store": store and str(store), "run_id": record.run_id}
        print(json.dumps({**places, **asdict(card)}))
        return
    first, last = (
        datetime.fromtimestamp(ns / NS_PER_SECOND, UTC).date() for ns in (card.training_start_ns, card.training_end_ns)
    )
    where = " and ".join([*([str(out)] if out else []), *([f"{store} as run {record.run_id}"] if store else [])])
    print(f"stored {card.model_id} {card.model_version} in {where}, calibrated on {card.calibrated_on}")
    symbols = counted(len(card.symbols), "symbols")
    print(f"training: {card.orders} orders of {symbols}, {first} to {last}, {card.feature_version}")
    for symbol, (sessions, orders) in sorted(card.symbols.items()):
        print(f"  {symbol}: {orders} orders of {counted(sessions, 'sessions')}")
    for score in record.scores:
        if score.metric == "crps_skill_percent" and score.kind == KNOWN:
            interval = f"{score.low:.1f} to {score.high:.1f}"
            print(f"  {score.target}: CRPS skill {score.value:.1f} % ({interval}) against {score.against}, last part")
