"""The impact law on a real tape, through synthetic metaorders: which number of traders N, and what exponent follows.

N is a free knob that moves the exponent by up to 0.3. It is chosen on the first third of the days, as the N whose
exponent is nearest to 1/2 there, and everything reported comes from the later days.

sigma_D is the range of the mid over its first value and V_D the volume of the *same* session: good for the law, banned
from forecasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from footprint.data.children import ChildTape
from footprint.data.metaorders import Activity, metaorders
from footprint.errors import DataRefused
from footprint.impact.laws.binned_law import fit_binned_law
from footprint.impact.laws.law import LawFit, cluster_sums
from footprint.units import BPS, NS_PER_MINUTE

TRADERS = (5, 20, 80)
_CLUSTER_NS = 30 * NS_PER_MINUTE
_TARGET_EXPONENT = 0.5


@dataclass(frozen=True, slots=True)
class LawSample:
    """Synthetic metaorders ready for a law, arrays of shape (n,).

    Attributes:
        participation: Q / V_D.
        impact: signed peak impact in units of sigma_D.
        peak_bps: the same in basis points.
        sign: side of the order.
        cluster: half-hour of its first child, counted from 1970.
    """

    participation: np.ndarray
    impact: np.ndarray
    peak_bps: np.ndarray
    sign: np.ndarray
    cluster: np.ndarray


@dataclass(frozen=True, slots=True)
class TapeExponent:
    """The law of a tape.

    Attributes:
        traders: N, chosen on `training_days` alone.
        law: fit on the later days with that N.
        training: fits on the training days for every N.
        later: fits on the later days for every N, to show what the choice is worth; never used to choose.
    """

    traders: int
    law: LawFit
    training: Mapping[int, LawFit]
    later: Mapping[int, LawFit]
    training_days: int


@dataclass(frozen=True, slots=True)
class NullResult:
    """Mean peak impact of metaorders on a tape with shuffled signs, its clustered error, and the law found there."""

    mean_bps: float
    mean_se_bps: float
    law: LawFit


def law_sample(
    days: Sequence[ChildTape],
    traders: int,
    rng: np.random.Generator,
    activity: Activity = "equal",
    min_children: int = 2,
    deals: int = 5,
) -> LawSample:
    """Metaorders of several sessions of one symbol, pooled over `deals` assignments of the children to traders."""
    parts = []
    for tape in days:
        sigma_bps = range_bps(tape)
        volume = tape.quantity.sum()
        for _ in range(deals):
            orders = metaorders(tape, traders, rng, activity, min_children)
            cluster = orders.start_ns // _CLUSTER_NS
            parts.append((orders.quantity / volume, orders.peak_bps / sigma_bps, orders.peak_bps, orders.sign, cluster))
    return LawSample(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def range_bps(tape: ChildTape) -> float:
    """sigma_D of the session: (highest - lowest mid) / first mid x 1e4, over the mids before its market orders."""
    mids: np.ndarray = tape.mid_before[np.isfinite(tape.mid_before)]
    if len(mids) == 0 or mids.max() == mids.min():
        raise DataRefused("a session whose mid never moves has no volatility", field="mid", found=len(mids))
    return float(np.ptp(mids) / mids[0] * BPS)


def tape_exponent(
    days: Sequence[ChildTape],
    rng: np.random.Generator,
    candidates: Sequence[int] = TRADERS,
    activity: Activity = "equal",
    deals: int = 5,
) -> TapeExponent:
    """Choose N on the first third of the days (at least one), then fit the later days.

    Args:
        days: child tapes of one symbol, one a session, in order of time.
        rng: deals traders and draws the bootstrap.
        candidates: numbers of traders to choose from.
        activity: how active the traders are.
        deals: assignments pooled per session; they share the price path, so they are no independent data.

    Raises:
        DataRefused: fewer than two days, or no law on the training days for any N.
    """
    if len(days) < 2:
        raise DataRefused("too few days to choose N on the first ones", found=len(days), allowed="2 days or more")
    split = max(len(days) // 3, 1)

    def fits(part: Sequence[ChildTape]) -> dict[int, LawFit]:
        samples = {n: law_sample(part, n, rng, activity, deals=deals) for n in candidates}
        return {n: fit_binned_law(s.participation, s.impact, s.cluster, rng).law for n, s in samples.items()}

    training, later = fits(days[:split]), fits(days[split:])
    found = [n for n in candidates if training[n].exists]
    if not found:
        raise DataRefused("no impact law on the training days", found="for N = " + ", ".join(map(str, candidates)))
    chosen = min(found, key=lambda n: abs(training[n].exponent - _TARGET_EXPONENT))
    return TapeExponent(chosen, later[chosen], training, later, split)


def sign_shuffled_null(
    days: Sequence[ChildTape], traders: int, rng: np.random.Generator, activity: Activity = "equal", deals: int = 5
) -> NullResult:
    """Shuffle the signs of the children within each segment, rebuild the metaorders, and look for impact.

    The whole procedure runs on a tape where no sign knows of any price: what it still finds is its own invention. The
    mean is half the difference between buys and sells, so that a day that drifted while one side had more orders adds
    nothing.
    """
    sample = law_sample([shuffle_signs(tape, rng) for tape in days], traders, rng, activity, deals=deals)
    mean, error = balanced_mean(sample.peak_bps, sample.sign, sample.cluster)
    return NullResult(mean, error, fit_binned_law(sample.participation, sample.impact, sample.cluster, rng).law)


def shuffle_signs(tape: ChildTape, rng: np.random.Generator) -> ChildTape:
    """The same tape with the signs of the children permuted within each segment."""
    by_segment = np.lexsort((rng.random(len(tape)), tape.segment))
    signs = np.empty_like(tape.sign)
    signs[np.argsort(tape.segment, kind="stable")] = tape.sign[by_segment]
    return replace(tape, sign=signs)


def balanced_mean(impact: np.ndarray, sign: np.ndarray, cluster: np.ndarray) -> tuple[float, float]:
    """Mean of signed impact with buys and sells weighted equally, and its clustered standard error."""
    weight = np.where(sign > 0, 0.5 / max(int(np.sum(sign > 0)), 1), 0.5 / max(int(np.sum(sign < 0)), 1))
    side_mean = np.where(sign > 0, impact[sign > 0].mean(), impact[sign < 0].mean())
    scores = cluster_sums((weight * (impact - side_mean))[:, None], cluster)
    return float(weight @ impact), float(np.sqrt(np.sum(scores**2)))
