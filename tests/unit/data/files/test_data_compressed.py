"""Names and first bytes of packed files, whole or cut off."""

from __future__ import annotations

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest
import zstandard

from footprint.data.files.compressed import HEAD_BYTES, head, read_all
from footprint.data.files.lines import read_lines
from footprint.data.files.zip_members import read_members
from footprint.errors import DataRefused
from footprint.testing import packing
from footprint.testing.packing import Packed

TEXT = b"first line\n" + b"0123456789" * 2000


def pack(path: Path) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.csv", TEXT)
    else:
        packers = {".gz": gzip.compress, ".zst": zstandard.compress, ".xz": lzma.compress, ".csv": bytes}
        path.write_bytes(packers[path.suffix](TEXT))
    return path


@pytest.mark.parametrize(
    ("name", "inside"),
    [("a.csv", "a.csv"), ("a.csv.gz", "a.csv"), ("a.csv.zst", "a.csv"), ("a.csv.xz", "a.csv"), ("a.zip", "inner.csv")],
)
def test_head_and_content(tmp_path: Path, name: str, inside: str) -> None:
    path = pack(tmp_path / name)
    start = head(path)
    assert start.name == inside
    assert start.content.startswith(b"first line\n")
    assert len(start.content) <= HEAD_BYTES
    assert read_all(path) == TEXT


@pytest.mark.parametrize("name", ["a.csv.gz", "a.zip", "a.csv.zst", "a.csv.xz"])
def test_a_cut_off_archive_is_named_and_refused(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name)
    path.write_bytes(path.read_bytes()[:-8])
    assert head(path).name in ("a.csv", "inner.csv")
    with pytest.raises(DataRefused, match="truncated or damaged archive"):
        read_all(path)


@pytest.mark.parametrize("read", [read_all, lambda path: list(read_lines(path)), read_members])
def test_a_zip_with_lost_bytes_is_refused_whatever_the_library_raises(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    whole = pack(tmp_path / "a.zip").read_bytes()
    path = tmp_path / "b.zip"
    for at in range(4, len(whole) - 40):
        path.write_bytes(whole[:at] + whole[at + 40 :])
        with pytest.raises(DataRefused):
            read(path)


def test_a_directory_that_lost_an_entry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("b", "2")
    assert [member.name for member in read_members(path)] == ["a", "b"]
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 32] = 47  # a comment as long as the second entry
    path.write_bytes(raw)
    assert zipfile.ZipFile(path).namelist() == ["a"]
    with pytest.raises(DataRefused, match="damaged archive, found '1 files', allowed: 2 files"):
        read_members(path)


def test_a_zip_of_two_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("b", "2")
    with pytest.raises(DataRefused, match=r"wrong number of members, found '2', allowed: a zip of one file"):
        read_all(path)


@pytest.mark.parametrize("name", ["bomb.gz", "bomb.xz", "bomb.zst", "bomb.zip"])
def test_an_archive_of_absurd_content_is_refused(tmp_path: Path, name: str) -> None:
    packed = Packed(name.partition(".")[2], (("bomb.csv", bytes(64 << 20)),))
    path = tmp_path / name
    path.write_bytes(gzip.compress(bytes(64 << 20), 9) if packed.container == "gz" else packing.pack(packed))
    with pytest.raises(DataRefused, match="absurd content"):
        read_all(path)


@pytest.mark.parametrize("container", ["gz", "xz", "zst"])
def test_several_members_are_one_content(tmp_path: Path, container: str) -> None:
    parts = (b"a,1\n" * 9000, b"b,2\n")
    path = tmp_path / f"two.{container}"
    path.write_bytes(b"".join(packing.pack(Packed(container, (("", part),))) for part in parts))
    assert read_all(path) == b"".join(parts)
