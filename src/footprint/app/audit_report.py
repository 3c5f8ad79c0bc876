"""The HTML page of an audit: verdicts with their reasons, then every day with its coverage, holes and clocks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from footprint.app.audit_plots import clock_figure, coverage_strips, day_figure
from footprint.app.auditing import Audit, verdict_word
from footprint.app.report import Cell, Section, Table, write_report
from footprint.app.wording import first_of
from footprint.data.clocks import ClockFit, Interval
from footprint.data.quality.day import DayQuality
from footprint.data.quality.findings import quality_findings
from footprint.data.quality.spells import Spells
from footprint.data.quality.thresholds import thresholds
from footprint.data.verdict import FileVerdict
from footprint.units import NS_PER_MINUTE, NS_PER_SECOND

MAX_DRAWN = 40  # days with figures of their own: a browser opens a page of so many at once
MAX_LISTED = 400  # days in the table


def write_audit_report(path: Path, audit: Audit, summary: str) -> None:
    """Write the page.

    Args:
        summary: one line on how many files have which verdict.

    Raises:
        UsageError: the folder of `path` does not exist.
    """
    write_report(path, "Audit", audit_sections(audit), summary)


def audit_sections(audit: Audit) -> list[Section]:
    """Files, days (the MAX_LISTED with most events), each day (the MAX_DRAWN), counts, thresholds."""
    sections = [_files(audit), _reasons(audit)]
    if audit.days:
        drawn = _largest(audit.days, MAX_DRAWN)
        sections.append(_days(audit.days, drawn))
        sections += [_day(day) for day in drawn]
    return [*sections, _counts(audit), _thresholds()]


def _largest(days: Sequence[DayQuality], most: int) -> list[DayQuality]:
    """The days with most events, in their order."""
    chosen = sorted(range(len(days)), key=lambda k: -days[k].events)[:most]
    return [days[k] for k in sorted(chosen)]


def _files(audit: Audit) -> Section:
    rows: list[list[Cell]] = [
        [_name(v), v.source, first_of(v.symbols), verdict_word(v), ", ".join(a.value for a in v.voids)]
        for v in audit.verdicts
    ]
    return Section("Files", (), Table(("file", "format", "symbol", "verdict", "void analyses"), rows))


def _reasons(audit: Audit) -> Section:
    rows: list[list[Cell]] = []
    for verdict in audit.verdicts:
        for finding in sorted(verdict.findings, key=lambda f: (not f.refuses, not f.voids)):
            weight = "refuses" if finding.refuses else ", ".join(a.value for a in finding.voids)
            text = finding.text.removeprefix(f"{verdict.path}: ").removeprefix(f"{verdict.path}, ")
            rows.append([_name(verdict), finding.code.replace("_", " "), text, int(finding.count), weight])
        if verdict.path in audit.unmeasured:
            rows.append([_name(verdict), "not measured", audit.unmeasured[verdict.path], 1, ""])
    return Section("Reasons", (), Table(("file", "finding", "what was seen", "times", "makes void"), rows))


def _counts(audit: Audit) -> Section:
    rows: list[list[Cell]] = [
        [_name(v), ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in v.counts.items())]
        for v in audit.verdicts
        if v.counts
    ]
    return Section("Counts", ("What was read and what was dropped, by reason.",), Table(("file", "counts"), rows))


def _name(verdict: FileVerdict) -> str:
    """The file with the folder around it: enough to tell files of one name apart."""
    return os.path.join(verdict.path.parent.name, verdict.path.name)


def _days(days: Sequence[DayQuality], drawn: Sequence[DayQuality]) -> Section:
    headers = ("day", "events", "prints", "silent, s", "crossed, s", "locked, s", "one side empty, s", "halted, s",
               "no mid, %", "prints off the quote, %", "latency, ms")  # fmt: skip
    listed = _largest(days, MAX_LISTED)
    rows: list[list[Cell]] = [
        [
            f"{day.symbol} {day.day}",
            day.events,
            day.prints,
            day.time_gaps.total_s,
            *((s.total_s if day.has_book else None) for s in (day.crossed, day.locked, day.one_sided)),
            day.halts.total_s,
            _percent(day.no_mid_share),
            _percent(day.against_quote.share(day.against_quote.outside)),
            day.clock_fit.median_ms if day.clock_fit else None,
        ]
        for day in listed
    ]
    text = [] if len(drawn) == len(days) else [f"The {len(drawn)} days with most events are drawn."]
    if len(listed) < len(days):
        text.append(f"The {len(listed)} of {len(days):,} days with most events are listed, --json has all of them.")
    return Section("Days", text, Table(headers, rows), [coverage_strips(drawn)])


def _percent(share: float) -> float | None:
    return None if share != share else 100.0 * share


def _day(day: DayQuality) -> Section:
    findings = [f"{f.code}: {f.text}" + (f" ({f.count:,})" if f.count > 1 else "") for f in quality_findings(day)]
    figures = [day_figure(day)] + ([clock_figure(day.clock_fit)] if day.clock_fit else [])
    files = ", ".join(path.name for path in day.paths)
    width_s = day.coverage.width_ns / NS_PER_SECOND
    width = f"{width_s:g} s" if day.coverage.width_ns < NS_PER_MINUTE else f"{width_s / 60:g} min"
    text = (f"{files}. Bins of {width}.", *(findings or ("Nothing to note.",)))
    return Section(f"{day.symbol} {day.day} {day.venue}", text, Table(("measure", "value"), _measures(day)), figures)


def _measures(day: DayQuality) -> list[list[Cell]]:
    rows: list[tuple[str, str]] = [
        ("events, messages, prints", f"{day.events:,}, {day.messages:,}, {day.prints:,}"),
        ("silences", _spells(day.time_gaps) + f"; limit {day.time_gap_limit_s:,.1f} s"),
    ]
    if day.has_book:
        rows += [
            ("crossed", _spells(day.crossed)),
            ("locked", _spells(day.locked)),
            ("one side empty", _spells(day.one_sided)),
        ]
    if day.halts.count:
        rows.append(("halts", _spells(day.halts)))
    for sequence in day.sequences:
        held = f"{sequence.gaps:,} gaps, {sequence.missing:,} missing" if sequence.dense else "counts more than this"
        rows.append((f"numbers of {sequence.channel}", f"median step {sequence.median_step:,.0f}: {held}"))
    rows.append(("repeated messages", "cannot be told: not numbered" if day.repeated is None else f"{day.repeated:,}"))
    if day.order_ids is not None:
        ids = day.order_ids
        rows.append(
            (
                "order ids",
                f"{ids.adds:,} adds ({ids.duplicate:,} twice), {ids.changes:,} changes, {ids.unknown:,} unknown",
            )
        )
    against = day.against_quote
    if against.prints:
        text = f"{against.outside:,} of {against.prints:,} off every quote around, {against.moving:,} while it moved"
        rows.append(("prints against the quote", f"{text}; last change {against.median_age_s:.3f} s before (median)"))
    for name, clock in (("exchange", day.exchange_clock), ("receive", day.receive_clock)):
        if clock.known:
            rows.append((f"{name} clock", f"resolves {_unit(clock.resolution_ns)}, goes back {clock.back:,} times"))
    return [list(row) for row in [*rows, *_clock_rows(day.clock_fit)]]


def _spells(spells: Spells) -> str:
    return f"{spells.count:,}, {spells.total_s:,.3f} s in all, longest {spells.longest_s:,.3f} s"


def _unit(resolution_ns: int) -> str:
    return {1: "1 ns", 1000: "1 us", 1_000_000: "1 ms"}.get(resolution_ns, "1 s")


def _clock_rows(fit: ClockFit | None) -> list[tuple[str, str]]:
    if fit is None:
        return []
    return [
        ("offset and shortest transit", _interval(fit.offset_ms, "ms")),
        ("drift of the receive clock", _interval(fit.drift_ppm, "ppm")),
        ("latency", f"median {fit.median_ms:,.3f} ms, 99 % {fit.p99_ms:,.3f} ms, negative {fit.negative_share:.2%}"),
        ("over the envelope", f"median {fit.above_envelope_median_ms:,.3f} ms, misfit {fit.misfit_ms:,.3f} ms"),
    ]


def _interval(value: Interval, unit: str) -> str:
    return f"{value.value:,.3f} {unit} ({value.low:,.3f} to {value.high:,.3f})"


def _thresholds() -> Section:
    rows: list[list[Cell]] = [
        [name.lower().replace("_", " "), f"{t.value:g} {t.unit}", t.why] for name, t in thresholds().items()
    ]
    return Section("Thresholds", (), Table(("threshold", "value", "why"), rows))
