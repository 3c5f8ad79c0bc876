"""The benchmark as one self-contained HTML page and one table in Markdown, both made from results.json alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from footprint.app import benchmark_plots as plots
from footprint.app.benchmark_document import BENCHMARK, Document
from footprint.app.benchmark_table import markdown
from footprint.app.files import replacing
from footprint.app.report import Section, Table, write_report
from footprint.errors import UsageError
from footprint.impact.evaluation.information import ARRIVAL, NO_DURATION
from footprint.impact.evaluation.learning_curve import OVER_PARTS, OVER_SYMBOLS
from footprint.impact.evaluation.line_up import PRODUCT

HTML, MARKDOWN = "benchmark.html", "benchmark.md"
_TARGETS = ("peak", "shortfall", "shift_300", "shift_600")
_REFERENCE = {"shortfall": "square_root_spread"}  # of the others: the diffusive square root
_RELIABILITY = (PRODUCT, "square_root_spread", "square_root_diffusive")

Row = Mapping[str, Any]


def write(document: Document, folder: Path) -> None:
    """Write benchmark.html and benchmark.md into a folder, which is made when it is absent.

    Raises:
        UsageError: the folder cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is no folder")
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / MARKDOWN) as partial:
        partial.write_text(f"# {BENCHMARK}\n\n{markdown(document)}")
    write_report(folder / HTML, BENCHMARK, list(sections(document)), _subtitle(document))


def sections(document: Document) -> Iterator[Section]:
    """The page's parts; those without figures are left out."""
    rows: list[Row] = document["rows"]
    own = [r for r in rows if r["seed"] == 0]
    pool = [r for r in own if r["data"] == "pool" and not r["slice"]]
    for split, information, title in (
        ("walk_forward", ARRIVAL, "Walk-forward, arrival information"),
        ("walk_forward", NO_DURATION, "Walk-forward, without a planned duration"),
        ("strict_calendar", ARRIVAL, "Strict calendar order"),
        ("unseen_symbol", ARRIVAL, "Unseen symbols"),
        ("unseen_market", ARRIVAL, "Unseen markets"),
        ("in_flight_25", "F25", "In flight, a quarter done"),
        ("in_flight_50", "F50", "In flight, half done"),
        ("in_flight_75", "F75", "In flight, three quarters done"),
    ):
        figures = list(_skill_figures(pool, split, information))
        if figures:
            yield Section(title, (), None, figures)
    calibration = list(_calibration_figures(own))
    if calibration:
        text = (
            "Intervals are from block bootstrap. Thirds of size and volatility are those of each tape; white is the "
            "nominal 90 %, orange covers too little, blue too much.",
        )
        yield Section("Calibration of the product's forecast", text, None, calibration)
    learning = list(_learning_figures(pool))
    if learning:
        yield Section("Learning curves", ("The same test orders, forecast from ever more data.",), None, learning)
    regret = [r for r in pool if r["metric"] == "crps_regret_percent"]
    if regret:
        yield _planted_section(pool, regret)
    seeds = [r for r in rows if r["seed"] is None and "crps_skill_vs_best" in r["metric"]]
    if seeds:
        lines = [(r["split"], r["target"], r["model"], r["value"], r["low"], r["high"], r["n"]) for r in seeds]
        headers = ("split", "target", "model", "mean skill vs best parametric %", "smallest", "largest", "seeds")
        yield Section("Over the seeds of the assignment", (), Table(headers, lines))
    yield _cost_section(document)


def _subtitle(document: Document) -> str:
    p = document["protocol"]
    return f"{p['version']}, package {p['package_version']}, {len(p['tapes'])} tapes: {', '.join(p['tapes'])}"


def _skill_figures(pool: Sequence[Row], split: str, information: str) -> Iterator[Any]:
    for target in _TARGETS:
        reference = _REFERENCE.get(target, "square_root_diffusive")
        metric = f"crps_skill_vs_{reference}_percent"
        wanted = {"split": split, "information": information, "target": target, "metric": metric}
        found = [r for r in pool if wanted.items() <= r.items() and r["low"] is not None]
        if found:
            yield plots.skill_bars(found, f"{target}: CRPS skill against {reference}")


def _calibration_figures(own: Sequence[Row]) -> Iterator[Any]:
    forward = [r for r in own if (r["split"], r["information"]) == ("walk_forward", ARRIVAL)]
    for target in _TARGETS[:2]:
        mine = [r for r in forward if r["target"] == target]
        product = [r for r in mine if r["model"] == PRODUCT]
        pit = [r for r in product if r["metric"] == "pit_share_percent"]
        if pit:
            yield plots.pit_bars(pit, f"{target}: probability integral transform")
        curves = {model: _pairs(mine, model) for model in _RELIABILITY}
        curves = {model: pairs for model, pairs in curves.items() if pairs}
        if curves:
            yield plots.reliability_curve(curves, f"{target}: reliability of P(> 10 bps)")
        cells = [r for r in product if r["metric"] == "slice_coverage_90_percent"]
        if cells:
            yield plots.coverage_map(cells, f"{target}: coverage of the 90 % band by size, volatility and tape")


def _pairs(rows: Sequence[Row], model: str) -> list[tuple[Row, Row]]:
    said, came = (
        {r["slice"]: r for r in rows if (r["model"], r["metric"]) == (model, f"{word}_above_10bps_percent")}
        for word in ("predicted", "observed")
    )
    return [(said[name], came[name]) for name in said if name in came]


def _learning_figures(pool: Sequence[Row]) -> Iterator[Any]:
    for prefix, axis in ((OVER_PARTS, "parts trained on"), (OVER_SYMBOLS, "symbols trained on")):
        curves: dict[str, list[tuple[int, Row]]] = {}
        for r in pool:
            reference = _REFERENCE.get(r["target"], "square_root_diffusive")
            amount = re.fullmatch(rf"{prefix} (\d+)", r["split"])
            if amount and r["model"] == PRODUCT and r["metric"] == f"crps_skill_vs_{reference}_percent":
                curves.setdefault(f"{r['target']} vs {reference}", []).append((int(amount[1]), r))
        if curves:
            yield plots.learning_curve(curves, f"Skill by number of {axis}", axis)


def _planted_section(pool: Sequence[Row], regret: Sequence[Row]) -> Section:
    text = (
        "Orders drawn from a known law, kernel and residual. Regret is the CRPS above that of the forecast that knows "
        "all three, in %; nothing can be below 0 but by chance.",
    )
    lines = [(r["target"], r["model"], r["value"], r["low"], r["high"], r["n"]) for r in regret]
    lines += [
        ("law", r["metric"], r["value"], r["low"], r["high"], r["n"]) for r in pool if r["split"] == "planted_law"
    ]
    headers = ("target", "model", "regret % or error", "low", "high", "orders")
    return Section("Planted set", text, Table(headers, lines, decimals=3))


def _cost_section(document: Document) -> Section:
    cost = document["cost"]
    text = (
        f"{cost['wall_s'] / 60:.1f} minutes on {cost['workers']} cores, {cost['cpu_s'] / 60:.1f} CPU-minutes of fits, "
        f"{cost['rows_s']:.0f} s of it before the first fit, {cost['jobs_reused']} jobs reused, "
        f"{cost['peak_memory_mb']:,} MB at most in one worker.",
    )
    lines = [(name, seconds) for name, seconds in cost["cpu_s_by_model"].items()]
    return Section("Time", text, Table(("model", "CPU seconds"), lines, decimals=1))
