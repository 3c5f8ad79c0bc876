"""Every reader on thousands of damaged files: never a crash, a hang or unbounded memory, no silent change elsewhere.

`make test` runs 500 cases a reader, `make nightly` 100,000 (`-s` shows how far it is). A case is a number:
`fuzz_reader(specimen, [case], folder)` repeats it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from footprint.testing.fuzz_reader import FuzzReport, Specimen, Where, fuzz_reader
from specimens import EXPLAINED, FAMILIES, specimens

CASES, NIGHTLY_CASES = 500, 100_000
STEP = 5_000  # cases between two signs of life
MAX_GROWTH_MIB = 256.0
MAX_EXPLAINED_SHARE = 0.02
READERS = sorted({name.partition("/")[0] for family in FAMILIES for name in family.SPECIMENS})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Specimen]:
    return specimens(tmp_path_factory.mktemp("specimens"))


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files(made: dict[str, Specimen], tmp_path: Path, reader: str) -> None:
    check(made, tmp_path, reader, range(CASES))


@pytest.mark.nightly
@pytest.mark.parametrize("reader", READERS)
def test_many_damaged_files(made: dict[str, Specimen], tmp_path: Path, reader: str) -> None:
    for first in range(0, NIGHTLY_CASES, STEP):
        check(made, tmp_path, reader, range(first, first + STEP))


def check(made: dict[str, Specimen], folder: Path, reader: str, cases: range) -> None:
    """Cases of a reader, dealt out to its specimens."""
    mine = [name for name in made if name.partition("/")[0] == reader]
    for at, name in enumerate(mine):
        report = fuzz_reader(made[name], cases[at :: len(mine)], folder / name)
        print(f"{name} {cases.start}-{cases.stop}: {told(report)}")
        assert report.failures == ()
        assert sum(report.outcomes.values()) == report.cases
        assert report.memory_growth_mib < MAX_GROWTH_MIB
        silent = report.silent.get(Where.RECORD.value, 0)
        assert silent <= (MAX_EXPLAINED_SHARE * report.cases if name in EXPLAINED else 0), report.elsewhere


def told(report: FuzzReport) -> str:
    where = Counter(f"{case.where.value}{'' if case.told else ' (silent)'}" for case in report.elsewhere)
    return f"{report.outcomes}, elsewhere {dict(where)}, {report.memory_growth_mib:.0f} MiB"
