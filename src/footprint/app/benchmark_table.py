"""The published table in Markdown, made from results.json and put between two marks of a page; never typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from footprint.app.benchmark_document import Document
from footprint.app.files import replacing
from footprint.errors import UsageError

BEGIN, END = "<!-- benchmark table: begin -->", "<!-- benchmark table: end -->"
_CRPS = "crps_skill_vs_{}_percent"
_COLUMNS = (
    ("CRPS, noise scales", "crps_noise_scales", 4),
    ("skill vs constant", _CRPS.format("square_root_constant"), 1),
    ("skill vs diffusive", _CRPS.format("square_root_diffusive"), 1),
    ("skill vs spread", _CRPS.format("square_root_spread"), 1),
    ("skill vs best parametric", _CRPS.format("best_parametric"), 1),
    ("DM p", "diebold_mariano_p_vs_best_parametric", 3),
    ("cover 80", "coverage_80_percent", 1),
    ("cover 90", "coverage_90_percent", 1),
    ("interval score, bps", "interval_score_90_bps", 1),
    ("PIT", "pit_distance", 3),
    ("p", "pit_block_p", 2),
    ("> VaR95", "above_var95_percent", 1),
    ("> VaR99", "above_var99_percent", 1),
    ("Brier skill vs diffusive", "brier_10bps_skill_vs_square_root_diffusive_percent", 1),
    ("R2", "r2_percent", 1),
)
_PLANTED_COLUMNS = (("regret", "crps_regret_percent", 2), ("cover 90", "coverage_90_percent", 1))
_WITH_INTERVAL = ("skill", "regret")
_SPLITS = ("walk_forward", "strict_calendar", "unseen_symbol", "unseen_market")

Row = Mapping[str, Any]


def markdown(document: Document) -> str:
    """Every ranked split and target as a table, best model first, then the planted set and what each model is."""
    rows = [r for r in document["rows"] if r["data"] == "pool" and not r["slice"]]
    own = [r for r in rows if r["seed"] == 0]
    boards = dict.fromkeys((r["split"], r["information"], r["target"]) for r in own if _ranked(r["split"]))
    protocol = document["protocol"]
    blocks = [
        f"{protocol['benchmark']}, {protocol['version']}, {protocol['rows']}, {protocol['feature_version']}, package "
        f"{protocol['package_version']}, {len(protocol['tapes'])} tapes. Figures in % unless said; intervals are 95 %.",
        *(_board(own, key, _COLUMNS, "crps_noise_scales") for key in boards),
        *_planted(own),
        *_over_seeds(document["rows"]),
        _models(document["rows"]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def fill_page(page: Path, text: str) -> None:
    """Put the text between the two marks of a page.

    Raises:
        UsageError: the page is absent or has not exactly one pair of marks.
    """
    try:
        before, rest = page.read_text().split(BEGIN)
        _, after = rest.split(END)
    except (OSError, ValueError) as error:
        raise UsageError(f"{page}: holds no place for the table, allowed: one line {BEGIN} and one {END}") from error
    with replacing(page) as partial:
        partial.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def _ranked(split: str) -> bool:
    return split in _SPLITS or split.startswith("in_flight")


def _board(rows: Sequence[Row], key: tuple[str, str, str], columns: Sequence[tuple[str, str, int]], by: str) -> str:
    found = {(r["model"], r["metric"]): r for r in rows if (r["split"], r["information"], r["target"]) == key}
    models = sorted({m for m, metric in found if metric == by}, key=lambda m: found[m, by]["value"])
    shown = [c for c in columns if any((m, c[1]) in found for m in models)]
    split, information, target = key
    table = _table(
        ("model", *(name for name, _, _ in shown)),
        ((f"`{m}`", *(_cell(found.get((m, metric)), places) for _, metric, places in shown)) for m in models),
    )
    any_row = next(iter(found.values()))
    title = f"### {target}, {split}, information {information}"
    return f"{title}\n\n{any_row['n']:,} orders, {any_row['blocks']} blocks.\n\n{table}"


def _planted(rows: Sequence[Row]) -> Iterator[str]:
    keys = dict.fromkeys(
        (r["split"], r["information"], r["target"]) for r in rows if r["metric"] == "crps_regret_percent"
    )
    for key in keys:
        yield _board(rows, key, _PLANTED_COLUMNS, "crps_regret_percent")
    law = [r for r in rows if r["split"] == "planted_law"]
    if law:
        yield "### planted law\n\n" + _table(
            ("error", "value [95 % interval]", "true orders"),
            ((r["metric"], _cell(r, 4, interval=True), f"{r['n']:,}") for r in law),
        )


def _over_seeds(rows: Sequence[Row]) -> Iterator[str]:
    wanted = (_CRPS.format("square_root_diffusive"), _CRPS.format("square_root_spread"), "crps_regret_percent")
    some = [r for r in rows if r["seed"] is None and r["metric"] in wanted]
    if some:
        yield "### over the seeds of the assignment\n\n" + _table(
            ("split", "target", "model", "metric", "mean [smallest, largest]", "seeds"),
            (
                (r["split"], r["target"], f"`{r['model']}`", r["metric"], _cell(r, 2, interval=True), str(r["n"]))
                for r in some
            ),
        )


def _models(rows: Sequence[Row]) -> str:
    known = {r["model"]: (r["tuning_trials"], r["hyperparameters"]) for r in rows if _ranked(r["split"])}
    known |= {r["model"]: (r["tuning_trials"], r["hyperparameters"]) for r in rows if r["metric"] == "crps_bps"}
    return "### models\n\n" + _table(
        ("model", "tuning trials", "hyper-parameters"),
        (
            (f"`{name}`", "not stated" if trials is None else str(trials), text.replace("|", "\\|"))
            for name, (trials, text) in sorted(known.items())
        ),
    )


def _table(headers: Sequence[str], lines: Any) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    return "\n".join([line(headers), "|" + "---|" * len(headers), *(line(cells) for cells in lines)])


def _cell(row: Row | None, places: int, interval: bool = False) -> str:
    if row is None or row["value"] is None:
        return ""
    value = f"{row['value']:.{places}f}"
    if row["low"] is None or not (interval or any(word in row["metric"] for word in _WITH_INTERVAL)):
        return value
    return f"{value} [{row['low']:.{places}f}, {row['high']:.{places}f}]"
