"""The rows of one run of `footprint benchmark impact` on the shared data; no bar by itself.

A finished run is used again only while everything it depends on is unchanged: the modules of the package that it
loads, the installed libraries, the interpreter, the command and the data files. Minutes on two cores otherwise.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from footprint.app.files import replacing
from footprint.errors import FootprintError
from scorecard.bar import Bar
from scorecard.sources import OUT, ROOT, SHARED_DATA, shared_data

_FOLDERS = ("lean/equity/usa/tick", "b3_ticks", "binance_raw/spot")
_RESULTS, _INPUTS = OUT / "results.json", OUT / "inputs.json"
TAPES = 12
_LIBRARIES = (
    "jax", "joblib", "lightgbm", "numba", "numpy", "numpyro", "polars", "pyarrow", "scikit-learn", "scipy", "torch"
)  # fmt: skip
_ARGUMENTS = (
    "benchmark",
    "impact",
    *(str(SHARED_DATA / folder) for folder in _FOLDERS),
    "--planted",
    "--out",
    str(_RESULTS.relative_to(ROOT)),
)
COMMAND = " ".join(("footprint", *_ARGUMENTS))

PRODUCT = "stack"
ARRIVAL = "A"
_INFORMATION = {"in_flight_25": "F25", "in_flight_50": "F50", "in_flight_75": "F75"}

Row = dict[str, Any]


@cache
def benchmark_document() -> dict[str, Any]:
    """results.json, from a run on these very inputs.

    Raises:
        NotMeasured: the data is absent.
        FootprintError: the run failed.
    """
    inputs = _inputs()
    if not _INPUTS.is_file() or json.loads(_INPUTS.read_text()) != inputs:
        _start_anew(inputs)
    if not _RESULTS.is_file():  # written whole at the end of a run; an interrupted one resumes
        _run()
    return json.loads(_RESULTS.read_text())


def benchmark_rows() -> tuple[Row, ...]:
    """All rows of results.json.

    Raises:
        NotMeasured, FootprintError: as `benchmark_document` and `rows_of`.
    """
    return rows_of(benchmark_document())


def rows_of(document: dict) -> tuple[Row, ...]:
    """The rows of a results document.

    Raises:
        FootprintError: its alarm went off, or it scored another number of tapes than the bars are set on.
    """
    protocol = document["protocol"]
    if protocol["alarm"]:
        raise FootprintError(f"the benchmark fails until explained: {protocol['alarm']}")
    if len(protocol["tapes"]) != TAPES:
        scored = ", ".join(protocol["tapes"])
        raise FootprintError(f"the bars are set on {TAPES} tapes, this run scored {len(protocol['tapes'])}: {scored}")
    return tuple(document["rows"])


def figure(rows: tuple[Row, ...], split: str, target: str, metric: str) -> Row:
    """The one pooled row of the product's own forecast, of the protocol's own seed."""
    wanted = {
        "data": "pool",
        "split": split,
        "information": _INFORMATION.get(split, ARRIVAL),
        "target": target,
        "model": PRODUCT,
        "metric": metric,
        "slice": "",
        "seed": 0,
    }
    found = [row for row in rows if wanted.items() <= row.items()]
    if len(found) != 1:
        raise FootprintError(f"{len(found)} rows in results.json, allowed: 1, for {wanted}")
    return found[0]


def measured(bar: Bar, row: Row, note: str = "") -> Bar:
    """The bar with the figure of a row; a figure that could not be computed is missed."""
    if row["value"] is None:
        return bar.failed("results.json holds no figure: it could not be computed")
    return bar.measured(row["value"], row["low"], row["high"], row["n"], note or f"{row['blocks']} blocks")


def _start_anew(inputs: dict[str, object]) -> None:
    """Drop what other inputs gave, finished or not, and note these."""
    OUT.mkdir(parents=True, exist_ok=True)
    _RESULTS.unlink(missing_ok=True)
    shutil.rmtree(_RESULTS.with_name(_RESULTS.name + ".partial"), ignore_errors=True)
    with replacing(_INPUTS) as partial:
        partial.write_text(json.dumps(inputs, indent=1))


def _run() -> None:
    """Run the command; its progress goes to stderr, its tables to a file beside the results."""
    command = [sys.executable, "-m", "footprint.app.cli.main", *_ARGUMENTS]
    last = ""
    with (
        (OUT / "scoreboard.txt").open("w") as tables,
        subprocess.Popen(command, cwd=ROOT, stdout=tables, stderr=subprocess.PIPE, text=True) as process,
    ):
        # passed on line by line, so that it does not tear a bar that this process is drawing
        for line in process.stderr or ():
            print(line.rstrip(), file=sys.stderr, flush=True)
            last = line.strip()
    if process.returncode:
        raise FootprintError(f"{COMMAND}: exit status {process.returncode}: {last}")


def _inputs() -> dict[str, object]:
    folders = [shared_data(*folder.split("/")) for folder in _FOLDERS]
    data = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    return {
        "command": COMMAND,
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "source_sha256": _digest(_modules()),
        "data_sha256": _digest(data),
    }


def _modules() -> list[Path]:
    """Files of the package that a run imports, the guests' adapters included, as a fresh interpreter finds them."""
    program = (
        "import sys, footprint.app.benchmarking, footprint.app.guest_models as guests\n"
        "guests.guests()\n"
        "found = (m.__file__ for name, m in sys.modules.items() if name.partition('.')[0] == 'footprint')\n"
        "print('\\n'.join(sorted(file for file in found if file)))"
    )
    listed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(line) for line in listed.stdout.splitlines()]


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
