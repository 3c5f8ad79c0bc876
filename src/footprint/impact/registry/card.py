"""The model card: one page for those who must approve, use or question a model, made from its record alone.

The order of the sections follows what model-risk and algorithm reviewers ask for (SR 26-2 of the Federal Reserve,
Article 9 of the EU's RTS 6): purpose and use, data, how it works, outcome analysis, limits, change control.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from footprint.impact.cost import total
from footprint.impact.registry.interface import Promotion
from footprint.impact.registry.run import Check, Run, Score, Tuned
from footprint.units import NS_PER_SECOND

PURPOSE = (
    "Forecasts, as a probability distribution, the price move and the cost of one block order before and during its "
    "execution, for people who plan, watch and review executions. It does not place orders and sets no limit."
)
LIMITS = (
    "Orders are rebuilt from public prints by synthetic traders, not real parent orders: the forecast is conditional "
    "on a plan, not a causal estimate of what an order of yours would do.",
    "The distribution includes the market's own move over the horizon.",
    "Outside the training range below, and for symbols it has not seen, answers come with lower confidence and the "
    "reason.",
    "Intervals of the scores take half hours of a market as independent; slower changes of the market are not in them.",
)
_SLICES_TOLD = 20


def model_card(run: Run, promotions: Sequence[Promotion] = ()) -> str:
    """The card as Markdown.

    Args:
        promotions: record of the run's scope; the lines that concern the run are told.
    """
    sections = (
        (f"Model {run.run_id}", _identity(run, promotions)),
        ("Purpose and use", [PURPOSE]),
        ("Data", _data(run)),
        ("Method and choices", _method(run)),
        ("Outcome analysis", _outcomes(run)),
        ("Limits", [f"- {limit}" for limit in LIMITS] + _range(run)),
        ("Change control", _changes(run, promotions)),
        ("Cost and versions", _costs(run)),
    )
    (title, head), *rest = sections
    parts = [f"# {title}", *head] + [line for name, lines in rest for line in ("", f"## {name}", "", *lines)]
    return "\n".join(parts) + "\n"


def _identity(run: Run, promotions: Sequence[Promotion]) -> list[str]:
    in_use = bool(promotions) and promotions[-1].after == run.run_id
    state = "champion" if in_use else "not in use"
    return [
        "",
        f"{run.card['model_id']} {run.card['model_version']}, made {_time(run.made_ns)}, targets {run.scope}, {state}.",
    ]


def _data(run: Run) -> list[str]:
    card = run.card
    first, last = _time(card["training_start_ns"]), _time(card["training_end_ns"])
    head = [
        f"{card['orders']:,} orders from {first} to {last}, definition {card['metaorders_version']}, "
        f"{card['feature_version']}, {card['rows_version']}.",
        f"SHA-256 of the training rows: `{run.data_sha256}`.",
        "",
    ]
    symbols = ((name, str(sessions), f"{orders:,}") for name, (sessions, orders) in sorted(card["symbols"].items()))
    return head + _table(("symbol", "sessions", "orders"), symbols)


def _method(run: Run) -> list[str]:
    choices = ["```json", json.dumps(run.parameters, indent=1), "```"]
    if not run.tuned:
        return ["No search of hyper-parameters was made for this run.", "", *choices]
    head = (
        "Hyper-parameters below were searched for on the walk-forward parts before the one named, by held-out CRPS in "
        "noise scales; the model's own values were the first trial of each search."
    )
    columns = ("kind", "target", "model", "before part", "trials", "CRPS", "own values", "chosen")
    return [head, "", *_table(columns, (_tuned_row(t) for t in run.tuned)), "", *choices]


def _tuned_row(t: Tuned) -> tuple[str, ...]:
    chosen = ", ".join(f"{name} {value:.4g}" for name, value in t.parameters.items())
    return (
        t.kind, t.target, t.model, str(t.before_part), str(t.trials), f"{t.loss:.4f}", f"{t.own_loss:.4f}", chosen
    )  # fmt: skip


def _outcomes(run: Run) -> list[str]:
    if not run.scores:
        return [f"No scores: {run.scored_on}."]
    whole = [s for s in run.scores if not s.slice]
    slices = [s for s in run.scores if s.slice]
    columns = ("kind", "target", "figure", "against", "value", "95 % interval", "orders", "blocks")
    lines = [f"Scored on {run.scored_on}.", "", *_table(columns, (_score_row(s) for s in whole))]
    if slices:
        worst = sorted(slices, key=lambda s: -abs(s.value - 90.0))[:_SLICES_TOLD]
        head = f"Coverage of the 90 % band by slice, the {len(worst)} of {len(slices)} farthest from 90 % first:"
        rows = ((s.kind, s.target, s.slice, f"{s.value:.1f}", _interval(s), f"{s.n:,}") for s in worst)
        lines += ["", head, "", *_table(("kind", "target", "slice", "value", "95 % interval", "orders"), rows)]
    return lines + _checks(run)


def _checks(run: Run) -> list[str]:
    """What the forecasts say of the scored outcomes as a whole, beside what they were."""
    if not run.checks:
        return []
    head = (
        "Predictive checks: figures of the scored outcomes beside those of data sets drawn from their forecasts; p is "
        "the share of the data sets whose figure is at least as large, near 0 or 1 the model misses it. Clusters of "
        "volatility are not drawn, so that p of the sd and of the tails is a little too extreme."
    )
    columns = ("kind", "target", "figure", "observed", "predicted", "90 % of the data sets", "p")
    return ["", head, "", *_table(columns, (_check_row(c) for c in run.checks))]


def _check_row(c: Check) -> tuple[str, ...]:
    drawn = f"{_figure(c.low)} to {_figure(c.high)}"
    return c.kind, c.target, c.statistic, _figure(c.observed), _figure(c.median), drawn, f"{c.p:.3f}"


def _figure(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "N/A"


def _score_row(s: Score) -> tuple[str, ...]:
    return (
        s.kind, s.target, s.metric, s.against or "-", _number(s.value), _interval(s), f"{s.n:,}", str(s.blocks)
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "N/A"


def _interval(s: Score) -> str:
    return f"{s.low:.2f} to {s.high:.2f}" if math.isfinite(s.low + s.high) else "N/A"


def _range(run: Run) -> list[str]:
    names = ("participation_range", "horizon_range_s", "children_range")
    (p_low, p_high), (h_low, h_high), (c_low, c_high) = (run.card[name] for name in names)
    return [
        "",
        f"Training range (99 % of orders): {100 * p_low:.4f} to {100 * p_high:.2f} % of a usual day's volume, "
        f"{h_low:.0f} to {h_high:.0f} s, {c_low:.0f} to {c_high:.0f} child orders.",
    ]


def _changes(run: Run, promotions: Sequence[Promotion]) -> list[str]:
    mine = [p for p in promotions if run.run_id in (p.before, p.after)]
    if not mine:
        return ["Never promoted."]
    rows = (
        (str(p.number), _time(p.at_ns), p.action, p.before or "-", p.after, _cell(p.by), _cell(p.why)) for p in mine
    )
    return _table(("number", "when", "action", "from", "to", "by", "why"), rows)


def _costs(run: Run) -> list[str]:
    rows = [
        (name, f"{c.wall_s:.1f}", f"{c.cpu_s:.1f}", f"{c.peak_bytes / 1e6:.0f}")
        for name, c in (*run.costs.items(), ("all steps, some side by side", total(run.costs.values())))
    ]
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return [*_table(("step", "wall s", "CPU s", "peak MB of a process"), rows), "", f"Made with {versions}."]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
