"""The books beside their peers: `footprint benchmark books` in the environment that holds the peers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from footprint.errors import FootprintError
from scorecard.bar import Bar, Limit
from scorecard.sources import ROOT

_COMMAND = ".venv-bench/bin/footprint benchmark books"

_L3, _L2 = "L3 replay vs hftbacktest L3, ROI vector", "L2 apply vs hftbacktest L2, ROI vector"
_NAUTILUS_L3, _NAUTILUS_L2 = "L3 replay vs nautilus OrderBook L3", "L2 apply vs nautilus OrderBook L2"
_HFT = {"L3": "hftbacktest L3, ROI vector", "L2": "hftbacktest L2, ROI vector"}
_NAUTILUS = {"L3": "nautilus OrderBook L3, 1,000 a call", "L2": "nautilus OrderBook L2, 1,000 a call"}


def _at_least(name: str, unit: str, must: float, aim: float) -> Bar:
    return Bar(3, name, unit, Limit(at_least=must), Limit(at_least=aim), _COMMAND)


def _at_most(name: str, unit: str, must: float, aim: float) -> Bar:
    return Bar(3, name, unit, Limit(at_most=must), Limit(at_most=aim), _COMMAND)


# each bar that is a ratio, with its case and the system whose time is divided by ours
_RATIOS = {
    _at_least(f"{_L3}, itch mix", "times", 12, 20): ("L3 itch-2k", _HFT["L3"]),
    _at_least(f"{_L3}, m70 long queues", "times", 25, 40): ("L3 m70", _HFT["L3"]),
    _at_least(f"{_L2}, itch mix", "times", 6, 10): ("L2 itch-2k", _HFT["L2"]),
    _at_least(f"{_L2}, m70", "times", 6, 10): ("L2 m70", _HFT["L2"]),
    _at_least(f"{_NAUTILUS_L3}, itch mix", "times", 10, 15): ("L3 itch-2k", _NAUTILUS["L3"]),
    _at_least(f"{_NAUTILUS_L3}, m70", "times", 10, 15): ("L3 m70", _NAUTILUS["L3"]),
    _at_least(f"{_NAUTILUS_L2}, itch mix", "times", 8, 12): ("L2 itch-2k", _NAUTILUS["L2"]),
    _at_least(f"{_NAUTILUS_L2}, m70", "times", 8, 12): ("L2 m70", _NAUTILUS["L2"]),
}
_MATCHING = {
    _at_least("matching, 2 k live orders", "million messages/s", 25, 40): "matching itch-2k",
    _at_least("matching, 376 k live orders", "million messages/s", 8, 12): "matching m70",
}
_QUEUE = _at_most("L3 cost at 914 orders a level over cost at 40", "times", 4, 2)
_SLOPE = Bar(3, "L3 log-log slope of cost against rows", "", Limit(at_least=0.9, at_most=1.1), None, _COMMAND)
_START = _at_most("books: start to first cached call", "s", 1.5, 1.0)

BARS = (*_RATIOS, *_MATCHING, _QUEUE, _SLOPE, _START)


def measure() -> list[Bar]:
    report = _report()
    rows, figures, repeats = report["rows"], report["figures"], report["repeats"]
    ours = "footprint"
    bars = [_ratio(bar, rows, *case, repeats) for bar, case in _RATIOS.items()]
    for bar, case in _MATCHING.items():
        row = next(row for row in rows if row["case"].startswith(case) and row["system"] == ours)
        note = f"{row['ns_per_row']:.1f} ns a message, 64-bit ids hashed, fills written; {row['case']}"
        bars.append(bar.measured(1e3 / row["ns_per_row"], n=repeats, note=note))
    long_ns, short_ns = (_row(rows, case, ours)["ns_per_row"] for case in ("L3 m70", "L3 itch-2k"))
    told = f"{long_ns:.1f} and {short_ns:.1f} ns a row"
    bars.append(_QUEUE.measured(figures["queue_length_ratio"], n=repeats, note=told))
    bars.append(_SLOPE.measured(figures["slope"], n=repeats, note="0.2, 0.4, 0.8, 1.5 and 3 million steps"))
    bars.append(_START.measured(figures["start_s"], n=repeats, note="wall time of a new process, interpreter included"))
    return bars


def _ratio(bar: Bar, rows: list[dict[str, Any]], case: str, system: str, repeats: int) -> Bar:
    peer, ours, ids = (_row(rows, case, name) for name in (system, "footprint", "footprint, ids alone"))
    note = f"{peer['ns_per_row']:.1f} over {ours['ns_per_row']:.1f} ns a row of the feed"
    if ids:
        note += f"; of ours the ids alone take {ids['ns_per_row']:.1f}"
    if peer["ratio_halved"] is not None:
        note += f"; it keeps two books: {peer['ratio_halved']:.1f} times for one"
    return bar.measured(peer["ratio"], n=repeats, note=note)


def _row(rows: list[dict[str, Any]], case: str, system: str) -> dict[str, Any]:
    return next((row for row in rows if (row["case"], row["system"]) == (case, system)), {})


def _report() -> dict[str, Any]:
    """What the command prints as JSON; the environment of the peers is made when it is absent or out of date."""
    _run("make", "install-bench")
    return json.loads(_run(".venv-bench/bin/footprint", "benchmark", "books", "--json"))


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise FootprintError(f"{' '.join(command)}: exit status {done.returncode}: {''.join(last)}")
    print(f"{' '.join(command)}: done", file=sys.stderr)
    return done.stdout
