"""Damage a clean file in thousands of ways and look at what a reader makes of it.

What must hold of every case: the audit answers with a verdict and raises nothing; a refused file gives nothing and is
refused with the same words when it is read; an accepted one can be read; time and memory stay bounded. What an accepted
file says outside the damaged records must be what the clean file says; how often it does not is counted.
"""

from __future__ import annotations

import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.data.session import Reader, Session
from footprint.data.tables import Table, TableReader
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused
from footprint.testing.mutations import Mutant, mutate
from footprint.testing.packing import Packed, pack, unpack

CASE_LIMIT_S = 20.0
_RAW_SHARE = 0.15  # cases that damage the container instead of what is in it
_RENAME_SHARE = 0.02
_NAMES = ("data", "data.csv", "data.zip", "data.json.gz", "data.parquet")
_VALUES = ("exchange_time_ns", "receive_time_ns", "kind", "side", "flags", "order_id")

RecordOf = Callable[[bytes, int], int]


def line_of(content: bytes, offset: int) -> int:
    """1-based line of a byte: the record of a text format."""
    return content.count(b"\n", 0, offset) + 1


@dataclass(frozen=True, slots=True)
class Specimen:
    """A clean file to damage.

    Attributes:
        reader: who reads it.
        path: the file; `companions` lie beside it undamaged and are read with it.
        record_of: `Session.events["row"]` of the record that holds a byte of the unpacked content; None when the format
            has no such order (columnar files): then changes cannot be placed and count as elsewhere.
        reach: so many records after a damaged one may change with it, because the format says differences; None when
            records refer to each other by id and any later one may.
    """

    reader: Reader | TableReader
    path: Path
    companions: tuple[Path, ...] = ()
    record_of: RecordOf | None = line_of
    reach: int | None = 0


class Failure(NamedTuple):
    """A case that broke the contract; `fuzz_reader(..., cases=[case])` repeats it."""

    case: int
    mutation: str
    text: str


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """What became of the cases.

    Attributes:
        outcomes: cases by outcome: "refused", "same" (nothing changed), "changed in record", "changed elsewhere".
        elsewhere: the first few cases that changed something outside the damaged records, with the mutation.
        memory_growth_mib: growth of the peak resident set of the process.
    """

    reader: str
    cases: int
    outcomes: dict[str, int]
    failures: tuple[Failure, ...] = ()
    elsewhere: tuple[Failure, ...] = field(default=())
    memory_growth_mib: float = 0.0


class _Hang(BaseException):
    """The time limit of a case, raised by the alarm through whatever runs."""


def fuzz_reader(specimen: Specimen, cases: Sequence[int], folder: Path, seed: int = 0) -> FuzzReport:
    """Run cases, each with a random stream of its own: (seed, case).

    Args:
        cases: numbers of the cases, `range(500)`.
        folder: where damaged files are written, one at a time.
    """
    raw = specimen.path.read_bytes()
    packed = unpack(raw)
    clean = _read(specimen, specimen.path)
    outcomes: Counter[str] = Counter()
    failures, elsewhere = [], []
    before = _peak_mib()
    for case in cases:
        rng = np.random.default_rng((seed, case))
        file, mutant, member = _damaged(raw, packed, rng)
        path = folder / (str(rng.choice(_NAMES)) if rng.random() < _RENAME_SHARE else specimen.path.name)
        path.write_bytes(file)
        try:
            with _time_limit():
                outcome = _judge(specimen, path, clean, packed, mutant, member)
        except _Hang:
            failures.append(Failure(case, mutant.kind, f"no answer within {CASE_LIMIT_S:g} s"))
            continue
        except Exception as error:
            failures.append(Failure(case, mutant.kind, f"{type(error).__name__}: {error}"[:300]))
            continue
        finally:
            path.unlink()
        outcomes[outcome] += 1
        if outcome == "changed elsewhere":
            elsewhere.append(Failure(case, mutant.kind, outcome))
    growth = _peak_mib() - before
    return FuzzReport(specimen.reader.name, len(cases), dict(outcomes), tuple(failures), tuple(elsewhere[:20]), growth)


def _damaged(raw: bytes, packed: Packed, rng: np.random.Generator) -> tuple[bytes, Mutant, int]:
    """The damaged file, the damage, and which member it was in (-1: the container itself)."""
    if packed.container != "plain" and rng.random() < _RAW_SHARE:
        mutant = mutate(raw, rng)
        return mutant.content, mutant, -1
    member = int(rng.integers(len(packed.members)))
    mutant = mutate(packed.members[member][1], rng)
    members = [(name, mutant.content if at == member else content) for at, (name, content) in enumerate(packed.members)]
    return pack(packed._replace(members=tuple(members))), mutant, member


Content = list[Session] | list[Table]


def _read(specimen: Specimen, path: Path) -> Content:
    files = [path, *specimen.companions]
    reader = specimen.reader
    return list(reader.sessions(files)) if isinstance(reader, Reader) else list(reader.tables(files))


def _judge(specimen: Specimen, path: Path, clean: Content, packed: Packed, mutant: Mutant, member: int) -> str:
    """The outcome of one case.

    Raises:
        AssertionError: the contract is broken.
    """
    specimen.reader.recognise(path)
    verdicts = specimen.reader.audit([path, *specimen.companions])
    refusals = [v for v in verdicts if v.verdict is Verdict.REFUSED]
    if len(verdicts) != 1 + len(specimen.companions):
        raise AssertionError(f"{len(verdicts)} verdicts")
    if refusals:
        text = next(f.text for f in refusals[0].findings if f.refuses)
        if str(path) not in text and not specimen.companions:
            raise AssertionError(f"a refusal without its file: {text}")
        try:
            got = _read(specimen, path)
        except DataRefused:
            return "refused"
        if any(str(path) in map(str, item.paths) for item in got):
            raise AssertionError(f"read although refused: {text}")
        return "refused"
    read = _read(specimen, path)
    if _values(clean) == _values(read):
        return "same"
    if member < 0 or specimen.record_of is None:
        return "changed elsewhere"
    place = _place(specimen, packed.members[member][1], mutant)
    if any(isinstance(item, Table) for item in clean):
        inside = _lost_rows(clean, read) <= place.last - place.first + 1
    else:
        inside = _values(clean, place) == _values(read, place.moved())
    return "changed in record" if inside else "changed elsewhere"


class _Place(NamedTuple):
    """Records that may differ: `first` to `last`, and how many records the damage added to those after them."""

    first: int
    last: float
    added: int

    def moved(self) -> _Place:
        return _Place(self.first, self.last + self.added, 0)


def _place(specimen: Specimen, content: bytes, mutant: Mutant) -> _Place:
    assert specimen.record_of is not None
    first = specimen.record_of(content, mutant.start)
    # the byte after the damage too: a lost line end joins two lines
    last = specimen.record_of(content, min(mutant.end, len(content)))
    added = mutant.content.count(b"\n") - content.count(b"\n") if specimen.record_of is line_of else 0
    return _Place(first, np.inf if specimen.reach is None else last + specimen.reach, added)


def _values(content: Content, without: _Place | None = None) -> list[tuple[object, ...]]:
    """What sessions say, event by event, or tables, row by row; records in `without` are left out."""
    values: list[tuple[object, ...]] = []
    for item in content:
        if isinstance(item, Table):
            values += item.frame.rows()
            continue
        rows = item.events["row"]
        keep = slice(None) if without is None else (rows < without.first) | (rows > without.last)
        kept = item.events[keep]
        # prices as numbers: one damaged price may change the tick that all are counted in
        prices = [f"{ticks * item.instrument.tick_size:.9g}" for ticks in kept["price_ticks"].tolist()]
        sizes = [f"{lots * item.instrument.lot_size:.9g}" for lots in kept["size_lots"].tolist()]
        columns = [kept[name].tolist() for name in _VALUES]
        columns += [item.extra[name][keep].tolist() for name in sorted(item.extra)]
        values += zip([item.instrument.symbol] * len(kept), prices, sizes, *columns, strict=True)
    return values


def _lost_rows(clean: Content, read: Content) -> int:
    return (Counter(_values(clean)) - Counter(_values(read))).total()


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise _Hang

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, CASE_LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
