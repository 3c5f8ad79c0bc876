"""Seeded training rows with all that real ones hold: fat tails, unknown outcomes, empty columns, uneven tapes."""

from __future__ import annotations

import numpy as np

from footprint.impact.rows import TARGETS, Rows
from footprint.units import NS_PER_DAY, NS_PER_SECOND

TAPES = np.array(["AAA 2024-01", "BBB 2024-01", "CCC 2024-03", "DDD 2024-03"])
TAPE_SHARES = (0.5, 0.2, 0.2, 0.1)
MARKETS = np.array(["us", "us", "coin", "coin"])
DAY_S = np.array([23_400.0, 23_400.0, 86_400.0, 86_400.0])
PARTS = 6
STAGES = (0.0, 0.25, 0.5, 0.75)
START_NS = 1_704_067_200 * NS_PER_SECOND  # 2024-01-01
X_NAMES = ("log_participation", "log_horizon", "drift", "noise", "sometimes", "never")
UNKNOWN_SHARE = 0.15  # of the outcomes that lie after the end

_PREFACTOR, _HALF_SPREADS, _LASTING, _DRIFT = 0.8, 0.5, 0.6, 0.5
_DEGREES = 3.0  # of the noise's t distribution: variance finite, kurtosis not


def random_rows(rng: np.random.Generator, count: int) -> Rows:
    """Rows whose outcomes follow a square root with a half-spread, a column "drift", and noise of fat tails.

    Parts are consecutive days of each tape. Of the columns, "sometimes" is often nan and "never" always.

    Returns:
        `count` rows of four uneven tapes in two markets, all stages, sorted by tape and time.
    """
    tape = np.sort(rng.choice(len(TAPES), count, p=TAPE_SHARES))
    start_ns = _start_ns(tape, rng)
    horizon_s = np.exp(rng.uniform(np.log(5.0), np.log(3_600.0), count))
    participation = np.exp(rng.uniform(np.log(1e-5), np.log(0.05), count))
    volatility = rng.lognormal(np.log(0.8), 0.4, count)
    spread_bps = rng.lognormal(np.log(3.0), 0.5, count)
    drift = rng.standard_normal(count)
    columns = (
        np.log(participation),
        np.log(horizon_s),
        drift,
        rng.standard_normal(count),
        np.where(rng.random(count) < 0.4, np.nan, rng.standard_normal(count)),
        np.full(count, np.nan),
    )
    rows = Rows(
        tape=TAPES[tape],
        market=MARKETS[tape],
        part=1 + (start_ns // NS_PER_DAY - START_NS // NS_PER_DAY) % PARTS,
        stage=rng.choice(STAGES, count),
        start_ns=start_ns,
        end_ns=start_ns + (horizon_s * NS_PER_SECOND).astype(np.int64),
        side=rng.choice(np.array([-1, 1], np.int8), count),
        quantity=participation * 1e6,
        children=rng.integers(3, 100, count),
        horizon_s=horizon_s,
        participation=participation,
        volatility=volatility,
        day_s=DAY_S[tape],
        spread_bps=spread_bps,
        x=np.column_stack(columns),
        x_names=X_NAMES,
        outcomes=np.zeros((count, len(TARGETS))),
    )
    rows.outcomes[:] = _outcomes(rows, drift, rng)
    return rows


def _start_ns(tape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Times within the six days of each row's tape, increasing; the second pair of tapes comes two months later."""
    day = rng.integers(PARTS, size=len(tape)) + np.where(tape >= 2, 10 * PARTS, 0)
    within_s = 34_200.0 + rng.uniform(0.0, 19_000.0, len(tape))
    start_ns = START_NS + day * NS_PER_DAY + (within_s * NS_PER_SECOND).astype(np.int64)
    return start_ns[np.lexsort((start_ns, tape))]


def _outcomes(rows: Rows, drift: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Outcomes in the order of `TARGETS`; shifts unknown for some rows, and with them the temporary cost."""
    count = len(rows)
    law = _PREFACTOR * rows.volatility_day_bps * np.sqrt(rows.participation)

    def noisy(mean_bps: np.ndarray, target: str) -> np.ndarray:
        noise = rng.standard_t(_DEGREES, count) / np.sqrt(_DEGREES) + _DRIFT * drift
        return mean_bps + rows.scale_bps(target) * noise

    peak = noisy(law, "peak")
    shortfall = noisy(2.0 / 3.0 * law + _HALF_SPREADS * rows.spread_bps, "shortfall")
    unknown = rng.random(count) < UNKNOWN_SHARE
    shift_300, shift_600 = (
        np.where(unknown, np.nan, noisy(_LASTING * law, target)) for target in ("shift_300", "shift_600")
    )
    return np.column_stack([peak, shortfall, shift_300, shift_600, shortfall - 0.5 * shift_600])
