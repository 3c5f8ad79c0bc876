"""CPU time per message of the compiled books and of their plain-Python twins, median of several runs.

Usage: python benchmarks/books.py [messages] [repeats]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "unit" / "book"))
from reference_books import ReferenceLevels, ReferenceOrders, random_levels, random_orders

from footprint.book.orders import OrderBook
from footprint.book.price_levels import PriceLevelBook
from footprint.book.replay import BookKind, views


def median_cpu_ns(work: Callable[[], object], repeats: int) -> float:
    """Median CPU time of one call, ns, after one call that compiles."""
    work()
    spent = []
    for _ in range(repeats):
        start = time.process_time_ns()
        work()
        spent.append(time.process_time_ns() - start)
    return statistics.median(spent)


def main(messages: int = 1_000_000, repeats: int = 5) -> None:
    rng = np.random.default_rng(7)
    levels, orders = random_levels(rng, messages), random_orders(rng, messages)
    rows = (
        ("price levels (L2)", "compiled", lambda: PriceLevelBook().apply(levels)),
        ("price levels (L2)", "compiled, with views", lambda: views(levels, BookKind.LEVELS)),
        ("price levels (L2)", "plain Python", lambda: ReferenceLevels().apply(levels)),
        ("order by order (L3)", "compiled", lambda: OrderBook().apply(orders)),
        ("order by order (L3)", "compiled, with views", lambda: views(orders, BookKind.ORDERS)),
        ("order by order (L3)", "plain Python", lambda: ReferenceOrders().apply(orders)),
    )
    print(f"{messages:,} random messages, median of {repeats} runs, CPU time of one core")
    for book, how, work in rows:
        print(f"{book:<20} {how:<22} {median_cpu_ns(work, repeats) / messages:8.1f} ns per message")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
