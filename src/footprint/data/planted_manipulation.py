"""Manipulation planted in a stationary book: what each pattern does, in multiples of the book's usual sizes.

Layering and spoofing show false orders on one side while the other side of the book trades in one direction, then
withdraw. The trading is part of the plant: others react to the false orders, or the pattern earns nothing. Stuffing
enters tiny orders behind the touch that go within milliseconds. Ignition takes the book one way and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from footprint.data.stationary_kernel import ACTION, PLACE, TAKE
from footprint.market.events import EventKind
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class UsualSizes:
    """What the multiples refer to, lots: mean size at a touch, mean market order."""

    touch_lots: float
    take_lots: float


def usual_sizes(events: np.ndarray, views: np.ndarray) -> UsualSizes:
    """Means of a stream without planted actions."""
    lots = events["size_lots"][events["kind"] == EventKind.TRADE]
    touch_lots = 0.5 * float(views["bid_lots"].mean() + views["ask_lots"].mean())
    return UsualSizes(touch_lots, float(lots.mean()))


@dataclass(frozen=True, slots=True)
class PlantedEpisode:
    """The truth: what, when (ns after the start of the stream), on which side, how strong, and the actions of it."""

    kind: str
    start_ns: int
    end_ns: int
    side: int
    intensity: float
    actions: np.ndarray


def plant(kind: str, intensity: float, start_ns: int, usual: UsualSizes, rng: np.random.Generator) -> PlantedEpisode:
    """One episode of a random side.

    Args:
        kind: one of `PATTERNS`.
        intensity: layering and spoofing: false lots over the usual touch, and market orders of the other side over the
            usual one; stuffing: hundreds of orders a second; ignition: lots of each leg over the usual touch.
        start_ns: after the start of the stream.
    """
    side = 1 if rng.random() < 0.5 else -1
    rows = PATTERNS[kind](side, intensity, usual, rng)
    actions = np.array(sorted(rows), ACTION)
    actions["time_ns"] += start_ns
    end_ns = int((actions["time_ns"] + actions["life_ns"]).max())
    return PlantedEpisode(kind, start_ns, end_ns, side, intensity, actions)


_Rows = list[tuple[int, int, int, int, int, int]]  # as ACTION


def _takes(side: int, lots: float, start_s: float, stop_s: float, count: int, rng: np.random.Generator) -> _Rows:
    """Market orders of one side and equal size at random times."""
    times = rng.uniform(start_s, stop_s, count)
    return [(int(t * NS_PER_SECOND), TAKE, side, 0, max(round(lots / count), 1), 0) for t in times]


def _layering(side: int, intensity: float, usual: UsualSizes, rng: np.random.Generator) -> _Rows:
    """Five orders one behind the other within two seconds, withdrawn together after six."""
    lots = round(intensity * usual.touch_lots / 4.0)
    rows: _Rows = []
    for k in range(5):
        placed_ns = int((0.4 * k + 0.3 * rng.random()) * NS_PER_SECOND)
        gone_ns = 6 * NS_PER_SECOND + int(200 * rng.random()) * NS_PER_MILLISECOND
        rows.append((placed_ns, PLACE, side, 1 + k, lots, gone_ns - placed_ns))
    return rows + _takes(side, intensity * usual.take_lots, 2.0, 6.0, 4, rng)


def _spoofing(side: int, intensity: float, usual: UsualSizes, rng: np.random.Generator) -> _Rows:
    """One order one to three ticks behind the touch for two to five seconds."""
    life_s = rng.uniform(2.0, 5.0)
    lots = round(intensity * usual.touch_lots)
    order = (0, PLACE, side, int(rng.integers(1, 4)), lots, int(life_s * NS_PER_SECOND))
    return [order, *_takes(side, intensity * usual.take_lots, 0.2, life_s, 3, rng)]


def _quote_stuffing(side: int, intensity: float, usual: UsualSizes, rng: np.random.Generator) -> _Rows:
    """Three seconds of orders of a tenth of the usual one, 2 to 5 ticks behind the touch, that live 2 to 10 ms."""
    count = round(3.0 * 100.0 * intensity)
    times_ns = (rng.random(count) * 3 * NS_PER_SECOND).astype(np.int64)
    lots = max(round(0.1 * usual.take_lots), 1)
    return [
        (int(t), PLACE, side, int(rng.integers(2, 6)), lots, int(rng.integers(2, 11)) * NS_PER_MILLISECOND)
        for t in times_ns
    ]


def _momentum_ignition(side: int, intensity: float, usual: UsualSizes, rng: np.random.Generator) -> _Rows:
    """Eight seconds of market orders one way, three of nothing, twelve of as much the other way."""
    lots = intensity * usual.touch_lots
    return _takes(side, lots, 0.0, 8.0, 20, rng) + _takes(-side, lots, 11.0, 23.0, 20, rng)


PATTERNS: Mapping[str, Callable[[int, float, UsualSizes, np.random.Generator], _Rows]] = {
    "layering": _layering,
    "spoofing": _spoofing,
    "quote_stuffing": _quote_stuffing,
    "momentum_ignition": _momentum_ignition,
}
