"""Can an onlooker tell that an order is active? The AUC of a logistic classifier on public features.

Instants at which an order was worked stand against instants of its matched windows. The classifier sees what anybody
sees of the market orders of the last one and five minutes, of both sides alike: it is not told the side. Orders of the
earlier half of the day are ranked by a classifier trained on those of the later half and the reverse, every order
against its own windows. 0.5 is an invisible order.

Without leakage the two halves err together: what makes one classifier do well on the other half by chance makes the
other do well on the first. The interval is therefore the mean of the two halves' intervals, not that of their mean.
More folds would look more precise and cry wolf three times too often.
"""

from __future__ import annotations

import numpy as np

from footprint.impact.leakage.blocks import Blocks
from footprint.impact.leakage.market import Market, time_of_day_ns
from footprint.impact.leakage.matched import Matched, mean_excess
from footprint.impact.leakage.measure import Kind, Measure
from footprint.units import NS_PER_SECOND

MOMENT_S = 30.0  # one instant is read of so many seconds of an order,
MOMENTS = 20  # but no more of one order than this
QUIET = 2  # instants of its windows for each instant of an order
LOOK_BACKS_S = (60.0, 300.0)
MIN_MOMENTS = 60  # with an active order
MIN_ORDERS = 5  # in each half of the day

AUC = Kind(
    "active_order_auc", "probability",
    "0.5 does not prove that an order is invisible, only that these features and a linear rule do not see it.",
)  # fmt: skip


def active_order_auc(market: Market, matched: Matched, block_s: float, rng: np.random.Generator) -> Measure:
    """Chance that an instant of an order is ranked above one of its own windows, mean over the orders of each half."""
    orders = len(matched.orders)
    hot_ns, hot_owner = _moments(matched.orders.start_ns, matched.orders.end_ns, np.arange(orders), 1, rng)
    cold_ns, cold_owner = _moments(matched.start_ns, matched.end_ns, matched.order, QUIET, rng)
    time_ns, owner = np.concatenate([hot_ns, cold_ns]), np.concatenate([hot_owner, cold_owner])
    active = np.arange(len(time_ns)) < len(hot_ns)
    features = public_features(market, time_ns)
    known = np.isfinite(features).all(axis=1)
    time_ns, owner, active, features = time_ns[known], owner[known], active[known], features[known]
    if active.sum() < MIN_MOMENTS:
        return AUC.unknown(f"{active.sum()} instants of orders, needs {MIN_MOMENTS}", orders, block_s)
    clock = time_of_day_ns(matched.orders.start_ns)
    late = np.argsort(np.argsort(clock, kind="stable")) >= orders // 2
    half_hour = time_ns // int(block_s * NS_PER_SECOND)
    halves = []
    for tested in (late, ~late):
        mine = tested[owner]
        apart = ~mine & ~np.isin(half_hour, half_hour[mine])
        order, above, at_ns = _ranked(features, active, owner, time_ns, apart, mine)
        count = len(np.unique(order))
        if count < MIN_ORDERS:
            return AUC.unknown(f"{count} orders in one half of the day, needs {MIN_ORDERS}", orders, block_s)
        # an order is worth 1, and each of its windows' instants the share of its own instants ranked below it
        one = np.where(np.isin(np.arange(orders), order), 1.0, np.nan)
        replicates, _ = mean_excess(one, matched.orders.start_ns, 1.0 - above, at_ns, order, block_s, rng)
        halves.append(np.append(replicates[:1], np.sort(replicates[1:])))
    return AUC.of((halves[0] + halves[1]) / 2.0, Blocks.draw(matched.orders.start_ns, block_s, rng))


def public_features(market: Market, time_ns: np.ndarray) -> np.ndarray:
    """Of the last one and five minutes: log volume and number of market orders, absolute imbalance, absolute return.

    Returns:
        float64 of shape (n, 8); nan where a mid is unknown.
    """
    columns = []
    for look_back_s in LOOK_BACKS_S:
        start_ns = time_ns - int(look_back_s * NS_PER_SECOND)
        bought, sold = (market.volume(np.full(len(time_ns), side), start_ns, time_ns) for side in (1, -1))
        volume = bought + sold
        columns += [
            np.log1p(volume / look_back_s),
            np.log1p(market.count(start_ns, time_ns)),
            np.abs(bought - sold) / np.maximum(volume, 1e-12),
            np.abs(market.mid_before(time_ns) - market.mid_before(start_ns)),
        ]
    return np.column_stack(columns)


def _moments(
    start_ns: np.ndarray, end_ns: np.ndarray, order: np.ndarray, times: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random instants in windows, `times` as many an order as its length allows, dealt to its windows; and its row."""
    if not len(order):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.flatnonzero(np.diff(order, prepend=-1))
    windows = np.diff(np.append(first, len(order)))
    seconds = (end_ns - start_ns)[first] / NS_PER_SECOND
    each = times * np.clip(np.ceil(seconds / MOMENT_S).astype(np.int64), 1, MOMENTS)
    owner = np.repeat(np.arange(len(first)), each)
    window = first[owner] + rng.integers(0, windows[owner])
    length = (end_ns - start_ns)[window]
    return start_ns[window] + (rng.random(len(window)) * length).astype(np.int64), order[first][owner]


def _ranked(
    features: np.ndarray,
    active: np.ndarray,
    owner: np.ndarray,
    time_ns: np.ndarray,
    trained: np.ndarray,
    tested: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every quiet instant of the tested orders the share of its order's active instants with higher odds.

    A tie is half. Nothing when the training rows lack one kind of instant.

    Returns:
        Order, share and time of each quiet instant.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import

    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    if len(np.unique(active[trained])) == 2:
        mean, spread = features[trained].mean(axis=0), features[trained].std(axis=0)
        scaled = (features - mean) / np.where(spread > 0, spread, 1.0)
        model = LogisticRegression(class_weight="balanced").fit(scaled[trained], active[trained])
        odds = model.decision_function(scaled)
        for k in np.unique(owner[tested & active]):
            hot, cold = odds[(owner == k) & active], (owner == k) & ~active
            above = (np.sign(hot[:, None] - odds[cold][None, :]) + 1.0) / 2.0
            found.append((owner[cold], above.mean(axis=0), time_ns[cold]))
    empty = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    order, share, at_ns = (np.concatenate(column) for column in zip(empty, *found, strict=True))
    return order, share, at_ns
