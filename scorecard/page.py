"""docs/scorecard.md: the scorecard as a page for a person, losses first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from footprint.app.files import replacing
from scorecard.bar import Reached
from scorecard.record import Entry

_HEAD = """# Scorecard

Every acceptance bar, measured by running the product. Made by `make scorecard`; not edited by hand. Intervals are 95 %
unless a note says otherwise. A bar without a figure is not passed.
"""


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Write the page whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(page(entries))


def page(entries: Sequence[Entry]) -> str:
    """The page in Markdown."""
    issues = sorted({entry["issue"] for entry in entries})
    parts = [_HEAD, _provenance(entries), _losses(entries)]
    for issue in issues:
        mine = [entry for entry in entries if entry["issue"] == issue]
        parts += [f"## Issue {issue}\n\n{_count(mine)}\n", _table(mine), _notes(mine), _commands(mine)]
    return "\n".join(part for part in parts if part)


def figure(entry: Entry) -> str:
    """For example "3.1 % [2.5, 3.7]"; a dash where nothing was measured."""
    if entry["value"] is None:
        return "-"
    text = f"{_number(entry['value'])} {entry['unit']}".strip()
    known = entry["low"] is not None and entry["high"] is not None
    return f"{text} [{_number(entry['low'])}, {_number(entry['high'])}]" if known else text


def _losses(entries: Sequence[Entry]) -> str:
    """What is missed and what is not measured, before anything else."""
    parts = []
    for reached, title in ((Reached.MISSED, "Missed"), (Reached.NOT_MEASURED, "Not measured")):
        lines = [_loss(entry) for entry in entries if entry["reached"] == reached.value]
        parts += [f"## {title}\n", *lines, ""] if lines else []
    return "\n".join(parts) or "No bar is missed, and every bar is measured.\n"


def _loss(entry: Entry) -> str:
    if entry["value"] is None:
        return f"- {entry['name']}: {entry['note']}"
    return f"- {entry['name']}: {figure(entry)}, must {entry['must'] or '-'}"


def _count(entries: Sequence[Entry]) -> str:
    seen = Counter(str(entry["reached"]) for entry in entries)
    return f"{len(entries)} bars: " + ", ".join(f"{seen[r.value]} {r.value}" for r in Reached if seen[r.value])


def _table(entries: Sequence[Entry]) -> str:
    rows = [
        (entry["name"], figure(entry), entry["must"] or "", entry["aim"] or "", _verdict(entry), entry["n"] or "")
        for entry in entries
    ]
    head = ("bar", "measured", "must", "aim", "reached", "n")
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _verdict(entry: Entry) -> str:
    """Losses stand out."""
    lost = entry["reached"] in (Reached.MISSED.value, Reached.NOT_MEASURED.value)
    return f"**{entry['reached']}**" if lost else str(entry["reached"])


def _notes(entries: Sequence[Entry]) -> str:
    lines = [f"- {entry['name']}: {entry['note']}" for entry in entries if entry["note"] and entry["value"] is not None]
    return "\n".join(["Notes:\n", *lines, ""]) if lines else ""


def _commands(entries: Sequence[Entry]) -> str:
    lines = [f"- `{command}`" for command in dict.fromkeys(str(entry["command"]) for entry in entries)]
    return "\n".join(["Measured by:\n", *lines, ""])


def _provenance(entries: Sequence[Entry]) -> str:
    """One line for each commit and machine; load averages differ from bar to bar and are in scorecard.json."""
    groups: Counter[str] = Counter()
    for entry in entries:
        if machine := entry["machine"]:  # none for a bar that was never run
            place = f"{machine['cores']} cores of {machine['cpu_model']}, {machine['memory_gb']:g} GB"
            groups[f"commit `{entry['commit'] or 'unknown'}`, {place}"] += 1
    return "\n".join(f"- {count} bars at {group}" for group, count in groups.items()) + "\n"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
