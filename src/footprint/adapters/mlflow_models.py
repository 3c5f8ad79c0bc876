"""A model store on MLflow (the skinny package) with SQLite: runs, metrics and versions appear in MLflow's own tools.

    FILE.db              MLflow's tracking and registry database
    FILE.db.artifacts/   model.json, arrays.npz, run.json and card.md of each run

A run of ours is a finished MLflow run of the experiment "footprint" with our id as a tag. A scope is a registered
model; its versions are the lines of the promotion record in order, and the alias "champion" points to the last. MLflow
gives every version a number of its own, so that of two promotions at once the later one is seen and taken back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

# before the import: nothing is reported to anybody, and stdout and stderr are ours
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from footprint.errors import UsageError
from footprint.impact.forecaster import Forecaster
from footprint.impact.registry.folder import RUN_FILE, write_run
from footprint.impact.registry.interface import Log, Overtaken, Promotion
from footprint.impact.registry.run import Run
from footprint.impact.store import load

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun
    from mlflow.entities.model_registry import ModelVersion

_EXPERIMENT, _CHAMPION, _REGISTERED = "footprint", "champion", "footprint-"
_RUN_ID, _LINE = "footprint.run_id", "footprint.promotion"


class MlflowModelStore:
    """`impact.registry.interface.ModelStore` in a SQLite file, made when absent.

    Raises:
        UsageError: the file is no such database, or its folder does not exist.
    """

    def __init__(self, file: Path) -> None:
        if not file.parent.is_dir():
            raise UsageError(f"{file}: the folder {file.parent} does not exist")
        self._file = file.resolve()
        address = f"sqlite:///{self._file}"
        with _told(file):
            self._client = MlflowClient(tracking_uri=address, registry_uri=address)
            found = self._client.get_experiment_by_name(_EXPERIMENT)
            self._experiment: str = found.experiment_id if found else self._make_experiment()

    def _make_experiment(self) -> str:
        artifacts = self._file.with_name(self._file.name + ".artifacts")
        return self._client.create_experiment(_EXPERIMENT, artifact_location=artifacts.as_uri())

    def save(self, forecaster: Forecaster, run: Run) -> None:
        """Keep a model; see `ModelStore.save`. It counts once MLflow's run has ended well."""
        with _told(self._file):
            if run.run_id in self._finished():
                raise UsageError(f"{self._file}: holds a run {run.run_id} already")
            made = self._client.create_run(self._experiment, run_name=run.run_id)
            with TemporaryDirectory() as folder:
                write_run(forecaster, run, Path(folder))
                self._client.log_artifacts(made.info.run_id, folder)
            self._log_figures(made.info.run_id, run)
            self._client.set_tag(made.info.run_id, _RUN_ID, run.run_id)
            self._client.set_terminated(made.info.run_id)

    def _log_figures(self, mlflow_id: str, run: Run) -> None:
        """What MLflow's own tables show; our own record is run.json."""
        self._client.log_param(mlflow_id, "data_sha256", run.data_sha256)
        for s in (s for s in run.scores if not s.slice):
            name = "/".join(part for part in (s.kind, s.target, s.metric, s.against) if part)
            self._client.log_metric(mlflow_id, name, s.value)
        for name, cost in run.costs.items():
            self._client.log_metric(mlflow_id, f"cpu_s/{name}", cost.cpu_s)

    def load(self, run_id: str) -> Forecaster:
        """The model of a run; see `ModelStore.load`."""
        run_id = self.log().run(run_id).run_id
        with _told(self._file), TemporaryDirectory() as folder:
            return load(Path(self._client.download_artifacts(self._finished()[run_id].info.run_id, "", folder)))

    def promote(self, promotion: Promotion) -> None:
        """Append to the record; see `ModelStore.promote`."""
        name = _REGISTERED + promotion.scope
        with _told(self._file):
            self.log().check_next(promotion)
            self.load(promotion.after)
            made = self._finished()[promotion.after]
            if not self._client.search_registered_models(f"name = '{name}'"):
                self._client.create_registered_model(name)
            tags = {_LINE: json.dumps(promotion.as_dict())}
            line = self._client.create_model_version(name, made.info.artifact_uri, made.info.run_id, tags=tags)
            rivals = [v for v in self._lines(name) if _line(v).number == promotion.number]
            if any(int(v.version) < int(line.version) for v in rivals):
                self._client.delete_model_version(name, line.version)
                raise Overtaken(promotion)
            self._client.set_registered_model_alias(name, _CHAMPION, line.version)

    def log(self) -> Log:
        """Runs and promotions; see `ModelStore.log`."""
        with _told(self._file), TemporaryDirectory() as folder:
            runs = [self._read_run(made, Path(folder)) for made in self._finished().values()]
            names = [m.name for m in self._client.search_registered_models() if m.name.startswith(_REGISTERED)]
            promotions = [_line(version) for name in names for version in self._lines(name)]
        return Log(
            tuple(sorted(runs, key=lambda r: (r.made_ns, r.run_id))),
            tuple(sorted(promotions, key=lambda p: (p.scope, p.number))),
        )

    def _read_run(self, made: MlflowRun, folder: Path) -> Run:
        text = Path(self._client.download_artifacts(made.info.run_id, RUN_FILE, str(folder))).read_text()
        return Run.from_json(text, f"{self._file}, run {made.info.run_id}")

    def _lines(self, name: str) -> list[ModelVersion]:
        """Versions of a registered model that are lines of its record."""
        return [v for v in self._client.search_model_versions(f"name = '{name}'") if _LINE in v.tags]

    def _finished(self) -> dict[str, MlflowRun]:
        """MLflow's runs by our id, those that ended well."""
        found: dict[str, MlflowRun] = {}
        token = None
        while token is None or token:
            page = self._client.search_runs([self._experiment], "attributes.status = 'FINISHED'", page_token=token)
            found |= {run.data.tags[_RUN_ID]: run for run in page if _RUN_ID in run.data.tags}
            token = page.token or ""
        return found


def _line(version: ModelVersion) -> Promotion:
    return Promotion(**json.loads(version.tags[_LINE]))


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What MLflow raises, as one line that names the store."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        raise UsageError(f"{file}: {' '.join(str(error).split())[:300]}") from error
