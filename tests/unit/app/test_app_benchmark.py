"""results.json, the rows kept for the next run, the published table and the report, from figures made up by hand."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from footprint.app import benchmark_document, benchmark_report, benchmark_table
from footprint.app.benchmark_rows import RowStore, Tapes, load_tapes, save_tapes
from footprint.app.benchmark_submission import submissions
from footprint.app.benchmark_table import BEGIN, END, fill_page, markdown
from footprint.app.cli.main import run
from footprint.app.progress import NullProgress
from footprint.data import formats
from footprint.errors import ModelError, UsageError
from footprint.impact.evaluation.benchmark import Cost
from footprint.impact.evaluation.line_up import Selection
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.rows import Rows

SMALL = Protocol(rows_per_cell=20)
SKILL = "crps_skill_vs_square_root_{}_percent"
NAN = float("nan")


def figure(model: str, metric: str, value: float, **changes: object) -> Result:
    names = {"data": "pool", "split": "walk_forward", "target": "peak", "n": 900, "blocks": 40}
    return Result(**{**names, "low": value - 1, "high": value + 1, **changes}, model=model, metric=metric, value=value)


def figures() -> list[Result]:
    rows = [
        figure(model, metric, value + worse)
        for model, worse in (("stack", 0.0), ("square_root_diffusive", 0.1))
        for metric, value in (("crps_noise_scales", 0.5), ("coverage_90_percent", 90.0), ("crps_bps", 4.0))
    ]
    rows += [
        figure("stack", SKILL.format("diffusive"), 3.0, reference="square_root_diffusive"),
        figure("stack", SKILL.format("diffusive"), 2.0, split="learning_parts 1"),
        figure("stack", SKILL.format("diffusive"), 3.0, split="learning_parts 2"),
        figure("stack", SKILL.format("diffusive"), 2.5, seed=None, slice="mean of 2 seeds, smallest, largest"),
        figure("stack", "crps_regret_percent", 0.7, split="planted_walk_forward", reference="planted_truth"),
        figure("law_fit", "exponent_error", 0.001, split="planted_law", target="law", low=NAN, high=NAN),
        figure("stack", "coverage_90_percent", 50.0, information="A0"),
    ]
    rows += [figure("stack", "pit_share_percent", 5.0, slice=f"PIT 0.{k}0 to 0.{k}5") for k in range(3)]
    for name, said, came in (("P 0.0 to 0.1", 5.0, 7.0), ("P 0.4 to 0.5", 45.0, 40.0)):
        rows.append(figure("stack", "predicted_above_10bps_percent", said, slice=name))
        rows.append(figure("stack", "observed_above_10bps_percent", came, slice=name))
    for data in ("pool", "AAA 2024-01"):
        cells = [f"size {s} volatility {v}" for s in (1, 2, 3) for v in (1, 2, 3)]
        rows += [figure("stack", "slice_coverage_90_percent", 91.0, data=data, slice=cell) for cell in cells]
    return rows


@pytest.fixture
def document() -> dict:
    spent = [Cost("walk_forward", "part 3", "peak", "A", 0, {"stack": 2.0, "linear": 0.5}, 300.0)]
    return {
        "protocol": benchmark_document.describe(SMALL, (), {}, Selection(), None),
        "cost": benchmark_document.describe_cost(spent, 90.0, 10.0, 0, 2),
        "rows": benchmark_document.as_rows(figures(), SMALL, Selection()),
    }


def test_the_document_is_read_as_it_was_written_one_row_a_line(document: dict, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    benchmark_document.write(document, path)
    assert benchmark_document.read(path) == json.loads(path.read_text()) == json.loads(json.dumps(document))
    lines = path.read_text().splitlines()
    assert sum('"metric"' in line for line in lines) == len(document["rows"])
    law = next(row for row in document["rows"] if row["model"] == "law_fit")
    assert (law["low"], law["high"], law["protocol"]) == (None, None, SMALL.version)


@pytest.mark.parametrize("text", ["", "[1]", '{"protocol": {}}', '{"protocol": {"benchmark": "another"}}'])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"is no results\.json"):
        benchmark_document.read(path)
    with pytest.raises(UsageError, match=r"is no results\.json"):
        benchmark_document.read(tmp_path / "absent.json")


def test_cost_is_summed_by_model(document: dict) -> None:
    cost = document["cost"]
    assert (cost["cpu_s"], cost["cpu_s_by_model"]) == (2.5, {"stack": 2.0, "linear": 0.5})
    assert cost["jobs"][0]["seconds"] == 2.5
    assert cost["peak_memory_mb"] == 300


def test_the_table_ranks_models_and_keeps_information_sets_apart(document: dict) -> None:
    text = markdown(document)
    board = text.split("### peak, walk_forward, information A\n")[1].split("###")[0]
    assert board.index("| `stack` | 0.5000 |") < board.index("| `square_root_diffusive` | 0.6000 |")
    assert "3.0 [2.0, 4.0]" in board
    assert "50.0" not in board
    assert "| `stack` | 0.70 [-0.30, 1.70] |" in text
    assert "| exponent_error | 0.0010 | 900 |" in text
    assert "| walk_forward | peak | `stack` |" in text.split("### over the seeds")[1]
    assert "| `stack` | " in text.split("### models")[1]
    assert "learning_parts" not in text


def test_the_table_is_put_between_its_marks_and_nowhere_else(document: dict, tmp_path: Path) -> None:
    page = tmp_path / "benchmark.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    fill_page(page, "new table")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew table\n{END}\nafter\n"
    fill_page(page, markdown(document))
    filled = page.read_text()
    fill_page(page, markdown(document))
    assert page.read_text() == filled
    for text in ("no marks", f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"):
        page.write_text(text)
        with pytest.raises(UsageError, match="holds no place for the table"):
            fill_page(page, "x")
        assert page.read_text() == text


def test_the_report_shows_every_kind_of_figure(document: dict) -> None:
    by_title = {section.title: section for section in benchmark_report.sections(document)}
    assert set(by_title) == {
        "Walk-forward, arrival information",
        "Calibration of the product's forecast",
        "Learning curves",
        "Planted set",
        "Time",
    }
    pit, reliability, heat = by_title["Calibration of the product's forecast"].figures
    assert len(pit.data[0].x) == 3
    assert list(reliability.data[1].x) == [5.0, 45.0]
    assert list(reliability.data[1].y) == [7.0, 40.0]
    assert np.shape(heat.data[0].z) == (2, 9)
    (curve,) = by_title["Learning curves"].figures
    assert (list(curve.data[0].x), list(curve.data[0].y)) == ([1, 2], [2.0, 3.0])


def test_report_command_makes_page_and_table_again(document: dict, tmp_path: Path) -> None:
    results, page = tmp_path / "results.json", tmp_path / "page.md"
    benchmark_document.write(document, results)
    page.write_text(f"{BEGIN}\n{END}\n")
    status = run(["benchmark", "report", str(results), "--report", str(tmp_path / "out"), "--page", str(page)])
    assert status == 0
    html = (tmp_path / "out" / "benchmark.html").read_text()
    assert html.count('class="figure"') == 5
    assert "| `stack` |" in (tmp_path / "out" / "benchmark.md").read_text()
    assert benchmark_table.markdown(document) in page.read_text()
    assert run(["benchmark", "report", str(tmp_path / "absent.json")]) == 2


def same(one: Rows, other: Rows) -> bool:
    return all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name), equal_nan=f.name in ("x", "outcomes"))
        for f in fields(Rows)
        if f.name != "x_names"
    ) and (one.x_names == other.x_names)


def test_rows_are_kept_to_the_bit_and_read_once(planted_tape: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rows"

    def store() -> RowStore:
        return RowStore([planted_tape], formats.audit([planted_tape]), folder)

    first = store()
    tapes = first.tapes(SMALL, NullProgress())
    assert first.read_anew
    second = store()
    again = second.tapes(SMALL, NullProgress())
    assert not second.read_anew
    (tape,), (kept,) = tapes.all, again.all
    assert same(tape.arrival, kept.arrival)
    assert same(tape.in_flight, kept.in_flight)
    assert (tape.name, tape.sessions, tape.traders) == (kept.name, kept.sessions, kept.traders)
    assert np.array_equal(tape.curve_days, kept.curve_days, equal_nan=True)
    other = store()
    other.tapes(Protocol(rows_per_cell=21), NullProgress())
    assert other.read_anew
    assert len(list(folder.glob("*.npz"))) == 2


def test_other_bytes_give_other_rows_and_drop_the_old(planted_tape: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "0123456789abcdef-0123.npz").touch()
    RowStore([planted_tape], formats.audit([planted_tape]), folder).tapes(SMALL, NullProgress())
    assert [p.name.startswith("0123456789abcdef") for p in folder.iterdir()] == [False]


def test_signing_figures_are_kept_too(tmp_path: Path) -> None:
    signing = (figure("tick", "accuracy_by_count_percent", 90.0, low=NAN, high=NAN, seed=None),)
    save_tapes(Tapes((), signing), tmp_path / "tapes.npz")
    (kept,) = load_tapes(tmp_path / "tapes.npz").signing
    assert (kept.model, kept.value, kept.seed) == ("tick", 90.0, None)
    assert np.isnan(kept.low)


def test_no_tape_long_enough_is_said() -> None:
    with pytest.raises(UsageError, match="no tape is long enough"):
        Tapes(()).scored(SMALL)


BROKEN = """
from dataclasses import dataclass

import numpy as np

@dataclass(frozen=True)
class Leaks:
    name: str = "leaks"

    def fit(self, rows, target):
        return Leaks()

    def quantiles(self, rows):
        return np.nan_to_num(rows.outcomes[:, :1]) + np.linspace(0.0, 1.0, 99)

@dataclass(frozen=True)
class Silent:
    name: str = "silent"

    def fit(self, rows, target):
        return Silent()
"""


@pytest.mark.parametrize(("name", "message"), [("Leaks", "looks at the outcomes"), ("Silent", "AttributeError")])
def test_a_submitted_model_must_keep_the_contract(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "bad.py").write_text(BROKEN)
    with pytest.raises(ModelError, match=rf"bad\.py:{name} breaks the contract of a model: .*{message}"):
        submissions([f"{tmp_path / 'bad.py'}:{name}"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "cubic", "--planted"], "no model is called cubic"),
        (["--model", "mine.txt:Mine", "--planted"], "names no model"),
        ([], "nothing to score"),
    ],
)
def test_misuse_of_the_command_is_named(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["benchmark", "impact", "--out", str(tmp_path / "r.json"), *arguments]) == 2
    assert message in capsys.readouterr().err
