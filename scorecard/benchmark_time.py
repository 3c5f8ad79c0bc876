"""How long the scoreboard takes from cached features with frozen hyper-parameters: the run that gives the skills."""

from __future__ import annotations

from typing import Any

from footprint.errors import FootprintError
from scorecard.bar import Bar, Limit
from scorecard.benchmark_results import COMMAND, benchmark_document

BARS = (
    Bar(4, "scoreboard from cached features: wall time", "min", Limit(at_most=30), Limit(at_most=10), COMMAND),
    Bar(4, "scoreboard: peak memory of a worker", "GB", None, None, COMMAND),
)


def measure() -> list[Bar]:
    return judged(benchmark_document()["cost"])


def judged(cost: dict[str, Any]) -> list[Bar]:
    """The bars from the cost that a run wrote down.

    Raises:
        FootprintError: the run resumed an interrupted one, so that its wall time is not that of the whole.
    """
    if cost["jobs_reused"]:
        raise FootprintError(
            f"the run reused {cost['jobs_reused']} jobs of an interrupted one; remove its results.json to time it whole"
        )
    minutes = (cost["wall_s"] - cost["rows_s"]) / 60
    slowest = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in list(cost["cpu_s_by_model"].items())[:3])
    note = f"{cost['workers']} cores, {cost['cpu_s'] / 60:.1f} CPU-min of fits, reading the tapes left out; {slowest}"
    wall, memory = BARS
    return [
        wall.measured(minutes, n=len(cost["jobs"]), note=note),
        memory.measured(cost["peak_memory_mb"] / 1000, n=cost["workers"]),
    ]
