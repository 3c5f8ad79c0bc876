"""Skill that is too good to be true: the alarm of the benchmark, and what a random split would have claimed."""

from __future__ import annotations

from scorecard.bar import Bar, Limit
from scorecard.benchmark_results import ARRIVAL, COMMAND, Row, benchmark_document, rows_of

_ALARM = Bar(4, "sanity: arrival-time skill or R2 of the peak beyond 10 %", "alarms", Limit(at_most=0), None, COMMAND)
_RANDOM = Bar(4, "sanity: boosted skill by random split minus walk-forward, peak", "points", None, None, COMMAND)
BARS = (_ALARM, _RANDOM)


def measure() -> list[Bar]:
    document = benchmark_document()
    if document["protocol"]["alarm"]:
        return [_ALARM.measured(1, n=1, note=document["protocol"]["alarm"])]
    return judged(rows_of(document))


def judged(rows: tuple[Row, ...]) -> list[Bar]:
    """The bars with the figures of these rows; the random split is printed and never used."""
    skills = {split: _boosted(rows, split) for split in ("random_split", "walk_forward")}
    shared = sorted(skills["random_split"].keys() & skills["walk_forward"].keys())
    if not shared:
        return [_ALARM.measured(0, n=1), _RANDOM.failed("no boosted model was scored on both splits")]
    name = shared[0]
    wrong, right = (skills[split][name]["value"] for split in ("random_split", "walk_forward"))
    note = f"{name}: {wrong:.1f} % by random split, {right:.1f} % walk-forward"
    return [_ALARM.measured(0, n=1), _RANDOM.measured(wrong - right, n=skills["walk_forward"][name]["n"], note=note)]


def _boosted(rows: tuple[Row, ...], split: str) -> dict[str, Row]:
    wanted = {
        "data": "pool", "split": split, "information": ARRIVAL, "target": "peak", "slice": "", "seed": 0,
        "metric": "crps_skill_vs_square_root_diffusive_percent",
    }  # fmt: skip
    return {r["model"]: r for r in rows if wanted.items() <= r.items() and r["model"].startswith("boosted")}
