"""What the measured quality of a day means: findings in the words of an audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from footprint.data.quality import thresholds
from footprint.data.quality.day import Clock, DayQuality
from footprint.data.quality.spells import Spells
from footprint.data.verdict import Analysis, Finding
from footprint.units import NS_PER_MILLISECOND, NS_PER_SECOND

_BOOK_VOIDS = (Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)

# a reader that says one of these of its own format has said what the finding would say
_SAID_BY: dict[str, tuple[str, ...]] = {
    "sequence_gap": ("gap", "trade_gap", "sequence_gaps"),
    "sparse_sequence": ("thinned", "sampled"),
    "unknown_orders": ("no_snapshot", "unknown_order_ids", "unknown_cancels", "unknown_fills", "unknown_updates"),
    "repeated_messages": ("repeated_rows",),
    "quotes_not_at_prints": ("stale_quotes",),
    "exchange_clock_back": ("clock_repaired",),
    "receive_before_exchange": ("clock_repaired",),
}

# Readers that follow the venue's own numbers by its own rule (ranges, previous ids, a counter of the whole channel):
# the plain count of steps would call their numbers sparse or lost where nothing is.
_NUMBERS_FOLLOWED_BY_READER = frozenset({"binance", "databento", "frames", "iex"})


def merged_findings(said: Sequence[Finding], seen: Iterable[Finding]) -> tuple[Finding, ...]:
    """What a reader said, and what the events show beyond it: one thing is said once."""
    codes = {finding.code for finding in said}
    fresh = []
    for finding in seen:
        if finding.code not in codes and not codes.intersection(_SAID_BY.get(finding.code, ())):
            fresh.append(finding)
    return (*said, *fresh)


def quality_findings(quality: DayQuality) -> tuple[Finding, ...]:
    """Everything about the day that is not as it should be, in a fixed order."""
    found = [
        *_gaps(quality),
        *([] if quality.source in _NUMBERS_FOLLOWED_BY_READER else _sequences(quality)),
        *_clocks(quality),
        *_books(quality),
        *_quotes(quality),
        *_orders(quality),
    ]
    return tuple(finding for finding in found if finding is not None)


def _gaps(q: DayQuality) -> list[Finding | None]:
    void = (Analysis.FORECAST, Analysis.LAW)
    lost_s = q.time_gaps.total_s
    late, early = q.missing_open_s, q.missing_close_s
    partial = late > thresholds.PARTIAL_DAY_S.value or early > thresholds.PARTIAL_DAY_S.value
    return [
        _spell_finding(
            "time_gap",
            q.time_gaps,
            "nothing was received",
            void if lost_s > thresholds.MISSING_TIME_VOIDS.value * q.span_s else (),
        ),
        Finding("partial_day", f"the data begin {late:,.0f} s after the open and end {early:,.0f} s before the close")
        if partial
        else None,
        _spell_finding("halt", q.halts, "trading was halted, or the book unknown,", ()),
    ]


def _spell_finding(code: str, spells: Spells, what: str, voids: tuple[Analysis, ...]) -> Finding | None:
    if not spells.count:
        return None
    worst = spells.longest[(spells.longest["end_ns"] - spells.longest["start_ns"]).argmax()]
    text = f"row {worst['row']}: {what} for {spells.longest_s:,.3f} s"
    if spells.count > 1:
        text += f", the longest of {spells.count:,} times, {spells.total_s:,.3f} s in all"
    return Finding(code, text, spells.count, voids=voids)


def _sequences(q: DayQuality) -> list[Finding | None]:
    found: list[Finding | None] = []
    for sequence in q.sequences:
        if sequence.gaps:
            text = f"row {sequence.first_gap_row}: {_numbers(sequence.channel)} are missing, "
            found.append(Finding("sequence_gap", text + f"{sequence.missing:,} in all", sequence.gaps))
        if sequence.dense and sequence.back:
            text = f"{_numbers(sequence.channel)} go back"
            found.append(Finding("sequence_back", text, sequence.back))
    sparse = [s for s in q.sequences if not s.dense]
    if sparse:
        steps = ", ".join(f"{s.channel} by {s.median_step:,.0f}" for s in sparse)
        text = f"message numbers do not step by one ({steps} in the median): thinned, or a counter of more than these "
        found.append(Finding("sparse_sequence", text + "messages; losses cannot be seen in them"))
    if q.repeated:
        text = f"row {q.first_repeated_row}: equal to a message shortly before it"
        found.append(Finding("repeated_messages", text, q.repeated))
    return found


def _numbers(channel: str) -> str:
    return "message numbers" + (f" of {channel}" if channel != "all" else "")


def _clocks(q: DayQuality) -> list[Finding | None]:
    found: list[Finding | None] = []
    for name, clock in (("exchange", q.exchange_clock), ("receive", q.receive_clock)):
        found += _clock(name, clock)
    fit = q.clock_fit
    if fit is not None and fit.negative:
        text = f"{fit.negative} of {fit.messages} messages received before they happened; receive minus exchange time "
        text += f"is {fit.median_ms:.3f} ms in the median, its lower envelope {fit.offset_ms.value:.3f} ms, "
        text += "allowed: at least 0 (kept as they are)"
        found.append(Finding("receive_before_exchange", text, fit.negative, voids=(Analysis.LATENCY,)))
    return found


def _clock(name: str, clock: Clock) -> list[Finding | None]:
    found: list[Finding | None] = []
    if clock.back:
        text = f"the {name} clock goes back, by up to {clock.most_back_ns / NS_PER_SECOND:g} s, in order of arrival "
        found.append(Finding(f"{name}_clock_back", text + "(kept as it is)", clock.back))
    if clock.implausible:
        first, last = int(thresholds.PLAUSIBLE_FIRST_YEAR.value), int(thresholds.PLAUSIBLE_LAST_YEAR.value)
        text = f"{name} times before {first} or after {last}: the unit or the epoch is wrong"
        found.append(Finding(f"{name}_time_implausible", text, clock.implausible, voids=tuple(Analysis)))
    if clock.resolution_ns >= NS_PER_MILLISECOND:
        unit = "1 s" if clock.resolution_ns >= NS_PER_SECOND else "1 ms"
        text = f"{name} times are multiples of {unit}: the order within one is that of the file"
        found.append(Finding(f"coarse_{name}_clock", text))
    return found


def _books(q: DayQuality) -> list[Finding | None]:
    if not q.has_book:
        return []
    crossed_share = q.crossed.total_s / q.span_s if q.span_s > 0 else 0.0
    found = [
        _spell_finding(
            "crossed_book",
            q.crossed,
            "best bid above best ask",
            _BOOK_VOIDS if crossed_share > thresholds.CROSSED_TIME_VOIDS.value else (),
        ),
        _spell_finding("locked_book", q.locked, "best bid equal to best ask", ()),
        _spell_finding("empty_side", q.one_sided, "a side is empty", ()),
    ]
    if q.no_mid_share > thresholds.NO_MID_NOTED.value:
        found.append(Finding("mid_missing", f"no valid mid in {q.no_mid_share:.1%} of the time"))
    return found


def _quotes(q: DayQuality) -> list[Finding | None]:
    against = q.against_quote
    share = against.share(against.outside)
    if not share > thresholds.OUTSIDE_QUOTE_STALE.value:
        return []
    text = f"{share:.0%} of {against.prints} prints lie outside every quote within "
    text += f"{thresholds.QUOTE_RACE_S.value:g} s of them: the quotes are stale "
    text += f"(last change {against.median_age_s:.1f} s before a print in the median)"
    void = (Analysis.DEPTH, Analysis.QUEUE) if share > thresholds.OUTSIDE_QUOTE_VOIDS.value else ()
    return [Finding("quotes_not_at_prints", text, against.outside, voids=void)]


def _orders(q: DayQuality) -> list[Finding | None]:
    ids = q.order_ids
    if ids is None:
        return []
    found: list[Finding | None] = []
    if ids.unknown:
        void = (Analysis.QUEUE,) if ids.unknown > thresholds.UNKNOWN_ORDERS_VOIDS.value * ids.changes else ()
        text = f"row {ids.first_unknown_row}: {ids.unknown} of {ids.changes} changes name an order that is not there"
        found.append(Finding("unknown_orders", text, ids.unknown, voids=void))
    if ids.duplicate:
        text = f"row {ids.first_duplicate_row}: an order joins that is there already"
        found.append(Finding("duplicate_orders", text, ids.duplicate))
    if ids.oversized:
        found.append(Finding("oversized_fills", "more is cancelled or filled than is left of the order", ids.oversized))
    return found
