"""Every number by which a day of events is judged, with its reason: the one place to look, and to change."""

from __future__ import annotations

from typing import NamedTuple


class Threshold(NamedTuple):
    """A limit, its unit and why it is what it is."""

    value: float
    unit: str
    why: str


TIME_GAP_SPACINGS = Threshold(
    10.0,
    "times the 99 % quantile of the spacing of messages",
    "a Poisson stream is silent for so long once in e^46 messages, and clustered streams of real venues hardly ever; "
    "a fixed number of seconds would find gaps in every quiet market and none in a busy one",
)
TIME_GAP_FLOOR_S = Threshold(
    1.0, "s", "shorter silences change no feature: the shortest window of a feature is a minute"
)
TIME_GAP_MIN_MESSAGES = Threshold(200, "messages", "fewer give no 99 % quantile worth the name")
MISSING_TIME_VOIDS = Threshold(
    0.25, "share of the span", "with a quarter of the time in gaps, volume and volatility of the day are not its own"
)
PARTIAL_DAY_S = Threshold(
    600.0, "s without data at either end of regular hours", "an opening auction may take minutes; ten are no auction"
)
DENSE_SEQUENCE = Threshold(
    0.90,
    "share of steps of 0 or 1",
    "a counter of this very stream steps by one but for losses; one that others share hardly ever does",
)
CROSSED_TIME_VOIDS = Threshold(
    0.05, "share of the time with both sides", "beyond this a book is wrong, not merely fast (as for rows)"
)
OUTSIDE_QUOTE_STALE = Threshold(
    0.10,
    "share of prints outside the quote before them",
    "prints through several levels and races of two feeds give a few per cent; beyond a tenth the quotes are late",
)
OUTSIDE_QUOTE_VOIDS = Threshold(
    0.30, "share of prints outside the quote before them", "the quote no longer says what a market order would have met"
)
QUOTE_RACE_S = Threshold(
    1.0,
    "s before and after a print",
    "large orders walk the book and feeds of one venue run apart, by milliseconds or by a tick of a coarse clock; "
    "a stale quote is older",
)
QUOTE_RACE_CHANGES = Threshold(
    100, "changes of the quote before and after a print", "bounds the search in a wild market"
)
NO_MID_NOTED = Threshold(
    0.05, "share of the time", "a mid that is missing for longer leaves holes in features that sample it"
)
UNKNOWN_ORDERS_VOIDS = Threshold(
    0.05,
    "share of changes that name an order",
    "queue positions are guesses when so many orders were never seen to join",
)
PLAUSIBLE_FIRST_YEAR = Threshold(1990, "year", "no electronic order data is older; a wrong unit lands far before it")
PLAUSIBLE_LAST_YEAR = Threshold(2100, "year", "a wrong unit lands far behind it")
MAX_REPAIR_S = Threshold(
    5.0, "s", "a clock that steps back further has been set, not jittered: raising times to repair it would invent them"
)
ENVELOPE_BLOCKS = Threshold(20, "blocks", "enough to see a drift that bends, few enough that each holds fast messages")
JACKKNIFE_BLOCKS = Threshold(
    6, "blocks", "few and long ones move an extreme enough: with 20 the intervals hold the truth in 86 % only"
)
ENVELOPE_MIN_MESSAGES = Threshold(100, "messages", "a lower envelope of fewer is their noise")
COVERAGE_MAX_BINS = Threshold(400, "bins", "as many as a chart can show; the width is the smallest round one that fits")
SPELLS_KEPT = Threshold(200, "spells", "the longest are listed and drawn; all are counted")


def thresholds() -> dict[str, Threshold]:
    """All of them by name, in the order of this file."""
    return {name: value for name, value in globals().items() if isinstance(value, Threshold)}
