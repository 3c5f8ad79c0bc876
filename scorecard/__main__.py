"""Measure the bars, say each as it comes, write scorecard.json and docs/scorecard.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from footprint.app.console import stdout_console
from footprint.app.progress import progress_on_stderr
from footprint.errors import FootprintError, UsageError
from scorecard import machine, page, record
from scorecard.bar import Bar, NotMeasured, Reached
from scorecard.measures import MEASURES, Measure, name_of
from scorecard.sources import ROOT

_COLOURS = {Reached.AIM: "green", Reached.MUST: "green", Reached.MISSED: "red", Reached.NOT_MEASURED: "yellow"}


def main(arguments: Sequence[str] | None = None, measures: Sequence[Measure] = MEASURES, root: Path = ROOT) -> int:
    """Run the scorecard; the exit status is 0 whatever was reached, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m scorecard", description=__doc__)
    parser.add_argument("--issue", type=int, help="only the bars of this issue")
    parser.add_argument("--only", metavar="NAME", help=f"only one of: {', '.join(map(name_of, measures))}")
    given = parser.parse_args(arguments)
    try:
        chosen = choose(measures, given.issue, given.only)
        entries = [entry for measure in chosen for entry in _run_and_say(measure, stdout_console())]
        declared = [_entry(bar.not_measured("not run yet"), None, None) for m in measures for bar in m.BARS]
        entries = record.merged(declared, record.read(root / "scorecard.json"), entries)
        record.write(root / "scorecard.json", entries)
        page.write(root / "docs" / "scorecard.md", entries)
    except UsageError as error:
        print(f"scorecard: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def choose(measures: Sequence[Measure], issue: int | None, only: str | None) -> list[Measure]:
    """The measures of an issue, of a name, or all.

    Raises:
        UsageError: there is none.
    """
    chosen = [
        measure
        for measure in measures
        if only in (None, name_of(measure)) and (issue is None or issue in {bar.issue for bar in measure.BARS})
    ]
    if not chosen:
        issues = sorted({bar.issue for measure in measures for bar in measure.BARS})
        raise UsageError(
            f"nothing to measure for issue {issue}, name {only}; "
            f"issues: {', '.join(map(str, issues))}; names: {', '.join(map(name_of, measures))}"
        )
    return chosen


def run(measure: Measure) -> list[Bar]:
    """Every bar that a measure declares, in that order: what it cannot give is missed or not measured, never passed."""
    try:
        given = {bar.name: bar for bar in measure.measure()}
    except NotMeasured as reason:
        return [bar.not_measured(str(reason)) for bar in measure.BARS]
    except FootprintError as error:
        return [bar.failed(str(error)) for bar in measure.BARS]
    except Exception as error:  # a broken measure is a loss of its bars, not of the others
        return [bar.failed(f"{type(error).__name__}: {error}") for bar in measure.BARS]
    return [given.get(bar.name, bar.failed(f"{name_of(measure)} gave no figure")) for bar in measure.BARS]


def _run_and_say(measure: Measure, console: Console) -> list[record.Entry]:
    condition, commit = machine.condition(), machine.commit()
    with progress_on_stderr().step(name_of(measure)):
        bars = run(measure)
    entries = [_entry(bar, condition, commit) for bar in bars]
    for bar, entry in zip(bars, entries, strict=True):
        limits = f"must {entry['must'] or '-'}, aim {entry['aim'] or '-'}"
        told = bar.note if bar.value is None else f"{page.figure(entry)}  ({limits})"
        console.print(f"[{_COLOURS[bar.reached]}]{bar.reached.value:<12}[/] {escape(bar.name)}: {escape(told)}")
    return entries


def _entry(bar: Bar, condition: dict[str, object] | None, commit: str | None) -> record.Entry:
    return {**bar.as_dict(), "machine": condition, "commit": commit}


if __name__ == "__main__":
    sys.exit(main())
