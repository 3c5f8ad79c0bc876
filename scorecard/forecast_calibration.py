"""Whether the bands of the product's forecast mean what they say: coverage, slices, PIT, the tail beyond VaR95.

Walk-forward, peak and shortfall, from the one run of the benchmark that also gives the skills.
"""

from __future__ import annotations

from footprint.errors import FootprintError
from scorecard.bar import Bar, Limit
from scorecard.benchmark_results import COMMAND, TAPES, Row, benchmark_rows, figure, measured

_SPLIT = "walk_forward"
_TARGETS = ("peak", "shortfall")
_CELLS = 9

# metric, what it is called, unit, must, aim
_POOLED = (
    ("coverage_90_percent", "coverage of the 90 % band", "%", Limit(86.5, 93.5), Limit(88.5, 91.5)),
    ("coverage_80_percent", "coverage of the 80 % band", "%", Limit(76, 84), Limit(78, 82)),
    ("slices_in_84_96_percent", "slices whose 90 % band covers 84 to 96 %", "%", Limit(80), Limit(90)),
    ("pit_distance", "PIT distance", "", Limit(at_most=0.05), Limit(at_most=0.022)),
    ("above_var95_percent", "above VaR95", "%", Limit(3, 7.5), Limit(4, 6)),
)
_CELL_MUST, _CELL_AIM = Limit(85, 93.5), Limit(87.5, 92)
_SYMBOL_MUST, _SYMBOL_AIM = Limit(81, 96), Limit(85, 94)


def _bar(target: str, what: str, unit: str, must: Limit, aim: Limit) -> Bar:
    return Bar(2, f"{target}: {what}", unit, must, aim, COMMAND)


def _extremes(target: str, what: str, must: Limit, aim: Limit) -> tuple[Bar, Bar]:
    """Both ends of a family of coverages; each has to lie within the same limits."""
    low, high = (f"{target}: coverage of the 90 % band, {end} {what}" for end in ("lowest", "highest"))
    return Bar(2, low, "%", must, aim, COMMAND), Bar(2, high, "%", must, aim, COMMAND)


_POOL_BARS = {t: [_bar(t, what, unit, must, aim) for _, what, unit, must, aim in _POOLED] for t in _TARGETS}
_CELL_BARS = {t: _extremes(t, "of nine size x volatility cells", _CELL_MUST, _CELL_AIM) for t in _TARGETS}
_SYMBOL_BARS = {t: _extremes(t, "symbol", _SYMBOL_MUST, _SYMBOL_AIM) for t in _TARGETS}
BARS = tuple(bar for t in _TARGETS for bar in (*_POOL_BARS[t], *_CELL_BARS[t], *_SYMBOL_BARS[t]))


def measure() -> list[Bar]:
    return judged(benchmark_rows())


def judged(rows: tuple[Row, ...]) -> list[Bar]:
    """The bars with the figures of these rows."""
    return [bar for target in _TARGETS for bar in _of_target(rows, target)]


def _of_target(rows: tuple[Row, ...], target: str) -> list[Bar]:
    pooled = [figure(rows, _SPLIT, target, metric) for metric, *_ in _POOLED]
    own = [r for r in rows if (r["split"], r["target"], r["model"]) == (_SPLIT, target, "mixture")]
    cells = [r for r in own if r["metric"] == "slice_coverage_90_percent" and r["data"] == "pool"]
    if len(cells) != _CELLS:
        raise FootprintError(f"{len(cells)} pooled cells of {target} in results.json, allowed: {_CELLS}")
    # a tape's name is its symbol and month; the pool and the markets are one word
    tapes = [r for r in own if r["metric"] == "coverage_90_percent" and " " in str(r["data"])]
    if len(tapes) != TAPES:
        raise FootprintError(f"{len(tapes)} tapes of {target} in results.json, allowed: {TAPES}")
    return [
        *(measured(bar, row) for bar, row in zip(_POOL_BARS[target], pooled, strict=True)),
        *_both_ends(_CELL_BARS[target], cells, "slice"),
        *_both_ends(_SYMBOL_BARS[target], tapes, "data"),
    ]


def _both_ends(bars: tuple[Bar, Bar], rows: list[Row], label: str) -> list[Bar]:
    ordered = sorted(rows, key=lambda row: row["value"])
    return [
        measured(bar, row, f"{row[label]}, {row['blocks']} blocks, of {len(rows)}")
        for bar, row in zip(bars, (ordered[0], ordered[-1]), strict=True)
    ]
