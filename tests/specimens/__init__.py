"""Small clean files of every format that is read, to check and to damage: a few kilobytes, every type of record."""

from __future__ import annotations

import sys
from pathlib import Path

from footprint.testing.fuzz_reader import Specimen

_UNIT = Path(__file__).resolve().parents[1] / "unit" / "data"
# the generators lie beside the unit tests of their formats
for _folder in (_UNIT, _UNIT / "readers", _UNIT / "feeds"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from specimens import books, captures, equities, logs, mapped, tables  # noqa: E402

FAMILIES = (equities, logs, books, captures, tables, mapped)

# Changes outside the damaged record of which the audit says nothing, by specimen: why they are what the format says.
EXPLAINED = {
    "iex/deep": "whether a symbol trades follows from its last two status messages: a lost halt changes what one means",
    "hftbacktest/clear": "a clear is told as the removal of the levels that stand, a damaged one among them",
    "frames/kraken": "a book of ten levels drops what falls out of its window, which follows from all of them",
}


def specimens(folder: Path, reader: str = "") -> dict[str, Specimen]:
    """Every specimen, or those of one reader, by "reader/what", each in a folder of its own below `folder`."""
    made: dict[str, Specimen] = {}
    for family in FAMILIES:
        for name, make in family.SPECIMENS.items():
            if reader and name.partition("/")[0] != reader:
                continue
            below = folder / name
            below.mkdir(parents=True, exist_ok=True)
            made[name] = make(below)
    return made
