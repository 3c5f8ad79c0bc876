from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from footprint.app.cli.main import run

AT = "2024-01-10T18:00:00Z"
STYLES = ["aggressive", "balanced", "passive"]


def command(
    tape: Path | str, *more: str, symbol: str = "SYNTH", quantity: str = "3000", at: str | None = AT
) -> list[str]:
    given = ["forecast", "--data", str(tape), "--symbol", symbol, "--side", "buy", "--quantity", quantity]
    return [*given, *(["--at", at] if at else []), *more]


def records(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return json.loads(capsys.readouterr().out)["forecasts"]


def test_without_a_model_the_baseline_answers_and_says_so(
    planted_tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape)) == 0
    printed = capsys.readouterr().out
    for word in (*STYLES, "temporary", "permanent", "VaR95", "CVaR95", "P(> 10 bps)", "parametric baseline"):
        assert word in printed


def test_json_records(planted_tape: Path, planted_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(planted_tape, "--model", str(planted_model), "--json", "--threshold-bps", "5")) == 0
    found = records(capsys)
    assert [r["style"] for r in found] == STYLES
    for record in found:
        assert record["temporary_cost_bps"] + record["permanent_cost_bps"] == pytest.approx(
            record["slippage_bps"], abs=1e-9
        )
        assert record["thresholds_bps"] == [5.0]
        assert len(record["slippage_quantiles_bps"]) == len(record["quantile_levels"]) == 99
        assert record["model_id"] == "mixture"
        assert record["as_of_ns"] == 1_704_909_600_000_000_000
    assert found[1]["plan"]["horizon_s"] == 1_800.0


def test_nothing_after_the_decision_matters(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same answer whether or not the files go on after --at."""
    import zipfile

    arguments = ("--model", str(planted_model), "--json")
    assert run(command(planted_tape, *arguments)) == 0
    whole = records(capsys)
    cut = tmp_path / "cut" / "synth"
    cut.mkdir(parents=True)
    for path in sorted((planted_tape / "synth").iterdir()):
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            lines = archive.read(name).decode().splitlines()
        if path.name.startswith("20240110"):
            lines = [line for line in lines if int(line.split(",")[0]) < 13 * 3_600_000]  # 18:00 UTC in New York
        with zipfile.ZipFile(cut / path.name, "w") as archive:
            archive.writestr(name, "\n".join(lines) + "\n")
    assert run(command(tmp_path / "cut", *arguments)) == 0
    assert records(capsys) == whole


def test_report_is_one_offline_page(planted_tape: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(command(planted_tape, "--report", str(page))) == 0
    text = page.read_text()
    assert "<script src=" not in text
    assert "Forecast by execution style" in text


@pytest.fixture
def fills(tmp_path: Path) -> Path:
    path = tmp_path / "fills.csv"
    path.write_text("time,price,quantity\n2024-01-10T17:50:00Z,100.0,500\n2024-01-10T17:55:00Z,100.1,700\n")
    return path


def test_an_order_in_flight_is_forecast_again(
    planted_tape: Path, planted_model: Path, fills: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape, "--model", str(planted_model), "--json", "--progress", str(fills))) == 0
    first = records(capsys)[0]
    assert first["filled"] == 1_200.0
    assert first["slippage_bps"] is not None
    fills.write_text(json.dumps({"fills": [{"time": "2024-01-10T17:50:00Z", "price": 100.0, "quantity": 1200}]}))
    assert run(command(planted_tape, "--json", "--progress", str(fills))) == 0
    assert records(capsys)[0]["filled"] == 1_200.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no fill"),
        ("time,price,quantity\n2024-01-10T17:50:00Z,abc,500\n", "row 1, field price"),
        ("time,price,quantity\n2024-01-10T17:50:00Z,100,-5\n", "row 1, field quantity"),
        ("time,price,quantity\nyesterday,100,5\n", "row 1, field time"),
        ("time,price\n2024-01-10T17:50:00Z,100\n", "field quantity"),
        ('{"orders": []}', "fills"),
        ("time,price,quantity\n2024-01-10T17:50:00Z,100,5000\n", "nothing is left"),
        ("time,price,quantity\n2024-01-10T18:50:00Z,100,50\n", "after the decision"),
        ("time,price,quantity\n2020-01-10T17:50:00Z,100,50\n", "before the session"),
    ],
)
def test_bad_fills_are_misuse(
    planted_tape: Path, fills: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fills.write_text(text)
    assert run(command(planted_tape, "--progress", str(fills))) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"symbol": "NOPE"}, 2),
        ({"at": "2020-01-01T00:00:00Z"}, 2),
        ({"quantity": "0"}, 2),
        ({"quantity": "nan"}, 2),
    ],
)
def test_misuse_is_one_line(
    planted_tape: Path, change: dict[str, str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape, **change)) == status
    assert "Traceback" not in capsys.readouterr().err


def test_missing_paths_and_models_are_named(
    planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(tmp_path / "nowhere")) == 2
    assert "nowhere" in capsys.readouterr().err
    assert run(command(planted_tape, "--model", str(tmp_path))) == 2
    assert "no readable model" in capsys.readouterr().err


def test_a_refused_file_is_never_half_used(
    planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "synth"
    broken.mkdir()
    for path in (planted_tape / "synth").iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    victim = broken / "20240109_trade.zip"
    victim.write_bytes(victim.read_bytes()[:-200])
    assert run(command(tmp_path)) == 3
    assert "20240109_trade.zip" in capsys.readouterr().err


def test_minutes_of_history_are_answered_with_na(planted_tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(planted_tape, "--json", at="2024-01-08T14:31:00Z")) == 0
    found = records(capsys)
    assert all(r["slippage_bps"] is None for r in found)
    assert all("history too thin" in " ".join(r["reasons"]) for r in found)


def test_trades_without_quotes_are_answered_with_na(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(shared_data / "lean" / "equity" / "usa" / "tick" / "spy", "--json", symbol="SPY", at=None)) == 0
    for record in records(capsys):
        assert record["slippage_quantiles_bps"] is None
        assert any("quote" in reason for reason in record["reasons"])


def test_stale_quotes_leave_only_the_crossing_style(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """B3 shows no sizes: resting cannot be judged, crossing can."""
    tape = [p for p in sorted((shared_data / "b3_ticks").glob("PETR4_2025-04-*.csv.gz"))]
    assert run(command(tape[0], "--json", symbol="PETR4", quantity="2000", at="2025-04-07T18:00:00Z")) == 0
    answered = [r["slippage_bps"] is not None for r in records(capsys)]
    assert answered == [True, False, False]


def test_half_of_crossing_costs_the_spread_on_a_wide_tape(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """BAC 2013 has a spread of 7 bps: crossing at once costs about half of it and more, never less than a quarter."""
    tape = shared_data / "lean" / "equity" / "usa" / "tick" / "bac"
    assert run(command(tape, "--json", symbol="BAC", quantity="20000", at="2013-10-08T18:00:00Z")) == 0
    aggressive = records(capsys)[0]
    assert np.isfinite(aggressive["slippage_bps"])
    assert aggressive["slippage_bps"] > 1.8


def test_one_name_on_two_venues_is_not_mixed(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(shared_data / "binance_raw", symbol="BTCUSDT", quantity="1", at=None)) == 2
    error = capsys.readouterr().err
    assert "binance-spot" in error
    assert "binance-usdm" in error


@pytest.mark.parametrize("at", ["2024-01-10T10:00:00Z", "2030-01-01T00:00:00Z"])
def test_a_closed_market_is_answered_with_na(planted_tape: Path, at: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(planted_tape, "--json", at=at)) == 0
    for record in records(capsys):
        assert record["slippage_bps"] is None
        assert "the market is closed at the decision" in record["reasons"]


def test_a_report_that_cannot_be_written_fails_before_the_work(
    planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape, "--report", str(tmp_path / "none" / "page.html"))) == 2
    captured = capsys.readouterr()
    assert "does not exist" in captured.err
    assert captured.out == ""
