"""UDP payloads out of a classic pcap file: both byte orders, micro- and nanoseconds; over Ethernet (with VLAN tags),
Linux cooked capture or bare IP, IPv4 only.

Layout: draft-ietf-opsawg-pcap, sections 4 and 5. A pcapng file is another format and refused by its name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit

from footprint.data.files.unpacked import Unpacked
from footprint.errors import DataRefused

PCAPNG = b"\x0a\x0d\x0d\x0a"
MAX_PACKET_BYTES = 262_144  # the largest snapshot length that capture programs use
_HEADER_BYTES, _RECORD_BYTES = 24, 16
_FORMATS = {  # big-endian, nanoseconds a unit of the fraction
    b"\xa1\xb2\xc3\xd4": (True, 1000),
    b"\xd4\xc3\xb2\xa1": (False, 1000),
    b"\xa1\xb2\x3c\x4d": (True, 1),
    b"\x4d\x3c\xb2\xa1": (False, 1),
}
ETHERNET, RAW_IP, LINUX_COOKED = 1, 101, 113
_LINKS = (ETHERNET, RAW_IP, LINUX_COOKED)
_IPV4, _UDP = 0x0800, 17
_VLAN, _VLAN_STACKED = 0x8100, 0x88A8


class Packet(IntEnum):
    """What became of a packet."""

    UDP = 0
    CUT = 1  # the capture holds less of it than was sent
    FRAGMENT = 2
    OTHER = 3  # not IPv4 or not UDP


_IS_UDP, _IS_CUT, _IS_FRAGMENT, _IS_OTHER = map(int, Packet)


class PcapHeader(NamedTuple):
    """How the packets of a file are written."""

    big_endian: bool
    fraction_ns: int
    link: int


class Payloads(NamedTuple):
    """UDP payloads of one piece of a file.

    Attributes:
        flat: the bytes, uint8.
        start, length: where each payload lies in `flat`, int64 of shape (n,).
        time_ns: when each was captured, ns UTC, int64 of shape (n,).
        row: 1-based place among all packets of the file, int64 of shape (n,).
        passed_over: packets without a payload that can be used, by Packet, int64 of shape (len(Packet),).
    """

    flat: np.ndarray
    start: np.ndarray
    length: np.ndarray
    time_ns: np.ndarray
    row: np.ndarray
    passed_over: np.ndarray


def is_pcap(content: bytes) -> bool:
    """True for the first bytes of a pcap or pcapng file."""
    return content[:4] in _FORMATS or content.startswith(PCAPNG)


def read_payloads(path: Path, content: Unpacked) -> Iterator[Payloads]:
    """All UDP payloads, piece by piece.

    Raises:
        DataRefused: pcapng, an unknown link type, or a packet that is cut or too long.
    """
    header: PcapHeader | None = None
    rest, row = b"", 1
    for chunk in content.chunks(path):
        data = rest + chunk
        if header is None:
            if len(data) < _HEADER_BYTES:
                rest = data
                continue
            header = _header(data, path)
            data = data[_HEADER_BYTES:]
        payloads, used, row = _payloads(np.frombuffer(data, np.uint8), header, row, path)
        rest = data[used:]
        yield payloads
    if rest or header is None:
        raise DataRefused("truncated packet", path=path, row=row, found=f"{len(rest)} bytes", allowed="a whole packet")


def _header(data: bytes, path: Path) -> PcapHeader:
    if data.startswith(PCAPNG):
        raise DataRefused("pcapng is not read", path=path, field="magic", found="pcapng", allowed="classic pcap")
    if data[:4] not in _FORMATS:
        raise DataRefused("no pcap file", path=path, field="magic", found=data[:4].hex(), allowed="a pcap magic number")
    big_endian, fraction_ns = _FORMATS[data[:4]]
    link = struct.unpack(">I" if big_endian else "<I", data[20:24])[0] & 0x0FFFFFFF  # FCS length lies above
    if link not in _LINKS:
        raise DataRefused("unknown link type", path=path, field="link", found=link, allowed=str(_LINKS))
    return PcapHeader(big_endian, fraction_ns, link)


def _payloads(flat: np.ndarray, header: PcapHeader, row: int, path: Path) -> tuple[Payloads, int, int]:
    """The payloads of the whole packets in `flat`, the bytes these took, and the row of the packet after them."""
    most = len(flat) // _RECORD_BYTES + 1
    start, length, time_ns, rows = (np.empty(most, np.int64) for _ in range(4))
    passed_over = np.zeros(len(Packet), np.int64)
    count, packets, used, bad = _find(
        flat, header.big_endian, header.fraction_ns, header.link, row, start, length, time_ns, rows, passed_over
    )
    if bad:
        raise DataRefused(
            "packet too long", path=path, row=row + packets, field="captured length", found=bad,
            allowed=f"at most {MAX_PACKET_BYTES}",
        )  # fmt: skip
    found = Payloads(flat, start[:count], length[:count], time_ns[:count], rows[:count], passed_over)
    return found, used, row + packets


@njit(cache=True)
def _u16(flat: np.ndarray, at: int) -> int:
    return (int(flat[at]) << 8) | int(flat[at + 1])


@njit(cache=True)
def _u32(flat: np.ndarray, at: int, big_endian: bool) -> int:
    if big_endian:
        return (_u16(flat, at) << 16) | _u16(flat, at + 2)
    return int(flat[at]) | (int(flat[at + 1]) << 8) | (int(flat[at + 2]) << 16) | (int(flat[at + 3]) << 24)


@njit(cache=True)
def _find(  # type: ignore[no-untyped-def]
    flat, big_endian, fraction_ns, link, row, start, length, time_ns, rows, passed_over
) -> tuple[int, int, int, int]:
    """Payloads found, packets seen, bytes used, and the captured length of a packet that is too long (else 0)."""
    at = count = packets = 0
    while at + _RECORD_BYTES <= len(flat):
        captured = _u32(flat, at + 8, big_endian)
        if captured > MAX_PACKET_BYTES:
            return count, packets, at, captured
        body = at + _RECORD_BYTES
        end = body + captured
        if end > len(flat):
            break
        what, first, size = _udp(flat, body, end, link)
        if what == _IS_UDP:
            start[count], length[count], rows[count] = first, size, row + packets
            time_ns[count] = _u32(flat, at, big_endian) * 1_000_000_000 + _u32(flat, at + 4, big_endian) * fraction_ns
            count += 1
        else:
            passed_over[what] += 1
        packets += 1
        at = end
    return count, packets, at, 0


@njit(cache=True)
def _udp(flat: np.ndarray, at: int, end: int, link: int) -> tuple[int, int, int]:
    """What a packet is, and where its UDP payload begins and how long it is."""
    if link == ETHERNET:
        if at + 14 > end:
            return _IS_CUT, 0, 0
        kind = _u16(flat, at + 12)
        at += 14
        while (kind in (_VLAN, _VLAN_STACKED)) and at + 4 <= end:
            kind = _u16(flat, at + 2)
            at += 4
    elif link == LINUX_COOKED:
        if at + 16 > end:
            return _IS_CUT, 0, 0
        kind = _u16(flat, at + 14)
        at += 16
    else:
        kind = _IPV4
    if kind != _IPV4:
        return _IS_OTHER, 0, 0
    if at + 20 > end:
        return _IS_CUT, 0, 0
    header = 4 * (int(flat[at]) & 15)
    if flat[at] >> 4 != 4 or header < 20 or flat[at + 9] != _UDP:
        return _IS_OTHER, 0, 0
    if _u16(flat, at + 6) & 0x3FFF:  # more fragments follow, or this is not the first
        return _IS_FRAGMENT, 0, 0
    at += header
    if at + 8 > end:
        return _IS_CUT, 0, 0
    size = _u16(flat, at + 4) - 8
    if size < 0:
        return _IS_OTHER, 0, 0
    if at + 8 + size > end:
        return _IS_CUT, 0, 0
    return _IS_UDP, at + 8, size
