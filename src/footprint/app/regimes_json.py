"""The regimes of a symbol as plain values, for programs."""

from __future__ import annotations

import math
from typing import Any

from footprint.app.regimes import SymbolRegimes, TargetEffects
from footprint.app.regimes_table import LEAST_BLOCKS, is_shrunk
from footprint.impact.evaluation.scoring import Estimate
from footprint.impact.regimes.report import EffectSummary

UNITS = {"spread_bps": "bps", "depth": "quantity at a touch", "volatility": "bps per root second",
         "trades_per_s": "1/s", "repair_s": "s"}  # fmt: skip


def regimes_json(found: SymbolRegimes) -> dict[str, Any]:
    """Everything as plain values; what is unknown or infinite is null."""
    states, report = found.selection.states, found.report
    return {
        "symbol": found.symbol,
        "venue": found.venue,
        "sessions": found.sessions,
        "minutes": len(found.minutes),
        "learnt_on_minutes": found.learnt,
        "learnt_until_ns": int(found.minutes.end_ns[found.learnt - 1]),
        "cautions": list(found.cautions),
        "kind": states.kind,
        "units": UNITS,
        "choices": [
            {
                "kind": c.kind,
                "regimes": c.count,
                "log_density": c.log_density,
                "behind": c.behind,
                "behind_se": _finite(c.behind_se),
                "shortest_stay_minutes": _finite(c.shortest_stay),
                "chosen": (c.kind, c.count) == (states.kind, len(states)),
            }
            for c in found.selection.candidates
        ],
        "regimes": [
            {
                "name": r.name,
                "share_of_time": r.share,
                "centre": {name: _finite(value) for name, value in r.centre.items()},
                "dwell_minutes": _bounds(r.dwell_minutes.value, r.dwell_minutes.low, r.dwell_minutes.high),
                "stays_ended": r.dwell_minutes.blocks,
            }
            for r in report.regimes
        ],
        "transition": report.transition.tolist(),
        "moves_seen": report.moves.tolist(),
        "now": {
            "end_ns": int(found.minutes.end_ns[-1]),
            "regime": states.names[int(found.now.argmax())],
            "probabilities": dict(zip(states.names, found.now.tolist(), strict=True)),
        },
        "effects": {t.target: _target_json(t) for t in found.effects},
    }


def _target_json(found: TargetEffects) -> dict[str, Any]:
    return {
        "orders_before": found.past,
        "nothing_changes": found.is_nothing,
        "reason": found.reason or None,
        "regimes": [_effect_json(effect) for effect in found.effects],
    }


def _effect_json(effect: EffectSummary) -> dict[str, Any]:
    coverage = {"coverage_90_without": effect.coverage_blind, "coverage_90_with": effect.coverage_aware}
    return {
        "name": effect.name,
        "later_orders": effect.rows,
        "mean_multiple": _multiple(effect.prefactor),
        "noise_multiple": _multiple(effect.scale),
        "coefficients": dict(zip(("square_root", "half_spread"), effect.coefficients, strict=True)),
        **{
            key: None if e is None else {**_bounds(*_interval(e)), "half_hours": e.blocks}
            for key, e in coverage.items()
        },
    }


def _multiple(bounds: tuple[float, float, float]) -> dict[str, float | None]:
    return _bounds(1.0, math.nan, math.nan) if is_shrunk(bounds) else _bounds(*bounds)


def _interval(e: Estimate) -> tuple[float, float, float]:
    """Without bounds where too few half hours are resampled."""
    return (e.value, e.low, e.high) if e.blocks >= LEAST_BLOCKS else (e.value, math.nan, math.nan)


def _bounds(value: float, low: float, high: float) -> dict[str, float | None]:
    return {"value": _finite(value), "low": _finite(low), "high": _finite(high)}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
