"""What must hold of every reader of tables on files that it accepts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from footprint.data.tables import Table, TableReader
from footprint.data.verdict import Verdict
from footprint.errors import DataRefused


def read_tables(reader: TableReader, paths: Sequence[Path]) -> list[Table]:
    """The tables of clean files, after the checks that hold for all of them."""
    assert all(reader.recognise(path) for path in paths)
    verdicts = reader.audit(paths)
    assert [v.path for v in verdicts] == list(paths)
    assert all(v.source == reader.name and v.symbols and v.verdict is not Verdict.REFUSED for v in verdicts)
    assert not any("\n" in finding.text for v in verdicts for finding in v.findings)
    tables, again = list(reader.tables(paths)), list(reader.tables(paths))
    assert len(tables) == len(again)
    for table, other in zip(tables, again, strict=True):
        assert table.frame.equals(other.frame)
        assert table.source == reader.name
        order = table.frame.select("known_at_ns", "symbol")
        assert order.equals(order.sort("known_at_ns", "symbol"))
    return tables


def refusal(reader: TableReader, path: Path) -> str:
    """The one reason for which a file is refused, the same from the audit and from reading, without the file."""
    (verdict,) = reader.audit([path])
    assert verdict.verdict is Verdict.REFUSED
    (text,) = (f.text for f in verdict.findings if f.refuses)
    with pytest.raises(DataRefused) as caught:
        list(reader.tables([path]))
    assert str(caught.value) == text
    assert text.startswith(str(path))
    return text.removeprefix(str(path))
