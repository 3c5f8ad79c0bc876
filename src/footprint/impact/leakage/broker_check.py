"""Brokers' metaorders beside the imaginary ones on the same tape: how many, how long, which law, which profile.

Sources: the brokers of the tape, the same brokers scrambled, and N imaginary traders (`metaorders-1`). Impacts are in
units of the session's range and sizes in shares of its volume, so that instruments can be pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data.broker_metaorders import scrambled
from footprint.data.children import ChildTape
from footprint.data.metaorders import Metaorders, collect_runs, deal_traders
from footprint.impact.evaluation.scoring import Estimate
from footprint.impact.laws.binned_law import fit_binned_law
from footprint.impact.laws.tape_law import TRADERS, range_bps
from footprint.impact.leakage.blocks import Blocks, ratio
from footprint.impact.leakage.measure import Kind, Measure
from footprint.units import NS_PER_SECOND

MIN_CHILDREN = 2
PROFILE_CHILDREN = 4
DEALS = 5  # assignments pooled of what is drawn at random; they share the path and are no independent data
MIN_ROWS = 30  # of a size bin
MIN_ORDERS = 30
_TWO_SIDED_95 = 1.96

_CLIENTS = "a broker's run mixes clients, and an imaginary trader has none"
COUNT = Kind("metaorders_per_1000_children", "orders", f"Does not prove how many orders there were: {_CLIENTS}.")
CHILDREN = Kind("children_per_metaorder", "children", f"Does not prove how orders are split: {_CLIENTS}.")
DURATION = Kind("metaorder_duration", "s", f"Does not prove how long orders are worked: {_CLIENTS}.")
IMPACT = Kind("peak_impact", "share of the session's range", f"Does not prove a cause: {_CLIENTS}.")
EXPONENT = Kind("law_exponent", "exponent", "A value near 1/2 proves no law: imaginary traders give it too.")
LINEARITY = Kind(
    "profile_linearity",
    "0.50 linear, 0.62 square root",
    f"Does not prove how impact builds up in an order: {_CLIENTS}.",
)
KINDS = (COUNT, CHILDREN, DURATION, IMPACT, EXPONENT, LINEARITY)

Dealer = Callable[[ChildTape, np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True, slots=True)
class BrokerCheck:
    """One source of metaorders and its figures, in the order of `KINDS`."""

    source: str
    measures: tuple[Measure, ...]


def broker_check(
    tapes: Sequence[ChildTape], brokers: Sequence[np.ndarray], block_s: float, rng: np.random.Generator
) -> list[BrokerCheck]:
    """Figures of the brokers, of the same brokers scrambled, and of `TRADERS` imaginary traders.

    Args:
        tapes: sessions, also of several instruments, each with a mid that moves.
        brokers: sender of every market order of each tape, `NOBODY` where unknown.
    """
    sources: list[tuple[str, Dealer, int]] = [
        ("brokers", lambda tape, senders, rng: senders, 1),
        ("brokers, scrambled", lambda tape, senders, rng: scrambled(senders, tape, rng), DEALS),
        *((f"{n} imaginary traders", _imaginary(n), DEALS) for n in TRADERS),
    ]
    return [_figures(name, tapes, brokers, deal, deals, block_s, rng) for name, deal, deals in sources]


def _imaginary(traders: int) -> Dealer:
    return lambda tape, senders, rng: deal_traders(len(tape), traders, rng)


def _figures(
    source: str,
    tapes: Sequence[ChildTape],
    brokers: Sequence[np.ndarray],
    deal: Dealer,
    deals: int,
    block_s: float,
    rng: np.random.Generator,
) -> BrokerCheck:
    parts = list(_columns(tapes, brokers, deal, deals, rng))
    start_ns, children, seconds, share, impact, profile = (np.concatenate(c) for c in zip(*parts, strict=True))
    n = len(start_ns)
    if n < MIN_ORDERS:
        return BrokerCheck(source, tuple(k.unknown(f"{n} metaorders, needs {MIN_ORDERS}", n, block_s) for k in KINDS))
    blocks = Blocks.draw(start_ns, block_s, rng)
    mean = blocks.means(np.column_stack([children, seconds, impact])).T
    all_ns = np.concatenate([tape.time_ns for tape in tapes])
    per_block = _per_1000(start_ns, all_ns, deals, block_s, rng)
    return BrokerCheck(
        source,
        (
            per_block,
            CHILDREN.of(mean[0], blocks),
            DURATION.of(mean[1], blocks),
            IMPACT.of(mean[2], blocks),
            _exponent(share, impact, start_ns, block_s, rng),
            _linearity(profile, start_ns, block_s, rng),
        ),
    )


def _columns(
    tapes: Sequence[ChildTape], brokers: Sequence[np.ndarray], deal: Dealer, deals: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, ...]]:
    """Start, children, seconds, share of volume, impact in ranges, and profile of the metaorders of every session."""
    for tape, senders in zip(tapes, brokers, strict=True):
        for _ in range(deals):
            orders = collect_runs(tape, deal(tape, senders, rng), MIN_CHILDREN)
            seconds = (orders.end_ns - orders.start_ns) / NS_PER_SECOND
            impact = orders.peak_bps / range_bps(tape)
            share = orders.quantity / tape.quantity.sum()
            yield orders.start_ns, orders.children, seconds, share, impact, _profile(tape, orders) / range_bps(tape)


def _profile(tape: ChildTape, orders: Metaorders) -> np.ndarray:
    """Move of the mid at 10, 50 and 90 % of the duration, bps, shape (n, 3); nan for orders of few children or none."""
    fractions = np.array([0.1, 0.5, 0.9])
    times = orders.start_ns[:, None] + ((orders.end_ns - orders.start_ns)[:, None] * fractions).astype(np.int64)
    path = orders.sign[:, None] * (tape.mid_at(times) - orders.arrival_mid[:, None]) / orders.arrival_mid[:, None] * 1e4
    return np.where((orders.children >= PROFILE_CHILDREN)[:, None], path, np.nan)


def _per_1000(
    start_ns: np.ndarray, all_ns: np.ndarray, deals: int, block_s: float, rng: np.random.Generator
) -> Measure:
    """Metaorders of one assignment for 1,000 market orders."""
    blocks = Blocks.draw(np.concatenate([start_ns, all_ns]), block_s, rng)
    begins = np.arange(blocks.rows) < len(start_ns)
    found, market_orders = blocks.sums(np.column_stack([begins / deals, ~begins]).astype(np.float64)).T
    return COUNT.of(1000.0 * ratio(found, market_orders), blocks, len(start_ns))


def _exponent(
    share: np.ndarray, impact: np.ndarray, start_ns: np.ndarray, block_s: float, rng: np.random.Generator
) -> Measure:
    cluster = start_ns // int(block_s * NS_PER_SECOND)
    law = fit_binned_law(share, impact, cluster, rng, bins_per_decade=3.0, min_rows=MIN_ROWS).law
    if not np.isfinite(law.exponent + law.exponent_se):
        return EXPONENT.unknown(
            "fewer than three sizes with enough metaorders and a positive mean", len(share), block_s
        )
    width = _TWO_SIDED_95 * law.exponent_se
    estimate = Estimate(law.exponent, law.exponent - width, law.exponent + width, law.rows, law.clusters)
    return Measure(EXPONENT.name, EXPONENT.unit, estimate, block_s, EXPONENT.does_not_prove)


def _linearity(profile: np.ndarray, start_ns: np.ndarray, block_s: float, rng: np.random.Generator) -> Measure:
    """(I.5 - I.1) / (I.9 - I.1) of the mean path."""
    known = np.isfinite(profile).all(axis=1)
    if known.sum() < MIN_ORDERS:
        reason = f"{known.sum()} metaorders of {PROFILE_CHILDREN} children, needs {MIN_ORDERS}"
        return LINEARITY.unknown(reason, int(known.sum()), block_s)
    blocks = Blocks.draw(start_ns[known], block_s, rng)
    early, middle, late = blocks.means(profile[known]).T
    return LINEARITY.of(ratio(middle - early, late - early), blocks)
