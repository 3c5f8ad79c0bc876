"""What `footprint leakage` prints: groups of measures as a table for a person and as plain values for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from footprint.app.leakage import InstrumentLeakage, Leakage
from footprint.app.wording import first_of
from footprint.impact.leakage.measure import Measure

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Group:
    """Measures under one title; `notes` hold for all of them."""

    title: str
    notes: tuple[str, ...]
    measures: tuple[Measure, ...]


def instrument_groups(found: InstrumentLeakage) -> list[Group]:
    """Adverse selection of one instrument, and its orders where they were measured."""
    size = f"{found.sessions} sessions, {found.market_orders:,} market orders"
    groups = [
        Group(
            f"{found.name}: adverse selection",
            (size, *found.cautions),
            (*found.adverse.curve.measures, *found.adverse.measures),
        )
    ]
    if found.orders is not None:
        said = (f"{found.orders.orders} orders measured, {found.orders.outside} outside the data", found.orders.source)
        groups.append(Group(f"{found.name}: leakage of orders", said, found.orders.measures))
    return groups


def groups(found: Leakage) -> list[Group]:
    """All groups: instruments, pairs of venues, sources of metaorders."""
    listed = [group for instrument in found.instruments for group in instrument_groups(instrument)]
    for pair in found.pairs:
        said = (f"shares of {pair.first}; those of {pair.second} are 1 minus them",)
        listed.append(Group(f"{pair.symbol}: price discovery of {pair.first} and {pair.second}", said, pair.measures))
    return listed + [
        Group(f"Metaorders of {check.source}", (f"on {first_of(found.broker_symbols)}",), check.measures)
        for check in found.brokers
    ]


def leakage_table(group: Group) -> Table:
    """One row a measure."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(group.title), title_justify="left")
    table.caption, table.caption_justify = escape("; ".join(group.notes)), "left"
    for header, options in (
        ("measure", {}), ("value", {"justify": "right"}), ("95 % interval", {"justify": "right", "no_wrap": True}),
        ("unit", {"max_width": 26}), ("rows", {"justify": "right"}), ("blocks", {"justify": "right"}),
        ("what it does not prove, or why there is none", {}),
    ):  # fmt: skip
        table.add_column(header, **options)
    for cells in group_cells(group):
        table.add_row(*map(escape, cells))
    return table


def group_cells(group: Group) -> list[tuple[str, ...]]:
    """Name, value, interval, unit, rows, blocks and sentence of each measure; one said just before is "as above"."""
    rows = [_cells(measure) for measure in group.measures]
    said = ["", *(row[-1] for row in rows)]
    return [(*row[:-1], "as above" if row[-1] == before else row[-1]) for row, before in zip(rows, said, strict=False)]


def _cells(measure: Measure) -> tuple[str, ...]:
    e = measure.estimate
    known = not measure.reason
    return (
        measure.name.replace("_", " "),
        _number(e.value),
        f"{_number(e.low)} to {_number(e.high)}" if known else "N/A",
        measure.unit,
        f"{e.n:,}",
        f"{e.blocks:,}" if known else "",
        measure.does_not_prove if known else measure.reason,
    )


def _number(value: float) -> str:
    return "N/A" if math.isnan(value) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def leakage_json(found: Leakage) -> dict[str, Any]:
    """The measures as plain values; nan is null."""
    return {
        "instruments": [
            {
                "symbol": i.symbol,
                "venue": i.venue,
                "sessions": i.sessions,
                "market_orders": i.market_orders,
                "cautions": list(i.cautions),
                "adverse_selection": measures_json((*i.adverse.curve.measures, *i.adverse.measures)),
                "order_leakage": None
                if i.orders is None
                else {
                    "source": i.orders.source,
                    "orders": i.orders.orders,
                    "outside_the_data": i.orders.outside,
                    "measures": measures_json(i.orders.measures),
                },
            }
            for i in found.instruments
        ],
        "price_discovery": [
            {"symbol": p.symbol, "venues": [p.first, p.second], "measures": measures_json(p.measures)}
            for p in found.pairs
        ],
        "metaorders": [
            {"source": c.source, "symbols": list(found.broker_symbols), "measures": measures_json(c.measures)}
            for c in found.brokers
        ],
        "too_few_market_orders": list(found.thin),
    }


def measures_json(measures: Iterable[Measure]) -> list[dict[str, Any]]:
    """One object a measure."""
    return [
        {
            "name": m.name,
            "unit": m.unit,
            "value": _finite(m.estimate.value),
            "low": _finite(m.estimate.low),
            "high": _finite(m.estimate.high),
            "rows": m.estimate.n,
            "blocks": m.estimate.blocks,
            "block_s": m.block_s,
            "does_not_prove": m.does_not_prove,
            "reason": m.reason or None,
        }
        for m in measures
    ]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def thin_line(thin: Sequence[str]) -> str:
    """Which instruments were left out; empty when none was."""
    return f"too few market orders to measure: {first_of(list(thin))}" if thin else ""
