"""Captures of IEX-TP segments: every message of DEEP 1.0 and TOPS 1.6, packed with the standard library alone."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

DEEP, TOPS = 0x8004, 0x8003
START = 1_493_132_820_000_000_000  # 2017-04-25T15:07:00Z, 11:07 in New York

# after type, one byte of flags and 8 bytes of time; the names are those of `iex_messages`
BODIES = {
    "S": ("", ""),
    "D": ("8sIqB", "symbol round_lot_size adjusted_close luld_tier"),
    "H": ("8s4s", "symbol reason"),
    "I": ("8s", "symbol"),
    "O": ("8s", "symbol"),
    "P": ("8sc", "symbol detail"),
    "E": ("8s", "symbol"),
    "8": ("8sIq", "symbol size price"),
    "5": ("8sIq", "symbol size price"),
    "Q": ("8sIqqI", "symbol bid_size bid_price ask_price ask_size"),
    "T": ("8sIqq", "symbol size price trade_id"),
    "B": ("8sIqq", "symbol size price trade_id"),
    "X": ("8sq", "symbol price"),
    "A": (
        "8sIqqIcBIqqqq",
        "symbol paired_shares reference_price clearing_price imbalance_shares imbalance_side extensions "
        "scheduled_time_s book_clearing_price collar_reference_price lower_collar upper_collar",
    ),
}
DEFAULTS = {"symbol": "ABC", "size": 100, "price": 100_000, "reason": "", "detail": " ", "imbalance_side": "N"}


def message(letter: str, at: int = 0, flags: int | str = 0, **fields: object) -> bytes:
    """One message without its length, `at` ns after START."""
    codes, names = BODIES[letter]
    values = []
    for name in names.split():
        value = fields.pop(name, DEFAULTS.get(name, 0))
        values.append(
            value.encode().ljust({"symbol": 8, "reason": 4}.get(name, 1)) if isinstance(value, str) else value
        )
    assert not fields, f"{letter} has no {fields}"
    first = flags if isinstance(flags, int) else ord(flags)
    return struct.pack("<cBq", letter.encode(), first, START + at) + struct.pack("<" + codes, *values)


def segment(
    messages: Sequence[bytes], sequence: int, *, protocol: int = DEEP, session: int = 9, sent: int = 0, channel: int = 1
) -> bytes:
    """A segment whose first message has that number."""
    body = b"".join(struct.pack("<H", len(m)) + m for m in messages)
    head = (1, 0, protocol, channel, session, len(body), len(messages), 0, sequence, START + sent)
    return struct.pack("<BBHIIHHqqq", *head) + body


def udp(payload: bytes) -> bytes:
    """An IPv4 packet with one UDP datagram."""
    datagram = struct.pack(">HHHH", 5000, 16648, len(payload) + 8, 0) + payload
    return (
        struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0, b"\1\2\3\4", b"\5\6\7\x08")
        + datagram
    )


def ethernet(packet: bytes, tags: int = 0) -> bytes:
    return bytes(12) + b"\x81\x00\x00\x05" * tags + b"\x08\x00" + packet


def pcap(
    frames: Sequence[bytes],
    times_ns: Sequence[int] | None = None,
    *,
    order: str = "<",
    nano: bool = False,
    link: int = 1,
) -> bytes:
    """A classic pcap file; frames are a microsecond apart unless times (ns after START) are given."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    content = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for at, frame in enumerate(frames):
        time_ns = START + (times_ns[at] if times_ns else 1_000_000 + at * 1000)
        fraction = time_ns % 10**9 if nano else time_ns % 10**9 // 1000
        content += struct.pack(order + "IIII", time_ns // 10**9, fraction, len(frame), len(frame)) + frame
    return content


def capture(folder: Path, segments: Sequence[bytes], times_ns: Sequence[int] | None = None) -> Path:
    path = folder / "a.pcap"
    path.write_bytes(pcap([ethernet(udp(s)) for s in segments], times_ns))
    return path
