"""The off-forecast alarm: silent on markets that go nowhere, and how soon it sees an impact that was misjudged.

5,000 one-hour paths each, read every 15 s, that follow their forecast: simulated (normal, t with 3 degrees of freedom,
the same with clustered volatility), and cut from real quotes in blocks. The forecast's deviation is wrong by a random
factor (simulated) or estimated from the hour before (tapes). Delays are those of a path whose impact is 1, 2 and 3
times more than forecast; the forecast is the planted law's for 20 % of the market's volume.
"""

from __future__ import annotations

import numpy as np

from footprint.data import formats
from footprint.data.planted import PlantedLaw
from footprint.data.prepare import prepare
from footprint.impact.flight.alarm import LEVEL, path_evidence
from footprint.impact.flight.null_paths import resampled_moves, simulated_moves, tape_moves
from footprint.impact.flight.path_law import PathForecast
from scorecard.bar import Bar, Limit, NotMeasured
from scorecard.sources import SHARED_DATA, shared_data

_RUNS = 5_000
_READINGS, _EVERY_S = 240, 15.0
_BLOCK = 40.0  # readings: ten minutes
_TAPES = ("aig", "bac")
_MISJUDGED = 0.4  # sd of the log of the factor by which a simulated forecast misses the true deviation
_PARTICIPATION = 0.2
_IMPACT = PlantedLaw().prefactor * _PARTICIPATION**0.5  # in deviations of the market's own move over the same time
_TIMES_MORE = (1, 2, 3)
_ORDERS = 100  # one after the other
_SEQUENCES, _READINGS_EACH = 500, 24
_DONE = np.arange(1, _READINGS + 1) / _READINGS
_COMMAND = "python -m scorecard --only path_alarm"

_MOST = 100.0 * (LEVEL + 2.0 * np.sqrt(LEVEL * (1.0 - LEVEL) / _RUNS))
_SIMULATED = Bar(
    4, "off-forecast alarm: false alarms, simulated runs, worst of three", "%", Limit(at_most=_MOST), None, _COMMAND
)
_RESAMPLED = Bar(
    4, "off-forecast alarm: false alarms, block-resampled tapes, worst of two", "%", Limit(at_most=_MOST), None,
    _COMMAND,
)  # fmt: skip
_DETECTED = tuple(
    Bar(4, f"off-forecast alarm: orders with {k} times more impact that are seen", "%", None, None, _COMMAND)
    for k in _TIMES_MORE
)
_DELAY = tuple(
    Bar(4, f"off-forecast alarm: delay at {k} times more impact, orders one after the other", "orders", None, None,
        _COMMAND)
    for k in _TIMES_MORE
)  # fmt: skip
BARS = (_SIMULATED, _RESAMPLED, *_DETECTED, *_DELAY)


def measure() -> list[Bar]:
    rng = np.random.default_rng(4)
    return [_simulated(rng), _resampled(rng), *_detected(rng), *_delays(rng)]


def _first_alarms(moves: np.ndarray, times_more: float = 0.0, sd: np.ndarray | float = 1.0) -> np.ndarray:
    """Reading of the first alarm of each run, -1 without.

    Args:
        moves: the market's own, in units of their deviation over the whole path, shape (runs, readings).
        times_more: by how many times the impact exceeds the forecast.
        sd: deviation that the forecast states, in the same units, shape (runs, 1).
    """
    forecast = PathForecast(_IMPACT, 1.0)
    moved = np.cumsum(moves, axis=1) + (1.0 + times_more) * forecast.expected_bps(_DONE)
    return path_evidence(forecast.steps(moved, _DONE) / sd).first_alarm()


def _judged(bar: Bar, alarms: dict[str, float]) -> Bar:
    worst = max(alarms.values())
    error = 200.0 * np.sqrt(worst * (1.0 - worst) / _RUNS)
    note = ", ".join(f"{name} {100.0 * rate:.2f} %" for name, rate in alarms.items())
    note += f"; level {LEVEL:.0%}, read {_READINGS} times each"
    return bar.measured(100.0 * worst, 100.0 * worst - error, 100.0 * worst + error, _RUNS, note)


def _simulated(rng: np.random.Generator) -> Bar:
    alarms = {}
    for kind in ("gaussian", "student", "clustered"):
        moves = simulated_moves(kind, _RUNS, _READINGS, rng) / np.sqrt(_READINGS)
        misjudged = np.exp(_MISJUDGED * rng.standard_normal((_RUNS, 1)))
        alarms[kind] = float(np.mean(_first_alarms(moves, sd=misjudged) >= 0))
    return _judged(_SIMULATED, alarms)


def _resampled(rng: np.random.Generator) -> Bar:
    try:
        tapes = {name: _moves_of(name) for name in _TAPES}
    except NotMeasured as reason:
        return _RESAMPLED.not_measured(str(reason))
    alarms = {}
    for name, sessions in tapes.items():
        moves = resampled_moves(sessions, _RUNS, 2 * _READINGS, _BLOCK, rng)
        before, during = moves[:, :_READINGS], moves[:, _READINGS:]
        sd = np.sqrt(np.sum(before**2, axis=1, keepdims=True))
        alarms[name.upper()] = float(np.mean(_first_alarms(during / sd) >= 0))
    return _judged(_RESAMPLED, alarms)


def _moves_of(name: str) -> list[np.ndarray]:
    folder = shared_data("lean", "equity", "usa", "tick", name)
    sessions = [tape_moves(prepare(session).tape, _EVERY_S) for session in formats.sessions([folder])]
    if not sessions:
        raise NotMeasured(f"no session of {name} in {SHARED_DATA}")
    return sessions


def _detected(rng: np.random.Generator) -> list[Bar]:
    moves = simulated_moves("student", _RUNS, _READINGS, rng) / np.sqrt(_READINGS)
    found = []
    for bar, times_more in zip(_DETECTED, _TIMES_MORE, strict=True):
        alarms = _first_alarms(moves, times_more)
        seen = alarms[alarms >= 0]
        share = len(seen) / _RUNS
        error = 2.0 * np.sqrt(share * (1.0 - share) / _RUNS)
        note = (
            f"forecast impact {_IMPACT:.2f} deviations of the market's own move; of those seen, half within "
            f"{(1 + np.median(seen)) / _READINGS:.0%} of the order"
        )
        found.append(bar.measured(100 * share, 100 * (share - error), 100 * (share + error), _RUNS, note))
    return found


def _delays(rng: np.random.Generator) -> list[Bar]:
    """Orders joined one after the other, the same bets going on."""
    forecast = PathForecast(_IMPACT, 1.0)
    done = np.arange(1, _READINGS_EACH + 1) / _READINGS_EACH
    impact = np.tile(np.diff(forecast.expected_bps(done), prepend=0.0), _ORDERS)
    moves = simulated_moves("student", _SEQUENCES, len(impact), rng) / np.sqrt(_READINGS_EACH)
    found = []
    for bar, times_more in zip(_DELAY, _TIMES_MORE, strict=True):
        alarms = path_evidence(moves + times_more * impact).first_alarm()
        orders = np.where(alarms >= 0, 1.0 + alarms // _READINGS_EACH, np.inf)
        low, middle, high = np.quantile(orders, (0.05, 0.5, 0.95), method="higher")
        seen = f"median; {np.mean(alarms >= 0):.0%} of {_SEQUENCES} sequences within {_ORDERS} orders, range 5 to 95 %"
        found.append(bar.measured(float(middle), float(low), float(high), _SEQUENCES, seen))
    return found
