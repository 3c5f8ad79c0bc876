"""What an audit says of the books of a file: crossed, locked, one-sided."""

from __future__ import annotations

import numpy as np

from footprint.book import invariants
from footprint.data.verdict import Analysis, Finding

MAX_CROSSED_SHARE = 0.05  # beyond this a book is wrong, not merely fast


def book_findings(views: np.ndarray, rows: np.ndarray, name: str, voids: tuple[Analysis, ...]) -> list[Finding]:
    """How often a book has no mid or a doubtful one.

    Args:
        views: VIEW_DTYPE of shape (n,), one after each message.
        rows: row of the source of each, shape (n,).
        name: what the book is called in the text.
        voids: analyses that are void when more than MAX_CROSSED_SHARE of the messages leave it crossed.
    """
    crossed = invariants.crossed(views)
    void = voids if crossed.mean() > MAX_CROSSED_SHARE else ()
    masks = (
        ("crossed_book", crossed, "best bid above best ask", void),
        ("locked_book", invariants.locked(views), "best bid equal to best ask", ()),
        ("empty_side", invariants.one_sided(views), "a side is empty", ()),
    )
    return [
        Finding(
            code,
            f"row {rows[np.argmax(mask)]}: {name}: {text} after {mask.mean():.2%} of the messages",
            int(mask.sum()),
            voids=void,
        )
        for code, mask, text, void in masks
        if mask.any()
    ]


class ManyBooks:
    """What an audit says of the books of many instruments of one file: one finding a kind, the first book named.

    Analyses are void when more than MAX_CROSSED_SHARE of all messages leave their book crossed: one odd instrument does
    not void a market.
    """

    def __init__(self, voids: tuple[Analysis, ...]) -> None:
        self._voids = voids
        self._messages = 0
        self._found: dict[str, list[Finding]] = {}

    def add(self, views: np.ndarray, rows: np.ndarray, name: str) -> None:
        """One more book; arguments as in `book_findings`."""
        self._messages += len(views)
        for finding in book_findings(views, rows, name, ()):
            self._found.setdefault(finding.code, []).append(finding)

    def findings(self) -> list[Finding]:
        """What was found so far."""
        merged = []
        for code, each in self._found.items():
            count = sum(finding.count for finding in each)
            others = f" (and {len(each) - 1} other books)" if len(each) > 1 else ""
            void = code == "crossed_book" and count > MAX_CROSSED_SHARE * self._messages
            merged.append(Finding(code, each[0].text + others, count, voids=self._voids if void else ()))
        return merged
