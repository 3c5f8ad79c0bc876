"""One law for all symbols from which each may differ as far as its own orders say so: partial pooling.

For an order of symbol s, in units of the noise scale s0 = sqrt(sigma^2 (T + h) + (spread/2)^2),

    outcome / s0 = (Y + Y_s) L + (c + c_s) S + sum_j m_j z_j + r
    r            = exp(g + g_s) ((T + h) / 10 min)^k times a residual of one shape

with L = sigma_D (Q/V_D)^(1/2 + d) / s0 and S = spread / 2 s0.

Y_s, c_s, g_s are normal around 0 with stated deviations, so that a symbol with few independent orders stays near the
pool and an unseen one is the pool (random effects; Gelman & Hill 2007, ch. 12). k says how the noise departs from
sqrt(time): orders that end early were worked in busy minutes, so k is negative on every tape seen so far. The
coefficients z_j of a few columns of the market's state are shrunk to 0.

Parameters are the posterior mode under Student-t residuals (Lange, Little & Taylor 1989). Overlapping orders share the
market's path, so the likelihood counts each tape with its number of independent windows (`uniqueness`); the residual's
quantiles are then read from the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS
from footprint.impact.linear_mean import known_rows
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import RELAXATION_S, Rows
from footprint.impact.uniqueness import uniqueness

DEGREES = 4.0  # of the t distribution under which parameters are fitted
REFERENCE_PARTICIPATION = 1e-3  # where a change of the exponent leaves the prefactor as it is
REFERENCE_S = 600.0
_EFFECTS = 2  # law and half-spread
_STATE_LIMIT = 3.0  # deviations beyond which a column of the state counts no further


@dataclass(frozen=True, slots=True)
class Effects:
    """Parameters; the names are those of the module's formulas.

    Attributes:
        law, spread: Y and c of the pool.
        exponent: d, departure from 1/2.
        log_scale, time_slope: g and k.
        state: m_j, shape (p,).
        by_symbol: rows Y_s, c_s, g_s, shape (3, symbols).
    """

    law: float
    spread: float
    exponent: float
    log_scale: float
    time_slope: float
    state: np.ndarray
    by_symbol: np.ndarray


@dataclass(frozen=True, slots=True)
class FittedPooledLaw:
    """The law of the pool, each symbol's departure from it, and the residual's shape.

    Attributes:
        symbols: those of the fit, in the order of `Effects.by_symbol`.
        state_names, state_scale: columns of the market's state and their deviations.
        effect_sd: posterior deviation of Y_s and c_s, shape (2, symbols + 1); the last column is an unseen symbol.
        residual_quantiles: of the residual on the 99 levels.
    """

    target: str
    symbols: tuple[str, ...]
    effects: Effects
    state_names: tuple[str, ...]
    state_scale: np.ndarray
    effect_sd: np.ndarray
    residual_quantiles: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps.

        Raises:
            ModelError: the rows lack a column of the market's state.
        """
        mean, scale = self._relative(rows)
        return rows.scale_bps(self.target)[:, None] * (mean[:, None] + scale[:, None] * self.residual_quantiles)

    def mean_bps(self, rows: Rows) -> np.ndarray:
        """Mean part without the residual's own mean, shape (n,)."""
        return rows.scale_bps(self.target) * self._relative(rows)[0]

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """Deviation of the mean because the symbol's own coefficients are uncertain, shape (n,)."""
        basis = _basis(rows, self.target, self.effects.exponent)
        sd = self.effect_sd[:, self._positions(rows)].T
        return rows.scale_bps(self.target) * np.sqrt(((basis * sd) ** 2).sum(axis=1))

    def _positions(self, rows: Rows) -> np.ndarray:
        """Column of each row's symbol in `by_symbol` and `effect_sd`; the last one for a symbol not fitted."""
        known = {name: i for i, name in enumerate(self.symbols)}
        return np.array([known.get(name, len(self.symbols)) for name in rows.symbol.tolist()], dtype=np.int64)

    def _relative(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Mean and residual scale in noise scales, shapes (n,)."""
        effects = self.effects
        own = np.column_stack([effects.by_symbol, np.zeros(3)])[:, self._positions(rows)]
        basis = _basis(rows, self.target, effects.exponent)
        coefficients = np.array([effects.law, effects.spread])[:, None] + own[:_EFFECTS]
        mean = (basis * coefficients.T).sum(axis=1) + _state(rows, self.state_names, self.state_scale) @ effects.state
        slope = effects.time_slope * _log_time(rows, self.target)
        return mean, np.exp(effects.log_scale + own[_EFFECTS] + slope)


@dataclass(frozen=True, slots=True)
class PooledLaw:
    """Square root and half-spread with random effects by symbol.

    Args:
        law_sd, spread_sd, scale_sd: prior deviations of Y_s, c_s, g_s.
        exponent_sd, slope_sd: prior deviations of d and k.
        state_names: columns that may shift the mean.
        state_sd: prior deviation of their coefficients, in noise scales per deviation of the column.
    """

    law_sd: float = 0.5
    spread_sd: float = 0.5
    scale_sd: float = 0.25
    exponent_sd: float = 0.1
    slope_sd: float = 0.3
    state_names: tuple[str, ...] = ()
    state_sd: float = 0.03

    @property
    def name(self) -> str:
        """pooled_law."""
        return "pooled_law"

    def fit(self, rows: Rows, target: str) -> FittedPooledLaw:
        """Posterior mode by L-BFGS from one fixed start.

        Raises:
            ModelError: fewer than 50 rows with a known outcome, or a column of the state is missing.
        """
        rows = known_rows(rows, target, self.name)
        symbols, symbol = np.unique(rows.symbol, return_inverse=True)
        state_scale = _state_scale(rows, self.state_names)
        problem = _Problem.of(self, rows, target, symbol, state_scale)
        found = minimize(problem.loss, problem.start(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
        effects = problem.unpack(found.x)
        own_sd = problem.effect_sd(found.x)
        prior_sd = np.array([[self.law_sd], [self.spread_sd]])
        fitted = FittedPooledLaw(
            target,
            tuple(symbols.tolist()),
            effects,
            self.state_names,
            state_scale,
            np.hstack([own_sd, prior_sd]),
            np.zeros(len(LEVELS)),
        )
        mean, scale = fitted._relative(rows)
        residual = (problem.outcome - mean) / scale
        shape = weighted_quantiles(residual, rows.tape_weights(), LEVELS)
        return FittedPooledLaw(target, fitted.symbols, effects, self.state_names, state_scale, fitted.effect_sd, shape)


@dataclass(frozen=True, slots=True)
class _Problem:
    """The negative log posterior of one fit, in outcomes over noise scales.

    Attributes:
        weight: of each row in the likelihood; a tape's total is the mean number of independent windows a tape has.
        prior_weight: of each symbol's prior, more than 1 where it has fewer independent windows than its weight says.
    """

    outcome: np.ndarray
    law: np.ndarray
    spread: np.ndarray
    log_size: np.ndarray
    log_time: np.ndarray
    state: np.ndarray
    symbol: np.ndarray
    weight: np.ndarray
    prior_weight: np.ndarray
    effect_precision: np.ndarray
    shared_precision: np.ndarray

    @classmethod
    def of(cls, model: PooledLaw, rows: Rows, target: str, symbol: np.ndarray, state_scale: np.ndarray) -> _Problem:
        basis = _basis(rows, target, 0.0)
        weights, independent = rows.tape_weights(), np.bincount(symbol, uniqueness(rows, target))
        total = np.bincount(symbol, weights)
        tempering = independent.mean() / total.mean()
        precise = np.array([1.0 / model.law_sd, 1.0 / model.spread_sd, 1.0 / model.scale_sd]) ** 2
        shared = np.array([0.0, 0.0, model.exponent_sd**-2.0, 0.0, model.slope_sd**-2.0])
        return cls(
            outcome=rows.outcome(target) / rows.scale_bps(target),
            law=basis[:, 0],
            spread=basis[:, 1],
            log_size=np.log(rows.participation / REFERENCE_PARTICIPATION),
            log_time=_log_time(rows, target),
            state=_state(rows, model.state_names, state_scale),
            symbol=symbol,
            weight=weights * tempering,
            prior_weight=total * tempering / independent,
            effect_precision=precise[:, None],
            shared_precision=np.concatenate([shared, np.full(len(model.state_names), model.state_sd**-2.0)]),
        )

    def start(self) -> np.ndarray:
        """A square root with half the usual prefactor's noise, no departures."""
        parameters = np.zeros(len(self.shared_precision) + 3 * len(self.prior_weight))
        parameters[0] = 0.5
        return parameters

    def unpack(self, parameters: np.ndarray) -> Effects:
        shared = len(self.shared_precision)
        law, spread, exponent, log_scale, slope = (float(v) for v in parameters[:5])
        return Effects(
            law, spread, exponent, log_scale, slope, parameters[5:shared], parameters[shared:].reshape(3, -1)
        )

    def _standardised(self, effects: Effects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The bent law, exp(-log scale), and the residual in its scale."""
        own = effects.by_symbol[:, self.symbol]
        law = self.law * np.exp(effects.exponent * self.log_size)
        mean = (effects.law + own[0]) * law + (effects.spread + own[1]) * self.spread + self.state @ effects.state
        precision = np.exp(-(effects.log_scale + own[2] + effects.time_slope * self.log_time))
        return law, precision, (self.outcome - mean) * precision

    def loss(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative log posterior and its gradient."""
        effects = self.unpack(parameters)
        law, precision, residual = self._standardised(effects)
        spread_out = 1.0 + residual**2 / DEGREES
        value = float(self.weight @ (0.5 * (DEGREES + 1.0) * np.log(spread_out) - np.log(precision)))
        pull = self.weight * (DEGREES + 1.0) * residual / (DEGREES * spread_out)
        by_mean, by_scale = -pull * precision, self.weight - pull * residual
        shared, own = parameters[: len(self.shared_precision)], effects.by_symbol
        value += 0.5 * float(self.shared_precision @ shared**2)
        value += 0.5 * float((self.effect_precision * self.prior_weight * own**2).sum())
        bend = by_mean * law * (effects.law + own[0, self.symbol]) * self.log_size
        gradient_shared = np.array(
            [by_mean @ law, by_mean @ self.spread, bend.sum(), by_scale.sum(), by_scale @ self.log_time]
        )
        gradient_own = [self._by_symbol(g) for g in (by_mean * law, by_mean * self.spread, by_scale)]
        gradient = np.concatenate([gradient_shared, self.state.T @ by_mean]) + self.shared_precision * shared
        own_part = np.array(gradient_own) + self.effect_precision * self.prior_weight * own
        return value, np.concatenate([gradient, own_part.ravel()])

    def _by_symbol(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.symbol, values, len(self.prior_weight))

    def effect_sd(self, parameters: np.ndarray) -> np.ndarray:
        """Posterior deviations of Y_s and c_s, each by itself, with the t's expected curvature; (2, symbols)."""
        law, precision, _ = self._standardised(self.unpack(parameters))
        information = self.weight * precision**2 * (DEGREES + 1.0) / (DEGREES + 3.0)
        columns = np.array([self._by_symbol(information * column**2) for column in (law, self.spread)])
        # in units of the symbol's own number of independent windows, as its prior is
        return 1.0 / np.sqrt(columns / self.prior_weight + self.effect_precision[:_EFFECTS])


def _basis(rows: Rows, target: str, exponent: float) -> np.ndarray:
    """Law and half-spread per unit of coefficient, in noise scales, shape (n, 2)."""
    bend = np.exp(exponent * np.log(rows.participation / REFERENCE_PARTICIPATION))
    law = rows.volatility_day_bps * np.sqrt(rows.participation) * bend
    return np.column_stack([law, 0.5 * rows.spread_bps]) / rows.scale_bps(target)[:, None]


def _log_time(rows: Rows, target: str) -> np.ndarray:
    return np.log(np.maximum(rows.horizon_s + RELAXATION_S[target], 1.0) / REFERENCE_S)


def _columns(rows: Rows, names: tuple[str, ...]) -> np.ndarray:
    missing = [name for name in names if name not in rows.x_names]
    if missing:
        raise ModelError(f"the pooled law needs the columns {', '.join(missing)}, which the rows lack")
    return rows.x[:, [rows.x_names.index(name) for name in names]]


def _state_scale(rows: Rows, names: tuple[str, ...]) -> np.ndarray:
    """Root mean square of each column, 1 where it is never known; the columns are signed to the order, so 0 is 0."""
    columns = _columns(rows, names)
    known = np.isfinite(columns)
    square = np.where(known, columns, 0.0) ** 2
    size = np.sqrt(square.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    return np.where(size > 0, size, 1.0)


def _state(rows: Rows, names: tuple[str, ...], scale: np.ndarray) -> np.ndarray:
    """Columns of the state in deviations, 0 where unknown, shape (n, p)."""
    return np.clip(np.nan_to_num(_columns(rows, names) / scale), -_STATE_LIMIT, _STATE_LIMIT)
