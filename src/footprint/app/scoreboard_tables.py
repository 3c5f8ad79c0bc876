"""The scoreboard as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from rich.table import Table

from footprint.app.console import stdout_console
from footprint.impact.evaluation.information import ARRIVAL
from footprint.impact.evaluation.line_up import PRODUCT
from footprint.impact.evaluation.result import Result

HEADLINE = (
    ("peak", "crps_skill_vs_square_root_constant_percent"),
    ("peak", "crps_skill_vs_square_root_diffusive_percent"),
    ("shortfall", "crps_skill_vs_square_root_constant_percent"),
    ("shortfall", "crps_skill_vs_square_root_spread_percent"),
    ("shift_600", "crps_skill_vs_square_root_diffusive_percent"),
)
CALIBRATION = (
    "coverage_90_percent",
    "coverage_80_percent",
    "above_var95_percent",
    "above_var99_percent",
    "interval_score_90_bps",
    "pit_distance",
    "pit_block_p",
    "slices_in_84_96_percent",
    "brier_10bps_skill_vs_square_root_diffusive_percent",
    "rmse_bps",
    "mae_bps",
    "r2_percent",
)


class _Figures:
    """Results by what they say: whole groups of rows, the protocol's own seed."""

    def __init__(self, figures: Sequence[Result]) -> None:
        self.all = figures
        self._table = {
            (f.data, f.split, f.information, f.target, f.model, f.metric): f
            for f in figures
            if not f.slice and f.seed == 0
        }

    def get(self, data: str, split: str, information: str, target: str, model: str, metric: str) -> Result | None:
        return self._table.get((data, split, information, target, model, metric))


def print_scoreboard(figures: Sequence[Result], markets: Sequence[str], left_out: Mapping[str, str]) -> None:
    """Skills of every model, pooled and per market, then calibration, the planted set, curves and trade signing."""
    console, found = stdout_console(), _Figures(figures)
    for table in (*_skills(found, markets), _calibration(found), _planted(found), _curves(found), _signing(found)):
        if table.row_count:
            console.print(table)
    for name, reason in left_out.items():
        console.print(f"left out: {name}: {reason}")


def _skills(found: _Figures, markets: Sequence[str]) -> Iterator[Table]:
    targets = {target for target, _ in HEADLINE}
    for split, information in dict.fromkeys((f.split, f.information) for f in found.all if f.target in targets):
        title = "random_split (known wrong: never a result)" if split == "random_split" else split
        title = f"{title}, information {information}"
        table = Table("target", "metric", "model", "pool [95 % interval]", *markets, title=title)
        models = dict.fromkeys(f.model for f in found.all if (f.split, f.information) == (split, information))
        for target, metric in HEADLINE:
            for model in models:
                pool = found.get("pool", split, information, target, model, metric)
                if pool is not None:
                    cells = [found.get(market, split, information, target, model, metric) for market in markets]
                    table.add_row(target, metric, model, _with_interval(pool), *map(_value, cells))
        yield table


def _calibration(found: _Figures) -> Table:
    table = Table("target", "metric", f"{PRODUCT} [95 % interval]", title="walk_forward, calibration")
    for target in dict.fromkeys(target for target, _ in HEADLINE):
        for metric in CALIBRATION:
            figure = found.get("pool", "walk_forward", ARRIVAL, target, PRODUCT, metric)
            if figure is not None:
                table.add_row(target, metric, _with_interval(figure))
    return table


def _planted(found: _Figures) -> Table:
    table = Table("target", "model", "error or regret", title="planted set: law errors, regret % against the truth")
    for f in found.all:
        planted = f.split == "planted_law" or f.metric == "crps_regret_percent"
        if planted and (f.data, f.slice, f.seed) == ("pool", "", 0):
            table.add_row(f.target, f"{f.model} {f.metric}", _with_interval(f))
    return table


def _curves(found: _Figures) -> Table:
    table = Table("tape", "curve", "skill of MAE against the previous day %", "half hours", title="time-of-day curves")
    for f in found.all:
        if f.metric == "mae_skill_vs_previous_day_percent":
            table.add_row(f.data, f.target, f"{f.value:.1f}", str(f.n))
    return table


def _signing(found: _Figures) -> Table:
    table = Table("tape", "rule", "right by count %", "by volume %", "prints", title="trade signing against true flags")
    for f in found.all:
        volume = found.get(f.data, f.split, f.information, f.target, f.model, "accuracy_by_volume_percent")
        if f.metric == "accuracy_by_count_percent" and volume is not None:
            table.add_row(f.data, f.model, f"{f.value:.1f}", f"{volume.value:.1f}", str(f.n))
    return table


def _value(figure: Result | None) -> str:
    return "" if figure is None else f"{figure.value:.2f}"


def _with_interval(figure: Result) -> str:
    if not np.isfinite(figure.low):
        return f"{figure.value:.2f} (n {figure.n})"
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}] (n {figure.n}, blocks {figure.blocks})"
