"""Content read twice is the same content, whether it was kept or not, or the reading stops."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from footprint.data.files.unpacked import Unpacked
from footprint.errors import DataRefused

CONTENT = bytes(range(256)) * 10_000


def test_packed_files_are_kept_while_they_fit(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.gz" for k in range(3)]
    for path in paths:
        path.write_bytes(gzip.compress(CONTENT))
    content = Unpacked(kept_bytes=2 * len(CONTENT))
    for path in paths:
        assert b"".join(content.chunks(path)) == CONTENT
        path.write_bytes(b"gone")
    assert [b"".join(content.chunks(path)) for path in paths[:2]] == [CONTENT] * 2
    with pytest.raises(DataRefused, match="file changed while it was read"):
        list(content.chunks(paths[2]))


def test_a_plain_file_is_read_again_and_must_be_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    content = Unpacked()
    assert b"".join(content.chunks(path)) == b"".join(content.chunks(path)) == CONTENT
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(DataRefused, match="file changed while it was read"):
        list(content.chunks(path))


def test_what_was_not_read_to_its_end_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(CONTENT))
    content = Unpacked()
    next(content.chunks(path))
    assert b"".join(content.chunks(path)) == CONTENT
