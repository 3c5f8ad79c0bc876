"""What the regimes are, how long they last, and what they change in a forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import Bootstrap, Estimate, clusters, covered, mean_estimate
from footprint.impact.linear_mean import FittedLinearMean
from footprint.impact.regimes.hidden_states import HiddenStates
from footprint.impact.regimes.observations import OBSERVED, Minutes, plain_observations
from footprint.impact.regimes.online_filter import filtered
from footprint.impact.regimes.regime_model import FittedRegimeAware
from footprint.impact.rows import Rows

_PROTOCOL = Protocol()
_TWO_SIDED_95 = 1.96


@dataclass(frozen=True, slots=True)
class RegimeSummary:
    """One regime as seen on some minutes.

    Attributes:
        share: of the minutes, by the filtered label.
        centre: of the fitted state, in plain units by name of `OBSERVED`; nan for what the fit never knew.
        dwell_minutes: mean stay; the spells that a session's end cut off count with their length but not as ended. `n`
            minutes, `blocks` ended spells. Interval as if stays were exponential; infinite above without an ended one.
    """

    name: str
    share: float
    centre: dict[str, float]
    dwell_minutes: Estimate


@dataclass(frozen=True, slots=True)
class RegimeReport:
    """The regimes of one symbol on some minutes.

    Attributes:
        label: number of the most likely state after each minute, filtered, shape (n,).
        transition: of the fitted chain, from one minute to the next, row = present, shape (K, K).
        moves: changes of the label that were seen within sessions, counts, shape (K, K), diagonal 0.
    """

    regimes: tuple[RegimeSummary, ...]
    label: np.ndarray
    transition: np.ndarray
    moves: np.ndarray


@dataclass(frozen=True, slots=True)
class EffectSummary:
    """What one regime changes in a forecast.

    Attributes:
        rows: scored rows that the filter puts in it.
        prefactor, scale: multiples of the blind mean and of the blind deviations, with 95 % intervals.
        coefficients: of a parametric blind model in this regime; empty for others.
        coverage_blind, coverage_aware: of the 90 % band on the scored rows, None without any.
    """

    name: str
    rows: int
    prefactor: tuple[float, float, float]
    scale: tuple[float, float, float]
    coefficients: tuple[float, ...]
    coverage_blind: Estimate | None
    coverage_aware: Estimate | None


def describe_regimes(states: HiddenStates, minutes: Minutes) -> RegimeReport:
    """Label every minute by the online filter and summarise."""
    label = filtered(states, minutes.logs, minutes.begins).argmax(axis=1)
    goes_on = ~minutes.begins[1:]
    moves = np.zeros((len(states), len(states)), np.int64)
    np.add.at(moves, (label[:-1][goes_on], label[1:][goes_on]), 1)
    np.fill_diagonal(moves, 0)
    centres = plain_observations(states.log_centres)
    regimes = tuple(
        RegimeSummary(
            name,
            float(np.mean(label == k)) if len(label) else float("nan"),
            dict(zip(OBSERVED, centres[k].tolist(), strict=True)),
            mean_stay(int((label == k).sum()), int(moves[k].sum())),
        )
        for k, name in enumerate(states.names)
    )
    return RegimeReport(regimes, label, states.transition, moves)


def mean_stay(minutes: int, ended: int) -> Estimate:
    """Mean of exponential stays of which `ended` were seen to end, minutes (Lawless 2003, section 4.1).

    >>> mean_stay(60, 2).value
    30.0
    """
    high = 2.0 * minutes / float(chi2.ppf(0.025, 2 * ended)) if ended else float("inf")
    low = 2.0 * minutes / float(chi2.ppf(0.975, 2 * ended + 2))
    return Estimate(minutes / ended if ended else float("nan"), low, high, minutes, ended)


def describe_effects(
    fitted: FittedRegimeAware, rows: Rows, protocol: Protocol = _PROTOCOL
) -> tuple[EffectSummary, ...]:
    """Effects of the fit, and coverage on `rows`, which should be later ones than those of the fit."""
    rows = rows.known(fitted.target)
    outcome, weights, label = rows.outcome(fitted.target), rows.tape_weights(), fitted.labels(rows)
    inside = {
        "blind": covered(fitted.blind.quantiles(rows), outcome, 0.9),
        "aware": covered(fitted.quantiles(rows), outcome, 0.9),
    }
    cluster = clusters(rows.market, rows.start_ns, protocol.cluster_s)
    rng = np.random.default_rng(protocol.seed)
    bootstrap = Bootstrap.draw(cluster, rows.market, protocol.bootstrap_draws, rng)
    coefficients = fitted.blind.coefficients if isinstance(fitted.blind, FittedLinearMean) else np.zeros(0)
    effects, out = fitted.effects, []
    for k, name in enumerate(fitted.regimes.names):
        mine = label == name
        coverage = {
            who: mean_estimate(hit[mine], weights[mine], bootstrap.take(mine)) if mine.any() else None
            for who, hit in inside.items()
        }
        a, a_error = float(effects.prefactor[k]), _TWO_SIDED_95 * float(effects.prefactor_se[k])
        b, b_factor = float(effects.scale[k]), float(np.exp(_TWO_SIDED_95 * effects.log_scale_se[k]))
        out.append(
            EffectSummary(
                name,
                int(mine.sum()),
                (a, a - a_error, a + a_error),
                (b, b / b_factor, b * b_factor),
                tuple((a * coefficients).tolist()),
                coverage["blind"],
                coverage["aware"],
            )
        )
    return tuple(out)
