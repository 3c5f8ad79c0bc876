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
            f"row {rows[np.argmax(mask)]}: {name}: {text}, so after {mask.mean():.2%} of the messages",
            int(mask.sum()),
            voids=void,
        )
        for code, mask, text, void in masks
        if mask.any()
    ]
