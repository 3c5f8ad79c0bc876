"""What tuning everything costs, and whether the feature table's check sees every planted look-ahead.

Full tuning is `footprint fit --tune 40` on the twelve development tapes: a search for every member with trees, of every
target, at arrival and in flight, on parts 1-5. It takes hours, so it is estimated: a few trials of every search are run
on two of the tapes, and their CPU time is scaled by the rows that a trial fits. Small tables cost more a row than large
ones, so this errs high.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from footprint.adapters.optuna_tuning import OptunaTuner
from footprint.data import formats
from footprint.errors import FootprintError
from footprint.features.feature_table import ENTITY, EVENT_NS, KNOWN_NS, FeatureSet, MemoryFeatureTable
from footprint.features.point_in_time import LookAhead, Recompute, check_point_in_time
from footprint.features.vector import VERSION, FeatureVector
from footprint.impact.cost import Measured
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.fits import UNSEEN, Fit, fits_of, last_part
from footprint.impact.interface import ImpactModel
from footprint.impact.training import tape_rows
from footprint.impact.tuning import Search, Trial, loss, tunable
from footprint.market.events import event_time_ns
from footprint.testing.random_stream import CLOSE_NS, LOT_SIZE, OPEN_NS, TICK_SIZE, random_stream
from scorecard.bar import Bar, Limit
from scorecard.sources import shared_data

_FOLDER = "lean/equity/usa/tick"
_SYMBOLS = ("aig", "bac")
_FULL_TRIALS, _RUN_TRIALS = 40, 3
_CORES = 2
_POOL_ROWS = {"known": 38_331, "in_flight": 53_358}  # orders of the twelve tapes in parts 1-5, by protocol
_SECONDS_PER_HOUR = 3_600.0
_EVENTS, _EVERY = 6_000, 150
_COMMAND = "python -m scorecard --only training_machinery"

_TUNING = Bar(4, "full tuning: wall time on two cores, estimated", "h", Limit(at_most=8), Limit(at_most=3), _COMMAND)
_LEAKS = Bar(4, "feature table: planted look-ahead caught", "%", Limit(at_least=100), None, _COMMAND)
BARS = (_TUNING, _LEAKS)


def measure() -> list[Bar]:
    return [_tuning(), _leaks()]


def _tuning() -> Bar:
    paths = [shared_data(*_FOLDER.split("/"), symbol) for symbol in _SYMBOLS]
    fits = fits_of(list(tape_rows(formats.sessions(paths), Protocol())), {})
    with TemporaryDirectory() as folder:
        tuner = OptunaTuner(Path(folder, "trials.db"), seed=0)
        cpu_s = {
            f"{part.name}, {fit.name}": _trial_cpu_s(fit, part, tuner)
            for fit in fits
            if fit.kind != UNSEEN
            for part in tunable(fit.model).values()
        }
    hours = _FULL_TRIALS * sum(cpu_s.values()) / _CORES / _SECONDS_PER_HOUR
    slowest = max(cpu_s, key=lambda name: cpu_s[name])
    note = (
        f"{len(cpu_s)} searches of {_FULL_TRIALS} trials; a trial of {slowest} {cpu_s[slowest]:.0f} CPU-s; from "
        f"{_RUN_TRIALS} trials each on {' and '.join(s.upper() for s in _SYMBOLS)}, scaled by rows"
    )
    return _TUNING.measured(hours, n=_RUN_TRIALS * len(cpu_s), note=note)


def _trial_cpu_s(fit: Fit, part: ImpactModel, tuner: OptunaTuner) -> float:
    """Mean CPU time of a trial on the whole pool; the model's own values are one of the settings."""
    key = f"{fit.name} {part.name}"
    search = Search.of(fit.kind, fit.target, part, fit.rows, last_part(fit.rows))
    for number in range(_RUN_TRIALS):
        setting = tuner.propose(key, search.space) if number else search.space.own(part)
        value, cost = Measured(loss)((search, setting))
        tuner.record(key, search.space, Trial(setting, value, cost))
    mean = float(np.mean([trial.cost.cpu_s for trial in tuner.trials(key)]))
    return mean * _POOL_ROWS[fit.kind] / len(search.rows)


def _leaks() -> Bar:
    """Every feature of the vector in turn holds the next row's value; the check must name it."""
    features, rows, recompute = _vector_rows()
    check_point_in_time(rows, features, recompute)
    planted, caught = 0, 0
    for name in features.names:
        ahead = rows.with_columns(pl.col(name).shift(-1).fill_null(pl.col(name)))
        changed = ahead.filter(pl.col(name).ne_missing(rows[name]))
        if len(changed):
            planted += 1
            caught += _names(changed, features, recompute, name)
    if not planted:
        raise FootprintError("no feature changes from row to row")
    note = f"{planted} of {len(features.names)} features change on the random stream; without a leak none is named"
    return _LEAKS.measured(100.0 * caught / planted, n=planted, note=note)


def _names(rows: pl.DataFrame, features: FeatureSet, recompute: Recompute, name: str) -> bool:
    try:
        check_point_in_time(rows.head(1), features, recompute)
    except LookAhead as leak:
        return leak.field == name
    return False


def _vector_rows() -> tuple[FeatureSet, pl.DataFrame, Recompute]:
    events, views = random_stream(np.random.default_rng(5), _EVENTS)
    known_ns = np.maximum(np.maximum.accumulate(event_time_ns(events)), OPEN_NS)

    def begun() -> FeatureVector:
        vector = FeatureVector()
        vector.begin_session(OPEN_NS, CLOSE_NS, TICK_SIZE, LOT_SIZE)
        return vector

    def recompute(entity: str, event_ns: int, known: int) -> np.ndarray:
        seen = int(np.searchsorted(known_ns, known, side="right"))
        vector = begun()
        vector.update(events[:seen], views[:seen])
        return vector.values(event_ns)

    times = np.unique(known_ns[_EVERY - 1 :: _EVERY])
    values = begun().sample(events, views, np.searchsorted(known_ns, times, side="right"), times)
    features = FeatureSet(VERSION, FeatureVector().names)
    table = MemoryFeatureTable(features)
    keys = {ENTITY: ["S"] * len(times), EVENT_NS: times, KNOWN_NS: times}
    table.write(pl.DataFrame(keys | dict(zip(features.names, values.T, strict=True))))
    return features, table.rows(), recompute
