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
        assert record["model_id"] == "stack"
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


def test_a_record_is_remade_from_its_parent(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chain of a desk: forecast, fill, forecast again from the record, with the path read from the tape."""
    model = ("--model", str(planted_model))
    assert run(command(planted_tape, *model, "--json", at="2024-01-10T17:50:00Z")) == 0
    parent = records(capsys)[0]
    flight = tmp_path / "flight.json"
    told = {"fills": [{"time": "2024-01-10T17:52:00Z", "price": 100.0, "quantity": 1200}], "parent_record": parent}
    flight.write_text(json.dumps(told))
    assert run(command(planted_tape, *model, "--json", "--progress", str(flight))) == 0
    again = records(capsys)
    assert {r["parent_record_id"] for r in again} == {parent["id"]}
    assert again[0]["parent_id"] == parent["parent_id"]
    assert again[0]["elapsed_s"] == 600.0
    assert again[0]["path_alarm"] in ("none", "adverse", "favourable")
    assert -1.0 <= again[0]["others_flow"] <= 1.0
    # the record made in flight is the parent of the next
    flight.write_text(json.dumps({**told, "parent_record": again[0], "others_flow": 0.5}))
    page = tmp_path / "page.html"
    given = (*model, "--progress", str(flight), "--report", str(page))
    assert run(command(planted_tape, *given, at="2024-01-10T18:05:00Z")) == 0
    printed = capsys.readouterr().out.replace("\n", " ")
    assert "path against the parent record" in page.read_text()
    for words in ("the rest costs", "so far: cost", "+50.0% of their volume", "path against the parent record: alarm"):
        assert words in printed


def test_own_prints_are_taken_out_of_the_flow_of_others(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flight, flows = tmp_path / "flight.json", []
    fill = {"time": "2024-01-10T17:50:00Z", "price": 100.0, "quantity": 1200}
    for own in (False, True):
        flight.write_text(json.dumps({"fills": [fill], "own_on_tape": own}))
        assert run(command(planted_tape, "--model", str(planted_model), "--json", "--progress", str(flight))) == 0
        flows.append(records(capsys)[0]["others_flow"])
    assert flows[1] < flows[0]


def test_a_given_path_stands_for_the_tape(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ("--model", str(planted_model))
    assert run(command(planted_tape, *model, "--json", at="2024-01-10T17:50:00Z")) == 0
    parent = records(capsys)[0]
    flight = tmp_path / "flight.json"
    path = [{"time": f"2024-01-10T17:5{k}:00Z", "mid": 100.0 * 1.02**k} for k in range(1, 10)]
    fills = [{"time": "2024-01-10T17:51:00Z", "price": 100.0, "quantity": 1200}]
    flight.write_text(json.dumps({"fills": fills, "parent_record": parent, "path": path}))
    assert run(command(planted_tape, *model, "--json", "--progress", str(flight))) == 0
    found = records(capsys)[0]
    assert found["path_alarm"] == "adverse"
    assert found["path_e_value"] >= 20.0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"others_flow": 2}, "others_flow is 2"),
        ({"path": [{"time": "2024-01-10T17:51:00Z", "mid": -1}]}, "row 1, field mid"),
        ({"path": 3}, "path is 3"),
        ({"parent_record": {"version": "forecast-record-1"}}, "parent_record: a forecast record of version"),
        ({"surprise": 1}, "unknown surprise"),
    ],
)
def test_bad_progress_is_misuse(
    planted_tape: Path, tmp_path: Path, more: dict, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flight = tmp_path / "flight.json"
    fills = [{"time": "2024-01-10T17:50:00Z", "price": 100, "quantity": 5}]
    flight.write_text(json.dumps({"fills": fills, **more}))
    assert run(command(planted_tape, "--progress", str(flight))) == 2
    assert words in capsys.readouterr().err


def test_an_order_of_three_days(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.json"
    fed = {"kind": "macro", "known_at": "2024-01-01T00:00:00Z", "effective": "2024-01-11T19:00:00Z", "text": "rates"}
    events.write_text(json.dumps([fed]))
    given = ("--model", str(planted_model), "--days", "3", "--json", "--horizon", "10m")
    assert run(command(planted_tape, *given)) == 0
    plain = json.loads(capsys.readouterr().out)
    assert run(command(planted_tape, *given, "--events", str(events), "--trend-bps", "30")) == 0
    eventful = json.loads(capsys.readouterr().out)
    day, other = plain["multi_day"][0], eventful["multi_day"][0]
    assert plain["forecasts"][0]["quantity"] == 1_000.0  # of one day's part
    assert len(day["day_quantiles_bps"]) == len(day["share"]) == 3
    assert len(day["overnight_quantiles_bps"]) == 2
    assert len(day["total_quantiles_bps"]) == 99
    assert day["record_id"] == plain["forecasts"][0]["id"]
    width = [np.subtract(*np.array(d["day_quantiles_bps"])[1, [94, 4]]) for d in (day, other)]
    assert width[1] == pytest.approx(1.5 * width[0])  # the second day has the event
    assert other["total_cost_bps"] > day["total_cost_bps"] + 10.0
    page = tmp_path / "page.html"
    assert run(command(planted_tape, "--model", str(planted_model), "--days", "2", "--report", str(page))) == 0
    assert "the whole order over 2 days" in capsys.readouterr().out
    assert "Over several days" in page.read_text()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--days", "6"), "allowed: 1 to 5"),
        (("--days", "0"), "allowed: 1 to 5"),
        (("--trend-bps", "5"), "several days"),
        (("--days", "2", "--trend-bps", "nan"), "a finite number"),
        (("--days", "2", "--events", "nowhere.json"), "cannot be read"),
    ],
)
def test_bad_days_are_misuse(
    planted_tape: Path, more: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape, *more)) == 2
    assert words in capsys.readouterr().err


def test_bad_events_name_their_row(planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = tmp_path / "events.json"
    events.write_text(json.dumps([{"kind": "gossip", "known_at": "2024-01-01T00:00:00Z", "effective": "2024-01-11"}]))
    assert run(command(planted_tape, "--days", "2", "--events", str(events))) == 2
    assert "row 1" in capsys.readouterr().err


def test_days_and_progress_do_not_go_together(
    planted_tape: Path, fills: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape, "--days", "2", "--progress", str(fills))) == 2
    assert "--days with --progress" in capsys.readouterr().err


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
