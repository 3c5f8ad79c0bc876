"""The square root on real tapes: N chosen on the first days, the exponent read on the later ones.

Seed 0 counts. Seeds 1 and 2 (other deals of the children to traders, other bootstrap) are printed beside it.
"""

from __future__ import annotations

import numpy as np

from footprint.impact.laws.tape_law import TapeExponent, tape_exponent
from scorecard.bar import Bar, Limit
from scorecard.law_tapes import law_tapes

_EXPONENT = 0.50
_MUST_WITHIN, _AIM_WITHIN = 0.10, 0.07
_COUNTED_SEED, _OTHER_SEEDS = 0, (1, 2)
_COMMAND = "python -m scorecard --only tape_exponent"

_MUST = Bar(2, "tape exponent: tapes within 0.50 +- 0.10", "of 4", Limit(at_least=3), None, _COMMAND)
_AIM = Bar(2, "tape exponent: tapes within 0.50 +- 0.07", "of 4", None, Limit(at_least=4), _COMMAND)
BARS = (_MUST, _AIM)


def measure() -> list[Bar]:
    counted = _exponents(_COUNTED_SEED)
    others = [_exponents(seed) for seed in _OTHER_SEEDS]
    note = "; ".join(
        f"{name} {found.law.exponent:.3f} +- {found.law.exponent_se:.3f} (N = {found.traders}; other seeds "
        + ", ".join(f"{other[name].law.exponent:.3f}" for other in others)
        + ")"
        for name, found in counted.items()
    )
    deviation = np.array([abs(found.law.exponent - _EXPONENT) for found in counted.values()])
    return [
        bar.measured(int(np.sum(deviation <= within)), n=len(counted), note=note)
        for bar, within in ((_MUST, _MUST_WITHIN), (_AIM, _AIM_WITHIN))
    ]


def _exponents(seed: int) -> dict[str, TapeExponent]:
    return {name: tape_exponent(days, np.random.default_rng(seed)) for name, days in law_tapes().items()}
