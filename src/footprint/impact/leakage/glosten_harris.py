"""Glosten and Harris (Journal of Financial Economics 21, 123-142, 1988): the two halves of the spread by size.

dp_t = c0 (e_t - e_{t-1}) + c1 (e_t v_t - e_{t-1} v_{t-1}) + z0 e_t + z1 e_t v_t + noise, by least squares, with p the
log price, e the sign and v the size of a market order (in mean sizes). The z part stays (adverse selection), the c part
goes back (order handling). Here both are read at the mean size, v = 1.
"""

from __future__ import annotations

import numpy as np

from footprint.impact.leakage.blocks import Blocks, ratio, regress
from footprint.impact.leakage.measure import Kind, Measure
from footprint.impact.leakage.trades import Trades

MIN_TRADES = 200

_MODEL = "the split is the model's: sticky quotes and split orders move parts from one half to the other"
PERMANENT = Kind("glosten_harris_permanent", "bps", f"Does not prove that these traders knew more; {_MODEL}.")
TRANSITORY = Kind("glosten_harris_transitory", "bps", f"Does not prove what a dealer earns; {_MODEL}.")
SHARE = Kind("glosten_harris_permanent_share", "share", f"Does not prove a share of informed trades; {_MODEL}.")
KINDS = (PERMANENT, TRANSITORY, SHARE)


def glosten_harris(trades: Trades, block_s: float, rng: np.random.Generator) -> list[Measure]:
    """Half-spread that stays and that goes back for an order of mean size, bps, and the share that stays."""
    rows = trades.with_past(1)
    if len(rows) < MIN_TRADES:
        return [k.unknown(f"{len(rows)} trades, needs {MIN_TRADES}", len(rows), block_s) for k in KINDS]
    signed = trades.sign * trades.size
    change = trades.price_bps[rows] - trades.price_bps[rows - 1]
    columns = (np.ones(len(rows)), trades.sign[rows] - trades.sign[rows - 1], signed[rows] - signed[rows - 1],
               trades.sign[rows], signed[rows], change)  # fmt: skip
    blocks = Blocks.draw(trades.time_ns[rows], block_s, rng)
    c0, c1, z0, z1 = regress(blocks.products(np.column_stack(columns)), [0, 1, 2, 3, 4], [5])[0][:, 1:, 0].T
    stays, goes = z0 + z1, c0 + c1
    return [PERMANENT.of(stays, blocks), TRANSITORY.of(goes, blocks), SHARE.of(ratio(stays, stays + goes), blocks)]
