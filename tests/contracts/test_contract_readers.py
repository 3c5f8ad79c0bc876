"""Every reader of the catalogue keeps the contract on clean files of its format, and claims no other's."""

from __future__ import annotations

import pytest

from footprint.data.formats import READERS, TABLE_READERS
from footprint.data.readers.mapped import MappedReader, MappedTableReader
from footprint.testing.check_reader import check_reader
from footprint.testing.fuzz_reader import Specimen
from specimens import EXPLAINED, FAMILIES, specimens

# a store is a folder, and its sessions name the reader of the file that they came from
NAMES = [name for family in FAMILIES for name in family.SPECIMENS if not name.startswith("store/")]
MAPPED = (MappedReader, MappedTableReader)  # named together with their files, in no catalogue


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Specimen]:
    return specimens(tmp_path_factory.mktemp("specimens"))


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_of_a_reader(made: dict[str, Specimen], name: str) -> None:
    specimen = made[name]
    check_reader(
        specimen.reader, [specimen.path, *specimen.companions], recognised=not isinstance(specimen.reader, MAPPED)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_claimed_by_its_own_reader_only(made: dict[str, Specimen], name: str) -> None:
    specimen = made[name]
    claimed = [r.name for r in (*READERS, *TABLE_READERS) if r.recognise(specimen.path)]
    assert claimed == ([] if isinstance(specimen.reader, MAPPED) else [specimen.reader.name])


def test_every_reader_has_a_specimen(made: dict[str, Specimen]) -> None:
    mapped = {kind.__name__ for kind in MAPPED}
    assert {type(s.reader).__name__ for s in made.values()} == mapped | {
        type(reader).__name__ for reader in (*READERS, *TABLE_READERS)
    }


def test_what_is_not_as_for_independent_records_has_a_reason(made: dict[str, Specimen]) -> None:
    for name, specimen in made.items():
        special = specimen.reach > 0 or specimen.linked or specimen.record_of is None
        assert bool(specimen.why) == special, name
        assert name.startswith(f"{specimen.reader.name}/")
    assert EXPLAINED.keys() <= made.keys()
