"""Every shared file of two formats is explained by itself: LOBSTER row by row, Binance by id and best quote."""

from __future__ import annotations

from footprint.data.readers.binance import BinanceReader
from footprint.data.readers.binance_check import compare_book_with_quotes
from footprint.data.readers.lobster_replay import check_lobster_replay
from scorecard.bar import Bar, Limit, NotMeasured
from scorecard.sources import shared_data

_COMMAND = "python -m scorecard --only reader_oracles"

_ROWS = Bar(3, "LOBSTER, every shared file: rows not explained", "steps", Limit(at_most=0), None, _COMMAND)
_GAPS = Bar(3, "Binance, every shared file: gaps in update ids", "gaps", Limit(at_most=0), None, _COMMAND)
_QUOTES = Bar(
    3, "Binance, every shared file: shared ids with other best quotes", "ids", Limit(at_most=0), None, _COMMAND
)
_CROSSED = Bar(3, "Binance, every shared file: crossed or locked books", "updates", Limit(at_most=0), None, _COMMAND)
BARS = (_ROWS, _GAPS, _QUOTES, _CROSSED)


def measure() -> list[Bar]:
    return [_lobster(), *_binance()]


def _lobster() -> Bar:
    files = sorted(shared_data("lobster").glob("*.zip"))
    if not files:
        raise NotMeasured("no LOBSTER file among the shared data")
    counts = [check_lobster_replay(path) for path in files]
    note = f"{len(files)} files"
    return _ROWS.measured(sum(c["mismatches"] for c in counts), n=sum(c["steps"] for c in counts), note=note)


def _binance() -> list[Bar]:
    """All files at once: the reader joins those whose update ids do."""
    files = sorted(shared_data("binance_raw").rglob("*.gz"))
    read, counts = 0, []
    for session in BinanceReader().sessions(files):
        read += len(session.paths)
        counts.append(compare_book_with_quotes(session))
    if not counts or read != len(files):
        raise NotMeasured(f"{read} of {len(files)} shared Binance files gave a session")
    total = {name: sum(c[name] for c in counts) for name in counts[0]}
    note = f"{read} files, {len(counts)} chains"
    return [
        _GAPS.measured(total["gaps"], n=total["updates"], note=note),
        _QUOTES.measured(total["mismatches"], n=total["shared_ids"], note=note),
        _CROSSED.measured(total["crossed"], n=total["updates"], note=note),
    ]
