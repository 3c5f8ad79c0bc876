"""Hasbrouck's vector autoregression of mid changes and trades (Journal of Finance 46, 179-207, 1991).

r_t = sum a_i r_{t-i} + sum_{i>=0} b_i x_{t-i} + v1_t,   x_t = sum c_i r_{t-i} + sum d_i x_{t-i} + v2_t, i up to `lags`,
in trade time: r is the mid's log change from before this market order to before the next, x its sign and its signed
root size. With A0 y_t = sum A_i y_{t-i} + v_t the long-run response of y to v is (A0 - sum A_i)^-1, whose first row
gives the lasting move of the mid per unit of each innovation; the share of its variance that comes from v2 is the
trade-correlated part of the efficient price (Hasbrouck, Review of Financial Studies 4, 571-595, 1991).
"""

from __future__ import annotations

import numpy as np

from footprint.impact.leakage.blocks import Blocks, ratio, regress
from footprint.impact.leakage.measure import Kind, Measure
from footprint.impact.leakage.trades import Trades

LAGS = 5
MIN_TRADES = 500

_TRUNCATED = f"{LAGS} lags miss the long memory of signs"
RESPONSE = Kind(
    "hasbrouck_response", "bps", f"Does not prove a lasting move: {_TRUNCATED}, and a reversal beyond them."
)
SHARE = Kind(
    "trade_correlated_share", "share",
    f"Does not prove private information: trades that react to public news within a trade count as its cause; "
    f"{_TRUNCATED}.",
)  # fmt: skip
KINDS = (RESPONSE, SHARE)


def hasbrouck(trades: Trades, block_s: float, rng: np.random.Generator, lags: int = LAGS) -> list[Measure]:
    """Long-run move of the mid after an unexpected market order of mean size, bps, and the trade-correlated share."""
    rows = trades.with_past(lags, ahead=1)
    if len(rows) < MIN_TRADES:
        return [k.unknown(f"{len(rows)} trades, needs {MIN_TRADES}", len(rows), block_s) for k in KINDS]
    signals = np.column_stack((trades.sign, trades.sign * np.sqrt(trades.size)))
    series = np.column_stack((np.append(np.diff(trades.mid_bps), 0.0), signals))
    blocks = Blocks.draw(trades.time_ns[rows], block_s, rng)
    past = [series[rows - lag] for lag in range(1, lags + 1)]
    moments = blocks.products(np.column_stack((np.ones(len(rows)), *past, series[rows])))
    response, share = _long_run(moments, lags, series.shape[1])
    mean_size = np.array([1.0, float(np.sqrt(trades.size[rows]).mean())])
    return [RESPONSE.of(response @ mean_size, blocks), SHARE.of(share, blocks)]


def _long_run(moments: np.ndarray, lags: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Response of the mid to a unit of each signal's innovation, shape (..., signals), and the share, shape (...)."""
    history = list(range(1 + lags * width))
    ret, signals = len(history), list(range(len(history) + 1, len(history) + width))
    of_return, return_noise = regress(moments, [*history, *signals], [ret])
    of_signals, signal_noise = regress(moments, history, signals)
    summed = (*moments.shape[:-2], lags, width, width)
    lagged = np.concatenate([of_return[..., 1 : len(history), :], of_signals[..., 1:, :]], axis=-1).reshape(summed)
    system = np.eye(width) - np.swapaxes(lagged.sum(axis=-3), -1, -2)
    system[..., 0, 1:] -= of_return[..., len(history) :, 0]
    lasting = np.linalg.inv(system)[..., 0, :]
    from_return = lasting[..., 0] ** 2 * return_noise[..., 0, 0]
    from_trades = np.einsum("...i,...ij,...j->...", lasting[..., 1:], signal_noise, lasting[..., 1:])
    return lasting[..., 1:], ratio(from_trades, from_trades + from_return)
