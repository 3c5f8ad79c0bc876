"""A model store in a folder, for which nothing needs to be installed.

    DIR/runs/<run id>/model.json, arrays.npz    the model; the folder alone is one that `forecast --model` reads
    DIR/runs/<run id>/run.json                  what was logged
    DIR/runs/<run id>/card.md                   the model card, written anew at every promotion that concerns it
    DIR/promotions/<scope>/000001.json          the promotion record, one file a line, never changed

A run is written under another name and moved when complete. A line of the record is linked to its number, which fails
when somebody else took it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from footprint.errors import ModelError, UsageError
from footprint.impact.forecaster import Forecaster
from footprint.impact.registry.card import model_card
from footprint.impact.registry.interface import Log, Overtaken, Promotion
from footprint.impact.registry.run import Run
from footprint.impact.store import MODEL_FILES, load, save

RUN_FILE, CARD_FILE = "run.json", "card.md"
RUN_FILES = (*MODEL_FILES, RUN_FILE, CARD_FILE)


class FolderModelStore:
    """`ModelStore` in a folder, made when it is first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs, self._promotions = folder / "runs", folder / "promotions"

    def save(self, forecaster: Forecaster, run: Run) -> None:
        """Keep a model; see `ModelStore.save`."""
        self._runs.mkdir(parents=True, exist_ok=True)
        partial = self._runs / f".{run.run_id}.{os.getpid()}.partial"
        partial.mkdir()
        try:
            write_run(forecaster, run, partial)
            if self.path(run.run_id).exists():
                raise UsageError(f"{self._folder}: holds a run {run.run_id} already")
            partial.rename(self.path(run.run_id))
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def load(self, run_id: str) -> Forecaster:
        """The model of a run; see `ModelStore.load`."""
        return load(self.path(self.log().run(run_id).run_id))

    def promote(self, promotion: Promotion) -> None:
        """Append to the record, then write the cards of the two runs anew."""
        self.log().check_next(promotion)
        self.load(promotion.after)
        place = self._promotions / promotion.scope
        place.mkdir(parents=True, exist_ok=True)
        partial = place / f".{promotion.number}.{os.getpid()}.partial"
        partial.write_text(json.dumps(promotion.as_dict(), indent=1) + "\n")
        try:
            os.link(partial, place / f"{promotion.number:06d}.json")
        except FileExistsError:
            raise Overtaken(promotion) from None
        finally:
            partial.unlink()
        log = self.log()
        for run in (run for run in log.runs if run.run_id in (promotion.before, promotion.after)):
            self._write_card(run, log)

    def log(self) -> Log:
        """Runs and promotions; see `ModelStore.log`."""
        folders = sorted(p for p in self._runs.glob("*") if not p.name.startswith("."))
        runs = [_read_run(folder) for folder in folders]
        lines = sorted(self._promotions.glob("*/[0-9]*.json"))
        return Log(tuple(sorted(runs, key=lambda r: (r.made_ns, r.run_id))), tuple(_read_line(line) for line in lines))

    def path(self, run_id: str) -> Path:
        """Folder of a run, by its whole id."""
        return self._runs / run_id

    def _write_card(self, run: Run, log: Log) -> None:
        path = self.path(run.run_id) / CARD_FILE
        partial = path.with_name(f".{CARD_FILE}.{os.getpid()}.partial")
        partial.write_text(model_card(run, log.record(run.scope)))
        partial.replace(path)


def is_model_store(folder: Path) -> bool:
    """True for a folder that holds runs."""
    return (folder / "runs").is_dir()


def write_run(forecaster: Forecaster, run: Run, folder: Path) -> None:
    """Write model, record and card into an existing folder; the caller makes that atomic."""
    save(forecaster, folder)
    (folder / RUN_FILE).write_text(run.as_json())
    (folder / CARD_FILE).write_text(model_card(run))


def _read_run(folder: Path) -> Run:
    try:
        text = (folder / RUN_FILE).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder} holds no record of a run ({error})") from None
    return Run.from_json(text, str(folder / RUN_FILE))


def _read_line(path: Path) -> Promotion:
    try:
        return Promotion(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path} cannot be read as a promotion ({error})") from None
