"""Message k of a LOBSTER file, applied to book k-1, gives book k."""

from __future__ import annotations

from footprint.data.readers.lobster_replay import check_lobster_replay
from scorecard.bar import Bar, Limit
from scorecard.sources import shared_data

_FILES = {
    "AMZN level 5": "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip",
    "AAPL level 1": "LOBSTER_SampleFile_AAPL_2012-06-21_1.zip",
}
_COMMAND = "python -m scorecard --only lobster_replay"

BARS = tuple(Bar(2, f"LOBSTER {name}: mismatches", "steps", Limit(at_most=0), None, _COMMAND) for name in _FILES)


def measure() -> list[Bar]:
    return [_measured(bar, file) for bar, file in zip(BARS, _FILES.values(), strict=True)]


def _measured(bar: Bar, file: str) -> Bar:
    counts = check_lobster_replay(shared_data("lobster", file))
    note = f"{counts['revealed_levels']:,} newly revealed deepest levels taken from the row"
    return bar.measured(counts["mismatches"], n=counts["steps"], note=note)
