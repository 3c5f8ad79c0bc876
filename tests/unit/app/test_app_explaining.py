"""`footprint forecast --explain`: contributions in the table, in JSON and in the report; laws and N/A say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from footprint.app.cli.main import run
from footprint.app.column_words import COLUMN_WORDS, in_words
from footprint.app.explaining import LAW, ColumnPart, StyleExplanation
from footprint.app.explanation_table import (
    REST,
    SHOWN,
    explanation_lines,
    explanation_section,
    largest_columns,
    print_explanations,
)
from footprint.features.vector import FeatureVector
from footprint.impact.rows import OrderColumns, market_state, model_columns

STYLES = ["aggressive", "balanced", "passive"]
AT = "2024-01-10T18:00:00Z"


def command(tape: Path, *more: str, quantity: str = "3000", at: str = AT) -> list[str]:
    given = ["forecast", "--data", str(tape), "--symbol", "SYNTH", "--side", "buy", "--quantity", quantity]
    return [*given, "--at", at, "--explain", *more]


def explanations(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict], list[dict]]:
    answer = json.loads(capsys.readouterr().out)
    return answer["explanations"], answer["forecasts"]


@pytest.fixture
def two_styles() -> list[StyleExplanation]:
    """Columns c0 ... c11; the first style's grow, the second knows only c0; the third has no forecast."""
    parts = tuple(ColumnPart(f"c{i}", None if i == 11 else float(i), -0.1 * i) for i in range(11, 0, -1))
    return [
        StyleExplanation("aggressive", 5.0, 0.6, parts, None),
        StyleExplanation("balanced", 4.0, 0.5, (ColumnPart("c0", 7.0, 9.0),), None),
        StyleExplanation("passive", None, None, (), "N/A, no displayed sizes"),
    ]


def test_every_column_has_words_of_its_own() -> None:
    names = FeatureVector().names
    feature = {name: np.ones(1) for name in names}
    order = OrderColumns(np.ones(1), *(np.ones(1) for _ in range(7)))
    assert set(COLUMN_WORDS) == set(model_columns(feature, market_state(feature), order))
    assert len(set(COLUMN_WORDS.values())) == len(COLUMN_WORDS)
    assert in_words("a_guest_column") == "a_guest_column"


def test_the_table_holds_the_ten_largest_of_any_style(
    two_styles: list[StyleExplanation], capsys: pytest.CaptureFixture[str]
) -> None:
    assert largest_columns(two_styles) == ["c0", *(f"c{i}" for i in range(11, 2, -1))]
    print_explanations(two_styles)
    printed = capsys.readouterr().out
    rows = [line.split("│")[1:-1] for line in printed.splitlines() if line.startswith("│")]
    assert [cell.strip() for cell in rows[0]] == ["c0", "-", "+9.00 (7)"]
    assert [cell.strip() for cell in rows[1]] == ["c11", "-1.10 (N/A)", "-"]
    assert [cell.strip() for cell in rows[-1]] == ["all columns", "-6.60", "+9.00"]
    assert len(rows) == SHOWN + 1
    assert "passive: N/A, no displayed sizes" in printed
    assert "60% of the weight is explained" in printed
    assert printed.count(REST) == 1


def test_the_report_draws_what_the_table_holds(two_styles: list[StyleExplanation]) -> None:
    section = explanation_section(two_styles)
    (figure,) = section.figures
    bars = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figure.data}
    assert list(bars) == ["balanced", "aggressive"]
    assert (bars["aggressive"]["c0"], bars["aggressive"]["c11"]) == (0.0, pytest.approx(-1.1))
    assert section.table is not None
    assert list(section.table.rows[0]) == ["c0", 0.0, None, 9.0, 7.0]
    alone = explanation_section(two_styles[2:])
    assert (alone.table, list(alone.figures)) == (None, [])


def test_styles_with_one_reason_share_a_line() -> None:
    silent = [StyleExplanation(style, 1.0, 0.0, (), LAW) for style in STYLES]
    assert explanation_lines(silent) == [f"aggressive, balanced, passive: {LAW}"]


def test_without_a_model_a_law_has_no_columns(planted_tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(planted_tape)) == 0
    assert f"aggressive, balanced, passive: {LAW}" in capsys.readouterr().out.replace("\n", " ")


def test_an_unanswered_style_is_not_explained(planted_tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(planted_tape, "--json", at="2024-01-10T10:00:00Z")) == 0
    found, _ = explanations(capsys)
    assert [e["style"] for e in found] == STYLES
    for e in found:
        assert (e["mean_bps"], e["explained_weight"], e["columns"]) == (None, None, [])
        assert "the market is closed" in e["reason"]


def test_a_fitted_model_is_explained(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ("--model", str(planted_model))
    assert run(command(planted_tape, *model, "--json")) == 0
    found, records = explanations(capsys)
    assert [e["style"] for e in found] == STYLES
    for e in found:
        sizes = [abs(c["contribution_bps"]) for c in e["columns"]]
        assert sizes == sorted(sizes, reverse=True)
        assert all(c["words"] == COLUMN_WORDS[c["name"]] for c in e["columns"])
        assert (e["reason"] is None) == (e["explained_weight"] > 0.0) == bool(e["columns"])
    assert 0.0 < found[0]["explained_weight"] <= 1.0
    # nothing of the aggressive style rests: the mean that is explained is that of the record
    assert found[0]["mean_bps"] == pytest.approx(records[0]["slippage_bps"])
    page = tmp_path / "page.html"
    assert run(command(planted_tape, *model, "--report", str(page))) == 0
    printed = capsys.readouterr().out
    assert in_words(largest_columns_of(found)[0]) in printed
    assert "What drives the mean" in page.read_text()
    assert run(command(planted_tape, *model, "--json", quantity="3000000")) == 0
    outside, _ = explanations(capsys)
    assert outside[0]["reason"] == LAW
    assert outside[0]["explained_weight"] == 0.0


def largest_columns_of(found: list[dict]) -> list[str]:
    parts = [c for e in found for c in e["columns"]]
    return [c["name"] for c in sorted(parts, key=lambda c: -abs(c["contribution_bps"]))]


def test_json_holds_explanations_only_when_asked(planted_tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = command(planted_tape, "--json")
    assert run([word for word in asked if word != "--explain"]) == 0
    assert "explanations" not in json.loads(capsys.readouterr().out)
