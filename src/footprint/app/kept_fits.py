"""Finished fits beside an output that is not written yet, so that an interrupted `footprint fit` goes on.

    DIR/<key>/        a fitted model of one target and what it cost
    DIR/<key>.json    its scores and predictive checks, and what they cost
    DIR/trials.db     trials of a search of hyper-parameters

A key is a hash of everything that the result depends on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from footprint.app.files import replacing, replacing_folder
from footprint.impact.cost import Cost, Measured
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.executor import Executor
from footprint.impact.fits import Fit
from footprint.impact.forecaster import Forecaster
from footprint.impact.held_out_checks import scores_and_checks
from footprint.impact.interface import FittedImpact
from footprint.impact.registry.run import Check, Score
from footprint.impact.store import MODEL_FILES, load, save

_COST = "cost.json"
_Work = tuple[Callable[[Fit, Path], None], Fit, Path]


@dataclass(frozen=True, slots=True)
class KeptFits:
    """Models and scores by fit.

    Args:
        folder: made when absent.
        base: a forecaster of the same tapes: a single model is stored in one that holds nothing else.
    """

    folder: Path
    base: Forecaster
    protocol: Protocol

    def model(self, fit: Fit) -> tuple[FittedImpact, Cost]:
        """A kept model and what its fit cost."""
        folder = self._model_folder(fit)
        cost = Cost(**json.loads((folder / _COST).read_text()))
        return load(folder).known[fit.target], cost

    def scores(self, fit: Fit) -> tuple[tuple[Score, ...], tuple[Check, ...], Cost]:
        """Kept scores and checks, and what they cost."""
        plain = json.loads(self._score_file(fit).read_text())
        scores = tuple(Score(**score) for score in plain["scores"])
        return scores, tuple(Check(**check) for check in plain["checks"]), Cost(**plain["cost"])

    def run(self, fits: Sequence[Fit], scored: Sequence[Fit], executor: Executor) -> Iterator[None]:
        """Make what is missing; yields once for every model and every scoring, those that are there already first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted: list[_Work] = [
            *((self._keep_model, fit, self._model_folder(fit)) for fit in fits),
            *((self._keep_scores, fit, self._score_file(fit)) for fit in scored),
        ]
        missing = [work for work in wanted if not work[2].exists()]
        yield from (None for _ in range(len(wanted) - len(missing)))
        yield from executor.map(_call, missing)

    def _keep_model(self, fit: Fit, path: Path) -> None:
        model, cost = Measured(Fit.run)(fit)
        alone = replace(self.base, known={fit.target: model}, in_flight={}, unseen={}, outside={})
        with replacing_folder(path, (*MODEL_FILES, _COST)) as folder:
            save(alone, folder)
            (folder / _COST).write_text(json.dumps(asdict(cost)))

    def _keep_scores(self, fit: Fit, path: Path) -> None:
        (scores, checks), cost = Measured(self._scores)(fit)
        plain = {"scores": [asdict(s) for s in scores], "checks": [asdict(c) for c in checks], "cost": asdict(cost)}
        with replacing(path) as partial:
            partial.write_text(json.dumps(plain))

    def _scores(self, fit: Fit) -> tuple[tuple[Score, ...], tuple[Check, ...]]:
        return scores_and_checks(fit, self.protocol)

    def _model_folder(self, fit: Fit) -> Path:
        return self.folder / fit.key()

    def _score_file(self, fit: Fit) -> Path:
        return self.folder / f"{fit.key()}.json"


def _call(work: _Work) -> None:
    keep, fit, path = work
    keep(fit, path)
