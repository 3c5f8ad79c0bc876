"""How fast the book heals: time for half of the damage of a large trade to be repaired.

Damage is measured against the book just before the trade's timestamp: excess spread, and size missing at the price
that was best on the side that was hit. An episode opens at a large trade, takes the largest damage of its first
second, and ends when half of that is repaired, or censored after 60 s; damage that does not show within the first
second is not the trade's.
Compare Degryse, de Jong, van Ravenswaaij, Wuyts (2005) and Large (2007) on resiliency.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.features.windows import MARK_MEAN, THIRTY_MINUTES, Record, mark, mark_mean
from footprint.units import NS_PER_SECOND

REACTION_NS = NS_PER_SECOND
CENSORED_NS = 60 * NS_PER_SECOND

EPISODE = np.dtype(
    [
        ("open", np.bool_),
        ("start_ns", np.int64),
        ("baseline", np.float64),  # level before the trade
        ("worst", np.float64),  # largest damage so far, 0 when none has shown
        ("mean_s", MARK_MEAN),
    ],
    align=True,
)
TOUCH = np.dtype([("ticks", np.int64), ("lots", np.float64)], align=True)
STATE = np.dtype(
    [
        ("last_ns", np.int64),
        ("child", CHILD),
        ("spread", np.float64),
        ("bid", TOUCH),
        ("ask", TOUCH),
        ("spread_before", np.float64),  # the same before the present timestamp
        ("bid_before", TOUCH),
        ("ask_before", TOUCH),
        ("hit_side", np.int64),  # of the depth episode, +1 when the bid was hit
        ("hit_ticks", np.int64),
        ("spread_episode", EPISODE),
        ("depth_episode", EPISODE),
    ],
    align=True,
)


@njit(cache=True)
def _set_touch(touch: Record, ticks: int, lots: float) -> None:
    touch.ticks = ticks
    touch.lots = lots if ticks != NO_PRICE and lots >= 0.0 else np.nan


@njit(cache=True)
def _missing_lots(touch: Record, side: int, hit_ticks: int, baseline: float) -> float:
    """Size missing at the price that was best: all of it while the best is worse, none once the best is better."""
    if touch.ticks == NO_PRICE:
        return baseline
    better = side * (touch.ticks - hit_ticks)
    if better == 0:
        return baseline - touch.lots
    return 0.0 if better > 0 else baseline


@njit(cache=True)
def begin(episode: Record, time_ns: int, baseline: float) -> None:
    """Open an episode against the state before the trade, unless one is open or that state is unknown."""
    if not episode.open and not math.isnan(baseline):
        episode.open, episode.start_ns, episode.baseline, episode.worst = True, time_ns, baseline, 0.0


@njit(cache=True)
def lapse(episode: Record, time_ns: int) -> None:
    """End an episode that time has decided: nothing shown within a second, or not repaired within a minute."""
    if not episode.open:
        return
    if episode.worst == 0.0 and time_ns > episode.start_ns + REACTION_NS:
        episode.open = False
    elif time_ns > episode.start_ns + CENSORED_NS:
        mark(episode.mean_s, episode.start_ns + CENSORED_NS, CENSORED_NS / NS_PER_SECOND, 1.0, THIRTY_MINUTES)
        episode.open = False


@njit(cache=True)
def observe(episode: Record, time_ns: int, damage: float) -> None:
    """Take the damage now (nan = unknown)."""
    if not episode.open or math.isnan(damage):
        return
    if time_ns <= episode.start_ns + REACTION_NS and damage > episode.worst:
        episode.worst = damage
    elif episode.worst > 0.0 and damage <= 0.5 * episode.worst:
        mark(episode.mean_s, time_ns, (time_ns - episode.start_ns) / NS_PER_SECOND, 1.0, THIRTY_MINUTES)
        episode.open = False


@njit(cache=True)
def _open_episodes(s: Record, time_ns: int, side: int) -> None:
    begin(s.spread_episode, time_ns, s.spread_before)
    if s.depth_episode.open:
        return
    hit = s.ask_before if side > 0 else s.bid_before
    s.hit_side, s.hit_ticks = -side, hit.ticks
    begin(s.depth_episode, time_ns, hit.lots)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        event, view = events[i], views[i]
        time_ns = event_ns(event, s.last_ns)
        if time_ns > s.last_ns:
            s.spread_before, s.last_ns = s.spread, time_ns
            _set_touch(s.bid_before, s.bid.ticks, s.bid.lots)
            _set_touch(s.ask_before, s.ask.ticks, s.ask.lots)
        lapse(s.spread_episode, time_ns)
        lapse(s.depth_episode, time_ns)
        if is_print(event):
            follow(s.child, time_ns, event)
            if s.child.turned_large:
                _open_episodes(s, time_ns, event.side)
        s.spread = view.spread_ticks
        _set_touch(s.bid, view.bid_ticks, float(view.bid_lots))
        _set_touch(s.ask, view.ask_ticks, float(view.ask_lots))
        observe(s.spread_episode, time_ns, s.spread - s.spread_episode.baseline)
        if s.depth_episode.open:
            touch = s.bid if s.hit_side > 0 else s.ask
            missing = _missing_lots(touch, s.hit_side, s.hit_ticks, s.depth_episode.baseline)
            observe(s.depth_episode, time_ns, missing)


@njit(cache=True)
def _values(state: np.ndarray, scratch: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    scratch[0] = state[0]  # time passes in a copy, so that reading changes nothing
    s = scratch[0]
    lapse(s.spread_episode, now_ns)
    lapse(s.depth_episode, now_ns)
    out[0] = mark_mean(s.spread_episode.mean_s)
    out[1] = mark_mean(s.depth_episode.mean_s)


class Resilience:
    """`spread_half_life_s`, `depth_half_life_s`: mean repair times of large trades, half-life of the mean 30 minutes.

    A trade is large above 4 times the mean market order; at most one episode of each kind is open at a time. Censored
    at 60 s; nan before the first repaired or censored episode.
    """

    names: tuple[str, ...] = ("spread_half_life_s", "depth_half_life_s")

    def __init__(self) -> None:
        self._state = _fresh()

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; seconds need no units."""
        self._state = _fresh()

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (2,), seconds in (0, 60]."""
        out = np.empty(len(self.names))
        _values(self._state, np.empty(1, STATE), now_ns, out)
        return out


def _fresh() -> np.ndarray:
    state = np.zeros(1, STATE)
    state["spread"] = state["spread_before"] = np.nan
    for touch in ("bid", "ask", "bid_before", "ask_before"):
        state[touch]["lots"] = np.nan
    return state
