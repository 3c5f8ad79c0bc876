"""The contract of a feature, as a check that anyone can run on their own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

import numpy as np

from footprint.features.interface import Feature
from footprint.market.events import event_time_ns
from footprint.testing.random_stream import CLOSE_NS, LOT_SIZE, OPEN_NS, TICK_SIZE, random_stream
from footprint.units import NS_PER_DAY, NS_PER_MINUTE

EVENTS = 3_000


def check_feature(factory: Callable[[], Feature], learned: Collection[str] = (), seed: int = 1) -> None:
    """Check that what `factory` makes is a feature: same bits however it is fed, causal, read-only when read.

    Args:
        factory: makes a new feature; every call must give an equal one.
        learned: names that may depend on earlier sessions; all others must be reset by `begin_session`.
        seed: of the random stream of events that the check makes for itself.

    Raises:
        AssertionError: the contract is broken; the text says which part and which name.
    """
    events, views = random_stream(np.random.default_rng(seed), EVENTS)
    _check_names(factory)
    _check_empty(factory, events, views)
    _check_chunks(factory, events, views, np.random.default_rng(seed + 1))
    _check_causal(factory, events, views)
    _check_reading(factory, events, views)
    _check_reset(factory, events, views, learned)


def _begun(factory: Callable[[], Feature], days: int = 0) -> Feature:
    feature = factory()
    _begin(feature, days)
    return feature


def _sampling(factory: Callable[[], Feature]) -> Any:
    return _begun(factory)  # `sample` is no part of the protocol


def _begin(feature: Feature, days: int) -> None:
    shift_ns = days * NS_PER_DAY
    feature.begin_session(OPEN_NS + shift_ns, CLOSE_NS + shift_ns, TICK_SIZE, LOT_SIZE)


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def _require_equal(names: Collection[str], left: np.ndarray, right: np.ndarray, text: str) -> None:
    for name, a, b in zip(names, left, right, strict=True):
        _require(a == b or (np.isnan(a) and np.isnan(b)), f"{name}: {text}: {a!r} and {b!r}")


def _check_names(factory: Callable[[], Feature]) -> None:
    names = factory().names
    _require(isinstance(names, tuple) and len(names) > 0, "names must be a tuple that is not empty")
    _require(all(isinstance(n, str) and n for n in names), "every name must be a string that is not empty")
    _require(len(set(names)) == len(names), "names must be unique")
    _require(factory().names == names, "names must not differ from one instance to the next")


def _check_empty(factory: Callable[[], Feature], events: np.ndarray, views: np.ndarray) -> None:
    feature = _begun(factory)
    feature.update(events[:0], views[:0])
    for now_ns in (OPEN_NS, OPEN_NS + NS_PER_MINUTE):
        _check_values(feature, now_ns)
    feature.update(events[:1], views[:1])
    _check_values(feature, int(event_time_ns(events[:1])[0]))


def _check_values(feature: Feature, now_ns: int) -> np.ndarray:
    values = feature.values(now_ns)
    _require(isinstance(values, np.ndarray) and values.dtype == np.float64, "values must be a float64 array")
    _require(values.shape == (len(feature.names),), f"values must have shape ({len(feature.names)},)")
    for name, value in zip(feature.names, values, strict=True):
        _require(not np.isinf(value), f"{name} is infinite; unknown is nan")
    return values


def _check_chunks(
    factory: Callable[[], Feature], events: np.ndarray, views: np.ndarray, rng: np.random.Generator
) -> None:
    at_once, singly, chunked = _begun(factory), _begun(factory), _begun(factory)
    at_once.update(events, views)
    for i in range(len(events)):
        singly.update(events[i : i + 1], views[i : i + 1])
    edges = np.unique(np.concatenate(([0], rng.integers(0, len(events), 40), [len(events)])))
    for start, stop in pairwise(edges):
        chunked.update(events[start:stop], views[start:stop])
        _check_values(chunked, int(event_time_ns(events[stop - 1 : stop])[0]))
    last_ns = int(event_time_ns(events).max())
    for now_ns in (last_ns, last_ns + NS_PER_MINUTE):
        expected = _check_values(at_once, now_ns)
        _require_equal(singly.names, expected, singly.values(now_ns), "all at once and one by one differ")
        _require_equal(singly.names, expected, chunked.values(now_ns), "all at once and in chunks differ")


def _check_causal(factory: Callable[[], Feature], events: np.ndarray, views: np.ndarray) -> None:
    stop = len(events) // 2
    now_ns = int(event_time_ns(events[:stop]).max())
    other_events, other_views = events.copy(), views.copy()
    other_events["size_lots"][stop:] *= 7
    other_events["side"][stop:] *= -1
    for name in ("mid_ticks", "spread_ticks"):
        other_views[name][stop:] *= 3.0
    first, second = _begun(factory), _begun(factory)
    fed_events, fed_views = events.copy(), views.copy()
    first.update(fed_events[:stop], fed_views[:stop])
    second.update(other_events[:stop], other_views[:stop])
    _require_equal(first.names, first.values(now_ns), second.values(now_ns), "values depend on later events")
    _require(bool(np.all(fed_events == events)), "update must not change the events")
    if hasattr(first, "sample"):
        stops, times = np.array([stop]), np.array([now_ns])
        row = _sampling(factory).sample(events, views, stops, times)[0]
        other = _sampling(factory).sample(other_events, other_views, stops, times)[0]
        _require_equal(first.names, row, first.values(now_ns), "sample and values differ")
        _require_equal(first.names, row, other, "sample depends on later events")


def _check_reading(factory: Callable[[], Feature], events: np.ndarray, views: np.ndarray) -> None:
    read, unread = _begun(factory), _begun(factory)
    stop = len(events) // 2
    for feature in (read, unread):
        feature.update(events[:stop], views[:stop])
    now_ns = int(event_time_ns(events[:stop]).max())
    before = read.values(now_ns)
    read.values(now_ns + 30 * NS_PER_MINUTE)
    _require_equal(read.names, before, read.values(now_ns), "reading later values changed the state")
    for feature in (read, unread):
        feature.update(events[stop:], views[stop:])
    last_ns = int(event_time_ns(events).max())
    _require_equal(read.names, read.values(last_ns), unread.values(last_ns), "reading values changed later ones")


def _check_reset(
    factory: Callable[[], Feature], events: np.ndarray, views: np.ndarray, learned: Collection[str]
) -> None:
    used, fresh = _begun(factory), _begun(factory, days=1)
    unknown = set(learned) - set(used.names)
    _require(not unknown, f"learned names that the feature does not have: {sorted(unknown)}")
    used.update(events, views)
    _begin(used, days=1)
    tomorrow = events.copy()
    for clock in ("exchange_time_ns", "receive_time_ns"):
        tomorrow[clock] += np.where(tomorrow[clock] > 0, NS_PER_DAY, 0)
    for start, stop in pairwise((0, 1, len(events))):
        used.update(tomorrow[start:stop], views[start:stop])
        fresh.update(tomorrow[start:stop], views[start:stop])
        now_ns = int(event_time_ns(tomorrow[:stop]).max())
        for name, a, b in zip(used.names, used.values(now_ns), fresh.values(now_ns), strict=True):
            if name not in learned:
                _require_equal([name], np.array([a]), np.array([b]), "begin_session did not reset it")
