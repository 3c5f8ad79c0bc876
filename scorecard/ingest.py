"""What it costs to audit and keep a day of Bank of America beside reading it."""

from __future__ import annotations

from scorecard.bar import Bar, Limit, NotMeasured
from scorecard.sources import shared_data

_FOLDER = "lean/equity/usa/tick/bac"
_COST = Bar(
    3, "audit and ingest of one BAC day over reading it", "x", Limit(at_most=3), None,
    "python -m scorecard --only ingest",
)  # fmt: skip
BARS = (_COST,)


def measure() -> list[Bar]:
    shared_data(*_FOLDER.split("/"))
    try:
        from benchmarks import ingest
    except ImportError as error:
        raise NotMeasured(f"benchmarks/ingest.py cannot be imported: {error}") from error
    cpu_s = ingest.measure(ingest.bac_day())
    note = (
        f"CPU time in one warm process, median of {ingest.REPEATS}: reading without audit {cpu_s['reading']:.2f} s, "
        f"audit and ingest {cpu_s['audit and ingest']:.2f} s, reading the store {cpu_s['reading the store']:.2f} s"
    )
    return [_COST.measured(cpu_s["audit and ingest"] / cpu_s["reading"], n=ingest.REPEATS, note=note)]
