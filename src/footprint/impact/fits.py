"""The single fits of which a forecaster is made, as values: they can run anywhere, in any order, and be kept.

Scores are read on the last walk-forward part of every tape, by a model of the same kind that was fitted on the parts
before it; the model that is stored is then fitted on all parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from footprint.errors import ModelError
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import DIFFUSIVE, SPREAD, stack_for
from footprint.impact.evaluation.fingerprint import rows_digest, source_digest
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import (
    Bootstrap,
    Estimate,
    clusters,
    covered,
    crps_bps,
    mean_estimate,
    skill_percent,
    tape_means,
)
from footprint.impact.forecaster import Forecaster, find_regimes, fit_baseline
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.registry.run import Score
from footprint.impact.rows import TARGETS, Rows, concatenate
from footprint.impact.training import TapeRows
from footprint.impact.tuning import Setting, with_settings

KNOWN, IN_FLIGHT, UNSEEN = "known", "in_flight", "unseen"
REFERENCES = (("square_root_diffusive", DIFFUSIVE), ("square_root_spread", SPREAD))

# (kind, target) -> name of a part of the model -> its hyper-parameters
Settings = Mapping[tuple[str, str], Mapping[str, Setting]]


@dataclass(frozen=True, slots=True)
class Fit:
    """One model of one target on one table of rows.

    Attributes:
        kind: "known", "in_flight" or "unseen" (`Forecaster`).
    """

    kind: str
    target: str
    model: ImpactModel
    rows: Rows

    @property
    def name(self) -> str:
        """For people and files."""
        return f"{self.kind} {self.target}"

    def run(self) -> FittedImpact:
        """Fit on all rows."""
        return self.model.fit(self.rows, self.target)

    def key(self) -> str:
        """Hash of everything that the result depends on."""
        about = (source_digest("impact"), rows_digest(self.rows), self.kind, self.target, self.model)
        return hashlib.sha256(repr(about).encode()).hexdigest()[:24]


def fits_of(tapes: Sequence[TapeRows], settings: Settings) -> tuple[Fit, ...]:
    """Every fit of a forecaster; unseen symbols take the hyper-parameters of known ones, and need two symbols."""
    arrival, in_flight = (concatenate([getattr(t, name) for t in tapes]) for name in ("arrival", "in_flight"))
    several = len(np.unique(arrival.symbol)) > 1
    kinds = (KNOWN, IN_FLIGHT, UNSEEN) if several else (KNOWN, IN_FLIGHT)

    def fit(kind: str, target: str) -> Fit:
        found = settings.get((KNOWN if kind == UNSEEN else kind, target), {})
        model = with_settings(own_model(kind, target), found)
        return Fit(kind, target, model, in_flight if kind == IN_FLIGHT else arrival)

    return tuple(fit(kind, target) for kind in kinds for target in TARGETS)


def own_model(kind: str, target: str) -> ImpactModel:
    """The product's own forecast of a target, with the hyper-parameters of the catalogue."""
    return stack_for(target, kind == IN_FLIGHT, "symbol" if kind == UNSEEN else "part")


def forecaster_of(base: Forecaster, fits: Sequence[Fit], fitted: Sequence[FittedImpact]) -> Forecaster:
    """The parametric baseline of the same tapes with the fitted models in front of it."""
    models: dict[str, dict[str, FittedImpact]] = {KNOWN: {}, IN_FLIGHT: {}, UNSEEN: {}}
    for fit, model in zip(fits, fitted, strict=True):
        models[fit.kind][fit.target] = model
    card = replace(base.card, model_id=fits[0].model.name)
    rows = next(fit.rows for fit in fits if fit.kind == KNOWN)
    return replace(
        base,
        card=card,
        known=models[KNOWN],
        in_flight=models[IN_FLIGHT],
        unseen=models[UNSEEN],
        regimes=find_regimes(rows),
    )


def fit_forecaster(tapes: Sequence[TapeRows], calibrated_on: str, version: str, seed: int) -> Forecaster:
    """Every fit, one after the other.

    Args:
        calibrated_on: today, ISO.
        version: of the package.

    Raises:
        ModelError: too few orders.
    """
    fits = fits_of(tapes, {})
    fitted = [fit.run() for fit in fits]
    return forecaster_of(fit_baseline(tapes, calibrated_on, version, seed), fits, fitted)


def last_part(rows: Rows) -> int:
    """Number of the last walk-forward part that holds orders; 0 when there is none."""
    return int(rows.part.max(initial=0))


def held_out_scores(fit: Fit, protocol: Protocol) -> tuple[Score, ...]:
    """Scores of the fit's model on the last part; none when the orders are too few to hold a part back."""
    rows = fit.rows.known(fit.target)
    last = rows.part == last_part(rows)
    train, test = rows.take(~last), rows.take(last)
    if len(test) < protocol.slice_min_rows:
        return ()
    try:
        quantiles = fit.model.fit(train, fit.target).quantiles(test)
        references = {name: CrossConformal(model).fit(train, fit.target).quantiles(test) for name, model in REFERENCES}
    except ModelError:
        return ()
    return tuple(_scores(fit, test, quantiles, references, protocol))


def _scores(
    fit: Fit, test: Rows, quantiles: np.ndarray, references: Mapping[str, np.ndarray], protocol: Protocol
) -> list[Score]:
    outcome, weights = test.outcome(fit.target), test.tape_weights()
    rng = np.random.default_rng([protocol.seed, 2])
    code = clusters(test.market, test.start_ns, protocol.cluster_s)
    bootstrap = Bootstrap.draw(code, test.market, protocol.bootstrap_draws, rng)

    def score(metric: str, e: Estimate, against: str = "", slice_name: str = "") -> Score:
        return Score(fit.kind, fit.target, metric, against, slice_name, e.value, e.low, e.high, e.n, e.blocks)

    own = tape_means(crps_bps(quantiles, outcome), test.tape, bootstrap)
    found = []
    for name, reference in references.items():
        theirs = tape_means(crps_bps(reference, outcome), test.tape, bootstrap)
        found.append(score("crps_skill_percent", skill_percent(own, theirs), against=name))
    inside = 100.0 * covered(quantiles, outcome, 0.90)
    above = 100.0 * (outcome > quantiles[:, 94])
    for metric, values in (("coverage_90_percent", inside), ("above_var95_percent", above)):
        found.append(score(metric, mean_estimate(values, weights, bootstrap)))
    for tape in np.unique(test.tape):
        mine = test.tape == tape
        if mine.sum() >= protocol.slice_min_rows:
            estimate = mean_estimate(inside[mine], weights[mine], bootstrap.take(mine))
            found.append(score("coverage_90_percent", estimate, slice_name=str(tape)))
    return found
