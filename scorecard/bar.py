"""A bar: what must be reached, what is aimed at, what was measured, and the verdict that follows from these three."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from enum import Enum

from footprint.errors import FootprintError


class NotMeasured(FootprintError):
    """What the bar is measured on is absent; the text says what."""


class Reached(Enum):
    """The verdict on a bar."""

    AIM = "aim"
    MUST = "must"
    MISSED = "missed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a value has to satisfy; bounds are inclusive.

    Attributes:
        at_least, at_most: bounds of the value.
        low_above: the lower end of its 95 % interval must lie strictly above this; an unknown end does not.
    """

    at_least: float = -math.inf
    at_most: float = math.inf
    low_above: float = -math.inf

    def holds(self, value: float, low: float | None) -> bool:
        """True when all conditions hold; nan satisfies none."""
        inside = self.at_least <= value <= self.at_most
        return inside and (self.low_above == -math.inf or (low is not None and low > self.low_above))

    def __str__(self) -> str:
        """For example: ">= 1.8, low > 0", "86.5 to 93.5".

        >>> str(Limit(at_least=1.8, low_above=0))
        '>= 1.8, low > 0'
        """
        match math.isfinite(self.at_least), math.isfinite(self.at_most):
            case True, True:
                text = f"{self.at_least:g} to {self.at_most:g}"
            case True, False:
                text = f">= {self.at_least:g}"
            case _:
                text = f"<= {self.at_most:g}"
        return text if self.low_above == -math.inf else f"{text}, low > {self.low_above:g}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure of the scorecard. Declared without a value; `measured`, `not_measured` and `failed` give the outcome.

    Attributes:
        issue: number of the issue that set the bar.
        name: unique within the issue.
        unit: of value, low, high, must and aim.
        must, aim: None where the issue sets none.
        command: measures it, typed at the repository root.
        value, low, high: the figure and its 95 % interval, or the range over repetitions that `note` tells of.
        n: rows, seeds, steps or repetitions behind it.
        note: what a reader needs besides the figure; for a bar without one, the reason.
    """

    issue: int
    name: str
    unit: str
    must: Limit | None
    aim: Limit | None
    command: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reached: Reached = Reached.NOT_MEASURED
    note: str = ""

    def measured(
        self,
        value: float,
        low: float | None = None,
        high: float | None = None,
        n: int | None = None,
        note: str = "",
    ) -> Bar:
        """The bar with its figure and verdict.

        A figure that is not finite is missed. The aim counts only where the must holds too; a bar without a must
        cannot be missed by a finite figure.
        """
        reached = Reached.MISSED
        if math.isfinite(value) and (self.must is None or self.must.holds(value, low)):
            beyond = self.aim is not None and self.aim.holds(value, low)
            reached = Reached.AIM if beyond else Reached.MUST
        known = {"value": value, "low": low, "high": high}
        finite = {name: x if x is not None and math.isfinite(x) else None for name, x in known.items()}
        return replace(self, **finite, n=n, reached=reached, note=note)  # type: ignore[arg-type]

    def not_measured(self, reason: str) -> Bar:
        """The bar without a figure because what it needs is absent."""
        return replace(self, reached=Reached.NOT_MEASURED, note=reason)

    def failed(self, reason: str) -> Bar:
        """The bar without a figure because measuring it went wrong, which counts as missed."""
        return replace(self, reached=Reached.MISSED, note=reason)

    def as_dict(self) -> dict[str, object]:
        """For scorecard.json."""
        must, aim = (None if limit is None else str(limit) for limit in (self.must, self.aim))
        return {**asdict(self), "must": must, "aim": aim, "reached": self.reached.value}
