"""results.json: what a benchmark run writes and its reports read."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from footprint import __version__
from footprint.app.files import replacing
from footprint.errors import UsageError
from footprint.features.vector import VERSION as FEATURE_VERSION
from footprint.impact.catalogue import TRIALS
from footprint.impact.evaluation.benchmark import Cost
from footprint.impact.evaluation.line_up import PRODUCT, Selection
from footprint.impact.evaluation.plan import ARRIVAL_TARGETS
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.training import TapeRows

BENCHMARK = "Impact Benchmark v1"
_LIBRARIES = ("numpy", "scipy", "numba", "lightgbm", "scikit-learn")

Document = dict[str, Any]


def as_rows(figures: Sequence[Result], protocol: Protocol, wanted: Selection) -> list[dict[str, object]]:
    """Every figure with what is needed to reproduce it; of models outside the catalogue the tuning is not known."""
    known = _tuning(wanted)
    rows = []
    for figure in figures:
        trials, hyperparameters = known.get(figure.model, (None, ""))
        names = {"protocol": protocol.version, "tuning_trials": trials, "hyperparameters": hyperparameters}
        rows.append({**figure.as_dict(), **names})
    return rows


def _tuning(wanted: Selection) -> dict[str, tuple[int, str]]:
    """Name of each model of the catalogue -> settings that were compared, and those that it has at the first target."""
    found: dict[str, tuple[int, str]] = {PRODUCT: (TRIALS.get(PRODUCT, 0), "its members, weighted by the past")}
    for target in ARRIVAL_TARGETS:
        full = wanted.line_up(target)
        for model in (*full.members, *full.baselines, *full.challengers):
            found.setdefault(model.name, (TRIALS.get(model.name, 0), repr(model)))
    return found


def describe(
    protocol: Protocol, tapes: Sequence[TapeRows], left_out: Mapping[str, str], wanted: Selection, warning: str | None
) -> Document:
    """The protocol as it was run: its numbers, versions, tapes and line-up."""
    return {
        "benchmark": BENCHMARK,
        **protocol.as_dict(),
        "package_version": __version__,
        "feature_version": FEATURE_VERSION,
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
        "tapes": {
            t.name: {
                "market": t.market,
                "sessions": len(t.sessions),
                "children_per_session": list(t.children_per_session),
                "traders": list(t.traders),
                "orders": len(t.arrival),
            }
            for t in tapes
        },
        "left_out": dict(left_out),
        "line_up": {target: _roles(wanted, target) for target in ARRIVAL_TARGETS},
        "alarm": warning,
    }


def _roles(wanted: Selection, target: str) -> dict[str, list[str]]:
    full = wanted.line_up(target)
    roles = {"members": full.members, "baselines": full.baselines, "challengers": full.challengers}
    return {role: [repr(model) for model in models] for role, models in roles.items()}


def describe_cost(spent: Sequence[Cost], wall_s: float, rows_s: float, reused: int, workers: int) -> Document:
    """Time and memory: of the whole run, of each model, of each job.

    Args:
        wall_s: of the run; rows_s: of it, reading the tapes.
        reused: jobs that an interrupted run had finished.
    """
    models: dict[str, float] = {}
    for cost in spent:
        for name, seconds in cost.seconds.items():
            models[name] = models.get(name, 0.0) + seconds
    return {
        "wall_s": round(wall_s, 1),
        "rows_s": round(rows_s, 1),
        "cpu_s": round(sum(models.values()), 1),
        "workers": workers,
        "jobs_reused": reused,
        "peak_memory_mb": round(max((c.memory_mb for c in spent), default=0.0)),
        "cpu_s_by_model": {name: round(models[name], 1) for name in sorted(models, key=lambda m: -models[m])},
        "jobs": [
            {**asdict(c), "seconds": round(sum(c.seconds.values()), 2), "memory_mb": round(c.memory_mb)} for c in spent
        ],
    }


def write(document: Document, path: Path) -> None:
    """Write the document, one row of the scoreboard a line."""
    with replacing(path) as partial:
        partial.write_text(as_text(document) + "\n")


def as_text(document: Document) -> str:
    """JSON with one row of the scoreboard a line."""
    head = json.dumps({k: v for k, v in document.items() if k != "rows"}, indent=1, allow_nan=False)
    rows = ",\n  ".join(json.dumps(row, allow_nan=False) for row in document["rows"])
    return head[: head.rindex("\n}")] + f',\n "rows": [\n  {rows}\n ]\n}}'


def read(path: Path) -> Document:
    """Read a results.json.

    Raises:
        UsageError: it is absent, or not one of this benchmark.
    """
    try:
        document = json.loads(path.read_text())
        if document["protocol"]["benchmark"] != BENCHMARK:
            raise KeyError("benchmark")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: is no results.json of {BENCHMARK} ({type(error).__name__})") from error
    return document
