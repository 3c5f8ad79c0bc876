"""What readers of tables share: each file is judged and read by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from footprint.data.files.refusals import verdict_or_refusal
from footprint.data.tables import Table
from footprint.data.verdict import FileVerdict, Finding


class TableFiles(ABC):
    """A `TableReader` whose files do not depend on each other; a reader adds `name`, `recognise` and `read`."""

    name: str

    @abstractmethod
    def read(self, path: Path) -> tuple[list[Table], list[Finding]]:
        """The tables of a file and what an audit says of them.

        Raises:
            DataRefused: the file is refused.
        """

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [verdict_or_refusal(path, self.name, self._verdict) for path in paths]

    def tables(self, paths: Sequence[Path]) -> Iterator[Table]:
        """The tables of each file.

        Raises:
            DataRefused: a file is refused.
        """
        for path in paths:
            yield from self.read(path)[0]

    def _verdict(self, path: Path) -> FileVerdict:
        tables, findings = self.read(path)
        symbols = sorted({symbol for table in tables for symbol in table.frame["symbol"].unique()})
        counts = {name: count for table in tables for name, count in table.counts.items()}
        return FileVerdict(path, self.name, ",".join(symbols), tuple(findings), counts)
