"""The episodes of a session, for reports: when, what, how far beyond the usual, and the evidence in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.data.prepare import PreparedSession
from footprint.features.manipulation.alarm import (
    LEAST_WINDOWS,
    LEVEL,
    WINDOW_S,
    Thresholds,
    calibrate,
    window_scores,
)
from footprint.features.manipulation.candidate import KINDS, Kind
from footprint.features.manipulation.scores import Manipulation
from footprint.units import NS_PER_SECOND

DOES_NOT_PROVE = (
    "An episode says that the tape looked like the pattern, far beyond what this tape usually shows. It does not prove"
    " intent, nor that the orders and trades had one owner: market makers withdraw quotes on news, a block may be shown"
    " and taken back, and many traders may react to one event. That needs the accounts behind the orders."
)
WATCHED_S = 1_800.0  # thresholds are made anew after that time
WARM_UP_S = 600.0  # from the open; what is usual is not known yet
_ONE_EPISODE_NS = 30 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Episode:
    """One pattern found.

    Attributes:
        side: side of the false orders, +1 bid -1 ask; direction of an ignition; 0 for stuffing.
        start_ns, end_ns: what it spans, ns UTC.
        known_ns: when the alarm could first be raised.
        score, threshold: log of the multiple of the usual, and the score from which on it is an alarm.
        evidence: one sentence.
    """

    kind: Kind
    side: int
    start_ns: int
    end_ns: int
    known_ns: int
    score: float
    threshold: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Surveillance:
    """What watching a session gave.

    Attributes:
        episodes: in the order in which they were known.
        windows: highest scores by window of this session, to be put before those of later ones as their past.
        watched_s: time that had thresholds; 0 with `reason` when the past was too short throughout.
        level: chance of any false alarm in every `WATCHED_S` of it.
        reason: why less than the whole session after the warm-up was watched, "" otherwise.
    """

    episodes: tuple[Episode, ...]
    windows: np.ndarray
    watched_s: float
    level: float
    reason: str


def watch_session(prepared: PreparedSession, past: np.ndarray | None = None, level: float = LEVEL) -> Surveillance:
    """Find the episodes of one session without looking ahead.

    Half an hour at a time is judged by thresholds from all the windows before it.

    Args:
        past: `windows` of earlier sessions of the instrument, joined; None when there are none.
        level: chance of any false alarm in half an hour.
    """
    session = prepared.session
    feature = Manipulation()
    instrument = session.instrument
    feature.begin_session(session.open_ns, session.close_ns, instrument.tick_size, instrument.lot_size)
    candidates = feature.candidates(prepared.events, prepared.views)
    start_ns = session.open_ns + int(WARM_UP_S * NS_PER_SECOND)
    windows = window_scores(candidates, start_ns, session.close_ns)
    known = np.empty((0, len(KINDS))) if past is None else past

    step = int(WATCHED_S / WINDOW_S)
    episodes: list[Episode] = []
    watched = 0
    for first in range(0, len(windows), step):
        before = np.concatenate((known, windows[:first]))
        if len(before) < LEAST_WINDOWS:
            continue
        thresholds = calibrate(before, WATCHED_S, level)
        last = min(first + step, len(windows))
        watched += last - first
        from_ns, to_ns = (start_ns + int(k * WINDOW_S * NS_PER_SECOND) for k in (first, last))
        inside = (candidates["known_ns"] >= from_ns) & (candidates["known_ns"] < to_ns)
        episodes += _episodes(thresholds.alarms(candidates[inside]), thresholds)
    short = (
        f"not watched while the past had fewer than {LEAST_WINDOWS} windows of {WINDOW_S:g} s"
        if watched < len(windows)
        else ""
    )
    return Surveillance(tuple(episodes), windows, watched * WINDOW_S, level, short)


def _episodes(alarms: np.ndarray, thresholds: Thresholds) -> list[Episode]:
    """Alarms of one pattern and side within half a minute are one episode, told by the highest score."""
    groups: list[list[np.void]] = []
    for alarm in alarms[np.argsort(alarms["known_ns"], kind="stable")]:
        for group in reversed(groups):
            same = group[-1]["kind"] == alarm["kind"] and group[-1]["side"] == alarm["side"]
            if same and alarm["known_ns"] - group[-1]["known_ns"] <= _ONE_EPISODE_NS:
                group.append(alarm)
                break
        else:
            groups.append([alarm])
    return _told_once([_episode(np.array(group), thresholds) for group in groups])


def _told_once(episodes: list[Episode]) -> list[Episode]:
    """Without the spoofing that is one of the orders of a layering."""
    layers = [e for e in episodes if e.kind is Kind.LAYERING]
    return [
        e
        for e in episodes
        if e.kind is not Kind.SPOOFING
        or not any(e.side == k.side and e.start_ns <= k.end_ns and e.end_ns >= k.start_ns for k in layers)
    ]


def _episode(group: np.ndarray, thresholds: Thresholds) -> Episode:
    best = group[np.lexsort((group["size"], group["score"]))[-1]]
    kind = Kind(int(best["kind"]))
    return Episode(
        kind=kind,
        side=int(best["side"]),
        start_ns=int(group["start_ns"].min()),
        end_ns=int(group["end_ns"].max()),
        known_ns=int(group["known_ns"].min()),
        score=float(best["score"]),
        threshold=thresholds.scores[kind],
        evidence=_evidence(kind, best),
    )


def _evidence(kind: Kind, best: np.void) -> str:
    life_s = (best["end_ns"] - best["start_ns"]) / NS_PER_SECOND
    shown, other = ("bid", "ask") if best["side"] > 0 else ("ask", "bid")
    match kind:
        case Kind.LAYERING:
            return (
                f"{best['count']} {shown} orders of {best['size']:,.0f} lots in all gone untouched within"
                f" {life_s:.1f} s; without the largest {best['multiple']:.1f} times the usual touch, while net"
                f" {best['trading']:.1f} typical orders traded at the {other}"
            )
        case Kind.SPOOFING:
            return (
                f"one {shown} order of {best['size']:,.0f} lots, {best['multiple']:.1f} times the usual touch, gone"
                f" untouched after {life_s:.1f} s, while net {best['trading']:.1f} typical orders traded at the {other}"
            )
        case Kind.QUOTE_STUFFING:
            return (
                f"{best['count']:,} orders and withdrawals in one second against {best['trading']:.0f} market orders,"
                f" {best['multiple']:.1f} times the usual"
            )
        case Kind.MOMENTUM_IGNITION:
            way, back = ("up", "down") if best["side"] > 0 else ("down", "up")
            return (
                f"{best['size']:g} ticks {way} and back {back} in {life_s:.0f} s, price and net volume at least"
                f" {best['multiple']:.1f} times the usual, {best['trading']:.0%} one-sided in both legs together"
            )
