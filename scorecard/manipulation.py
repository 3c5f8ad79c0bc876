"""The manipulation alarm: silent on stationary markets, and which planted episodes it sees, how soon.

Simulated runs are half an hour of a random book each (Poisson, self-exciting, self-exciting with Pareto sizes); the
past of a run is a trading day put together from other runs. Resampled runs are cut from real tapes in blocks of ten
minutes of the highest score in every 10 s: blocks of raw events would tear the book apart at each seam. The past of a
resampled run is as long as the tape, at least six hours. A run has a false alarm when any of the four patterns is
alarmed in its half hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from footprint.data import formats
from footprint.data.planted_manipulation import UsualSizes, plant, usual_sizes
from footprint.data.prepare import prepare
from footprint.data.stationary_book import NO_ACTIONS, BookShape, stationary_book
from footprint.features.manipulation.alarm import LEAST_WINDOWS, LEVEL, WINDOW_S, Thresholds, calibrate, window_scores
from footprint.features.manipulation.candidate import KINDS, Kind
from footprint.features.manipulation.episodes import WARM_UP_S, WATCHED_S, watch_session
from footprint.features.manipulation.scores import Manipulation
from footprint.units import NS_PER_SECOND
from scorecard.bar import Bar, Limit, NotMeasured
from scorecard.sources import shared_data

_RUNS = 5_000
_PLANTED = 300  # a pattern and intensity
_DAY_WINDOWS = 2_340  # 6.5 hours
_RUN_WINDOWS = int(WATCHED_S / WINDOW_S)
_BLOCK = 60.0  # windows: ten minutes
_BATCH = 250
_MARKETS = {
    "Poisson": BookShape(),
    "self-exciting": BookShape(orders_per_s=0.5, takes_per_s=0.1, branching=0.6),
    "self-exciting, Pareto sizes": BookShape(orders_per_s=0.5, takes_per_s=0.1, branching=0.6, tail=2.2),
}
_TAPES = {
    "AMZN": ("lobster", "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"),
    "AAPL": ("lobster", "LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"),
    "BAC": ("lean", "equity", "usa", "tick", "bac"),
    "NEXOUSDT": ("binance_raw", "spot", "nexousdt_20240724.dat.gz"),
    "BTCUSD Bitstamp": ("bitstamp_l3", "2015-05-01.first3h.log.xz"),
}
# the middle one is the bar's; what the numbers multiply stands in data/planted_manipulation.py
_INTENSITIES: Mapping[Kind, tuple[float, float, float]] = {
    Kind.LAYERING: (5.0, 10.0, 20.0),
    Kind.SPOOFING: (5.0, 10.0, 20.0),
    Kind.QUOTE_STUFFING: (0.5, 1.0, 3.0),
    Kind.MOMENTUM_IGNITION: (6.0, 10.0, 15.0),
}
_SAID = {
    Kind.LAYERING: "10 times the usual touch and order",
    Kind.SPOOFING: "10 times the usual touch and order",
    Kind.QUOTE_STUFFING: "100 orders a second",
    Kind.MOMENTUM_IGNITION: "10 touches each way",
}
_COMMAND = "python -m scorecard --only manipulation"
_MOST = 100.0 * (LEVEL + 2.0 * np.sqrt(LEVEL * (1.0 - LEVEL) / _RUNS))

_SIMULATED = Bar(
    4, "manipulation alarm: false alarms, simulated runs, worst of three", "%", Limit(at_most=_MOST), None, _COMMAND
)
_RESAMPLED = Bar(
    4, "manipulation alarm: false alarms, block-resampled tapes, worst of five", "%", Limit(at_most=_MOST), None,
    _COMMAND,
)  # fmt: skip


def _name(kind: Kind) -> str:
    return kind.name.lower().replace("_", " ")


_RECALL = {
    kind: Bar(
        4, f"manipulation alarm: recall of planted {_name(kind)}, {said}", "%", Limit(at_least=80.0), None, _COMMAND
    )
    for kind, said in _SAID.items()
}
_DELAY = {
    kind: Bar(
        4, f"manipulation alarm: delay from the start of planted {_name(kind)}, {said}", "s", None, None, _COMMAND
    )
    for kind, said in _SAID.items()
}
BARS = (_SIMULATED, _RESAMPLED, *_RECALL.values(), *_DELAY.values())


def measure() -> list[Bar]:
    rng = np.random.default_rng(4)
    pools = {name: _stationary(shape, _RUNS // len(_MARKETS) + 1, rng) for name, shape in _MARKETS.items()}
    return [_simulated(pools, rng), _resampled(rng), *_planted(pools, rng)]


def _candidates(shape: BookShape, rng: np.random.Generator, actions: np.ndarray = NO_ACTIONS) -> np.ndarray:
    """What is scored in ten minutes and half an hour of a simulated book, times from 0."""
    events, views = stationary_book(shape, WARM_UP_S + WATCHED_S, rng, actions)
    feature = Manipulation()
    feature.begin_session(0, int((WARM_UP_S + WATCHED_S) * NS_PER_SECOND), 0.01, 1.0)
    return feature.candidates(events, views)


def _stationary(shape: BookShape, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Highest scores by window, shape (runs, windows, patterns)."""
    start_ns, stop_ns = (int(t * NS_PER_SECOND) for t in (WARM_UP_S, WARM_UP_S + WATCHED_S))
    return np.array([window_scores(_candidates(shape, rng), start_ns, stop_ns) for _ in range(runs)])


def _past(pool: np.ndarray, but: int, rng: np.random.Generator) -> np.ndarray:
    """A day of windows from other runs."""
    others = rng.choice(len(pool) - 1, _DAY_WINDOWS // _RUN_WINDOWS, replace=False)
    return pool[others + (others >= but)].reshape(-1, len(KINDS))


def _is_alarmed(thresholds: Thresholds, run: np.ndarray) -> np.ndarray:
    """By pattern."""
    return np.any(run >= np.array(thresholds.scores), axis=0)


def _judged(bar: Bar, alarms: Mapping[str, np.ndarray], also: str = "") -> Bar:
    """The worst of several markets; `alarms` has shape (runs, patterns)."""
    rates = {name: float(np.mean(a.any(axis=1))) for name, a in alarms.items()}
    worst = max(rates, key=lambda name: rates[name])
    rate = rates[worst]
    error = 200.0 * np.sqrt(rate * (1.0 - rate) / len(alarms[worst]))
    by_kind = ", ".join(f"{_name(kind)} {100.0 * alarms[worst][:, kind].mean():.2f} %" for kind in KINDS)
    every = ", ".join(f"{name} {100.0 * r:.2f} %" for name, r in rates.items())
    note = f"{every}; level {LEVEL:.0%} a half hour; in {worst}: {by_kind}{also}"
    total = sum(len(a) for a in alarms.values())
    return bar.measured(100.0 * rate, max(100.0 * rate - error, 0.0), 100.0 * rate + error, total, note)


def _simulated(pools: Mapping[str, np.ndarray], rng: np.random.Generator) -> Bar:
    alarms = {
        name: np.array([_is_alarmed(calibrate(_past(pool, i, rng), WATCHED_S), run) for i, run in enumerate(pool)])
        for name, pool in pools.items()
    }
    return _judged(_SIMULATED, alarms)


def _resampled(rng: np.random.Generator) -> Bar:
    alarms, seen = {}, []
    try:
        for name, place in _TAPES.items():
            tape, episodes = _watched_tape(shared_data(*place))
            alarms[name] = _alarms_of_tape(tape, rng)
            repeated = tape[np.arange(max(len(tape), LEAST_WINDOWS)) % len(tape)]
            needed = "/".join(f"{x:.0f}" for x in np.exp(calibrate(repeated, WATCHED_S).scores))
            seen.append(f"{name} {episodes} ({needed})")
    except NotMeasured as reason:
        return _RESAMPLED.not_measured(str(reason))
    also = "; episodes in the tapes as they are, truth unknown (multiples of the usual that are an alarm): "
    return _judged(_RESAMPLED, alarms, also + ", ".join(seen))


def _watched_tape(path: Path) -> tuple[np.ndarray, int]:
    """Highest scores by window of all its sessions, and the number of episodes found."""
    windows, episodes = np.empty((0, len(KINDS))), 0
    for session in formats.sessions([path]):
        found = watch_session(prepare(session), windows)
        windows = np.concatenate((windows, found.windows))
        episodes += len(found.episodes)
    return windows, episodes


def _alarms_of_tape(tape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = []
    for _ in range(_RUNS // _BATCH):
        rows = _blocks(len(tape), _BATCH, max(len(tape), LEAST_WINDOWS) + _RUN_WINDOWS, rng)
        for past, run in ((tape[row[:-_RUN_WINDOWS]], tape[row[-_RUN_WINDOWS:]]) for row in rows):
            found.append(_is_alarmed(calibrate(past, WATCHED_S), run))
    return np.array(found)


def _blocks(length: int, runs: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Places of a stationary bootstrap (Politis, Romano 1994), shape (runs, steps)."""
    fresh = rng.random((runs, steps)) < 1.0 / _BLOCK
    fresh[:, 0] = True
    latest = np.maximum.accumulate(np.where(fresh, np.arange(steps), 0), axis=1)
    start = np.take_along_axis(rng.integers(length, size=(runs, steps)), latest, axis=1)
    return (start + np.arange(steps) - latest) % length


def _planted(pools: Mapping[str, np.ndarray], rng: np.random.Generator) -> list[Bar]:
    usual = {name: usual_sizes(*stationary_book(shape, 20_000.0, rng)) for name, shape in _MARKETS.items()}
    recalls, delays = [], []
    for kind in KINDS:
        found = {x: [_delay(kind, x, k, pools, usual, rng) for k in range(_PLANTED)] for x in _INTENSITIES[kind]}
        shares = {x: float(np.mean(np.isfinite(d))) for x, d in found.items()}
        middle = _INTENSITIES[kind][1]
        share = shares[middle]
        error = 200.0 * np.sqrt(share * (1.0 - share) / _PLANTED)
        note = "by intensity " + ", ".join(f"{x:g}: {100.0 * s:.0f} %" for x, s in shares.items())
        recalls.append(_RECALL[kind].measured(100 * share, 100 * share - error, 100 * share + error, _PLANTED, note))
        delays.append(_delay_bar(_DELAY[kind], found[middle]))
    return [*recalls, *delays]


def _delay_bar(bar: Bar, found: Sequence[float]) -> Bar:
    seen = np.array(found)[np.isfinite(found)]
    if not len(seen):
        return bar.failed("no episode was seen")
    low, middle, high = np.quantile(seen, (0.05, 0.5, 0.95))
    return bar.measured(float(middle), float(low), float(high), len(seen), "median of those seen, range 5 to 95 %")


def _delay(
    kind: Kind,
    intensity: float,
    number: int,
    pools: Mapping[str, np.ndarray],
    usual: Mapping[str, UsualSizes],
    rng: np.random.Generator,
) -> float:
    """Seconds from the start of an episode planted in the half hour to its alarm, nan when there is none."""
    market = tuple(_MARKETS)[number % len(_MARKETS)]
    start_s = WARM_UP_S + rng.uniform(0.1, 0.9) * WATCHED_S
    episode = plant(kind.name.lower(), intensity, int(start_s * NS_PER_SECOND), usual[market], rng)
    thresholds = calibrate(_past(pools[market], -1, rng), WATCHED_S)
    alarms = thresholds.alarms(_candidates(_MARKETS[market], rng, episode.actions))
    until_ns = episode.end_ns + 30 * NS_PER_SECOND
    hits = alarms[
        (alarms["kind"] == kind) & (alarms["start_ns"] <= episode.end_ns) & (alarms["known_ns"] >= episode.start_ns)
        & (alarms["known_ns"] <= until_ns)
    ]  # fmt: skip
    return float((hits["known_ns"].min() - episode.start_ns) / NS_PER_SECOND) if len(hits) else np.nan
