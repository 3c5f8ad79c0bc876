"""Payloads come out of every kind of classic capture; what has none is counted by reason."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from iex_capture import START, ethernet, pcap, udp

from footprint.data.files.unpacked import Unpacked
from footprint.data.readers.pcap import Packet, is_pcap, read_payloads
from footprint.errors import DataRefused

PAYLOADS = [b"one", b"", b"three" * 100]


def payloads(path: Path) -> tuple[list[bytes], list[int], list[int], list[int]]:
    """Content, time after START and row of each payload, and the packets passed over by reason."""
    found: list[bytes] = []
    times, rows = [], []
    over = np.zeros(len(Packet), np.int64)
    for block in read_payloads(path, Unpacked()):
        found += [block.flat[s : s + n].tobytes() for s, n in zip(block.start, block.length, strict=True)]
        times += (block.time_ns - START).tolist()
        rows += block.row.tolist()
        over += block.passed_over
    return found, times, rows, over.tolist()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.pcap"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
@pytest.mark.parametrize("link", [1, 101, 113])
def test_byte_orders_clocks_and_links(tmp_path: Path, order: str, nano: bool, link: int) -> None:
    wrap = {1: ethernet, 101: lambda p: p, 113: lambda p: bytes(14) + b"\x08\x00" + p}[link]
    content = pcap([wrap(udp(p)) for p in PAYLOADS], [1001, 2002, 3003], order=order, nano=nano, link=link)
    times = [1001, 2002, 3003] if nano else [1000, 2000, 3000]
    assert payloads(written(tmp_path, content)) == (PAYLOADS, times, [1, 2, 3], [0, 0, 0, 0])
    assert payloads(written(tmp_path, gzip.compress(content)))[0] == PAYLOADS


def test_what_has_no_payload_is_counted(tmp_path: Path) -> None:
    whole = udp(b"payload")
    fragment = whole[:6] + b"\x20\x00" + whole[8:]
    tcp = whole[:9] + b"\x06" + whole[10:]
    short = whole[:24] + struct.pack(">H", 7) + whole[26:]
    frames = [
        ethernet(whole, tags=1),
        ethernet(whole, tags=2),
        ethernet(fragment),
        ethernet(tcp),
        bytes(12) + b"\x86\xdd" + whole,
        ethernet(short),
        ethernet(whole)[:30],
        ethernet(whole)[:-1],
        b"",
    ]
    found, _, rows, over = payloads(written(tmp_path, pcap(frames)))
    assert (found, rows) == ([b"payload"] * 2, [1, 2])
    assert over[Packet.FRAGMENT] == 1
    assert over[Packet.OTHER] == 3
    assert over[Packet.CUT] == 3


def test_many_pieces(tmp_path: Path) -> None:
    sent = [bytes([at % 251]) * (at % 900) for at in range(4000)]
    found, _, rows, _ = payloads(written(tmp_path, pcap([ethernet(udp(p)) for p in sent])))
    assert found == sent
    assert rows == list(range(1, 4001))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x0a\x0d\x0d\x0a" + bytes(60), ", field magic: pcapng is not read, found 'pcapng', allowed: classic pcap"),
        (bytes(60), ", field magic: no pcap file"),
        (pcap([])[:20], ", row 1: truncated packet"),
        (pcap([], link=9), ", field link: unknown link type, found '9'"),
        (pcap([ethernet(udp(b"x"))])[:-1], ", row 1: truncated packet"),
        (pcap([b"x"]) + bytes(5), ", row 2: truncated packet"),
        (pcap([b"x"]) + bytes(8) + b"\xff" * 8, ", row 2, field captured length: packet too long"),
    ],
)
def test_refusals(tmp_path: Path, content: bytes, reason: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataRefused) as caught:
        payloads(path)
    assert str(caught.value).removeprefix(str(path)).startswith(reason)


def test_recognised_by_magic() -> None:
    assert is_pcap(pcap([]))
    assert is_pcap(pcap([], order=">", nano=True))
    assert is_pcap(b"\x0a\x0d\x0d\x0a")
    assert not is_pcap(b"abcd")
