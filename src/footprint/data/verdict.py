"""What may be done with a file: accepted, limited (some analyses become void), or refused, with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from footprint.errors import DataRefused


def counted(number: int, what: str) -> str:
    """A number and what it counts, which begins with a regular plural.

    >>> counted(2, "rows are dropped"), counted(1, "rows without a price")
    ('2 rows are dropped', '1 row without a price')
    """
    plural, space, rest = what.partition(" ")
    return f"{number} {plural.removesuffix('s') if number == 1 else plural}{space}{rest}"


class Verdict(Enum):
    """The answer of an audit."""

    ACCEPTED = "accepted"
    LIMITED = "limited"
    REFUSED = "refused"


class Analysis(Enum):
    """What can become void when a file is limited."""

    BOOK = "book replay"
    DEPTH = "depth features"
    QUEUE = "queue position"
    LATENCY = "latency"
    SIGNED_TRADES = "true trade signs"
    FORECAST = "impact forecast"
    LAW = "impact law"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit saw.

    Attributes:
        code: a short stable name ("gap", "crossed_book", "negative_size", ...).
        text: one line for a person, with row, field, value found and what is allowed where they apply.
        count: how often.
        refuses: True when the file must not be used.
        voids: analyses that become void.
    """

    code: str
    text: str
    count: int = 1
    refuses: bool = False
    voids: tuple[Analysis, ...] = ()

    @classmethod
    def of_refusal(cls, error: DataRefused) -> Finding:
        """The finding that refuses a file, out of the error that reading it would raise."""
        return cls(error.reason.split(" (")[0].replace(" ", "_"), str(error), refuses=True)


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """The verdict on one file and everything that led to it.

    Attributes:
        source: name of the reader, "" when no reader knows the file.
        symbol: the instrument, or several separated by commas.
    """

    path: Path
    source: str
    symbol: str
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    chain: str = ""  # files judged as one chain share this name

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments in the file."""
        return tuple(self.symbol.split(",")) if self.symbol else ()

    @property
    def verdict(self) -> Verdict:
        """Refused if any finding refuses, limited if any voids an analysis, else accepted."""
        if any(f.refuses for f in self.findings):
            return Verdict.REFUSED
        return Verdict.LIMITED if self.voids else Verdict.ACCEPTED

    @property
    def voids(self) -> tuple[Analysis, ...]:
        """Analyses that this file cannot support, without repeats, in a fixed order."""
        void = {a for f in self.findings for a in f.voids}
        return tuple(a for a in Analysis if a in void)
