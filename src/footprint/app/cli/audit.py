"""`footprint audit`: may these files be used, and what for?"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from footprint.app.cli.options import Json, Paths

if TYPE_CHECKING:
    from rich.table import Table

    from footprint.data.verdict import FileVerdict, Finding

Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Also write an HTML report with a chart of every day.")
]

_COLOURS = {"accepted": "green", "limited": "yellow", "refused": "red", "ignored": "dim"}


def audit(paths: Paths, as_json: Json = False, report: Report = None) -> None:
    """Give each file a verdict: accepted, limited (with the analyses that become void) or refused, with reasons.

    The reasons include what the days in it show: gaps, crossed and locked spells, stale quotes, clocks.
    """
    from footprint.app.auditing import audit_paths
    from footprint.app.files import check_writable
    from footprint.app.progress import progress_on_stderr
    from footprint.data.verdict import Verdict
    from footprint.errors import DataRefused

    if report is not None:
        check_writable(report)
    seen = audit_paths(paths, progress_on_stderr())
    if as_json:
        from footprint.app.audit_json import quality_json

        plain = audit_json(seen.verdicts) | {"days": [quality_json(day) for day in seen.days]}
        typer.echo(json.dumps(plain, indent=2, allow_nan=False))
    else:
        from footprint.app.console import stdout_console

        console = stdout_console()
        if seen.verdicts:
            console.print(audit_table(seen.verdicts))
        console.print(summary_line(seen.verdicts))
    if report is not None:
        from footprint.app.audit_report import write_audit_report

        write_audit_report(report, seen, summary_line(seen.verdicts))
    if any(v.verdict is Verdict.REFUSED for v in seen.verdicts):
        raise typer.Exit(DataRefused.exit_status)


def audit_json(verdicts: Sequence[FileVerdict]) -> dict[str, Any]:
    """The verdicts as plain values: `files` in the order given, and `summary` with the number of each verdict."""
    from footprint.app.auditing import verdict_word

    return {
        "files": [
            {
                "path": str(v.path),
                "format": v.source,
                "symbol": v.symbol,
                "chain": v.chain,
                "verdict": verdict_word(v),
                "voids": [a.value for a in v.voids],
                "findings": [
                    {
                        "code": f.code,
                        "text": f.text,
                        "count": int(f.count),
                        "refuses": f.refuses,
                        "voids": [a.value for a in f.voids],
                    }
                    for f in v.findings
                ],
                "counts": {name: int(count) for name, count in v.counts.items()},
            }
            for v in verdicts
        ],
        "summary": _tally(verdicts),
    }


def audit_table(verdicts: Sequence[FileVerdict]) -> Table:
    """One row a file; what refuses it or voids an analysis stands above what is only worth knowing.

    Ignored files stand below the table.
    Of findings of one kind the first three are shown, and of files of one chain that say the same the first says it.
    """
    from rich.markup import escape
    from rich.table import Table

    from footprint.app.auditing import verdict_word
    from footprint.app.wording import first_of

    folder = os.path.commonpath([os.path.abspath(v.path.parent) for v in verdicts]) if verdicts else ""
    table = Table(title=f"in {escape(folder)}", title_justify="left", show_lines=True)
    table.add_column("file", overflow="fold", max_width=48)
    table.add_column("format", overflow="fold")
    table.add_column("symbol", overflow="fold", max_width=24)
    table.add_column("verdict", no_wrap=True)
    table.add_column("reasons")
    table.add_column("void analyses", max_width=24)
    ignored = [os.path.relpath(v.path, folder) for v in verdicts if verdict_word(v) == "ignored"]
    if ignored:
        table.caption, table.caption_justify = escape(f"no known format, ignored: {first_of(ignored)}"), "left"
    told: dict[tuple[str, str, tuple[str, ...]], str] = {}
    for v in verdicts:
        if verdict_word(v) == "ignored":
            continue
        name, reasons = os.path.relpath(v.path, folder), tuple(_reasons(v))
        said_by = told.setdefault((v.source, v.chain or name, reasons), name)
        table.add_row(
            escape(name),
            escape(v.source),
            escape(first_of(v.symbols)),
            f"[{_COLOURS[verdict_word(v)]}]{verdict_word(v)}",
            escape("\n".join(reasons) if said_by == name else f"as {said_by}"),
            ", ".join(a.value for a in v.voids),
        )
    return table


def summary_line(verdicts: Sequence[FileVerdict]) -> str:
    """For example: 12 files: 8 accepted, 3 limited, 1 refused."""
    from footprint.data.verdict import counted

    return f"{counted(len(verdicts), 'files')}: " + ", ".join(
        f"{count} {name}" for name, count in _tally(verdicts).items()
    )


def _tally(verdicts: Sequence[FileVerdict]) -> dict[str, int]:
    from footprint.app.auditing import verdict_word

    seen = Counter(map(verdict_word, verdicts))
    return {word: seen[word] for word in _COLOURS if seen[word] or word != "ignored"}


def _reasons(verdict: FileVerdict) -> Iterator[str]:
    """A line a finding, the first MOST_NAMED of each kind."""
    from footprint.app.wording import MOST_NAMED

    shown: Counter[str] = Counter()
    kinds = Counter(f.code for f in verdict.findings)
    weight = {f.code: (not f.refuses, not f.voids, at) for at, f in reversed(list(enumerate(verdict.findings)))}
    for finding in sorted(verdict.findings, key=lambda f: (not f.refuses, not f.voids, weight[f.code])):
        shown[finding.code] += 1
        if shown[finding.code] <= MOST_NAMED:
            yield _reason(verdict, finding)
        elif shown[finding.code] == kinds[finding.code]:
            yield f"and {kinds[finding.code] - MOST_NAMED:,} more of this kind: {finding.code.replace('_', ' ')}"


def _reason(verdict: FileVerdict, finding: Finding) -> str:
    """The text without the file it stands beside, and how often unless the text says so itself."""
    text = finding.text.removeprefix(f"{verdict.path}: ").removeprefix(f"{verdict.path}, ")
    told = finding.count == 1 or re.search(rf"\b{finding.count}\b", text.replace(",", "")) is not None
    return text if told else f"{text} ({finding.count:,} times)"
