"""Records per CPU-second of the embedded event log: 200 bytes each, one by one, in batches, and read back.

Usage: python benchmarks/event_log.py [--records N] [--repeats N] [--json]

Rows: case, records_per_cpu_s. `one by one, synced` flushes the disk after every record and is given in wall time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from statistics import median

from footprint.data.event_log.segmented import SegmentedLog, SegmentedReader

RECORD_BYTES = 200
BATCH = 1_000
RECORDS = 500_000
REPEATS = 5
SYNCED_RECORDS = 200


def measure(records: int = RECORDS, repeats: int = REPEATS) -> dict[str, float]:
    """Median records per CPU-second by case; of the synced one, per second."""
    taken: dict[str, list[float]] = {}
    for _ in range(repeats):
        for case, rate in _once(records).items():
            taken.setdefault(case, []).append(rate)
    return {case: median(rates) for case, rates in taken.items()}


def _once(count: int) -> dict[str, float]:
    records = [i.to_bytes(8, "little") * (RECORD_BYTES // 8) for i in range(count)]
    batches = [records[i : i + BATCH] for i in range(0, count, BATCH)]

    def singly() -> None:
        append = log.append
        for record in records:
            append(record)

    def batched() -> None:
        for batch in batches:
            log.append_many(batch)

    def read() -> None:
        reader = SegmentedReader(folder)
        found = sum(len(reader.read(offset, BATCH)) for offset in range(0, reader.end(), BATCH))
        if found != 2 * count:
            raise ValueError(f"{found} records of {2 * count} came back")

    def synced() -> None:
        with tempfile.TemporaryDirectory() as other:
            log = SegmentedLog(other, sync=True)
            for record in records[:SYNCED_RECORDS]:
                log.append(record)
            log.close()

    with tempfile.TemporaryDirectory() as folder:
        log = SegmentedLog(folder)
        rates = {
            "one by one": count / _seconds(singly, time.process_time),
            "batched": count / _seconds(batched, time.process_time),
            "read": 2 * count / _seconds(read, time.process_time),
            "one by one, synced": min(count, SYNCED_RECORDS) / _seconds(synced, time.perf_counter),
        }
        log.close()
    return rates


def _seconds(call: Callable[[], None], clock: Callable[[], float]) -> float:
    started = clock()
    call()
    return clock() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rates = measure(given.records, given.repeats)
    if given.json:
        print(json.dumps([{"case": case, "records_per_cpu_s": rate} for case, rate in rates.items()]))
        return
    for case, rate in rates.items():
        print(f"{case:<20} {rate:12,.0f} records of {RECORD_BYTES} bytes a {'' if 'synced' in case else 'CPU-'}second")


if __name__ == "__main__":
    main()
