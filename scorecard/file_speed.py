"""From a file to events, output events per CPU-second of each reader, from the benchmark of tiled real files."""

from __future__ import annotations

from scorecard.bar import Bar, Limit, NotMeasured
from scorecard.sources import shared_data

_COMMAND = "python -m scorecard --only file_speed"
_MUST = {"LOBSTER": 2.0, "DBN MBO": 5.0, "Binance frames": 0.5, "ITCH": 5.0}  # million; the aim is twice that
_PACKINGS = {
    "LOBSTER": ("zip",),
    "DBN MBO": ("plain", "zstd"),
    "Binance frames": ("plain", "gzip"),
    "ITCH": ("plain", "gzip"),
}

BARS = tuple(
    Bar(
        3, f"file to events: {name} ({packed})", "M events per CPU-s", Limit(at_least=must), Limit(at_least=2 * must),
        _COMMAND,
    )
    for name, must in _MUST.items()
    for packed in _PACKINGS[name]
)  # fmt: skip


def measure() -> list[Bar]:
    try:
        from benchmarks.file_to_events import measure as rows_of
    except ImportError as error:
        raise NotMeasured(f"benchmarks/file_to_events.py cannot be imported: {error}") from error
    rows = rows_of(shared_data())
    return [
        bar.measured(
            row.events_per_cpu_s / 1e6,
            low=row.slowest_per_cpu_s / 1e6,
            high=row.fastest_per_cpu_s / 1e6,
            n=row.events,
            note=f"{row.file_bytes / 1e6:.0f} MB; range over 5 runs",
        )
        for bar, row in zip(BARS, rows, strict=True)
    ]
