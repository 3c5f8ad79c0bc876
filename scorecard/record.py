"""scorecard.json: every bar with what was measured, on which machine and at which commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from footprint.app.files import replacing

Entry = dict[str, Any]

_DEMAND = ("unit", "must", "aim", "command")


def read(path: Path) -> list[Entry]:
    """The entries of an earlier scorecard; none where there is no file."""
    return json.loads(path.read_text())["bars"] if path.is_file() else []


def merged(declared: Sequence[Entry], old: Sequence[Entry], new: Sequence[Entry]) -> list[Entry]:
    """Every declared bar once: as measured now, else as measured before, else as declared.

    An old entry keeps its own commit and machine, so that a run of part of the scorecard does not pass for a whole one;
    it counts only while the bar asks for the same.
    """
    measured = {(entry["issue"], entry["name"]): entry for entry in (*old, *new)}
    entries = ((blank, measured.get((blank["issue"], blank["name"]), blank)) for blank in declared)
    return [entry if all(entry[f] == blank[f] for f in _DEMAND) else blank for blank, entry in entries]


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Write the file whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps({"bars": list(entries)}, indent=1, allow_nan=False) + "\n")
