"""Whether the bands of the product's forecast mean what they say: coverage, slices, PIT, the tail beyond VaR95.

Walk-forward, peak and shortfall, from the one run of the benchmark that also gives the skills.
"""

from __future__ import annotations

from typing import NamedTuple

from footprint.errors import FootprintError
from scorecard.bar import Bar, Limit
from scorecard.benchmark_results import ARRIVAL, COMMAND, PRODUCT, TAPES, Row, benchmark_rows, figure, measured

_SPLIT = "walk_forward"
_TARGETS = ("peak", "shortfall")
_CELLS = 9
_VAR95_PERCENT = 5.0


class _Limits(NamedTuple):
    """What an issue asks of each metric, of the extremes of nine cells and of the symbols: (must, aim)."""

    issue: int
    pooled: dict[str, tuple[Limit | None, Limit]]
    cells: tuple[Limit, Limit]
    symbols: tuple[Limit, Limit]


_NAMES = {
    "coverage_90_percent": ("coverage of the 90 % band", "%"),
    "coverage_80_percent": ("coverage of the 80 % band", "%"),
    "slices_in_84_96_percent": ("slices whose 90 % band covers 84 to 96 %", "%"),
    "pit_distance": ("PIT distance", ""),
    "pit_block_p": ("PIT block p", ""),
    "above_var95_percent": ("above VaR95", "%"),
}
_ISSUE_2 = _Limits(
    2,
    {
        "coverage_90_percent": (Limit(86.5, 93.5), Limit(88.5, 91.5)),
        "coverage_80_percent": (Limit(76, 84), Limit(78, 82)),
        "slices_in_84_96_percent": (Limit(80), Limit(90)),
        "pit_distance": (Limit(at_most=0.05), Limit(at_most=0.022)),
        "above_var95_percent": (Limit(3, 7.5), Limit(4, 6)),
    },
    (Limit(85, 93.5), Limit(87.5, 92)),
    (Limit(81, 96), Limit(85, 94)),
)
_ISSUE_4 = _Limits(
    4,
    {
        "coverage_90_percent": (Limit(88, 92), Limit(89, 91)),
        "slices_in_84_96_percent": (Limit(88), Limit(95)),
        "pit_distance": (Limit(at_most=0.03), Limit(at_most=0.02)),
        "pit_block_p": (None, Limit(0.05)),
        "above_var95_percent": (Limit(4, 6), Limit(4, 6)),
    },
    (Limit(87, 92), Limit(88, 91.5)),
    (Limit(84, 95), Limit(86, 94)),
)


def _extremes(issue: int, target: str, what: str, must: Limit, aim: Limit) -> tuple[Bar, Bar]:
    """Both ends of a family of coverages; each has to lie within the same limits."""
    low, high = (f"{target}: coverage of the 90 % band, {end} {what}" for end in ("lowest", "highest"))
    return Bar(issue, low, "%", must, aim, COMMAND), Bar(issue, high, "%", must, aim, COMMAND)


def _pooled_bars(limits: _Limits, target: str) -> dict[str, Bar]:
    return {
        metric: Bar(limits.issue, f"{target}: {_NAMES[metric][0]}", _NAMES[metric][1], must, aim, COMMAND)
        for metric, (must, aim) in limits.pooled.items()
    }


def _cell_bars(limits: _Limits, target: str) -> tuple[Bar, Bar]:
    return _extremes(limits.issue, target, "of nine size x volatility cells", *limits.cells)


def _symbol_bars(limits: _Limits, target: str) -> tuple[Bar, Bar]:
    return _extremes(limits.issue, target, "symbol", *limits.symbols)


def _interval_bar(target: str) -> Bar:
    """The interval of the share above VaR95 must hold 5 %: how far it stays away from it."""
    name = f"{target}: above VaR95, distance of its interval from 5 %"
    return Bar(4, name, "%", Limit(at_most=0), None, COMMAND)


def _declared(limits: _Limits, target: str) -> tuple[Bar, ...]:
    families = (*_cell_bars(limits, target), *_symbol_bars(limits, target))
    extra = (_interval_bar(target),) if limits.issue == 4 else ()
    return (*_pooled_bars(limits, target).values(), *extra, *families)


BARS = tuple(bar for limits in (_ISSUE_2, _ISSUE_4) for t in _TARGETS for bar in _declared(limits, t))


def measure() -> list[Bar]:
    return judged(benchmark_rows())


def judged(rows: tuple[Row, ...]) -> list[Bar]:
    """The bars with the figures of these rows."""
    return [bar for limits in (_ISSUE_2, _ISSUE_4) for target in _TARGETS for bar in _of_target(rows, limits, target)]


def _of_target(rows: tuple[Row, ...], limits: _Limits, target: str) -> list[Bar]:
    pooled = {
        metric: (bar, figure(rows, _SPLIT, target, metric)) for metric, bar in _pooled_bars(limits, target).items()
    }
    wanted = {"split": _SPLIT, "information": ARRIVAL, "target": target, "model": PRODUCT, "seed": 0}
    own = [r for r in rows if wanted.items() <= r.items()]
    cells = [r for r in own if r["metric"] == "slice_coverage_90_percent" and r["data"] == "pool"]
    if len(cells) != _CELLS:
        raise FootprintError(f"{len(cells)} pooled cells of {target} in results.json, allowed: {_CELLS}")
    # a tape's name is its symbol and month; the pool and the markets are one word
    tapes = [r for r in own if r["metric"] == "coverage_90_percent" and " " in str(r["data"])]
    if len(tapes) != TAPES:
        raise FootprintError(f"{len(tapes)} tapes of {target} in results.json, allowed: {TAPES}")
    extra = [_interval(target, pooled["above_var95_percent"][1])] if limits.issue == 4 else []
    return [
        *(measured(bar, row) for bar, row in pooled.values()),
        *extra,
        *_both_ends(_cell_bars(limits, target), cells, "slice"),
        *_both_ends(_symbol_bars(limits, target), tapes, "data"),
    ]


def _interval(target: str, row: Row) -> Bar:
    bar = _interval_bar(target)
    if row["low"] is None or row["high"] is None:
        return bar.failed("results.json holds no interval")
    away = max(row["low"] - _VAR95_PERCENT, _VAR95_PERCENT - row["high"], 0.0)
    return bar.measured(away, n=row["n"], note=f"interval {row['low']:.2f} to {row['high']:.2f}")


def _both_ends(bars: tuple[Bar, Bar], rows: list[Row], label: str) -> list[Bar]:
    ordered = sorted(rows, key=lambda row: row["value"])
    return [
        measured(bar, row, f"{row[label]}, {row['blocks']} blocks, of {len(rows)}")
        for bar, row in zip(bars, (ordered[0], ordered[-1]), strict=True)
    ]
