"""Kyle's lambda: the slope of mid returns on signed volume in bars of the clock (Kyle, Econometrica 53, 1985).

Flow and return of one bar share the bar, so the R2 of the same bar explains and forecasts nothing; the R2 of the next
bar's return stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.blocks import Blocks, r_squared, regress
from footprint.impact.leakage.measure import Kind, Measure
from footprint.units import BPS, NS_PER_SECOND

BAR_S = 60.0
MIN_BARS = 30
PERCENT = 100.0

_CAUSE = "does not prove that flow moved the price: news moves both within the bar, and prices attract flow"
LAMBDA = Kind("kyle_lambda", "bps per 1 % of the session's volume", f"A positive slope {_CAUSE}.")
SAME = Kind("flow_r2_same_bar", "share", f"Explains the bar it is read from and {_CAUSE}.")
SAME_ROOT = Kind("root_flow_r2_same_bar", "share", f"With the signed root of the flow; {_CAUSE}.")
NEXT = Kind(
    "flow_r2_next_bar", "share", "Fitted and read on the same bars: a small value does not prove that flow forecasts."
)
NEXT_SLOPE = Kind(
    "next_bar_lambda", "bps per 1 % of the session's volume",
    "An interval that contains 0 does not prove that flow forecasts nothing, only that this tape is too short to tell.",
)  # fmt: skip
KINDS = (LAMBDA, SAME, SAME_ROOT, NEXT, NEXT_SLOPE)

_ONE, _FLOW, _ROOT, _RETURN, _NEXT = range(5)


@dataclass(frozen=True, slots=True)
class Bars:
    """Whole bars of several sessions in order of time, arrays of shape (n,).

    Attributes:
        time_ns: start of the bar.
        flow_percent: bought less sold quantity, % of the session's volume.
        return_bps: log return of the mid over the bar.
        next_bps: the same over the following bar of the same run, nan without one.
    """

    time_ns: np.ndarray
    flow_percent: np.ndarray
    return_bps: np.ndarray
    next_bps: np.ndarray


def bars(tapes: Sequence[ChildTape], bar_s: float = BAR_S) -> Bars:
    """Bars on a grid of the clock, from the first to the last market order of every segment."""
    parts = [_segment(tape, tape.segment == s, bar_s) for tape in tapes for s in np.unique(tape.segment)]
    return Bars(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else Bars(*[np.zeros(0)] * 4)


def _segment(tape: ChildTape, mine: np.ndarray, bar_s: float) -> tuple[np.ndarray, ...]:
    time_ns, step_ns = tape.time_ns[mine], int(bar_s * NS_PER_SECOND)
    edges = np.arange(-(-time_ns[0] // step_ns), time_ns[-1] // step_ns + 1) * step_ns
    share = PERCENT * tape.sign[mine] * tape.quantity[mine] / tape.quantity.sum()
    flow = np.diff(np.append(0.0, np.cumsum(share))[np.searchsorted(time_ns, edges)])
    returns = np.diff(BPS * np.log(tape.mid_at(edges - 1)))
    known = np.isfinite(returns)
    following = np.append(returns[1:], np.nan)[: len(returns)]
    return edges[:-1][known], flow[known], returns[known], following[known]


def kyle(tapes: Sequence[ChildTape], block_s: float, rng: np.random.Generator, bar_s: float = BAR_S) -> list[Measure]:
    """Lambda and the R2 of the same and the next bar; unknown on fewer than `MIN_BARS` bars.

    Args:
        tapes: sessions of one instrument, in order of time.
    """
    sample = bars(tapes, bar_s)
    count = len(sample.time_ns)
    if count < MIN_BARS:
        reason = f"{count} bars of {bar_s:g} s, needs {MIN_BARS}"
        return [kind.unknown(reason, count, block_s) for kind in KINDS]
    blocks = Blocks.draw(sample.time_ns, block_s, rng)
    flow = sample.flow_percent
    columns = [np.ones(count), flow, np.sign(flow) * np.sqrt(np.abs(flow)), sample.return_bps]
    moments = blocks.products(np.column_stack(columns))
    slope = regress(moments, [_ONE, _FLOW], [_RETURN])[0][:, 1, 0]
    followed = np.isfinite(sample.next_bps)
    later = Blocks.draw(sample.time_ns[followed], block_s, rng)
    ahead = later.products(np.column_stack([*columns, sample.next_bps])[followed])
    return [
        LAMBDA.of(slope, blocks),
        SAME.of(r_squared(moments, [_ONE, _FLOW], _RETURN), blocks),
        SAME_ROOT.of(r_squared(moments, [_ONE, _ROOT], _RETURN), blocks),
        NEXT.of(r_squared(ahead, [_ONE, _FLOW], _NEXT), later),
        NEXT_SLOPE.of(regress(ahead, [_ONE, _FLOW], [_NEXT])[0][:, 1, 0], later),
    ]
