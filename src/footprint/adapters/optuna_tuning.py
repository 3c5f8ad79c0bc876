"""Optuna's tree-structured Parzen estimator as a tuner; finished trials are kept in SQLite.

Bergstra, Bardenet, Bengio, Kegl (2011). Only finished trials are ever written, each in one transaction, and the sampler
is seeded anew for every proposal from the seed and the number of finished trials: an interrupted search that goes on
makes the proposals that it would have made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from footprint.errors import UsageError
from footprint.impact.cost import Cost
from footprint.impact.tuning import Choice, SearchSpace, Setting, Trial, Whole

optuna.logging.set_verbosity(optuna.logging.WARNING)

_STARTUP_TRIALS = 10  # proposed at random before the estimator has something to go by


class OptunaTuner:
    """`impact.tuning.Tuner` in a SQLite file, made with its folder when it is first needed.

    Every method raises `UsageError` when the file is no such database or cannot be written.
    """

    def __init__(self, file: Path, seed: int) -> None:
        self._file, self._seed = file, seed
        self._studies: dict[str, optuna.Study] = {}

    def trials(self, key: str) -> tuple[Trial, ...]:
        """Finished trials; see `Tuner.trials`."""
        return tuple(_trial(one) for one in self._finished(key))

    def propose(self, key: str, space: SearchSpace) -> Setting:
        """The next setting; see `Tuner.propose`."""
        finished = self._finished(key)
        seed = int(np.random.SeedSequence([self._seed, len(finished)]).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(n_startup_trials=_STARTUP_TRIALS, seed=seed)
        scratch = optuna.create_study(sampler=sampler)  # in memory: an unfinished trial leaves no trace in the file
        scratch.add_trials(finished)
        return dict(scratch.ask(_distributions(space)).params)

    def record(self, key: str, space: SearchSpace, trial: Trial) -> None:
        """Keep a finished trial; see `Tuner.record`."""
        cost = {"wall_s": trial.cost.wall_s, "cpu_s": trial.cost.cpu_s, "peak_bytes": trial.cost.peak_bytes}
        with self._told():
            self._study(key).add_trial(
                create_trial(
                    params=trial.setting, distributions=_distributions(space), value=trial.loss, user_attrs=cost
                )
            )

    def _finished(self, key: str) -> list[FrozenTrial]:
        with self._told():
            return self._study(key).get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    def _study(self, key: str) -> optuna.Study:
        if key not in self._studies:
            self._studies[key] = optuna.create_study(storage=self._storage, study_name=key, load_if_exists=True)
        return self._studies[key]

    @cached_property
    def _storage(self) -> optuna.storages.RDBStorage:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return optuna.storages.RDBStorage(f"sqlite:///{self._file.resolve()}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the database raises, as one line that names the file."""
        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
            text = " ".join(str(error).split())[:200]
            raise UsageError(f"{self._file}: the trials cannot be kept there or read from there ({text})") from error


def _distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    def one(dimension: object) -> BaseDistribution:
        if isinstance(dimension, Choice):
            return CategoricalDistribution(dimension.options)
        if isinstance(dimension, Whole):
            return IntDistribution(dimension.low, dimension.high, log=dimension.log)
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)  # type: ignore[attr-defined]

    return {name: one(dimension) for name, dimension in space.dimensions}


def _trial(kept: FrozenTrial) -> Trial:
    assert kept.value is not None  # finished trials have one
    attrs = kept.user_attrs
    return Trial(dict(kept.params), kept.value, Cost(attrs["wall_s"], attrs["cpu_s"], attrs["peak_bytes"]))
