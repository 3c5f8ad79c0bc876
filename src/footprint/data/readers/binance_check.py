"""Does the price-level book agree with the exchange's own best quotes?

Depth updates and bookTicker frames carry ids of one counter. Where the last id of a depth update equals the id of a
bookTicker, both describe the same instant of the matching engine, so best prices and sizes must be equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.readers.binance import BinanceReader
from footprint.data.session import Session
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind

_TOP = ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots")


def check_binance_frames(paths: Path | Sequence[Path]) -> dict[str, int]:
    """Replay the depth stream of one chain and compare it with the best quotes of the same stream.

    Args:
        paths: one file, or the consecutive files of one chain.

    Returns:
        counts: "updates" (snapshot included), "gaps", "crossed" (updates after which the book is crossed or locked),
        "one_sided", "shared_ids" and "mismatches" (shared ids where a best price or size differs).

    Raises:
        DataRefused: a file is refused, or the files are not one chain.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    sessions = list(BinanceReader().sessions(files))
    if len(sessions) != 1:
        raise DataRefused("not one chain", path=files[0], found=len(sessions), allowed="files whose update ids join")
    return compare_book_with_quotes(sessions[0])


def compare_book_with_quotes(session: Session) -> dict[str, int]:
    """The counts of `check_binance_frames` for a session that is in memory."""
    book_id, book = _tops(session.events, EventKind.LEVEL)
    quote_id, quote = _tops(session.events, EventKind.QUOTE)
    # the last state is the one that stands for an id that comes twice
    _, book_at, quote_at = np.intersect1d(book_id[::-1], quote_id[::-1], return_indices=True)
    equal = np.all([book[::-1][n][book_at] == quote[::-1][n][quote_at] for n in _TOP], axis=0)
    sided = (book["bid_ticks"] > 0) & (book["ask_ticks"] > 0)
    return {
        "updates": len(book),
        "gaps": session.counts.get("gaps", 0),
        "crossed": int((sided & (book["bid_ticks"] >= book["ask_ticks"])).sum()),
        "one_sided": int((~sided).sum()),
        "shared_ids": len(equal),
        "mismatches": int((~equal).sum()),
    }


def _tops(events: np.ndarray, kind: EventKind) -> tuple[np.ndarray, np.ndarray]:
    """Ids and views after each message of one kind; events that void the book stay in."""
    book = events[np.isin(events["kind"], (kind, EventKind.CLEAR))]
    whole = (book["kind"] == kind) & (book["flags"] & EventFlag.LAST != 0)
    return book["sequence"][whole], views(book, BookKind.LEVELS)[whole]
