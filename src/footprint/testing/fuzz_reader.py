"""Damage a clean file in thousands of ways and look at what a reader makes of it.

What must hold of every case: the audit answers with a verdict and raises nothing; a refused file gives nothing and is
refused when it is read; an accepted one can be read; time and memory stay bounded. What an accepted file says outside
the damaged records must be what the clean file says; how often it does not is counted, by where the damage was and by
whether the audit found something that it did not find in the clean file.
"""

from __future__ import annotations

import faulthandler
import resource
import shutil
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.data.session import Reader, Session
from footprint.data.tables import Table, TableReader
from footprint.data.verdict import FileVerdict, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag
from footprint.testing.mutations import Mutant, mutate
from footprint.testing.packing import Packed, pack, unpack

CASE_LIMIT_S = 20.0
KEPT = 1000  # cases that changed something elsewhere, in a report
_HARD_LIMIT = 5
_RAW_SHARE = 0.15  # cases that damage the container instead of what is in it
_RENAME_SHARE = 0.02
_NAMES = ("data", "data.csv", "data.zip", "data.json.gz", "data.parquet")
_VALUES = ("exchange_time_ns", "receive_time_ns", "kind", "side", "order_id")

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
        root: folder below which the names of folders matter too; that of the file when None.
        store: what the reader is asked for instead of the file when it reads whole folders: `root` is copied then.
        record_of: `Session.events["row"]` of the record that holds a byte of the unpacked content, at its end of the
            last record; damaged content must do too. None when the format has no such order (columnar files): then no
            change can be placed.
        headers: so many records at the beginning speak of all the others (a line of column names); one is numbered 0 or
            1 to `headers`.
        reach: so many records after a damaged one may change with it, because the format says differences.
        linked: so may records on the same orders, because the format says a price or a size once.
        per_record: rows of a table that one record makes at most.
        why: the reason, where `reach`, `linked` or `record_of` is not what it is for independent records.
    """

    reader: Reader | TableReader
    path: Path
    companions: tuple[Path, ...] = ()
    root: Path | None = None
    store: Path | None = None
    record_of: RecordOf | None = line_of
    headers: int = 0
    reach: int = 0
    linked: bool = False
    per_record: int = 1
    why: str = ""


class Outcome(Enum):
    """What became of a case that kept the contract."""

    REFUSED = "refused"
    SAME = "same"
    IN_RECORD = "changed in record"
    ELSEWHERE = "changed elsewhere"


class Where(Enum):
    """What was damaged when something else changed."""

    CONTAINER = "container"
    NAME = "file name"
    HEADER = "header"  # before the first record: it speaks of all of them
    COLUMNS = "columns"  # the format has no order of records
    LABEL = "label"  # a record, and nothing changed elsewhere but venue or day of the whole session
    RECORD = "record"


class Failure(NamedTuple):
    """A case that broke the contract; `fuzz_reader(..., cases=[case])` repeats it."""

    case: int
    mutation: str
    text: str


class Elsewhere(NamedTuple):
    """A case that changed something outside the damaged records.

    Attributes:
        told: codes of findings that the audit of the clean file has not, or less often; () when it is silent.
    """

    case: int
    mutation: str
    where: Where
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """What became of the cases.

    Attributes:
        outcomes: cases by the value of `Outcome`.
        elsewhere: the cases that changed something outside the damaged records, KEPT at most.
        silent: by the value of `Where`, those of them of which the audit says nothing.
        memory_growth_mib: growth of the peak resident set of the process.
    """

    reader: str
    cases: int
    outcomes: dict[str, int]
    failures: tuple[Failure, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    silent: dict[str, int] = field(default_factory=dict)
    memory_growth_mib: float = 0.0


class _Hang(BaseException):
    """The time limit of a case, raised by the alarm through whatever runs."""


Content = list[Session] | list[Table]
_Codes = Counter[tuple[Path, str]]


class _Clean(NamedTuple):
    """What the file says before it is damaged."""

    content: Content
    values: list[tuple[object, ...]]
    codes: _Codes


class _Damage(NamedTuple):
    """What was done to the file.

    Attributes:
        member: which member of the container was damaged, -1 for the container itself.
    """

    mutant: Mutant
    member: int
    renamed: bool


def fuzz_reader(specimen: Specimen, cases: Sequence[int], folder: Path, seed: int = 0) -> FuzzReport:
    """Run cases, each with a random stream of its own: (seed, case).

    Args:
        cases: numbers of the cases, `range(500)`.
        folder: where damaged files are written, one at a time.
    """
    raw = specimen.path.read_bytes()
    packed = unpack(raw)
    clean = _clean(specimen)
    clean_name = _prepared(specimen, folder)
    outcomes: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    failures: list[Failure] = []
    elsewhere: list[Elsewhere] = []
    before = _peak_mib()
    for case in cases:
        rng = np.random.default_rng((seed, case))
        file, mutant, member = _damaged(raw, packed, rng)
        renamed = specimen.store is None and rng.random() < _RENAME_SHARE
        path = clean_name.with_name(str(rng.choice(_NAMES))) if renamed else clean_name
        path.write_bytes(file)
        try:
            with _time_limit():
                outcome, found = _judge(specimen, path, clean, packed, _Damage(mutant, member, renamed))
        except _Hang:
            failures.append(Failure(case, mutant.kind, f"no answer within {CASE_LIMIT_S:g} s"))
            continue
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of a compiled library is no Exception
            failures.append(Failure(case, mutant.kind, f"{type(error).__name__}: {error}"[:300]))
            continue
        finally:
            path.unlink()
        outcomes[outcome.value] += 1
        if found is not None:
            where, told = found
            silent[where.value] += not told
            elsewhere.append(Elsewhere(case, mutant.kind, where, told))
    growth = _peak_mib() - before
    kept = tuple(elsewhere[:KEPT])
    return FuzzReport(specimen.reader.name, len(cases), dict(outcomes), tuple(failures), kept, dict(+silent), growth)


def _clean(specimen: Specimen) -> _Clean:
    asked = specimen.store or specimen.path
    content = _read(specimen, asked)
    verdicts = specimen.reader.audit([asked, *specimen.companions])
    return _Clean(content, _values(content), _codes(verdicts, asked))


def _prepared(specimen: Specimen, folder: Path) -> Path:
    """Where the damaged file goes, with what must lie around it."""
    root = specimen.root or specimen.path.parent
    path = folder / specimen.path.relative_to(root)
    if specimen.store is not None:
        shutil.copytree(root, folder, dirs_exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _codes(verdicts: Sequence[FileVerdict], path: Path) -> _Codes:
    """How often each finding was made; the damaged file itself goes by no name."""
    codes: _Codes = Counter()
    for verdict in verdicts:
        for finding in verdict.findings:
            codes[Path() if verdict.path == path else verdict.path, finding.code] += max(finding.count, 1)
    return codes


def _damaged(raw: bytes, packed: Packed, rng: np.random.Generator) -> tuple[bytes, Mutant, int]:
    """The damaged file, the damage, and which member it was in (-1: the container itself)."""
    if packed.container != "plain" and rng.random() < _RAW_SHARE:
        mutant = mutate(raw, rng)
        return mutant.content, mutant, -1
    member = int(rng.integers(len(packed.members)))
    mutant = mutate(packed.members[member][1], rng)
    members = [(name, mutant.content if at == member else content) for at, (name, content) in enumerate(packed.members)]
    return pack(packed._replace(members=tuple(members))), mutant, member


def _read(specimen: Specimen, path: Path) -> Content:
    files = [path, *specimen.companions]
    reader = specimen.reader
    return list(reader.sessions(files)) if isinstance(reader, Reader) else list(reader.tables(files))


def _judge(
    specimen: Specimen, path: Path, clean: _Clean, packed: Packed, damage: _Damage
) -> tuple[Outcome, tuple[Where, tuple[str, ...]] | None]:
    """The outcome of one case, and what was damaged and told when something changed elsewhere.

    Raises:
        AssertionError: the contract is broken.
    """
    named = path
    if specimen.store is not None:
        root = specimen.root or specimen.path.parent
        named = path.parents[len(specimen.path.relative_to(root).parts) - 1]
        path = named / specimen.store.relative_to(root)
    specimen.reader.recognise(path)
    verdicts = specimen.reader.audit([path, *specimen.companions])
    refusals = [v for v in verdicts if v.verdict is Verdict.REFUSED]
    if len(verdicts) != 1 + len(specimen.companions):
        raise AssertionError(f"{len(verdicts)} verdicts")
    if refusals:
        _require_refused(specimen, path, named, refusals)
        return Outcome.REFUSED, None
    read = _read(specimen, path)
    if clean.values == _values(read) and _labels(clean.content) == _labels(read):
        return Outcome.SAME, None
    where = _where(specimen, clean, read, packed, damage)
    if where is None:
        return Outcome.IN_RECORD, None
    told = sorted({code for _, code in _codes(verdicts, path) - clean.codes})
    return Outcome.ELSEWHERE, (where, tuple(told))


def _require_refused(specimen: Specimen, path: Path, named: Path, refusals: Sequence[FileVerdict]) -> None:
    """A refusal names the file, or the folder of all of them; what is refused gives nothing."""
    text = next(f.text for f in refusals[0].findings if f.refuses)
    if str(named) not in text and not specimen.companions:
        raise AssertionError(f"a refusal without its file: {text}")
    try:
        got = _read(specimen, path)
    except DataRefused:
        return
    if any(path in item.paths for item in got):
        raise AssertionError(f"read although refused: {text}")


class _Place(NamedTuple):
    """Records that may differ: `first` to `last`, and how many records the damage added to those after them."""

    first: int
    last: int
    added: int

    def moved(self) -> _Place:
        return _Place(self.first, self.last + self.added, 0)

    def holds(self, rows: np.ndarray) -> np.ndarray:
        return (rows >= self.first) & (rows <= self.last)


def _where(specimen: Specimen, clean: _Clean, read: Content, packed: Packed, damage: _Damage) -> Where | None:
    """What was damaged; None when everything that changed is in the damaged records, or may change with them."""
    if damage.renamed:
        return Where.NAME
    if damage.member < 0:
        return Where.CONTAINER
    if specimen.record_of is None:
        return Where.COLUMNS
    place = _place(specimen, packed.members[damage.member][1], damage.mutant)
    inside = _only_in_place(specimen, clean, read, place)
    if inside and _same_labels(clean.content, read, place):
        return None
    if place.first <= specimen.headers:
        return Where.HEADER
    return Where.LABEL if inside else Where.RECORD


def _place(specimen: Specimen, content: bytes, mutant: Mutant) -> _Place:
    assert specimen.record_of is not None
    first = specimen.record_of(content, mutant.start)
    # the byte after the damage too: a lost line end joins two lines
    last = specimen.record_of(content, min(mutant.end, len(content)))
    added = specimen.record_of(mutant.content, len(mutant.content)) - specimen.record_of(content, len(content))
    return _Place(first, last + specimen.reach, added)


def _labels(content: Content, without: _Place | None = None) -> set[tuple[object, ...]]:
    """What sessions are called that hold anything outside of a place."""
    sessions = [item for item in content if isinstance(item, Session)]
    held = [s for s in sessions if without is None or not without.holds(s.events["row"]).all()]
    return {(s.instrument.symbol, s.instrument.venue, s.instrument.multiplier, s.day) for s in held}


def _same_labels(clean: Content, read: Content, place: _Place) -> bool:
    """Whether sessions are called the same, but for those that hold the damaged records alone."""
    before, after = _by_symbol(clean), _by_symbol(read)
    return all(
        _labels(before[symbol]) == _labels(after[symbol])
        or _labels(before[symbol], place) == _labels(after[symbol], place.moved())
        for symbol in before.keys() | after.keys()
    )


def _only_in_place(specimen: Specimen, clean: _Clean, read: Content, place: _Place) -> bool:
    if any(isinstance(item, Table) for item in clean.content):
        records = place.last - place.first + 1
        lost = Counter(clean.values) - Counter(_values(read))
        new = Counter(_values(read)) - Counter(clean.values)
        most = specimen.per_record * (records + max(place.added, 0))
        return lost.total() <= specimen.per_record * records and new.total() <= most
    before, after = _by_symbol(clean.content), _by_symbol(read)
    for symbol in before.keys() | after.keys():
        old, new_ = before[symbol], after[symbol]
        if _values(old) == _values(new_):
            continue  # rows of other members have the same numbers
        orders = _linked_orders(old, place) | _linked_orders(new_, place.moved()) if specimen.linked else frozenset()
        if _values(old, place, orders) != _values(new_, place.moved(), orders):
            return False
    return True


def _by_symbol(content: Content) -> defaultdict[str, list[Session]]:
    sessions: defaultdict[str, list[Session]] = defaultdict(list)
    for item in content:
        if isinstance(item, Session):
            sessions[item.instrument.symbol].append(item)
    return sessions


def _linked_orders(sessions: list[Session], place: _Place) -> frozenset[int]:
    """Orders that the damaged records name, and those that a record names together with one of them."""
    rows = np.concatenate([s.events["row"] for s in sessions]) if sessions else np.empty(0, np.int64)
    ids = np.concatenate([s.events["order_id"] for s in sessions]) if sessions else np.empty(0, np.int64)
    named = ids != 0
    touched = place.holds(rows)
    while True:
        orders = np.unique(ids[touched & named])
        more = touched | np.isin(rows, rows[np.isin(ids, orders) & named])
        if (more == touched).all():
            return frozenset(orders.tolist())
        touched = more


def _values(
    content: Content, without: _Place | None = None, orders: frozenset[int] = frozenset()
) -> list[tuple[object, ...]]:
    """What sessions say, event by event, or tables, row by row; records in `without` and of `orders` are left out."""
    values: list[tuple[object, ...]] = []
    for item in content:
        if isinstance(item, Table):
            values += item.frame.rows()
            continue
        rows = item.events["row"]
        keep = np.ones(len(rows), bool) if without is None else ~without.holds(rows)
        if orders:
            # prints of a record that names the order go with it
            keep &= ~np.isin(rows, rows[np.isin(item.events["order_id"], list(orders))])
        kept = item.events[keep]
        # prices as numbers: one damaged price may change the tick that all are counted in
        prices = [f"{ticks * item.instrument.tick_size:.9g}" for ticks in kept["price_ticks"].tolist()]
        sizes = [f"{lots * item.instrument.lot_size:.9g}" for lots in kept["size_lots"].tolist()]
        # where a message ends, the record behind it says
        flags = kept["flags"] if without is None else kept["flags"] & ~np.uint16(EventFlag.LAST)
        columns = [kept[name].tolist() for name in _VALUES]
        columns += [item.extra[name][keep].tolist() for name in sorted(item.extra)]
        symbol = [item.instrument.symbol] * len(kept)
        values += zip(symbol, prices, sizes, flags.tolist(), *columns, strict=True)
    return values


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise _Hang

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, CASE_LIMIT_S)
    # an alarm is not heard inside compiled code: after this the process ends with a traceback
    faulthandler.dump_traceback_later(_HARD_LIMIT * CASE_LIMIT_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
