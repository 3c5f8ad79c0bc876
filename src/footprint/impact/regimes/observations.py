"""What a regime is read from: logs of spread, depth, volatility, flow and repair time, a minute or a row at a time.

Logs, because all five are positive and spread over decades, and a regime multiplies them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from footprint.data.prepare import PreparedSession
from footprint.features.regime import MinuteState
from footprint.impact.rows import Rows
from footprint.market.events import event_time_ns
from footprint.units import NS_PER_MINUTE

OBSERVED = ("spread_bps", "depth", "volatility", "trades_per_s", "repair_s")
STRESS = np.array([1.0, 0.0, 1.0, 0.0, 0.0])  # states are ordered by spread and volatility
STRESS.setflags(write=False)

# the smallest of each that can be told from nothing, so that logs of zeros and of near-zeros are of one size
_LEAST_MOVE = 0.5  # spreads in a minute: a mid is not known better than that
_LEAST_TRADES = 1.0 / 60.0  # one trade a minute
_LEAST_REPAIR_S = 0.1


def log_observations(plain: np.ndarray) -> np.ndarray:
    """Logs that the states are fitted to.

    Args:
        plain: shape (n, 5), columns as in `OBSERVED`: bps, quantity, bps per sqrt(second), 1/s, s; nan where unknown.

    Returns:
        shape (n, 5); nan where unknown.
    """
    spread, depth, volatility, trades, repair = plain.T
    least = _LEAST_MOVE * spread / np.sqrt(60.0)
    positive = np.column_stack(
        [spread, depth, np.hypot(volatility, least), trades + _LEAST_TRADES, repair + _LEAST_REPAIR_S]
    )
    return np.log(np.where(positive > 0.0, positive, np.nan))


def plain_observations(logs: np.ndarray) -> np.ndarray:
    """The inverse of `log_observations`, in its units, shape (n, 5); volatility keeps its least move."""
    plain = np.exp(logs) - np.array([0.0, 0.0, 0.0, _LEAST_TRADES, _LEAST_REPAIR_S])
    return np.maximum(plain, 0.0)


@dataclass(frozen=True, slots=True)
class Minutes:
    """Whole minutes of consecutive sessions of one symbol; arrays of shape (n,) unless said.

    Attributes:
        end_ns: end of the minute, ns UTC: the observation holds nothing at or after it.
        begins: True for the first minute of a session.
        plain: observations as in `OBSERVED`, shape (n, 5).
        mid: last reference mid before the end, currency; nan before the first.
    """

    end_ns: np.ndarray
    begins: np.ndarray
    plain: np.ndarray
    mid: np.ndarray

    def __len__(self) -> int:
        return len(self.end_ns)

    @property
    def logs(self) -> np.ndarray:
        """What the states are fitted to, shape (n, 5)."""
        return log_observations(self.plain)

    def take(self, index: np.ndarray | slice) -> Minutes:
        """The minutes at `index`."""
        return Minutes(self.end_ns[index], self.begins[index], self.plain[index], self.mid[index])


def observe_minutes(sessions: Iterable[PreparedSession]) -> Minutes:
    """Feed sessions of one symbol, in order of time, and read every whole minute up to the close or the last event."""
    parts = [_session_minutes(prepared) for prepared in sessions]
    if not parts:
        return Minutes(np.zeros(0, np.int64), np.zeros(0, bool), np.zeros((0, len(OBSERVED))), np.zeros(0))
    joined = (np.concatenate([getattr(p, name) for p in parts]) for name in Minutes.__slots__)
    return Minutes(*joined)


def _session_minutes(prepared: PreparedSession) -> Minutes:
    session, events, views = prepared.session, prepared.events, prepared.views
    times = np.maximum.accumulate(event_time_ns(events))
    last_ns = min(session.close_ns, int(times[-1])) if len(times) else session.open_ns
    end_ns = np.arange(session.open_ns + NS_PER_MINUTE, last_ns + 1, NS_PER_MINUTE)
    stops = np.searchsorted(times, end_ns)  # strictly before the end
    feature = MinuteState()
    instrument = session.instrument
    feature.begin_session(session.open_ns, session.close_ns, instrument.tick_size, instrument.lot_size)
    plain, fed = np.empty((len(end_ns), len(OBSERVED))), 0
    for i, (stop, now_ns) in enumerate(zip(stops, end_ns, strict=True)):
        feature.update(events[fed:stop], views[fed:stop])
        plain[i], fed = feature.values(int(now_ns)), stop
    mid = np.concatenate(([np.nan], views["mid_ticks"]))[stops] * instrument.tick_size
    return Minutes(end_ns, np.arange(len(end_ns)) == 0, plain, mid)


def row_observations(rows: Rows) -> np.ndarray:
    """The same five logs from what a row knows, point in time by construction; the sizes of the order cancel.

    Spread at arrival, depth at the touch and trades with a half-life of 5 minutes, volatility of 1 minute, repair time
    of large trades with one of 30. A column that the rows do not have is unknown.

    Returns:
        shape (len(rows), 5), columns as in `OBSERVED`, nan where unknown.
    """

    def column(name: str) -> np.ndarray:
        return rows.x[:, rows.x_names.index(name)] if name in rows.x_names else np.full(len(rows), np.nan)

    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.log(rows.quantity) - column("log_size_to_touch")
        trades = np.log(rows.children / np.maximum(rows.horizon_s, 1.0)) - column("log_child_rate")
        volatility = np.log(rows.volatility) + column("volatility_1m_to_30m")
        repair_s = np.expm1(column("log_spread_half_life"))
    plain = np.column_stack([rows.spread_bps, np.exp(depth), np.exp(volatility), np.exp(trades), repair_s])
    return log_observations(plain)
