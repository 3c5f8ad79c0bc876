import gzip
import io
import lzma
import zipfile

import pytest
import zstandard

from footprint.data.files import lines
from footprint.data.files.lines import read_lines, whole_lines
from footprint.errors import DataRefused

LINES = [b"line %d" % i for i in range(200_000)]
TEXT = b"\n".join(LINES) + b"\n"


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return file.getvalue()


PACKED = {
    "plain": TEXT,
    "gz": gzip.compress(TEXT),
    "gz of two members": gzip.compress(TEXT[:100_000]) + gzip.compress(TEXT[100_000:]),
    "zst": zstandard.compress(TEXT),
    "zst of two frames": zstandard.compress(TEXT[:100_000]) + zstandard.compress(TEXT[100_000:]),
    "xz": lzma.compress(TEXT),
    "zip": zipped("lines.txt"),
}


@pytest.mark.parametrize("content", PACKED.values(), ids=PACKED.keys())
def test_every_packing_gives_the_same_lines(tmp_path, content):
    path = tmp_path / "lines"
    path.write_bytes(content)
    assert list(read_lines(path)) == LINES


@pytest.mark.parametrize("name", ["gz", "zst", "xz", "zip"])
@pytest.mark.parametrize("share", [0.001, 0.5, 0.9999])
def test_a_truncated_archive_is_refused(tmp_path, name, share):
    path = tmp_path / "lines"
    path.write_bytes(PACKED[name][: int(len(PACKED[name]) * share)])
    with pytest.raises(DataRefused, match="truncated"):
        list(read_lines(path))


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "lines"
    content = bytearray(PACKED["gz"])
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(DataRefused, match="damaged"):
        list(read_lines(path))


def test_a_zip_of_two_files_is_refused(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(zipped("a", "b"))
    with pytest.raises(DataRefused, match="wrong number of members"):
        list(read_lines(path))


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "lines"
    path.touch()
    with pytest.raises(DataRefused, match="empty file"):
        list(read_lines(path))


def test_pieces_of_any_length_give_the_same_lines(tmp_path):
    content = b"one\n\ntwo\nthree"
    for size in range(1, len(content) + 1):
        pieces = [content[k : k + size] for k in range(0, len(content), size)]
        blocks = list(whole_lines(pieces, tmp_path))
        assert b"".join(blocks) == content + b"\n"
        assert all(block.endswith(b"\n") for block in blocks)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "lines"
    path.write_bytes(b"9" * 1000)
    assert list(read_lines(path)) == [b"9" * 1000]
    taken = []

    def chunks():
        for k in range(100):
            taken.append(k)
            yield b"9" * 100

    with pytest.raises(DataRefused, match="line too long"):
        list(whole_lines(chunks(), path))
    assert len(taken) == 11
