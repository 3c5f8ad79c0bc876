"""The four real tapes whose impact law is judged, ready for it; no bar by itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from footprint.data import formats
from footprint.data.children import ChildTape
from footprint.data.prepare import prepare
from scorecard.bar import NotMeasured
from scorecard.sources import SHARED_DATA, shared_data

_PATTERNS = {
    "AIG": ("lean/equity/usa/tick/aig", "*.zip"),
    "BAC": ("lean/equity/usa/tick/bac", "*.zip"),
    "PETR4 March": ("b3_ticks", "PETR4_2025-03-*.csv.gz"),
    "VALE3": ("b3_ticks", "VALE3_*.csv.gz"),
}


@cache
def law_tapes() -> Mapping[str, tuple[ChildTape, ...]]:
    """Market orders of each session, in order of time, by name of the tape."""
    return {name: _tape(folder, pattern) for name, (folder, pattern) in _PATTERNS.items()}


def _tape(folder: str, pattern: str) -> tuple[ChildTape, ...]:
    files = sorted(shared_data(*folder.split("/")).glob(pattern))
    if not files:
        raise NotMeasured(f"no {pattern} in {SHARED_DATA / folder}")
    return tuple(prepare(session).tape for session in formats.sessions(files))
