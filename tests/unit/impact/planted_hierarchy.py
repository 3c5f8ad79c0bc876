"""Rows whose symbols have laws of their own, drawn around their markets' and these around a centre."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from footprint.impact.hierarchical import law_columns
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows

CENTRE = np.array([0.7, 0.6, 0.0])
MARKET_SD = np.array([0.15, 0.2, 0.15])
SYMBOL_SD = np.array([0.2, 0.3, 0.2])
TARGET = "peak"


@dataclass(frozen=True)
class PlantedHierarchy:
    """`truth` of each symbol (prefactor, half-spreads, log size), shape (S, 3); `market` of each, by name."""

    symbols: tuple[str, ...]
    market: tuple[str, ...]
    truth: np.ndarray

    def rows(self, counts: list[int], rng: np.random.Generator) -> Rows:
        """`counts[s]` rows of symbol s with normal noise."""
        symbol = np.repeat(np.arange(len(self.symbols)), counts)
        base = random_rows(rng, len(symbol))
        tape = np.array([f"{self.symbols[s]} 2024-01" for s in symbol])
        rows = replace(base, tape=tape, market=np.array([self.market[s] for s in symbol]))
        truth = self.truth[symbol]
        relative = np.sum(law_columns(rows, TARGET) * truth[:, :2], axis=1)
        relative += np.exp(truth[:, 2]) * rng.standard_normal(len(rows))
        return replace(rows, outcomes=np.tile((rows.scale_bps(TARGET) * relative)[:, None], 5))


def planted_hierarchy(rng: np.random.Generator, markets: int, symbols_each: int) -> PlantedHierarchy:
    """Symbols "A0", "A1", ... of markets "a", "b", ..."""
    names = [chr(ord("a") + m) for m in range(markets)]
    market = CENTRE + MARKET_SD * rng.standard_normal((markets, 3))
    truth = np.repeat(market, symbols_each, axis=0) + SYMBOL_SD * rng.standard_normal((markets * symbols_each, 3))
    symbols = tuple(f"{name.upper()}{i}" for name in names for i in range(symbols_each))
    return PlantedHierarchy(symbols, tuple(name for name in names for _ in range(symbols_each)), truth)
