"""`footprint models` as a service, and where `--model` and `--store` lead."""

from __future__ import annotations

import json
import time
from importlib import import_module
from pathlib import Path

from footprint.errors import UsageError
from footprint.impact.forecaster import Forecaster
from footprint.impact.registry.card import model_card
from footprint.impact.registry.folder import FolderModelStore, is_model_store
from footprint.impact.registry.interface import Log, ModelStore, Promotion, promotion, rollback
from footprint.impact.registry.run import ALL_TARGETS
from footprint.impact.store import load

CHAMPION = "champion"
_SQLITE = ".db"
_MLFLOW = "footprint.adapters.mlflow_models"  # by name: a library that only this store needs


def open_store(place: Path) -> ModelStore:
    """The model store in a folder, or, for a name that ends in .db, on MLflow in that SQLite file.

    Raises:
        UsageError: MLflow is not installed, or the place cannot be a store.
    """
    if place.suffix == _SQLITE:
        try:
            store: ModelStore = import_module(_MLFLOW).MlflowModelStore(place)
        except ImportError as error:
            raise UsageError(f"a store on MLflow needs {error.name}: pip install 'footprint[mlflow]'") from error
        return store
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place}: is no folder, allowed: a folder, or a file that ends in {_SQLITE} for MLflow")
    return FolderModelStore(place)


def load_model(place: Path) -> Forecaster:
    """What `--model` names: a folder from `footprint fit --out`, or a store, whose champion is taken.

    Raises:
        ModelError: no readable model.
        UsageError: a store without a champion.
    """
    if not (place.suffix == _SQLITE or is_model_store(place)):
        return load(place)
    store = open_store(place)
    return store.load(_champion(store.log(), place))


def list_runs(place: Path, as_json: bool) -> None:
    """Print all runs, the champion of each scope marked."""
    log = _log(place)
    champions = {log.champion(scope) for scope in log.scopes()}
    if as_json:
        runs = [{**json.loads(run.as_json()), "champion": run.run_id in champions} for run in log.runs]
        print(json.dumps({"store": str(place), "runs": runs, "promotions": [p.as_dict() for p in log.promotions]}))
        return
    from rich.table import Table

    from footprint.app.console import stdout_console

    table = Table("run", "targets", "model", "orders", "symbols", "trials", "CPU s", "state", title=str(place))
    for run in log.runs:
        challenger = run in log.challengers(run.scope)
        state = CHAMPION if run.run_id in champions else "challenger" if challenger else ""
        table.add_row(
            run.run_id,
            run.scope,
            f"{run.card['model_id']} {run.card['model_version']}",
            f"{run.card['orders']:,}",
            str(len(run.card["symbols"])),
            str(sum(t.trials for t in run.tuned)),
            f"{sum(c.cpu_s for c in run.costs.values()):.0f}",
            state,
        )
    stdout_console().print(table)


def show(place: Path, name: str, as_json: bool) -> None:
    """Print the model card of a run."""
    log = _log(place)
    run = log.run(_run_id(log, place, name))
    record = log.record(run.scope)
    if as_json:
        lines = [p.as_dict() for p in record if run.run_id in (p.before, p.after)]
        print(json.dumps({"run": json.loads(run.as_json()), "promotions": lines}))
    else:
        print(model_card(run, record), end="")


def promote(place: Path, name: str, by: str, why: str, as_json: bool) -> Promotion:
    """Make a run the champion of its targets."""
    store = open_store(place)
    return _append(store, promotion(_log(place), name, by, why, time.time_ns()), as_json)


def roll_back(place: Path, scope: str, by: str, why: str, as_json: bool) -> Promotion:
    """Bring the champion before the present one back."""
    store = open_store(place)
    return _append(store, rollback(_log(place), scope, by, why, time.time_ns()), as_json)


def _append(store: ModelStore, line: Promotion, as_json: bool) -> Promotion:
    store.promote(line)
    if as_json:
        print(json.dumps(line.as_dict()))
    else:
        instead = f" instead of {line.before}" if line.before else ""
        print(f"{line.after} is the champion of {line.scope}{instead}")
    return line


def _log(place: Path) -> Log:
    """The log of a store that must be there."""
    if not (place.is_file() if place.suffix == _SQLITE else is_model_store(place)):
        raise UsageError(f"{place}: no model store; make one with: footprint fit PATH --store {place}")
    return open_store(place).log()


def _run_id(log: Log, place: Path, name: str) -> str:
    return _champion(log, place) if name == CHAMPION else name


def _champion(log: Log, place: Path) -> str:
    """The run in use for all targets."""
    champion = log.champion(ALL_TARGETS)
    if champion is None:
        held = ", ".join(run.run_id for run in log.runs) or "no run"
        raise UsageError(
            f"{place}: no champion yet, promote a run with: footprint models promote {place} RUN; there is: {held}"
        )
    return champion
