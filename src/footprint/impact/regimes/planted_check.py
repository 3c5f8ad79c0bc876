"""Are planted regimes found again by the online label, and does a forecast that knows them do better?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.data.planted_regimes import RegimeDay, planted_regime_days
from footprint.data.prepare import prepare
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import Bootstrap, Estimate, clusters, crps_bps, skill_percent, tape_means
from footprint.impact.interface import ImpactModel
from footprint.impact.regimes.minute_regimes import CarriedRegimes, find_regimes, with_regimes
from footprint.impact.regimes.observations import Minutes, observe_minutes
from footprint.impact.regimes.online_filter import filtered
from footprint.impact.regimes.regime_model import FittedRegimeAware, RegimeAware
from footprint.impact.regimes.selection import Selection
from footprint.impact.rows import Rows
from footprint.impact.training import prepared_tape_rows

# one number of imaginary traders and no thinning that bites: many rows of one kind on a quiet tape
_PROTOCOL = Protocol(traders_busy=(20,), traders_quiet=(20,), parts=2, rows_per_cell=6_000)


@dataclass(frozen=True, slots=True)
class PlantedRun:
    """A planted tape whose first half trained: regimes on its minutes, models on its rows.

    Attributes:
        days: with their truth.
        minutes: of all days; `is_later` marks those of the second half.
        truth: number of the true regime at the end of each minute.
        rows: with the filtered probabilities; part 1 trains, part 2 is scored.
    """

    days: tuple[RegimeDay, ...]
    minutes: Minutes
    is_later: np.ndarray
    truth: np.ndarray
    selection: Selection
    rows: Rows

    @property
    def adjusted_rand(self) -> float:
        """Agreement of the online label with the truth on the later minutes."""
        states = self.selection.states
        label = filtered(states, self.minutes.logs, self.minutes.begins).argmax(axis=1)
        return adjusted_rand(self.truth[self.is_later], label[self.is_later])


def planted_run(seed: int, days: int = 16) -> PlantedRun:
    """Draw a tape, find the regimes of its first half and give its rows their filtered probabilities."""
    drawn = tuple(planted_regime_days(days, np.random.default_rng(seed)))
    sessions = [prepare(day.session) for day in drawn]
    minutes = observe_minutes(sessions)
    is_later = minutes.end_ns > drawn[days // 2].session.open_ns
    selection = find_regimes(minutes.take(~is_later))
    (tape,) = prepared_tape_rows(sessions, _PROTOCOL)
    rows = with_regimes(tape.arrival, selection.states, minutes)
    return PlantedRun(drawn, minutes, is_later, regimes_at(drawn, minutes.end_ns - 1), selection, rows)


def regimes_at(days: tuple[RegimeDay, ...], time_ns: np.ndarray) -> np.ndarray:
    """True regime at each time, which must lie within the sessions."""
    day = np.searchsorted([d.session.open_ns for d in days], time_ns, side="right") - 1
    out = np.empty(len(time_ns), np.int64)
    for number in np.unique(day):
        out[day == number] = days[number].at(time_ns[day == number])
    return out


def skill_of_knowing(run: PlantedRun, model: ImpactModel, target: str) -> tuple[Estimate, FittedRegimeAware]:
    """CRPS skill, %, of the model with regimes over the same one without, on the later half, and the aware fit.

    Both get the same conformal step; half-hour blocks are resampled.
    """
    rows = run.rows.known(target)
    past, later = rows.take(rows.part == 1), rows.take(rows.part == 2)
    cluster = clusters(later.market, later.start_ns, _PROTOCOL.cluster_s)
    rng = np.random.default_rng(_PROTOCOL.seed)
    bootstrap = Bootstrap.draw(cluster, later.market, _PROTOCOL.bootstrap_draws, rng)
    aware = RegimeAware(model, CarriedRegimes())
    losses = [
        crps_bps(CrossConformal(m, fold_by="part").fit(past, target).quantiles(later), later.outcome(target))
        for m in (aware, model)
    ]
    known, blind = (tape_means(loss, later.tape, bootstrap) for loss in losses)
    return skill_percent(known, blind), aware.fit(past, target)


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """Adjusted Rand index of two labellings of shape (n,): 1 when they agree, 0 on average by chance.

    Hubert & Arabie (1985).

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([5, 5, 2, 2]))
    1.0
    """
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1.0)
    together, rows, columns = (float((c * (c - 1.0)).sum() / 2.0) for c in (table, table.sum(1), table.sum(0)))
    pairs = len(a) * (len(a) - 1.0) / 2.0
    chance = rows * columns / pairs
    return 1.0 if rows == columns == together else (together - chance) / (0.5 * (rows + columns) - chance)
