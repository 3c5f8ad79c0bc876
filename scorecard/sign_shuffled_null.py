"""With shuffled signs the whole procedure finds no impact and no law, on four real tapes and five seeds each."""

from __future__ import annotations

import numpy as np

from footprint.impact.laws.tape_law import sign_shuffled_null
from scorecard.bar import Bar, Limit
from scorecard.law_tapes import law_tapes

_SEEDS = range(5)
_TRADERS = 20
_COMMAND = "python -m scorecard --only sign_shuffled_null"

_DISTANCE = Bar(2, "sign-shuffled null: largest |mean|", "s.e.", Limit(at_most=3), Limit(at_most=2), _COMMAND)
_FITS = Bar(2, "sign-shuffled null: laws found", "fits", Limit(at_most=0), None, _COMMAND)
BARS = (_DISTANCE, _FITS)


def measure() -> list[Bar]:
    distance: dict[str, list[float]] = {}
    fits: list[str] = []
    for name, days in law_tapes().items():
        for seed in _SEEDS:
            null = sign_shuffled_null(days, _TRADERS, np.random.default_rng(seed))
            distance.setdefault(name, []).append(null.mean_bps / null.mean_se_bps)
            fits += [f"{name} seed {seed}"] if null.law.exists else []
    everything = np.abs(np.concatenate(list(distance.values())))
    shown = "; ".join(f"{name} {' '.join(f'{z:+.2f}' for z in values)}" for name, values in distance.items())
    note = f"{np.mean(everything > 2):.0%} of {len(everything)} beyond 2 s.e.; N = {_TRADERS}; by seed: {shown}"
    # not nanmax: a null without a figure is a failure of the measurement
    worst = _DISTANCE.measured(float(everything.max()), n=len(everything), note=note)
    return [worst, _FITS.measured(len(fits), n=len(everything), note=", ".join(fits))]
