"""`footprint fit --tune` as a service: the hyper-parameters of every fit, searched for on the past of the last part."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from footprint.app.progress import ProgressDisplay
from footprint.errors import UsageError
from footprint.impact.executor import Executor
from footprint.impact.fits import UNSEEN, Fit, Settings, last_part
from footprint.impact.registry.run import Tuned
from footprint.impact.tuning import Search, Setting, Tuner, tunable, tune, tuned

_TUNER = "footprint.adapters.optuna_tuning"  # by name: a library that only tuning needs
_TRIALS_FILE = "trials.db"


def open_tuner(folder: Path, seed: int) -> Tuner:
    """A tuner that keeps its trials in a folder, made when the first one is.

    Raises:
        UsageError: the library behind it is not installed.
    """
    try:
        adapter = import_module(_TUNER)
    except ImportError as error:
        raise UsageError(f"--tune needs {error.name}, allowed: pip install 'footprint[tune]'") from error
    tuner: Tuner = adapter.OptunaTuner(folder / _TRIALS_FILE, seed)
    return tuner


def tune_fits(
    fits: Sequence[Fit], tuner: Tuner, trials: int, seed: int, executor: Executor, progress: ProgressDisplay
) -> tuple[Tuned, ...]:
    """Bring the search of every part of every fit that can be tuned to `trials` trials, and take the best.

    The last walk-forward part is left out, because the scores are read on it. Fits for unseen symbols are not searched
    for: they take what was found for known ones.
    """
    searches = [
        Search.of(fit.kind, fit.target, part, fit.rows, last_part(fit.rows))
        for fit in fits
        if fit.kind != UNSEEN
        for part in tunable(fit.model).values()
    ]
    steps = tune(searches, tuner, trials, seed, executor)
    for _ in progress.track(steps, "trying hyper-parameters", len(searches) * trials):
        pass
    return tuple(tuned(search, tuner, trials, seed) for search in searches)


def settings_of(found: Sequence[Tuned]) -> Settings:
    """What was found, by fit and part of its model."""
    settings: dict[tuple[str, str], dict[str, Setting]] = {}
    for one in found:
        settings.setdefault((one.kind, one.target), {})[one.model] = one.parameters
    return settings
