"""The order books on seeded streams beside their peers: CPU time per row, as `footprint benchmark books`.

Run: python benchmarks/book_replay.py [--repeats N] [--json]
The peers are timed where they are installed: make install-bench, then .venv-bench/bin/python benchmarks/book_replay.py
"""

from __future__ import annotations

import argparse

from footprint.app import book_benchmark
from footprint.app.progress import progress_on_stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each system")
    parser.add_argument("--json", action="store_true", help="rows of case, system, ns_per_row, ratio")
    given = parser.parse_args()
    book_benchmark.run(given.repeats, given.json, progress_on_stderr())


if __name__ == "__main__":
    main()
