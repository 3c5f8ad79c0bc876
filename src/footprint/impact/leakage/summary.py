"""Every measure of adverse selection of one instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data.children import ChildTape
from footprint.impact.leakage.blocks import block_length_s
from footprint.impact.leakage.glosten_harris import glosten_harris
from footprint.impact.leakage.hasbrouck import hasbrouck
from footprint.impact.leakage.informed_flow import informed_flow
from footprint.impact.leakage.kyle import kyle
from footprint.impact.leakage.madhavan import madhavan
from footprint.impact.leakage.markouts import MarkoutCurve, markout_curve
from footprint.impact.leakage.measure import Measure
from footprint.impact.leakage.trade_through import Prints, trade_through_rate
from footprint.impact.leakage.trades import trades_of
from footprint.impact.leakage.vpin import vpin
from footprint.units import NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class AdverseSelection:
    """What the market orders of one instrument did to those who took the other side.

    Attributes:
        curve: markouts and half-spreads.
        measures: everything else.
    """

    curve: MarkoutCurve
    measures: tuple[Measure, ...]


def trading_s(tapes: Sequence[ChildTape]) -> float:
    """Seconds between the first and the last market order of every session, summed."""
    return float(sum(tape.time_ns[-1] - tape.time_ns[0] for tape in tapes if len(tape))) / NS_PER_SECOND


def adverse_selection(
    tapes: Sequence[ChildTape], prints: Sequence[Prints], rng: np.random.Generator
) -> AdverseSelection:
    """Measure sessions of one instrument.

    Args:
        tapes: in order of time, at least one market order among them.
        prints: of the same sessions.
        rng: draws the blocks.
    """
    block_s = block_length_s(trading_s(tapes))
    trades = trades_of(tapes)
    return AdverseSelection(
        markout_curve(tapes, block_s, rng),
        (
            *informed_flow(tapes, block_s, rng),
            *kyle(tapes, block_s, rng),
            *glosten_harris(trades, block_s, rng),
            *madhavan(trades, block_s, rng),
            *hasbrouck(trades, block_s, rng),
            *vpin(tapes, block_s, rng),
            *trade_through_rate(prints, block_s, rng),
        ),
    )
