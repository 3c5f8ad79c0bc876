"""What keeping a day costs beside reading it: CPU time of audit, reading, ingest, re-ingest and reading it back.

Usage: python benchmarks/ingest.py PATH... [--repeats N] [--json]

One warm process; the whole process is counted, the threads of the Delta writer included. `ratio` is over `reading`, the
bare reader without its audit. Rows: case, cpu_s, ratio.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import footprint
from footprint.app.ingesting import ingest
from footprint.app.progress import NullProgress
from footprint.data import formats
from footprint.data.history import open_history
from footprint.data.session import Reader

REPEATS = 7


def measure(paths: Sequence[str | Path], repeats: int = REPEATS) -> dict[str, float]:
    """Median CPU seconds by case."""
    times: dict[str, list[float]] = {}
    for _ in range(repeats + 1):  # the first starts the threads and is not counted
        with tempfile.TemporaryDirectory() as folder:
            for case, call in _cases(paths, Path(folder, "store")).items():
                times.setdefault(case, []).append(_cpu_s(call))
    return {case: median(taken[1:]) for case, taken in times.items()}


def _cases(paths: Sequence[str | Path], store: Path) -> dict[str, Callable[[], object]]:
    verdicts = formats.audit(paths)
    by_reader = {reader: [v.path for v in verdicts if v.source == reader.name] for reader in formats.READERS}

    def audit_and_ingest() -> None:
        audited = formats.audit(paths)
        ingest(paths, open_history(store), audited, NullProgress())

    return {
        "reading": lambda: [_drain(reader, files) for reader, files in by_reader.items() if files],
        "audit and reading": lambda: [None for _ in formats.sessions(paths)],
        "audit and ingest": audit_and_ingest,
        "audit and ingest again": audit_and_ingest,
        "reading the store": lambda: [None for _ in footprint.read(store)],
    }


def _drain(reader: Reader, files: Sequence[Path]) -> None:
    for _ in reader.sessions(files):
        pass


def _cpu_s(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files of one day; the shared BAC day when none")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    cpu_s = measure(given.paths or bac_day(), given.repeats)
    rows = [{"case": case, "cpu_s": value, "ratio": value / cpu_s["reading"]} for case, value in cpu_s.items()]
    if given.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['case']:<24} {row['cpu_s']:8.3f} CPU-s {row['ratio']:6.2f} x reading")


def bac_day() -> list[Path]:
    """Trades and quotes of one day of Bank of America, in the shared data beside the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data" / "lean" / "equity" / "usa" / "tick" / "bac"
    return [folder / f"20131007_{kind}.zip" for kind in ("quote", "trade")]


if __name__ == "__main__":
    main()
