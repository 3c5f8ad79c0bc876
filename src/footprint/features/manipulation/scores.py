"""The four patterns in one loop: the feature, and the candidates behind it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.depth import touch_depth
from footprint.features.manipulation.candidate import CANDIDATE, KINDS, LOG, LOG_ROOM
from footprint.features.manipulation.changes import LEVELS, fresh_levels, read_change
from footprint.features.manipulation.layering import STACK, score_layering
from footprint.features.manipulation.momentum_ignition import RING, SECONDS, close_second
from footprint.features.manipulation.placements import (
    BOARD,
    LONGEST_LIFE_NS,
    drop,
    follow_change,
    follow_print,
    is_fleeting,
    is_settled,
)
from footprint.features.manipulation.quote_stuffing import MESSAGES, close_messages, count_change
from footprint.features.manipulation.spoofing import score_spoofing
from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.features.windows import ONE_MINUTE, THIRTY_MINUTES, Record, hold, lost_weight, mark_mean, time_mean
from footprint.units import NS_PER_SECOND

_LAYERING, _SPOOFING, _STUFFING, _IGNITION = (int(k) for k in KINDS)

LATEST = np.dtype([("known_ns", np.int64), ("score", np.float64)], align=True)
STATE = np.dtype(
    [
        ("last_ns", np.int64),
        ("second_ns", np.int64),  # end of the second that runs
        ("mid", np.float64),
        ("spread", np.float64),
        ("child", CHILD),
        ("board", BOARD),
        ("stack", STACK),
        ("messages", MESSAGES),
        ("seconds", SECONDS),
        ("latest", LATEST, (len(KINDS),)),
    ],
    align=True,
)


@njit(cache=True)
def _score(s: Record, kind: int, time_ns: int, score: float) -> None:
    """Keep the highest score, halved every minute."""
    latest = s.latest[kind]
    if score > 0.0 and score >= latest.score * (1.0 - lost_weight(time_ns - latest.known_ns, ONE_MINUTE)):
        latest.known_ns, latest.score = time_ns, score


@njit(cache=True)
def _judge_placements(s: Record, log: Record, now_ns: int) -> None:
    board = s.board
    usual = time_mean(board.touch, now_ns, THIRTY_MINUTES)
    typical_lots = mark_mean(s.child.mean_lots)
    can_judge = usual > 0.0 and not math.isnan(typical_lots)
    i = 0
    while i < board.count:
        row = board.rows[i]
        settled = is_settled(row, now_ns)
        if settled and is_fleeting(row) and can_judge:
            _score(s, _SPOOFING, now_ns, score_spoofing(log, board, row, now_ns, usual, typical_lots))
            _score(s, _LAYERING, now_ns, score_layering(log, s.stack, board, row, now_ns, usual, typical_lots))
        if settled or now_ns > row.placed_ns + LONGEST_LIFE_NS:
            drop(board, i)
        else:
            i += 1


@njit(cache=True)
def _pass_time(s: Record, log: Record, now_ns: int) -> None:
    """Close every second that ends at or before `now_ns`; after a minute of silence nothing is left to be judged."""
    for _ in range(RING):
        if s.second_ns > now_ns:
            return
        end_ns = s.second_ns
        _judge_placements(s, log, end_ns)
        _score(s, _STUFFING, end_ns, close_messages(log, s.messages, end_ns))
        typical_lots = mark_mean(s.child.mean_lots)
        ignition = close_second(log, s.seconds, end_ns, s.mid, s.spread, s.board.bought, s.board.sold, typical_lots)
        _score(s, _IGNITION, end_ns, ignition)
        s.second_ns += NS_PER_SECOND
    behind = max((now_ns - s.second_ns) // NS_PER_SECOND + 1, 0)
    s.second_ns += behind * NS_PER_SECOND
    if behind > 0:
        s.seconds.count = 0


@njit(cache=True)
def _update(
    events: np.ndarray, views: np.ndarray, start: int, state: np.ndarray, levels: np.ndarray, logs: np.ndarray
) -> int:
    """Feed from `start` on; where it stopped because the log is full, or the number of events."""
    s, log = state[0], logs[0]
    board = s.board
    for i in range(start, len(events)):
        if log.count > len(log.rows) - LOG_ROOM:
            return i
        event, view = events[i], views[i]
        s.last_ns = event_ns(event, s.last_ns)
        _pass_time(s, log, s.last_ns)
        if is_print(event):
            follow(s.child, s.last_ns, event)
            follow_print(board, s.last_ns, event)
            if s.child.is_new:
                s.messages.trades += 1
        read_change(board.change, levels, event)
        count_change(s.messages, board.change.what)
        follow_change(board, s.last_ns, view)
        depth = touch_depth(view)
        if depth != board.touch.value:
            hold(board.touch, s.last_ns, depth, THIRTY_MINUTES)
        s.mid, s.spread = view.mid_ticks, view.spread_ticks
    return len(events)


@njit(cache=True)
def _values(state: np.ndarray, scratch: np.ndarray, logs: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    scratch[0] = state[0]  # time passes in a copy, so that reading changes nothing
    s = scratch[0]
    _pass_time(s, logs[0], max(now_ns, s.last_ns))
    source, has_prints = s.board.change.source, s.child.time_ns > 0
    for kind in range(len(out)):
        if kind == _LAYERING:
            known = has_prints and source >= LEVELS
        elif kind == _SPOOFING:
            known = has_prints and source > 0
        else:
            known = source > 0 if kind == _STUFFING else has_prints
        latest = s.latest[kind]
        kept = 1.0 - lost_weight(now_ns - latest.known_ns, ONE_MINUTE)
        out[kind] = latest.score * kept if known else np.nan


class Manipulation:
    """`layering_score`, `spoofing_score`, `quote_stuffing_score`, `momentum_ignition_score`.

    Each is the highest score so far, halved every minute; a score is the log of a multiple of what is usual on this
    tape, given in the file of its pattern. 0 when there was none; nan before what it needs has come: prints (not for
    stuffing), sizes in the book (not for ignition), more of it than the best quotes (for layering). A score says that
    the tape looks like the pattern, not that anyone meant it.
    """

    names: tuple[str, ...] = tuple(f"{kind.name.lower()}_score" for kind in KINDS)

    def __init__(self) -> None:
        self._begin(0)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; seconds are counted from the open."""
        self._begin(open_ns)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        self._feed(events, views)

    def candidates(self, events: np.ndarray, views: np.ndarray) -> np.ndarray:
        """Feed as `update`; what was scored on the way: CANDIDATE of shape (m,), in the order in which it was known."""
        return np.concatenate(self._feed(events, views))

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (4,)."""
        out = np.empty(len(KINDS))
        _values(self._state, np.empty(1, STATE), np.zeros(1, LOG), now_ns, out)
        return out

    def _begin(self, open_ns: int) -> None:
        self._state = np.zeros(1, STATE)
        self._state["second_ns"] = open_ns + NS_PER_SECOND
        self._state["mid"] = self._state["spread"] = np.nan
        self._state["board"]["touch"]["value"] = np.nan
        self._levels = fresh_levels()
        self._log = np.zeros(1, LOG)

    def _feed(self, events: np.ndarray, views: np.ndarray) -> list[np.ndarray]:
        done, found = 0, [np.empty(0, CANDIDATE)]
        while True:
            done = _update(events, views, done, self._state, self._levels, self._log)
            found.append(self._log["rows"][0, : self._log["count"][0]].copy())
            self._log["count"] = 0
            if done == len(events):
                return found
