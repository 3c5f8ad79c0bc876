"""The protocol of Impact Benchmark v1, under version control; every result carries it.

impact-protocol-1 was committed before the first scored run. impact-protocol-2 differs in what was settled after that
run had been seen: skills weigh tapes equally (the pooled ratio is printed beside), and half as many rows are kept in
flight. impact-protocol-3 keeps every order, part and seed of version 2. It resamples whole days in markets with ten or
more of them, adds the information set without a planned duration, and saves time where no bar is: in strict calendar
order parts share a fit until a quarter more is known, and half of the random split is scored. docs/decisions has the
reasons.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from footprint.data import metaorders
from footprint.impact import rows

VERSION = "impact-protocol-3"


@dataclass(frozen=True, slots=True)
class Protocol:
    """How orders are made, split and scored. Nothing here may be chosen after seeing a score.

    Attributes:
        min_children, min_duration_s: orders that are forecast.
        busy_children_per_day: tapes with more market orders in their first session count as busy.
        traders_busy, traders_quiet: numbers of imaginary traders.
        thin_children_per_day: tapes with fewer get `seeds_thin` assignments instead of `seeds`.
        seed: root of every random draw.
        rows_per_cell: orders kept per tape x part x number of traders; half as many per stage in flight.
        parts: walk-forward parts of each tape.
        first_test_part: parts before it only train.
        embargo_s: a row whose end plus this crosses the end of its part is dropped; the longest outcome horizon.
        tape_gap_days: a longer break between two sessions of a symbol starts a new tape.
        min_sessions, min_continuous_s: a tape needs that many sessions, or one continuous session of that length.
        cluster_s: errors cluster by clock blocks of this length, common to a market.
        day_clusters_from: a market whose scored orders lie on at least that many days clusters by day instead.
        bootstrap_draws: resamples of the clusters.
        slice_min_rows: smaller coverage slices are not judged.
        in_flight_fractions: shares of an order's children done when it is forecast again.
        thresholds_bps: P(outcome > threshold) is scored at these.
    """

    version: str = VERSION
    metaorders: str = metaorders.VERSION
    rows: str = rows.VERSION
    min_children: int = 3
    min_duration_s: float = 5.0
    busy_children_per_day: int = 8_000
    thin_children_per_day: int = 4_000
    traders_busy: tuple[int, ...] = (20, 80)
    traders_quiet: tuple[int, ...] = (5, 20)
    activity: str = "equal"
    seeds: int = 2
    seeds_thin: int = 4
    seed: int = 20261121
    rows_per_cell: int = 400
    parts: int = 6
    first_test_part: int = 3
    embargo_s: float = 600.0
    tape_gap_days: int = 7
    min_sessions: int = 3
    min_continuous_s: float = 72_000.0
    cluster_s: float = 1_800.0
    day_clusters_from: int = 10
    bootstrap_draws: int = 2_000
    slice_min_rows: int = 80
    in_flight_fractions: tuple[float, ...] = (0.25, 0.5, 0.75)
    thresholds_bps: tuple[float, ...] = (10.0,)

    def as_dict(self) -> dict[str, object]:
        """For the `protocol` object of results.json."""
        return asdict(self)
