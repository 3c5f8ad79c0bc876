"""How long to wait before the next attempt: exponential backoff with full jitter.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full jitter").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class BackoffSettings:
    """Attempt k = 0, 1, ... waits a uniform draw from [shortest_s, min(longest_s, first_s * 2 ** k)]."""

    first_s: float = 1.0
    longest_s: float = 60.0
    shortest_s: float = 0.1


class Backoff:
    """Counts the attempts that failed in a row; the generator is the caller's, so that a run can be repeated."""

    def __init__(self, settings: BackoffSettings, generator: np.random.Generator) -> None:
        self.settings = settings
        self.failures = 0
        self._generator = generator

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        settings = self.settings
        # 2 ** 64 attempts of a second are longer than any limit: the exponent stays bounded
        longest = min(settings.longest_s, settings.first_s * 2.0 ** min(self.failures, 64))
        self.failures += 1
        return float(self._generator.uniform(settings.shortest_s, max(settings.shortest_s, longest)))

    def reset(self) -> None:
        """Forget the failures: the connection has proved itself."""
        self.failures = 0
