"""Madhavan, Richardson and Roomans (Review of Financial Studies 10, 1035-1064, 1997): only surprises inform.

dp_t = (phi + theta) e_t - (phi + rho theta) e_{t-1} + noise, with rho the autocorrelation of the signs: a sign that was
expected moves no beliefs. The moment conditions of the paper are as many as the parameters (here no trade is inside the
quotes, so that its lambda is 0), and solving them is least squares followed by theta = (a + b) / (1 - rho),
phi = a - theta for the coefficients a of e_t and b of e_{t-1}.
"""

from __future__ import annotations

import numpy as np

from footprint.impact.leakage.blocks import Blocks, ratio, regress
from footprint.impact.leakage.measure import Kind, Measure
from footprint.impact.leakage.trades import Trades

MIN_TRADES = 200

_MODEL = "the model lets prices react to one sign at a time, so that long runs of one sign bias it"
THETA = Kind("mrr_theta", "bps", f"Does not prove information: {_MODEL}.")
PHI = Kind("mrr_phi", "bps", f"Does not prove what it costs to make a market: {_MODEL}.")
RHO = Kind("sign_autocorrelation", "correlation", "Does not tell split orders from herding or news.")
SHARE = Kind("mrr_permanent_share", "share", f"Does not prove a share of informed trades: {_MODEL}.")
KINDS = (THETA, PHI, RHO, SHARE)


def madhavan(trades: Trades, block_s: float, rng: np.random.Generator) -> list[Measure]:
    """Theta (stays, per unit of surprise) and phi (goes back), bps, rho, and theta / (theta + phi)."""
    rows = trades.with_past(1)
    if len(rows) < MIN_TRADES:
        return [k.unknown(f"{len(rows)} trades, needs {MIN_TRADES}", len(rows), block_s) for k in KINDS]
    now, before = trades.sign[rows], trades.sign[rows - 1]
    change = trades.price_bps[rows] - trades.price_bps[rows - 1]
    blocks = Blocks.draw(trades.time_ns[rows], block_s, rng)
    moments = blocks.products(np.column_stack((np.ones(len(rows)), now, before, change)))
    a, b = regress(moments, [0, 1, 2], [3])[0][:, 1:, 0].T
    rho = ratio(moments[:, 1, 2], moments[:, 2, 2])
    theta = ratio(a + b, 1.0 - rho)
    phi = a - theta
    return [
        THETA.of(theta, blocks),
        PHI.of(phi, blocks),
        RHO.of(rho, blocks),
        SHARE.of(ratio(theta, theta + phi), blocks),
    ]
