"""`footprint audit`: the verdict of every file and the quality of every day in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from footprint.app.progress import NullProgress, ProgressDisplay
from footprint.data import formats
from footprint.data.quality.day import DayQuality, day_quality
from footprint.data.quality.findings import merged_findings, quality_findings
from footprint.data.verdict import Analysis, FileVerdict, Finding, Verdict
from footprint.errors import DataRefused, UsageError


@dataclass(frozen=True, slots=True)
class Audit:
    """What is to be said of some paths.

    Attributes:
        verdicts: one a file, in the order of the files; what the days of a file show is among its findings.
        days: one a session of the files that are not refused, in the order of the files.
        unmeasured: why a file has no day: refused with its chain, a table, nothing in it.
    """

    verdicts: tuple[FileVerdict, ...]
    days: tuple[DayQuality, ...]
    unmeasured: Mapping[Path, str] = field(default_factory=dict)


def verdict_word(verdict: FileVerdict) -> str:
    """The verdict; a file that no reader knows and that the folder around it brought along is ignored."""
    word = verdict.verdict.value
    return "ignored" if not verdict.source and word == "accepted" else word


def audit_paths(paths: Sequence[str | Path], progress: ProgressDisplay | None = None) -> Audit:
    """Audit files, then read those that are not refused and measure each day. One session is in memory at a time.

    Raises:
        UsageError: a path does not exist or cannot be read, or a forced format is unknown.
    """
    progress = progress or NullProgress()
    with progress.step("auditing"):
        verdicts = formats.audit(paths)
    days: list[DayQuality] = []
    found: dict[Path, list[tuple[Finding, ...]]] = defaultdict(list)
    unmeasured: dict[Path, str] = {}
    chains = _chains(verdicts)
    for chain in progress.track(chains, "measuring", len(chains)):
        try:
            for quality in _qualities(chain, paths):
                days.append(quality)
                findings = quality_findings(quality)
                for path in quality.paths:
                    found[path].append(_named(findings, quality))
        except DataRefused as error:
            for verdict in chain:
                found[verdict.path].append((Finding.of_refusal(error),))
        except UsageError as error:
            unmeasured |= {verdict.path: str(error) for verdict in chain}
    seen = tuple(
        replace(v, findings=merged_findings(v.findings, _joined(found[v.path]))) if v.path in found else v
        for v in verdicts
    )
    return Audit(seen, tuple(days), unmeasured)


def _chains(verdicts: Sequence[FileVerdict]) -> list[list[FileVerdict]]:
    """Files that are read together, without those that hold a refused one and those that no reader knows."""
    chains: dict[tuple[str, str], list[FileVerdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.source:
            chains[verdict.source, verdict.chain or str(verdict.path)].append(verdict)
    return [chain for chain in chains.values() if all(v.verdict is not Verdict.REFUSED for v in chain)]


def _qualities(chain: Sequence[FileVerdict], given: Sequence[str | Path]) -> Iterator[DayQuality]:
    for session in formats.sessions([_as_given(v.path, given) for v in chain], verdicts=chain):
        quality = day_quality(session)
        if quality is not None:
            yield quality


def _as_given(path: Path, given: Sequence[str | Path]) -> str:
    """The file with the format or mapping that was given for it or for the folder around it."""
    for text in map(str, given):
        prefix, colon, rest = text.partition(":")
        if colon and not Path(text).exists() and (path == Path(rest) or Path(rest) in path.parents):
            return f"{prefix}:{path}"
    return str(path)


def _named(findings: Sequence[Finding], quality: DayQuality) -> tuple[Finding, ...]:
    """The findings of a day with the instrument and day in front, for a file that holds several."""
    return tuple(replace(f, text=f"{quality.symbol} {quality.day}: {f.text}") for f in findings)


def _joined(days: Sequence[Sequence[Finding]]) -> list[Finding]:
    """One finding a code for all days of a file; an analysis is void when it is void in every one of them."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for findings in days:
        for finding in findings:
            by_code[finding.code].append(finding)
    return [_one(findings, len(days)) for findings in by_code.values()]


def _one(findings: Sequence[Finding], days: int) -> Finding:
    first = findings[0]
    if days == 1:
        return replace(first, text=first.text.partition(": ")[2]) if not first.refuses else first
    in_all = [set(f.voids) for f in findings] if len(findings) == days else [set[Analysis]()]
    voids = set.intersection(*in_all)
    text = (
        first.text if len(findings) == 1 else f"{first.text} (and in {len(findings) - 1:,} more of {days:,} sessions)"
    )
    return replace(
        first, text=text, count=sum(f.count for f in findings), voids=tuple(a for a in Analysis if a in voids)
    )
