"""From a file to events: output events per CPU-second of the readers, on real days tiled to over two million events.

Every tile is a valid continuation: clocks, order ids and update ids are shifted so that nothing repeats or goes back.
LOBSTER (zip): a day of AMZN, five levels, as several days. DBN: MBO of ES, snapshot and session. Binance: USD-M frames
of BTCUSDT. ITCH: the messages of a LOBSTER day of AAPL put back into NASDAQ's own; orders whose beginning is not in the
file are left out, orders left at the end of a tile are deleted.

Usage: python benchmarks/file_to_events.py [--data FOLDER] [--repeats N] [--json]
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import struct
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zstandard

from footprint.data.files.compressed import read_all
from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.databento import DatabentoReader
from footprint.data.readers.databento_file import FLAG_SNAPSHOT, MBO_DTYPE
from footprint.data.readers.itch import ItchReader
from footprint.data.readers.itch_messages import offset
from footprint.data.readers.lobster import LobsterReader
from footprint.data.readers.lobster_file import MessageType, read_day
from footprint.data.session import Reader

MIN_EVENTS = 2_000_000
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_LOBSTER = Path("lobster", "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")
_LOBSTER_ORDERS = Path("lobster", "LOBSTER_SampleFile_AAPL_2012-06-21_1.zip")
_DBN = Path("databento_mbo", "esh4-glbx-mdp3-20231225.mbo.first60pct.dbn.zst")
_BINANCE = Path("binance_raw", "usdm", "btcusdt_20240808.gz")


class Row(NamedTuple):
    """One format.

    Attributes:
        packed: how the file is packed; "plain" times the reader without an unpacking library.
        events_per_cpu_s: median over the repetitions.
    """

    format: str
    packed: str
    file_bytes: int
    events: int
    cpu_s: float
    events_per_cpu_s: float
    slowest_per_cpu_s: float
    fastest_per_cpu_s: float


def measure(data: Path = SHARED_DATA, repeats: int = 5) -> list[Row]:
    """One row per format and packing.

    Raises:
        FileNotFoundError: a shared file is absent.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, packed, reader, tile in CASES:
            place = Path(folder, f"{name} {packed}".replace(" ", "_"))
            place.mkdir()
            paths = tile(data, place)
            rows.append(_timed(name, packed, reader, paths, repeats))
            for path in paths:
                path.unlink()
    return rows


def tiled_lobster(data: Path, folder: Path) -> list[Path]:
    """The same day under six dates."""
    paths = []
    with zipfile.ZipFile(data / _LOBSTER) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name.endswith(".csv")}
    for k in range(6):
        day = (date(2012, 6, 21) + timedelta(days=k)).isoformat()
        path = folder / f"AMZN_{day}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name.replace("2012-06-21", day), content)
        paths.append(path)
    return paths


def tiled_dbn(data: Path, folder: Path) -> list[Path]:
    """Snapshot and session fifty times, 90 minutes apart; each tile has order ids of its own."""
    content = read_all(data / _DBN)
    start = 8 + int.from_bytes(content[4:8], "little")
    records = np.frombuffer(content[start:], MBO_DTYPE).copy()
    snapshot = records["flags"] & FLAG_SNAPSHOT != 0
    records["ts_recv"][snapshot] = records["ts_recv"][~snapshot][0] - 1
    path = folder / "es.mbo.dbn"
    with path.open("wb") as file:
        file.write(content[:start])
        for _ in range(50):
            file.write(records.tobytes())
            records["order_id"] += np.uint64(1 << 44)
            for clock in ("ts_recv", "ts_event"):
                records[clock] += np.uint64(5_400_000_000_000)
    return [path]


def tiled_binance(data: Path, folder: Path) -> list[Path]:
    """The frames four times; update ids join, trade ids and clocks go on. The snapshot comes once."""
    lines = gzip.decompress((data / _BINANCE).read_bytes()).splitlines()
    depth = [json.loads(line[20:])["data"] for line in lines if b'"depthUpdate"' in line]
    trades = [json.loads(line[20:])["data"]["t"] for line in lines if b'"e":"trade"' in line]
    span_ms = (int(lines[-1][:19]) - int(lines[0][:19])) // 1_000_000 + 1
    shifts = {b"E": span_ms, b"T": span_ms, b"t": trades[-1] - trades[0] + 1}
    shifts |= dict.fromkeys((b"U", b"u", b"pu"), depth[-1]["u"] - depth[0]["pu"])
    path = folder / "btcusdt_20240808"
    with path.open("wb") as file:
        for k in range(4):
            by_key = {key: k * shift for key, shift in shifts.items()}
            for line in lines:
                if not k or not line.startswith(b'{"lastUpdateId"', 20):
                    file.write(b"%d %s\n" % (int(line[:19]) + k * span_ms * 1_000_000, _moved(line[20:], by_key)))
    return [path]


def tiled_itch(data: Path, folder: Path) -> list[Path]:
    """A day of AAPL twenty times, its clock pressed into a twentieth of a day each time."""
    tiles = 20
    step_ns = 86_400 * 10**9 // tiles
    tile = _itch_tile(read_day(data / _LOBSTER_ORDERS).message)
    path = folder / "06212012.NASDAQ_ITCH50"
    with path.open("wb") as file:
        for k in range(tiles):
            time_ns = tile.time_ns // tiles + k * step_ns
            _store(tile.flat, tile.start + 2 + offset("S", "time_high"), time_ns, 6)
            named = tile.reference > 0
            _store(tile.flat, tile.start[named] + 2 + offset("A", "reference"), tile.reference[named] + (k << 36), 8)
            file.write(tile.flat.tobytes())
    return [path]


_NUMBER = re.compile(rb'"(U|u|pu|t|E|T)":(\d+)')


def _moved(frame: bytes, by_key: dict[bytes, int]) -> bytes:
    """A frame with its ids and clocks moved on."""
    return _NUMBER.sub(lambda m: b'"%s":%d' % (m[1], int(m[2]) + by_key[m[1]]), frame)


class _Tile(NamedTuple):
    """Messages with their lengths as one array of bytes, and where each begins."""

    flat: np.ndarray
    start: np.ndarray
    time_ns: np.ndarray
    reference: np.ndarray  # 0 for messages without an order


def _itch_tile(message: np.ndarray) -> _Tile:
    """The LOBSTER messages as ITCH; times and references are filled in for each tile."""
    parts, times, references = [], [], []
    resting: dict[int, int] = {}

    def put(letter: bytes, time_ns: int, reference: int, body: bytes) -> None:
        raw = letter + struct.pack(">HHHI", 1, 0, 0, 0) + body
        parts.append(struct.pack(">H", len(raw)) + raw)
        times.append(time_ns)
        references.append(reference)

    for time_ns, kind, order, size, price, direction in message.tolist():
        if kind == MessageType.NEW:
            resting[order] = size
            put(
                b"A",
                time_ns,
                order,
                struct.pack(">QcI8sI", 0, b"B" if direction > 0 else b"S", size, b"AAPL    ", price),
            )
        elif kind == MessageType.HIDDEN_EXECUTION:
            put(b"P", time_ns, 0, struct.pack(">QcI8sIQ", 0, b"B", size, b"AAPL    ", price, 0))
        elif order in resting:
            left = resting.pop(order) - size
            if kind == MessageType.DELETE:
                put(b"D", time_ns, order, bytes(8))
                continue
            if kind == MessageType.EXECUTION:
                put(b"E", time_ns, order, struct.pack(">QIQ", 0, size, 0))
            else:
                put(b"X", time_ns, order, struct.pack(">QI", 0, size))
            if left > 0:
                resting[order] = left
    for order in resting:
        put(b"D", int(message[-1, 0]), order, bytes(8))
    lengths = np.array([len(part) for part in parts])
    flat = np.frombuffer(b"".join(parts), np.uint8).copy()
    return _Tile(flat, np.cumsum(lengths) - lengths, np.array(times), np.array(references))


def _store(flat: np.ndarray, at: np.ndarray, values: np.ndarray, width: int) -> None:
    """Write big-endian integers of `width` bytes."""
    for byte in range(width):
        flat[at + byte] = (values >> 8 * (width - 1 - byte)) & 255


def _packed(tile: Callable[[Path, Path], list[Path]], suffix: str) -> Callable[[Path, Path], list[Path]]:
    """The same file, packed with the usual level."""

    def packed(data: Path, folder: Path) -> list[Path]:
        (path,) = tile(data, folder)
        content = path.read_bytes()
        path.unlink()
        packed = path.with_name(path.name + suffix)
        pack = gzip.compress if suffix == ".gz" else zstandard.ZstdCompressor().compress
        packed.write_bytes(pack(content))
        return [packed]

    return packed


CASES: tuple[tuple[str, str, Reader, Callable[[Path, Path], list[Path]]], ...] = (
    ("LOBSTER", "zip", LobsterReader(), tiled_lobster),
    ("DBN MBO", "plain", DatabentoReader(), tiled_dbn),
    ("DBN MBO", "zstd", DatabentoReader(), _packed(tiled_dbn, ".zst")),
    ("Binance frames", "plain", BinanceReader(), tiled_binance),
    ("Binance frames", "gzip", BinanceReader(), _packed(tiled_binance, ".gz")),
    ("ITCH", "plain", ItchReader(), tiled_itch),
    ("ITCH", "gzip", ItchReader(), _packed(tiled_itch, ".gz")),
)


def _timed(name: str, packed: str, reader: Reader, paths: list[Path], repeats: int) -> Row:
    """Read everything once to compile, then time it."""
    events = _events(reader, paths)
    if events < MIN_EVENTS:
        raise ValueError(f"{name}: {events} events, wanted {MIN_EVENTS}")
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        _events(reader, paths)
        spent.append(time.process_time() - start)
    cpu_s = statistics.median(spent)
    size = sum(path.stat().st_size for path in paths)
    return Row(name, packed, size, events, cpu_s, events / cpu_s, events / max(spent), events / min(spent))


def _events(reader: Reader, paths: list[Path]) -> int:
    return sum(len(session.events) for session in reader.sessions(paths))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    rows = measure(options.data, options.repeats)
    if options.json:
        print(json.dumps({"rows": [row._asdict() for row in rows]}))
        return
    print(f"median of {options.repeats} runs, CPU time of one process")
    for row in rows:
        rate = row.events_per_cpu_s / 1e6
        size = row.file_bytes / 1e6
        print(
            f"{row.format:<16} {row.packed:<6} {row.events:>10,} events {size:7.1f} MB {rate:7.2f} M events per CPU-s"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
