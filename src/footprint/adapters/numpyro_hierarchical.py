"""The hierarchical law sampled with numpyro (extra `bayes`): NUTS on the symbols' sufficient statistics.

One chain, one seed, double precision: two fits of the same rows give the same draws. The chain is compiled as a whole,
once for up to 16 symbols in 4 markets, again for more; every later fit of that size takes about a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from footprint.errors import ModelError, UsageError
from footprint.impact.hierarchical import (
    FittedHierarchical,
    HierarchyDraws,
    HierarchyPrior,
    SymbolStatistics,
    fitted_hierarchical,
    symbol_statistics,
)
from footprint.impact.linear_mean import known_rows
from footprint.impact.rows import Rows

_DATA = ("market", "centre", "gram", "rest", "size_count")
_SYMBOL_PLACES, _MARKET_PLACES = 16, 4
_TARGET_ACCEPTANCE = 0.95  # small steps: the spreads between groups have narrow necks


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """Square root with half-spread by symbol within market, partially pooled.

    Args:
        prior: of the hierarchy.
        draws, warmup: kept and discarded steps of the chain.
        seed: of the chain and of the new symbols' draws.
    """

    prior: HierarchyPrior = field(default_factory=HierarchyPrior)
    draws: int = 400
    warmup: int = 400
    seed: int = 11

    @property
    def name(self) -> str:
        """hierarchical."""
        return "hierarchical"

    def fit(self, rows: Rows, target: str) -> FittedHierarchical:
        """Sample the posterior; seconds, whatever the number of rows.

        Raises:
            ModelError: fewer than 50 rows with a known outcome, or a chain that found nothing finite.
            UsageError: numpyro is missing.
        """
        rows = known_rows(rows, target, self.name)
        statistics = symbol_statistics(rows, target)
        draws = sample(statistics, self.prior, self.draws, self.warmup, self.seed)
        return fitted_hierarchical(rows, target, statistics, draws, np.random.default_rng([self.seed, 1]))


def sample(statistics: SymbolStatistics, prior: HierarchyPrior, draws: int, warmup: int, seed: int) -> HierarchyDraws:
    """Draws from the posterior of the hierarchy (NUTS: Hoffman & Gelman 2014).

    Raises:
        ModelError: the draws are not finite.
        UsageError: numpyro is missing.
    """
    try:
        import jax
    except ImportError:
        raise UsageError("the hierarchical model needs numpyro: pip install 'footprint[bayes]'") from None
    symbols, markets = len(statistics.symbols), len(statistics.markets)
    places, market_places = _places(symbols, _SYMBOL_PLACES), _places(markets, _MARKET_PLACES)
    data = {name: _padded(getattr(statistics, name), places) for name in _DATA}
    with jax.enable_x64(True):
        start = _Position(
            np.array(prior.mean),
            np.log(prior.market_sd),
            np.log(prior.symbol_sd),
            np.zeros((market_places, 3)),
            np.zeros((places, 3)),
        )
        run = _chain(prior, draws, warmup)
        found = _Position(*(np.asarray(values) for values in run(jax.random.PRNGKey(seed), start, data)))
    if not all(np.isfinite(values).all() for values in found):
        raise ModelError("the hierarchical model's chain left the finite numbers: the outcomes are not usable")
    market_sd, symbol_sd = np.exp(found.log_market_sd), np.exp(found.log_symbol_sd)
    market = found.centre[:, None] + market_sd[:, None] * found.market_step[:, :markets]
    symbol = market[:, statistics.market] + symbol_sd[:, None] * found.symbol_step[:, :symbols]
    return HierarchyDraws(found.centre, market_sd, symbol_sd, market, symbol)


def _places(count: int, step: int) -> int:
    return -(-count // step) * step


def _padded(values: np.ndarray, places: int) -> np.ndarray:
    """With zeros behind: a symbol without rows says nothing, and the chain is compiled for few sizes."""
    return np.concatenate([values, np.zeros((places - len(values), *values.shape[1:]), values.dtype)])


class _Position(NamedTuple):
    """Where the chain stands: all numbers free, groups as steps from their parent in units of the spread.

    The chain then moves freely where a spread is near 0 (Betancourt & Girolami 2015).
    """

    centre: Any
    log_market_sd: Any
    log_symbol_sd: Any
    market_step: Any
    symbol_step: Any


@lru_cache(maxsize=4)
def _chain(prior: HierarchyPrior, draws: int, warmup: int) -> Callable[..., _Position]:
    """The whole chain as one compiled function of key, start and data."""
    import jax
    import jax.numpy as jnp
    from numpyro.infer.hmc import hmc

    def potential(data: dict[str, Any]) -> Callable[[_Position], Any]:
        def minus_log_posterior(at: _Position) -> Any:
            market_sd, symbol_sd = jnp.exp(at.log_market_sd), jnp.exp(at.log_symbol_sd)
            market = at.centre + market_sd * at.market_step
            symbol = market[data["market"]] + symbol_sd * at.symbol_step
            away, log_size = symbol[:, :2] - data["centre"], symbol[:, 2]
            shrink = jnp.exp(-2.0 * log_size)
            misfit = 0.5 * jnp.einsum("si,sij,sj->s", away, data["gram"], away) * shrink
            size = data["size_count"] * (log_size + 0.5 * data["rest"] * shrink)
            steps = (at.centre - jnp.array(prior.mean)) / jnp.array(prior.sd), at.market_step, at.symbol_step
            spreads = market_sd / jnp.array(prior.market_sd), symbol_sd / jnp.array(prior.symbol_sd)
            normals = sum(0.5 * jnp.sum(values**2) for values in (*steps, *spreads))
            of_logs = jnp.sum(at.log_market_sd) + jnp.sum(at.log_symbol_sd)  # density of the logarithm of a half-normal
            return jnp.sum(misfit + size) + normals - of_logs

        return minus_log_posterior

    def run(key: Any, start: _Position, data: dict[str, Any]) -> _Position:
        begin, move = hmc(potential_fn_gen=potential, algo="NUTS")
        state = begin(start, warmup, target_accept_prob=_TARGET_ACCEPTANCE, model_args=(data,), rng_key=key)
        warm, _ = jax.lax.scan(lambda s, _: (move(s, model_args=(data,)), None), state, length=warmup)

        def keep(state: Any, _: None) -> tuple[Any, _Position]:
            moved = move(state, model_args=(data,))
            return moved, moved.z

        kept: _Position = jax.lax.scan(keep, warm, length=draws)[1]
        return kept

    return jax.jit(run)
