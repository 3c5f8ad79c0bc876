"""The fuzzing of readers finds what it is there to find: readers with one planted defect each."""

from __future__ import annotations

import gzip
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from footprint.data.session import Session
from footprint.data.verdict import FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument
from footprint.testing import fuzz_reader as fuzzing
from footprint.testing.check_reader import check_reader
from footprint.testing.fuzz_reader import Specimen, Where, fuzz_reader
from footprint.testing.mutations import MUTATIONS, mutate
from footprint.testing.packing import Packed, pack, unpack

THING = Instrument("THING", "HERE", "test", AssetClass.SYNTHETIC, "USD", 1.0, 1.0, ALWAYS_OPEN)
CONTENT = b"".join(b"%d,%d\n" % (100 + i, 1 + i % 7) for i in range(40))
CLEAN_SUM = int(np.cumsum([1 + i % 7 for i in range(40)]).sum())


class Panic(BaseException):
    """What a compiled library raises when it gives up."""


@dataclass(frozen=True)
class TinyReader:
    """Lines `price,size`, one trade a second; `defect` breaks one part of the contract."""

    defect: str = ""
    name: str = "tiny"

    def recognise(self, path: Path) -> bool:
        return path.suffix == ".tiny"

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        verdicts = []
        for path in paths:
            try:
                events = self._read(path)
                odd = self.defect == "told sum" and int(events["size_lots"].sum()) != CLEAN_SUM
                found = (Finding("odd_sum", "sum"),) if odd else ()
                verdicts.append(FileVerdict(path, self.name, "THING", found))
            except DataRefused as error:
                if self.defect != "lenient":
                    verdicts.append(FileVerdict(path, self.name, "", (Finding.of_refusal(error),)))
                else:
                    verdicts.append(FileVerdict(path, self.name, "THING"))
        return verdicts

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        for path in paths:
            events = self._read(path)
            yield Session(THING, date(2024, 1, 1), events, 0, len(events) * 10**9, self.name, {}, (path,))

    def _read(self, path: Path) -> np.ndarray:
        try:
            lines = unpack(path.read_bytes()).members[0][1].splitlines()
        except (OSError, EOFError, zlib.error) as error:
            raise DataRefused("damaged archive", path=path) from error
        if not lines:
            raise DataRefused("empty file", path=path)
        events = empty_events(len(lines))
        total, price_of = 0, dict[int, int]()
        for i, line in enumerate(lines):
            cells = line.split(b",")
            if self.defect == "hang" and b"9" * 19 in line:
                time.sleep(60)
            if self.defect == "panic" and b"9" * 19 in line:
                raise Panic
            if self.defect != "crash" and (len(cells) != 2 or not all(c.isdigit() and len(c) < 9 for c in cells)):
                raise DataRefused("not two numbers", path=path, row=i + 1)
            total += int(cells[1])
            events[i]["price_ticks"] = int(cells[0])
            events[i]["size_lots"] = total if self.defect.endswith(" sum") else int(cells[1])
            events[i]["order_id"] = int(cells[1]) if self.defect == "by order" else 0
            if self.defect == "by order":
                price_of.setdefault(int(cells[1]), int(cells[0]))
                events[i]["price_ticks"] = price_of[int(cells[1])]
        events["kind"], events["flags"] = EventKind.TRADE, EventFlag.LAST
        events["row"] = np.arange(1, len(events) + 1)
        events["exchange_time_ns"] = np.arange(1, len(events) + 1) * 10**9
        return events


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "a.tiny"
    path.write_bytes(gzip.compress(CONTENT, mtime=0))
    return path


def run(defect: str, path: Path, cases: int = 300) -> fuzzing.FuzzReport:
    folder = path.parent / "cases"
    folder.mkdir()
    # the time of a line is its number: what follows a lost or doubled line moves
    return fuzz_reader(Specimen(TinyReader(defect), path), range(cases), folder)


def test_a_sound_reader_passes_with_every_outcome_counted(tiny: Path) -> None:
    report = run("", tiny)
    assert report.failures == ()
    assert sum(report.outcomes.values()) == report.cases == 300
    assert report.outcomes["refused"] > 100
    assert report.outcomes["changed in record"] > 5


@pytest.mark.parametrize("defect", ["crash", "lenient", "panic"])
def test_a_crash_and_a_late_refusal_are_failures(tiny: Path, defect: str) -> None:
    assert run(defect, tiny).failures


def test_a_hang_is_a_failure(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "CASE_LIMIT_S", 0.2)
    assert any("no answer within 0.2 s" in failure.text for failure in run("hang", tiny).failures)


def test_damage_that_spreads_to_later_records_is_counted(tiny: Path) -> None:
    spread = run("running sum", tiny)
    assert spread.outcomes["changed elsewhere"] > 5
    assert len(spread.elsewhere) == spread.outcomes["changed elsewhere"] == sum(spread.silent.values())
    assert {case.where for case in spread.elsewhere} <= {Where.RECORD, Where.CONTAINER, Where.NAME}


def test_records_on_the_same_order_may_change_together(tiny: Path) -> None:
    """The price of an order is that of its first line: later lines of the order change with it, others do not."""
    alone, linked = (
        fuzz_reader(Specimen(TinyReader("by order"), tiny, linked=held), range(400), tiny.parent / str(held))
        for held in (False, True)
    )
    assert alone.silent["record"] > 2 * linked.silent["record"]
    assert alone.outcomes["changed in record"] < linked.outcomes["changed in record"]


def test_damage_before_the_first_record_is_counted_for_itself(tiny: Path) -> None:
    report = fuzz_reader(Specimen(TinyReader("running sum"), tiny, headers=40), range(300), tiny.parent / "cases")
    assert Where.HEADER in {case.where for case in report.elsewhere}
    assert Where.RECORD not in {case.where for case in report.elsewhere}


def test_without_an_order_of_records_every_change_is_elsewhere(tiny: Path) -> None:
    report = fuzz_reader(Specimen(TinyReader(), tiny, record_of=None), range(300), tiny.parent / "cases")
    assert "changed in record" not in report.outcomes
    assert Where.COLUMNS in {case.where for case in report.elsewhere}


def test_a_finding_that_the_clean_file_has_not_makes_a_change_told(tiny: Path) -> None:
    silent, told = (run(defect, path) for defect, path in (("running sum", tiny), ("told sum", _copy(tiny))))
    assert sum(silent.silent.values()) == silent.outcomes["changed elsewhere"]
    assert told.silent == {}
    assert {case.told for case in told.elsewhere} == {("odd_sum",)}


def _copy(path: Path) -> Path:
    folder = path.parent / "copy"
    folder.mkdir()
    return Path(shutil.copy(path, folder))


def test_a_case_can_be_repeated_alone(tiny: Path) -> None:
    first = run("crash", tiny).failures[0]
    again = fuzz_reader(Specimen(TinyReader("crash"), tiny), [first.case], tiny.parent / "cases")
    assert again.failures == (first,)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_keeps_what_lies_outside_its_range(mutation) -> None:
    for seed in range(200):
        mutant = mutation(CONTENT, np.random.default_rng(seed))
        tail = len(CONTENT) - mutant.end
        assert mutant.content[: mutant.start] == CONTENT[: mutant.start]
        assert not tail or mutant.content[-tail:] == CONTENT[-tail:]


def test_mutating_nothing_gives_nothing() -> None:
    assert mutate(b"", np.random.default_rng(0)).content == b""


@pytest.mark.parametrize("container", ["plain", "gz", "zst", "xz"])
def test_packing_gives_the_content_back(container: str) -> None:
    packed = Packed(container, (("", CONTENT),))
    assert unpack(pack(packed)) == packed


def test_packing_a_zip_keeps_names_and_order() -> None:
    packed = Packed("zip", (("b.csv", CONTENT), ("a.csv", b"x")))
    assert unpack(pack(packed)) == packed


def test_the_contract_check_accepts_a_sound_reader_and_names_what_is_broken(tiny: Path) -> None:
    (session,) = check_reader(TinyReader(), [tiny])
    assert len(session.events) == 40
    foreign = tiny.with_suffix(".csv")
    foreign.write_bytes(tiny.read_bytes())
    with pytest.raises(AssertionError, match="not recognised"):
        check_reader(TinyReader(), [foreign])
    broken = tiny.with_name("broken.tiny")
    broken.write_bytes(b"x\n")
    with pytest.raises(AssertionError, match="refused"):
        check_reader(TinyReader(), [broken])
