"""Three planted days as LEAN files, and a model fitted on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footprint.app import fitting
from footprint.app.progress import NullProgress
from footprint.data import formats
from footprint.data.planted import PlantedLaw
from footprint.data.readers.lean_writer import write_lean
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.store import save
from footprint.impact.training import tape_rows


@pytest.fixture(scope="session")
def planted_tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    for session in planted_sessions(PlantedLaw(), 3, np.random.default_rng(0)):
        write_lean(session, folder)
    return folder


@pytest.fixture(scope="session")
def planted_model(planted_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    protocol = replace(Protocol(), rows_per_cell=60)
    tapes = list(tape_rows(formats.sessions([planted_tape]), protocol))
    folder = tmp_path_factory.mktemp("model")
    save(fitting.fit(tapes, protocol, NullProgress()), folder)
    return folder
