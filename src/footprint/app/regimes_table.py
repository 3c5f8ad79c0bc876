"""What `footprint regimes` prints for a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from footprint.app.regimes import SymbolRegimes, TargetEffects
from footprint.data.verdict import counted
from footprint.impact.evaluation.scoring import Estimate
from footprint.impact.regimes.observations import OBSERVED
from footprint.units import NS_PER_SECOND

if TYPE_CHECKING:
    from rich.table import Table

LEAST_BLOCKS = 5  # fewer half hours say nothing of how much a coverage varies
_HEADINGS = {"spread_bps": "spread, bps", "depth": "depth at a touch", "volatility": "volatility, bps/√s",
             "trades_per_s": "trades/s", "repair_s": "spread repair, s"}  # fmt: skip
KINDS = {"markov": "Markov chain", "mixture": "mixture"}


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of text; `notes` are sentences that hold for it."""

    title: str
    notes: tuple[str, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def grids(found: SymbolRegimes) -> tuple[Grid, ...]:
    """Regimes, transitions, what they change; without effects the last has notes alone."""
    return (_regimes(found), _transitions(found), _effects(found))


def headline(found: SymbolRegimes) -> str:
    """What was found from what, and the regime now."""
    minutes, states = found.minutes, found.selection.states
    until, last = _clock(minutes.end_ns[found.learnt - 1]), _clock(minutes.end_ns[-1])
    kind = f" ({KINDS[states.kind]})" if len(states) > 1 else ""
    now = int(found.now.argmax())
    return (
        f"{found.symbol} at {found.venue}: {counted(len(states), 'regimes')}{kind}, learnt on the first "
        f"{found.learnt:,} of {len(minutes):,} minutes (until {until}) in {counted(found.sessions, 'sessions')}. "
        f"At {last}: {states.names[now]}, probability {_percent(float(found.now[now]))}."
    )


def _regimes(found: SymbolRegimes) -> Grid:
    rows = [
        (
            regime.name,
            _percent(regime.share),
            *(_number(regime.centre[name]) for name in OBSERVED),
            _dwell(regime.dwell_minutes),
            f"{regime.dwell_minutes.blocks:,}",
        )
        for regime in found.report.regimes
    ]
    notes = [
        "names rank the regimes by spread and volatility within this tape",
        "every minute is labelled from itself and those before it; centres are those of the fitted states",
        "a stay that a session's end cuts off counts as not ended; its interval takes stays for exponential",
    ]
    if len(rows) == 1:
        notes.append(
            "no choice of several regimes that last forecasts later minutes better: there is nothing to tell apart"
        )
    headers = (
        "regime", "share of time", *(_HEADINGS[name] for name in OBSERVED), "mean stay, minutes (95 %)", "stays ended"
    )  # fmt: skip
    return Grid("Regimes", (*found.cautions, *notes), headers, tuple(rows))


def _transitions(found: SymbolRegimes) -> Grid:
    names, report = found.selection.states.names, found.report
    rows = [
        (
            name,
            *(
                _percent(float(chance)) + (f" ({report.moves[i, j]:,} seen)" if i != j else "")
                for j, chance in enumerate(report.transition[i])
            ),
        )
        for i, name in enumerate(names)
    ]
    notes = ["chance of each regime a minute later; seen: changes of the label within sessions"]
    if found.selection.states.kind == "mixture" and len(names) > 1:
        notes.append("a mixture has no memory, so each row holds the shares of time; the stays tell how long they last")
    return Grid("From one minute to the next", tuple(notes), ("now", *(f"to {name}" for name in names)), tuple(rows))


def _effects(found: SymbolRegimes) -> Grid:
    rows = [
        (target.target, effect.name, f"{effect.rows:,}", _multiple(effect.prefactor), _multiple(effect.scale),
         *(f"{c:.3f}" for c in effect.coefficients), _coverage(effect.coverage_blind), _coverage(effect.coverage_aware))
        for target in found.effects for effect in target.effects
    ]  # fmt: skip
    headers = (
        "target", "regime", "later orders", "mean × (95 %)", "noise × (95 %)", "Y", "c",
        "covered, without (95 %)", "covered, with (95 %)",
    )  # fmt: skip
    notes = [effect_sentence(target) for target in found.effects]
    if rows:
        notes += [
            "mean × and noise ×: multiples of the forecast without regimes; Y and c: coefficients of the square root "
            "and of the half-spread",
            "covered: share of the later outcomes inside the 90 % band of the forecast without and with regimes; no "
            f"interval on fewer than {LEAST_BLOCKS} half hours",
        ]
    return Grid("What they change in the forecast: square root + spread", tuple(notes), headers, tuple(rows))


def effect_sentence(found: TargetEffects) -> str:
    """What was measured for one target, or why not, or that nothing changes."""
    if found.reason:
        return f"{found.target}: not measured: {found.reason}"
    if len(found.effects) == 1:
        return f"{found.target}: a single regime changes nothing"
    if found.is_nothing:
        return (
            f"{found.target}: every multiple shrinks to 1: the regimes differ by no more than their own errors on "
            f"{found.past:,} orders, so the forecast is the same in each"
        )
    told = [
        f"{what} in {effect.name}"
        for effect in found.effects
        for what, (_, low, high) in (("mean", effect.prefactor), ("noise", effect.scale))
        if low > 1.0 or high < 1.0
    ]
    clear = f"intervals without 1: {', '.join(told)}" if told else "no interval excludes 1"
    return (
        f"{found.target}: multiples learnt on {found.past:,} earlier orders, each drawn towards 1 by its error; {clear}"
    )


def regimes_table(grid: Grid) -> Table:
    """The grid for a terminal, without its notes."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(grid.title), title_justify="left")
    for i, header in enumerate(grid.headers):
        table.add_column(header, justify="right" if i else "left")
    for cells in grid.rows:
        table.add_row(*map(escape, cells))
    return table


def is_shrunk(bounds: Sequence[float]) -> bool:
    """Pooling found no difference and so has no error of its own: an interval of no width would claim certainty."""
    _, low, high = bounds
    return low == high == 1.0


def _dwell(e: Estimate) -> str:
    if math.isnan(e.value):
        return f"N/A (over {_number(e.low)})"
    return f"{_number(e.value)} ({_number(e.low)} to {_number(e.high)})"


def _multiple(bounds: Sequence[float]) -> str:
    value, low, high = bounds
    return "1, shrunk" if is_shrunk(bounds) else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _coverage(e: Estimate | None) -> str:
    if e is None:
        return "N/A"
    if e.blocks < LEAST_BLOCKS:
        return f"{_percent(e.value)} (N/A)"
    return f"{_percent(e.value)} ({100.0 * e.low:.1f} to {100.0 * e.high:.1f})"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _number(value: float) -> str:
    return "N/A" if math.isnan(value) else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _clock(time_ns: int) -> str:
    return datetime.fromtimestamp(int(time_ns) // NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M UTC")
