"""Impact that fades: the price at t owes sigma_D times the integral of G(t - s) f(v_s) ds to the trading before it.

v is signed trading in day volumes per day, time is in trading days, f(v) = sign(v) |v|^delta, and G is a sum of kernels
that are known by their first and second integrals. From these follow the path and cost of any schedule with piecewise
constant pace, and with them every target of an order at constant pace: one set of parameters for all.

Bouchaud, Gefen, Potters, Wyart (2004); in continuous time Gatheral (2010), Quantitative Finance 10, 749, eq. 2.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from footprint.errors import ModelError, UsageError
from footprint.impact.rows import RELAXATION_S, Rows
from footprint.impact.shaped_mean import FittedShapedMean, ShapedMeanModel


class Kernel(Protocol):
    """Response G to trading at unit pace; `days` has any shape that goes with the kernel's own parameters."""

    def once(self, days: np.ndarray) -> np.ndarray:
        """Integral of G from 0 to `days` >= 0."""
        ...

    def twice(self, days: np.ndarray) -> np.ndarray:
        """Integral of `once` from 0 to `days` >= 0."""
        ...


@runtime_checkable
class TransientModel(ShapedMeanModel, Protocol):
    """A shaped mean made of kernels; the first coefficients belong to them, one more to half the spread."""

    @property
    def half_spread(self) -> bool:
        """True when the basis ends with half the spread."""
        ...

    def pace_exponent(self, shape: np.ndarray) -> float:
        """Delta, in (0, 1]."""
        ...

    def kernels(self, shape: np.ndarray, day_s: np.ndarray) -> tuple[Kernel, ...]:
        """Kernels of days of `day_s` seconds (one number, or one for each row)."""
        ...


def transient_basis(model: TransientModel, rows: Rows, target: str, shape: np.ndarray) -> np.ndarray:
    """Mean of the target for each kernel with unit weight, and half the spread; bps, shape (n, k)."""
    delta = model.pace_exponent(shape)
    columns = [
        rows.volatility_day_bps * _constant_pace(kernel, delta, rows, target)
        for kernel in model.kernels(shape, rows.day_s)
    ]
    return np.column_stack([*columns, 0.5 * rows.spread_bps] if model.half_spread else columns)


def _constant_pace(kernel: Kernel, delta: float, rows: Rows, target: str) -> np.ndarray:
    """Impact of a constant pace over the horizon in units of sigma_D: at the end or after it, or averaged, (n,)."""
    duration = np.maximum(rows.horizon_s, 1.0) / rows.day_s
    pace = (rows.participation / duration) ** delta
    after = RELAXATION_S[target] / rows.day_s
    at_reading = pace * (kernel.once(duration + after) - kernel.once(after))
    if target not in ("shortfall", "temporary"):
        return at_reading
    average = pace * kernel.twice(duration) / duration
    return average if target == "shortfall" else average - 0.5 * at_reading


def path_bps(
    fitted: FittedShapedMean,
    at_s: np.ndarray,
    times_s: np.ndarray,
    day_shares: np.ndarray,
    volatility_day_bps: float,
    day_s: float,
) -> np.ndarray:
    """Mean impact on the mid at the times asked for, bps, positive upwards; shape of `at_s`.

    Args:
        fitted: of a transient model; its target does not matter here beyond having set the parameters.
        at_s: times, seconds on the clock of `times_s`.
        times_s: ends of the slices, increasing, shape (m + 1,).
        day_shares: signed quantity over V_D of each slice, traded evenly within it, shape (m,).
        volatility_day_bps: sigma_D.
        day_s: seconds in a trading day.

    Raises:
        ModelError: the model has no path.
        UsageError: times that do not increase, or not one quantity a slice.
    """
    model, edges, pace = _schedule(fitted, times_s, day_shares, day_s)
    since = np.maximum(np.asarray(at_s, np.float64)[..., None] / day_s - edges, 0.0)
    total = np.zeros(np.shape(at_s))
    for weight, kernel in zip(fitted.coefficients, model.kernels(fitted.shape, np.array(day_s)), strict=False):
        total += weight * (-np.diff(kernel.once(since), axis=-1) @ pace)
    return volatility_day_bps * total


def schedule_cost_bps(
    fitted: FittedShapedMean,
    times_s: np.ndarray,
    day_shares: np.ndarray,
    volatility_day_bps: float,
    day_s: float,
    spread_bps: float = 0.0,
) -> float:
    """Mean cost of a schedule against the arrival mid per unit traded, bps; a round trip may be asked for too.

    Slices shorter than about a millionth of a day lose digits.

    Args:
        fitted: of a transient model, as a rule fitted on "shortfall", where half the spread has its price.
        times_s, day_shares, volatility_day_bps, day_s: as for `path_bps`.
        spread_bps: full spread; counts only where the model has the term.

    Raises:
        ModelError: the model has no path.
        UsageError: times that do not increase, not one quantity a slice, or nothing traded.
    """
    model, edges, pace = _schedule(fitted, times_s, day_shares, day_s)
    traded = float(np.abs(day_shares).sum())
    if traded == 0.0:
        raise UsageError("a schedule that trades nothing has no cost per unit")
    since = np.maximum(edges[:, None] - edges, 0.0)
    rate = np.asarray(day_shares) / np.diff(edges)
    work = 0.0
    for weight, kernel in zip(fitted.coefficients, model.kernels(fitted.shape, np.array(day_s)), strict=False):
        work += weight * float(rate @ -np.diff(np.diff(kernel.twice(since), axis=0), axis=1) @ pace)
    spread_part = fitted.coefficients[-1] * 0.5 * spread_bps if model.half_spread else 0.0
    return float(volatility_day_bps * work / traded + spread_part)


def _schedule(
    fitted: FittedShapedMean, times_s: np.ndarray, day_shares: np.ndarray, day_s: float
) -> tuple[TransientModel, np.ndarray, np.ndarray]:
    """The model, ends of slices in days, f of each slice's pace."""
    model = fitted.model
    if not isinstance(model, TransientModel):
        raise ModelError(f"{model.name} has no path: it knows an order's size, not its schedule")
    edges, shares = np.asarray(times_s, np.float64) / day_s, np.asarray(day_shares, np.float64)
    if edges.ndim != 1 or shares.shape != (len(edges) - 1,) or not (np.diff(edges) > 0.0).all():
        raise UsageError(f"a schedule of {shares.size} quantities needs {shares.size + 1} increasing times")
    rate = shares / np.diff(edges)
    return model, edges, np.sign(rate) * np.abs(rate) ** model.pace_exponent(fitted.shape)
