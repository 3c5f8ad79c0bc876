"""One odd book does not void a market, many do."""

from __future__ import annotations

import numpy as np

from footprint.book.view import VIEW_DTYPE
from footprint.data.book_findings import ManyBooks
from footprint.data.verdict import Analysis


def book(messages: int, crossed: int) -> np.ndarray:
    views = np.zeros(messages, VIEW_DTYPE)
    views["bid_ticks"], views["ask_ticks"] = 100, 101
    views["bid_ticks"][:crossed] = 102
    return views


def test_voids_by_the_share_of_all_messages() -> None:
    books = ManyBooks((Analysis.BOOK,))
    books.add(book(1000, 0), np.arange(1, 1001), "quiet")
    books.add(book(20, 20), np.arange(1, 21), "odd")
    (finding,) = books.findings()
    assert (finding.code, finding.count, finding.voids) == ("crossed_book", 20, ())
    assert finding.text.startswith("row 1: odd")
    books.add(book(100, 90), np.arange(1, 101), "worse")
    (finding,) = books.findings()
    assert (finding.count, finding.voids) == (110, (Analysis.BOOK,))
    assert finding.text.endswith("(and 1 other books)")


def test_nothing_to_find() -> None:
    books = ManyBooks((Analysis.BOOK,))
    assert books.findings() == []
    books.add(book(10, 0), np.arange(10), "quiet")
    assert books.findings() == []
