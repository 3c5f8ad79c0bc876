"""A writer of the embedded event log that is killed, again and again, and what it had acknowledged by then."""

from __future__ import annotations

import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from footprint.data.event_log.segmented import SegmentedLog

SEGMENT_BYTES = 256 << 10
LONGEST_LIFE_S = 0.03
_COUNT = struct.Struct("<Q")
_STARTED_S = 30.0


@dataclass(frozen=True, slots=True)
class Kills:
    """What came of a number of kills.

    Attributes:
        lost: acknowledged records that were not in the log afterwards, or not as written.
        acknowledged: records acknowledged in all.
        unacknowledged: records found that were written but not yet acknowledged.
        torn: kills that left an unfinished record, which was cut off.
    """

    points: int
    lost: int
    acknowledged: int
    unacknowledged: int
    torn: int


def kill_writers(points: int, rng: np.random.Generator) -> Kills:
    """Kill (SIGKILL) a writing process at random moments; each writer goes on where the one before was killed."""
    lost = acknowledged = unacknowledged = torn = start = 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(points):
            promised = _killed(Path(folder), float(rng.uniform(0, LONGEST_LIFE_S)), int(rng.integers(1 << 30)))
            log = SegmentedLog(Path(folder, "log"), segment_bytes=SEGMENT_BYTES)
            end = log.end()
            whole = sum(found == record_of(start + i) for i, found in enumerate(log.read(start, max(end - start, 0))))
            lost += max(promised - start - whole, 0)
            acknowledged += promised - start
            unacknowledged += max(end - promised, 0)
            torn += bool(log.repaired)
            log.trim(end)
            log.close()
            start = end
    return Kills(points, lost, acknowledged, unacknowledged, torn)


def record_of(offset: int) -> bytes:
    """The record that every writer here writes at an offset; up to 2 kB, mostly short."""
    scattered = offset * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    size = (scattered >> 53) if scattered % 7 == 0 else (scattered >> 56)
    return (scattered.to_bytes(8, "little") * (size // 8 + 1))[:size]


def _killed(folder: Path, life_s: float, seed: int) -> int:
    """Start a writer, kill it `life_s` after its first acknowledgement; the end that it had acknowledged."""
    acknowledged = folder / "acknowledged"
    acknowledged.write_bytes(_COUNT.pack(0))
    command = [sys.executable, "-m", "footprint.testing.log_kills", str(folder), str(seed)]
    with acknowledged.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as shared:
        writer = subprocess.Popen(command)
        deadline = time.monotonic() + _STARTED_S
        while shared[:8] == bytes(8):
            if writer.poll() is not None or time.monotonic() > deadline:
                writer.kill()
                raise RuntimeError(f"the writer did not start (status {writer.wait()})")
            time.sleep(0.001)
        time.sleep(life_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        return int(_COUNT.unpack(shared[:8])[0])


def _write(folder: Path, rng: np.random.Generator) -> None:
    """Append until killed; after each call the new end is put where the killer can read it."""
    log = SegmentedLog(folder / "log", segment_bytes=SEGMENT_BYTES)
    batch_sizes = rng.integers(1, 400, 1 << 14) // rng.integers(1, 400, 1 << 14)
    with (folder / "acknowledged").open("r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
        for size in batch_sizes.tolist() * (1 << 10):
            offset = log.end()
            if size < 2:
                log.append(record_of(offset))
            else:
                log.append_many([record_of(offset + i) for i in range(size)])
            shared[:8] = _COUNT.pack(log.end())
    os._exit(1)  # nobody killed it


if __name__ == "__main__":
    _write(Path(sys.argv[1]), np.random.default_rng(int(sys.argv[2])))
