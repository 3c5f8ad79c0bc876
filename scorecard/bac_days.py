"""What three days of Bank of America (quotes and trades) cost: CPU, memory, growth with the number of rows.

The work is the product's own path to training rows: audit, read, books, signs, features fed with every event and read
at every order. It runs in fresh processes, with the kernels that Numba has compiled before (a first process, not
counted, sees to that).

- CPU and memory: the whole process, interpreter and imports included; the median of three processes.
- growth: in one warm process, so that the start does not flatten it; every choice of one, two or three days, the
  smallest CPU of three rounds each, and a line through the logs.

`python -m scorecard.bac_days cost|growth` prints what one process measured, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scorecard.bar import Bar, Limit
from scorecard.sources import ROOT, shared_data

if TYPE_CHECKING:
    from footprint.data.session import Session

_FOLDER = "lean/equity/usa/tick/bac"
_DAYS = ("20131007", "20131008", "20131009")
_PROCESSES = 3
_ROUNDS = 3
_COMMAND = "python -m scorecard --only bac_days"

_CPU = Bar(2, "three BAC days: CPU", "CPU-s", Limit(at_most=20), Limit(at_most=6), _COMMAND)
_MEMORY = Bar(2, "three BAC days: peak memory", "GB", Limit(at_most=1), Limit(at_most=0.5), _COMMAND)
_GROWTH = Bar(2, "three BAC days: growth of CPU with rows", "log-log slope", Limit(0.9, 1.1), None, _COMMAND)
BARS = (_CPU, _MEMORY, _GROWTH)


def measure() -> list[Bar]:
    shared_data(*_FOLDER.split("/"))
    _process("cost")  # compiles what is not compiled yet
    runs = [_process("cost") for _ in range(_PROCESSES)]
    cpu, memory = [r["cpu_s"] for r in runs], [r["peak_gb"] for r in runs]
    note = f"{runs[0]['rows']:,} rows; fresh process, warm Numba cache; median and range of {_PROCESSES}"
    return [
        _CPU.measured(float(np.median(cpu)), min(cpu), max(cpu), _PROCESSES, note),
        _MEMORY.measured(float(np.median(memory)), min(memory), max(memory), _PROCESSES, note),
        _growth(_process("growth")["points"]),
    ]


def _growth(points: Sequence[tuple[int, float]]) -> Bar:
    """Slope of log CPU on log rows with its 95 % interval, the errors taken as independent."""
    log_rows, log_cpu = np.log(np.array(points)).T
    (slope, _), covariance = np.polyfit(log_rows, log_cpu, 1, cov="unscaled")
    residual = log_cpu - np.polyval(np.polyfit(log_rows, log_cpu, 1), log_rows)
    half = 1.96 * float(np.sqrt(covariance[0, 0] * residual @ residual / (len(points) - 2)))
    note = "; ".join(f"{rows:,} rows {cpu_s:.2f} CPU-s" for rows, cpu_s in points)
    return _GROWTH.measured(float(slope), slope - half, slope + half, len(points), note)


def _process(kind: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "scorecard.bac_days", kind]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _read_to_rows(days: Sequence[str]) -> int:
    """Audit the days, read them, make their training rows; the number of events read."""
    from footprint.data import formats
    from footprint.impact.evaluation.protocol import Protocol
    from footprint.impact.training import tape_rows

    files = [shared_data(*_FOLDER.split("/"), f"{day}_{kind}.zip") for day in days for kind in ("quote", "trade")]
    events = 0

    def counted() -> Iterator[Session]:
        nonlocal events
        for session in formats.sessions(files):  # audits first
            events += len(session.events)
            yield session

    orders = sum(len(tape.arrival) for tape in tape_rows(counted(), Protocol()))
    if not orders:
        raise ValueError("no training rows came out of the BAC days")
    return events


def _cost() -> dict[str, object]:
    rows = _read_to_rows(_DAYS)
    return {"rows": rows, "cpu_s": time.process_time(), "peak_gb": _peak_gb()}


def _growth_points() -> dict[str, object]:
    choices = [days for count in (1, 2, 3) for days in combinations(_DAYS, count)]
    _read_to_rows(_DAYS[:1])
    rows, cpu_s = {}, {days: np.inf for days in choices}
    for _ in range(_ROUNDS):
        for days in choices:
            started = time.process_time()
            rows[days] = _read_to_rows(days)
            cpu_s[days] = min(cpu_s[days], time.process_time() - started)
    return {"points": [(rows[days], cpu_s[days]) for days in choices]}


def _peak_gb() -> float:
    """Largest resident memory of this process; `ru_maxrss` would remember that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) * 1024 / 1e9


if __name__ == "__main__":
    print(json.dumps({"cost": _cost, "growth": _growth_points}[sys.argv[1]]()))
