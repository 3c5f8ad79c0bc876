"""Every reader on damaged files, some more of them in each run: the cases already run are in out/scorecard.

A run goes on where the last one stopped, the reader with the fewest cases first, until every reader has CASES of them
or the time is up. What was counted for a reader is forgotten when its source, the harness or the specimens change.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from scorecard.bar import Bar, Limit
from scorecard.sources import OUT, ROOT

CASES = 100_000  # per reader, dealt out to its specimens
STEP = 1_000
BUDGET_S = 240.0
PROCESSES = 2

_COMMAND = "python -m scorecard --only reader_fuzz"
_RESULTS = OUT / "reader_fuzz.json"
_SOURCE, _TESTS = ROOT / "src", ROOT / "tests"
_KEPT_FAILURES = 5

_FAILURES = Bar(
    3, "Damaged files: crashes, hangs, broken promises of a reader", "cases", Limit(at_most=0), None, _COMMAND
)
_FEWEST = Bar(
    3, "Damaged files: cases run of every reader", "cases", Limit(at_least=500), Limit(at_least=CASES), _COMMAND
)
_ELSEWHERE = Bar(3, "Damaged files: accepted, and other outside the damaged record", "%", None, None, _COMMAND)
_SILENT = Bar(3, "Damaged files: the same, and the audit says nothing of it", "%", None, None, _COMMAND)
_MEMORY = Bar(3, "Damaged files: growth of the memory in 1,000 cases", "MiB", Limit(at_most=256), None, _COMMAND)
BARS = (_FAILURES, _FEWEST, _ELSEWHERE, _SILENT, _MEMORY)


def measure() -> list[Bar]:
    sys.path.insert(0, str(_TESTS))
    from specimens import FAMILIES

    readers = sorted({name.partition("/")[0] for family in FAMILIES for name in family.SPECIMENS})
    held = _held(readers)
    _go_on(held)
    total: Counter[str] = sum((Counter(known["outcomes"]) for known in held.values()), Counter())
    failures = sum(known["failed"] for known in held.values())
    cases = total.total() + failures
    fewest, most = min(k["cases"] for k in held.values()), max(k["cases"] for k in held.values())
    where: Counter[str] = sum((Counter(known["elsewhere"]) for known in held.values()), Counter())
    silent: Counter[str] = sum((Counter(known["silent"]) for known in held.values()), Counter())
    readers_note = f"{len(held)} readers, {fewest:,} to {most:,} cases each; {total['refused'] / cases:.1%} refused, "
    readers_note += (
        f"{total['same'] / cases:.1%} the same, {total['changed in record'] / cases:.1%} other in the record"
    )
    first = [f"{reader}: {text}" for reader, known in held.items() for text in known["failures"]]
    return [
        _FAILURES.measured(failures, n=cases, note=readers_note + (f"; first: {first[0]}" if first else "")),
        _FEWEST.measured(fewest, n=len(held)),
        _ELSEWHERE.measured(100 * where.total() / cases, n=cases, note=_by_place(where)),
        _SILENT.measured(100 * silent.total() / cases, n=cases, note=_by_place(silent)),
        _MEMORY.measured(max(known["growth_mib"] for known in held.values()), n=len(held)),
    ]


def _by_place(counts: Counter[str]) -> str:
    return "damage in " + ", ".join(f"{place} {count:,}" for place, count in counts.most_common())


def _held(readers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What earlier runs found of the readers as they are now."""
    known = json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {}
    held = {}
    for reader in readers:
        digest = _digest(reader)
        old = known.get(reader, {})
        held[reader] = old if old.get("source") == digest else _nothing(digest)
    return held


def _nothing(digest: str) -> dict[str, Any]:
    counts: dict[str, Any] = {name: {} for name in ("outcomes", "elsewhere", "silent")}
    return counts | {"source": digest, "cases": 0, "failed": 0, "failures": [], "growth_mib": 0.0}


def _go_on(held: dict[str, dict[str, Any]]) -> None:
    """Run cases until all are run or the time is up; what is found is written after every step."""
    end_s = time.monotonic() + BUDGET_S
    running: dict[Future[dict[str, Any]], str] = {}
    stopped: set[str] = set()  # readers whose clean files cannot be read: no case of theirs can be run
    with ProcessPoolExecutor(PROCESSES) as pool:
        while True:
            waiting = sorted(
                (k["cases"], r)
                for r, k in held.items()
                if k["cases"] < CASES and r not in stopped and r not in running.values()
            )
            while waiting and len(running) < PROCESSES and time.monotonic() < end_s:
                first, reader = waiting.pop(0)
                running[pool.submit(run_step, reader, first, min(first + STEP, CASES))] = reader
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                reader = running.pop(done)
                _add(held[reader], done.result())
                if not done.result()["cases"]:
                    stopped.add(reader)
            OUT.mkdir(parents=True, exist_ok=True)
            _RESULTS.write_text(json.dumps(held, indent=1, sort_keys=True) + "\n")


def _add(known: dict[str, Any], found: dict[str, Any]) -> None:
    for name in ("outcomes", "elsewhere", "silent"):
        known[name] = dict(Counter(known[name]) + Counter(found[name]))
    known["cases"] += found["cases"]
    known["failed"] += len(found["failures"])
    known["failures"] = [*known["failures"], *found["failures"]][:_KEPT_FAILURES]
    known["growth_mib"] = max(known["growth_mib"], found["growth_mib"])


def run_step(reader: str, first: int, last: int) -> dict[str, Any]:
    """Cases `first` to `last` of a reader, in this process."""
    from footprint.testing.fuzz_reader import fuzz_reader
    from specimens import specimens

    folder = Path(tempfile.mkdtemp())
    found: dict[str, Any] = {"cases": 0, "failures": [], "growth_mib": 0.0}
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("outcomes", "elsewhere", "silent")}
    try:
        made = specimens(folder / "clean", reader)
        for at, (name, specimen) in enumerate(made.items()):
            report = fuzz_reader(specimen, range(first, last)[at :: len(made)], folder / "damaged" / name)
            found["cases"] += report.cases
            found["failures"] += [f"{name} case {f.case}, {f.mutation}: {f.text}" for f in report.failures]
            found["growth_mib"] = max(found["growth_mib"], report.memory_growth_mib)
            counts["outcomes"] += Counter(report.outcomes)
            counts["elsewhere"] += Counter(case.where.value for case in report.elsewhere)
            counts["silent"] += Counter(report.silent)
    except Exception as error:  # of a clean file: every case of the step counts as one failure
        found["failures"].append(f"clean file: {type(error).__name__}: {error}"[:300])
    finally:
        shutil.rmtree(folder)
    return found | {name: dict(count) for name, count in counts.items()}


def _digest(reader: str) -> str:
    """Of everything that a result of this reader rests on: what its specimens import, of this project."""
    hashed = hashlib.sha256()
    for path in sorted(_imported(reader)):
        hashed.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return hashed.hexdigest()


def _imported(reader: str) -> set[Path]:
    from specimens import FAMILIES

    (family,) = (f for f in FAMILIES if any(name.partition("/")[0] == reader for name in f.SPECIMENS))
    module = _SOURCE / "footprint" / "data" / "readers" / f"{reader}.py"
    # a specimen file imports every reader of its family: only this one's is followed
    todo = [module, _SOURCE / "footprint" / "testing" / "fuzz_reader.py"]
    seen = {Path(str(family.__file__)), _TESTS / "specimens" / "records.py", *_generators(Path(str(family.__file__)))}
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += _modules(path, (_SOURCE,))
    return seen


def _generators(family: Path) -> list[Path]:
    unit = _TESTS / "unit" / "data"
    return _modules(family, (unit, unit / "readers", unit / "feeds"))


def _modules(path: Path, roots: Iterable[Path]) -> list[Path]:
    """Files below the roots that a file imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    files = [root / (name.replace(".", "/") + ".py") for name in names for root in roots]
    packages = [root / name.replace(".", "/") / "__init__.py" for name in names for root in roots]
    return [file for file in (*files, *packages) if file.exists()]
