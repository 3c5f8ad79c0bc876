"""Recording under seeded fault scripts: every book ends as the venue's, every loss is reported, nothing is invented."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from scorecard.bar import Bar, Limit
from scorecard.sources import ROOT, shared_data

_COMMAND = "python -m scorecard --only live_faults"
_SCRIPTS = 100

_BOOKS = Bar(3, "Faulty feeds: books equal to the venue's at the end", "%", Limit(at_least=100), None, _COMMAND)
_DROPS = Bar(3, "Faulty feeds: injected drops in the report", "%", Limit(at_least=100), None, _COMMAND)
_LOSSES = Bar(
    3, "Faulty feeds: messages lost in any way and not reported", "messages", Limit(at_most=0), None, _COMMAND
)
_FALSE = Bar(3, "Faulty feeds: reported holes that nothing explains", "holes", Limit(at_most=0), None, _COMMAND)
_GARBAGE = Bar(3, "Faulty feeds: malformed frames set aside", "%", Limit(at_least=100), None, _COMMAND)
_VENUES = Bar(3, "Faulty feeds: venues with 100 scripts each", "venues", Limit(at_least=5), None, _COMMAND)
_CPU = Bar(3, "Faulty feeds: CPU time of 500 scripts", "s", Limit(at_most=120), None, _COMMAND)
BARS = (_BOOKS, _DROPS, _LOSSES, _FALSE, _GARBAGE, _VENUES, _CPU)


def measure() -> list[Bar]:
    captures = shared_data("ws_frames", "cryptofeed")
    sys.path.insert(0, str(ROOT / "tests" / "scenarios"))
    from fault_venues import DIALECTS

    started_s = time.process_time()
    per_venue = {venue: _run(venue, captures) for venue in DIALECTS}
    cpu_s = time.process_time() - started_s
    total = sum(per_venue.values(), Counter())
    scripts = total["scripts"]
    injected = ", ".join(f"{total[kind]:,} {kind}" for kind in _KINDS)
    drops = f"{total['listed_drops']:,} in a hole of their own, {total['early_drops']:,} before the book's first "
    drops += "snapshot (which contains them), the rest within the void that an earlier hole opened"
    return [
        _BOOKS.measured(100.0 * (1 - total["wrong_books"] / total["books"]), n=total["books"], note=injected),
        _DROPS.measured(100.0 * (1 - total["unreported_drops"] / total["dropped"]), n=total["dropped"], note=drops),
        _LOSSES.measured(total["unreported"], n=total["lost"], note="dropped, or sent while nobody was connected"),
        _FALSE.measured(total["unexplained"], n=total["holes"]),
        _GARBAGE.measured(100.0 * total["set_aside"] / total["garbage"], n=total["garbage"]),
        _VENUES.measured(sum(c["scripts"] >= _SCRIPTS for c in per_venue.values()), note=", ".join(per_venue)),
        _CPU.measured(cpu_s * 500 / scripts, n=scripts, note="recorder, venue and the checks, in one process"),
    ]


_KINDS = ("drops", "copies", "delays", "malformed", "breaks", "bursts", "late_snapshots")


def _run(venue: str, captures: Path) -> Counter[str]:
    """What the scripts of one venue came to."""
    from fault_run import record_faulty
    from fault_scripts import fault_script
    from fault_venues import tape_of

    dialect, tape = tape_of(venue, captures)
    total: Counter[str] = Counter()
    for seed in range(1, 1 + _SCRIPTS):
        folder = Path(tempfile.mkdtemp())
        try:
            script = fault_script(seed, tape.droppable(), len(tape.frames))
            total += _judged(record_faulty(dialect, tape, script, folder / "recording"))
        finally:
            shutil.rmtree(folder)
    return total


def _judged(outcome: object) -> Counter[str]:
    from fault_run import before_start, listed, malformed_received, unexplained, unreported, wrong_books

    server, report = outcome.server, outcome.report  # type: ignore[attr-defined]
    hidden = unreported(outcome)
    named = Counter(gap["reason"] for gap in report["gaps"])
    return server.injected + Counter(
        scripts=1,
        books=len(server.books),
        wrong_books=len(wrong_books(outcome)),
        lost=len(server.lost),
        dropped=sum(lost.cause == "drop" for lost in server.lost),
        listed_drops=sum(lost.cause == "drop" for lost in listed(outcome)),
        early_drops=sum(lost.cause == "drop" for lost in before_start(outcome)),
        unreported=len(hidden),
        unreported_drops=sum(lost.cause == "drop" for lost in hidden),
        holes=named["missing ids"] + named["missing frames"],
        unexplained=len(unexplained(outcome)),
        garbage=malformed_received(outcome),
        set_aside=report["counts"].get("quarantined", 0),
    )
