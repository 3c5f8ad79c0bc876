from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from footprint.app import frontier_batch
from footprint.app.cli.main import run
from footprint.app.frontier import check_law
from footprint.app.frontier_batch import LineWriter, Pasts, SymbolPast, answer, as_dict, read_orders
from footprint.app.frontier_portfolio import correlation_between
from footprint.app.frontier_schedule import read_schedule
from footprint.app.history import History, read_history
from footprint.app.progress import NullProgress
from footprint.data import formats
from footprint.errors import UsageError
from footprint.impact.catalogue import PARAMETRIC
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.forecaster import fit_baseline

AT, AT_NS = "2024-01-10T18:00:00Z", 1_704_909_600_000_000_000
ORDER = ("--side", "buy", "--quantity", "3000")


def command(tape: Path, *more: str, symbol: str | None = "SYNTH") -> list[str]:
    return ["frontier", str(tape), *(["--symbol", symbol] if symbol else []), "--at", AT, *more]


@pytest.fixture(scope="module")
def past(planted_tape: Path) -> SymbolPast:
    history: History = read_history(formats.sessions([planted_tape]), AT_NS, Protocol())
    baseline = fit_baseline(history.tapes, "2024-01-10", "test", seed=0)
    return SymbolPast(history.instrument, history.market, history.last.tape, baseline)


@pytest.fixture
def pasts(past: SymbolPast, monkeypatch: pytest.MonkeyPatch) -> Pasts:
    """Knows SYNTH alone."""

    def read(self: Pasts, symbol: str) -> SymbolPast:
        if symbol != "SYNTH":
            raise UsageError(f"no data of {symbol}")
        return past

    monkeypatch.setattr(frontier_batch.Pasts, "_read", read)
    return Pasts([], None, None, NullProgress())


def test_frontier_in_json(planted_tape: Path, planted_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = (*ORDER, "--model", str(planted_model), "--json", "--horizons", "2m,10m,1h", "--aggressions", "1,50%")
    assert run(command(planted_tape, *given, "--aversions", "0,2", "--risk", "cvar95")) == 0
    found = json.loads(capsys.readouterr().out)["frontier"]
    points = found["points"]
    assert [p["plan"]["horizon_s"] for p in points] == [120.0, 600.0, 3600.0] * 2
    assert [p["plan"]["aggression"] for p in points] == [1.0] * 3 + [0.5] * 3
    assert (found["risk"], [c["aversion"] for c in found["choices"]]) == ("cvar95", [0.0, 2.0])
    sums = [p["slippage_bps"] + 2.0 * p["cvar95_bps"] for p in points]
    assert found["choices"][1]["point"] == int(np.argmin(sums))
    assert all(p["temporary_cost_bps"] + p["permanent_cost_bps"] == pytest.approx(p["slippage_bps"]) for p in points)
    assert any(p["efficient"] for p in points)


def test_frontier_as_table_and_page(planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    given = (*ORDER, "--participations", "5%,0.2", "--law", "propagator", "--report", str(page))
    assert run(command(planted_tape, *given)) == 0
    printed = capsys.readouterr().out
    for words in ("5.0%", "20.0%", "efficient", "model propagator", "chosen by"):
        assert words in printed
    text = page.read_text()
    assert "<script src=" not in text
    assert "Expected cost against risk" in text
    assert "Choices" in text


def test_a_closed_market_is_a_page_without_figures(
    planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    given = ["frontier", str(planted_tape), "--symbol", "SYNTH", *ORDER, "--at", "2024-01-10T10:00:00Z"]
    assert run([*given, "--report", str(page)]) == 0
    assert "N/A" in capsys.readouterr().out
    assert "No plan has a number" in page.read_text()


def test_every_law_is_known() -> None:
    for name in PARAMETRIC:
        check_law(name.removesuffix("_spread"))
    with pytest.raises(UsageError, match="propagator"):
        check_law("magic")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), "--symbol, --side and --quantity"),
        ((*ORDER, "--horizons", "5"), "not a duration"),
        ((*ORDER, "--horizons", "1s"), "allowed: from 5 s"),
        ((*ORDER, "--participations", "0"), "between 0 and 1, without them"),
        ((*ORDER, "--aggressions", "1.5"), "not a share"),
        ((*ORDER, "--aversions", "-1"), "not an aversion"),
        ((*ORDER, "--risk", "beta"), "allowed: sd, var95, cvar95"),
        ((*ORDER, "--law", "magic"), "--law 'magic' is unknown"),
        ((*ORDER, "--portfolio"), "allowed with --orders"),
        (("--orders", "x.csv", "--side", "buy"), "--orders with --side"),
        (("--orders", "x.csv", "--cross-impact"), "allowed with --portfolio"),
        (("--side", "buy", "--schedule", "x.csv", "--horizons", "5m"), "--schedule with --horizons"),
        (("--side", "buy", "--schedule", "nowhere.csv"), "cannot be read"),
        (("--orders", "nowhere.csv"), "no such file"),
    ],
)
def test_misuse_is_one_line(
    planted_tape: Path, given: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(planted_tape, *given)) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_a_schedule_of_one_s_own(planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, page = tmp_path / "schedule.csv", tmp_path / "page.html"
    file.write_text("time,quantity\n5m,2000\n600,0\n2024-01-10T18:15:00Z,1000\n")
    given = ("--side", "buy", "--schedule", str(file), "--aggressions", "1")
    assert run(command(planted_tape, *given, "--json")) == 0
    found = json.loads(capsys.readouterr().out)["schedule"]
    assert found["times_s"] == [0.0, 300.0, 600.0, 900.0]
    assert found["even"]["quantity"] == 3_000.0
    assert found["sd_bps"] < np.std(found["even"]["slippage_quantiles_bps"]) * 1.05
    shape = found["transient_models"][0]["shape_bps"]
    assert found["slippage_bps"] == pytest.approx(found["even"]["slippage_bps"] + shape)
    assert run(command(planted_tape, *given, "--quantity", "3000", "--report", str(page))) == 0
    assert "propagator_spread" in capsys.readouterr().out
    assert "Still to be done" in page.read_text()
    assert run(command(planted_tape, *given, "--quantity", "4000")) == 2
    assert "add up to 3000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("60", "5"), ("60", "5")], "row 2, field time"),
        ([("soon", "5")], "row 1, field time: found 'soon', allowed: seconds"),
        ([("nan", "5")], "row 1, field time"),
        ([("2024-01-10T17:00:00Z", "5")], "row 1, field time"),
        ([("60", "-5")], "row 1, field quantity"),
        ([("60", "5"), ("90", "x")], "row 2, field quantity"),
        ([("60", None)], "row 1, field quantity"),
        ([("60", "0")], "nothing is traded"),
        ([], "nothing is traded"),
    ],
)
def test_a_bad_schedule_row_is_named(rows: list, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_schedule(Path("s.csv"), [{"time": t, "quantity": q} for t, q in rows], AT_NS)


def test_bad_orders_do_not_stop_the_others(
    planted_tape: Path, planted_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "id,symbol,side,quantity,horizon,participation,style,aggression\n"
        "a,SYNTH,buy,2000,10m,,,1\nb,SYNTH,up,2000,,,,\nc,NOPE,buy,2000,,,,\nd,,sell,3000,,10%,passive,\n"
    )
    given = ("--orders", str(file), "--model", str(planted_model))
    assert run(command(planted_tape, *given, "--json")) == 0
    captured = capsys.readouterr()
    found = [json.loads(line) for line in captured.out.splitlines()]
    assert [f["id"] for f in found] == ["a", "b", "c", "d"]
    assert [f["error"] is None for f in found] == [True, False, False, True]
    assert "not a side" in found[1]["error"]
    assert "NOPE" in found[2]["error"]
    assert found[3]["participation"] == pytest.approx(0.1)
    assert "2 of 4 orders were refused, the first in row 2" in captured.err
    assert run(command(planted_tape, *given)) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(r["slippage_bps"] or "nan") for r in rows] == pytest.approx(
        [np.nan if f["slippage_bps"] is None else f["slippage_bps"] for f in found], nan_ok=True
    )


def test_when_all_are_refused_the_status_is_3(
    planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("symbol,side,quantity\nSYNTH,up,2000\nSYNTH,buy,0\n")
    assert run(command(planted_tape, "--orders", str(file), symbol=None)) == 3
    captured = capsys.readouterr()
    assert "all 2 orders were refused; row 1: 'up'" in captured.err
    assert len(captured.out.splitlines()) == 3


def test_an_answer_depends_on_its_row_alone(pasts: Pasts) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"id": f"{i}", "symbol": "synth", "side": rng.choice(["buy", "sell"]), "quantity": f"{q:.0f}", **plan}
        for i, (q, plan) in enumerate(
            zip(
                rng.uniform(100.0, 9_000.0, 8),
                [{}, {"style": "passive"}, {"horizon": "20m"}, {"horizon": 90}, {"participation": 0.2}] * 2,
                strict=False,
            )
        )
    ]
    rows.insert(3, {"id": "bad", "symbol": "SYNTH", "side": "buy", "quantity": "none"})

    def answers(order: list[int]) -> dict[str, dict]:
        found = [as_dict(rows[i], 1, answer(rows[i], 1, None, pasts, 10.0)) for i in order]
        return {f["id"]: f for f in found}

    first = answers(list(range(len(rows))))
    assert first == answers(rng.permutation(len(rows)).tolist())
    assert [k for k, f in first.items() if f["error"]] == ["bad"]
    assert len({tuple(f) for f in first.values()}) == 1  # the same fields, refused or not


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"symbol": "NOPE"}, "no data of NOPE"),
        ({"symbol": ""}, "field symbol"),
        ({"side": None}, "not a side"),
        ({"quantity": "-3"}, "not a quantity"),
        ({"quantity": "1e999"}, "not a quantity"),
        ({"horizon": "10"}, None),
        ({"horizon": "1s"}, "allowed: from 5 s"),
        ({"horizon": "nan"}, "allowed: from 5 s"),
        ({"horizon": "soon"}, "not a duration"),
        ({"horizon": "5m", "participation": "0.1"}, "one of them"),
        ({"participation": "0"}, "between 0 and 1"),
        ({"participation": "2"}, "not a share"),
        ({"style": "brisk"}, "allowed: aggressive, balanced, passive"),
        ({"style": "passive", "aggression": "0"}, "one of them"),
        ({"aggression": "x"}, "not a share"),
    ],
)
def test_what_is_wrong_with_an_order(pasts: Pasts, more: dict, words: str | None) -> None:
    row = {"symbol": "SYNTH", "side": "buy", "quantity": "500", **more}
    found = answer(row, 1, None, pasts, 10.0)
    assert (words in found) if words else found.record.slippage_bps is not None


def test_orders_of_every_format_are_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame({"symbol": ["A", "B"], "side": ["buy", "sell"], "quantity": [5.0, 7.5]})
    frame.write_csv(tmp_path / "o.csv")
    frame.write_parquet(tmp_path / "o.parquet")
    frame.write_ndjson(tmp_path / "o.jsonl")
    told = [[{k: str(v) for k, v in r.items()} for r in read_orders(tmp_path / f"o.{e}")] for e in ("csv", "parquet")]
    assert told[0] == told[1] == [{k: str(v) for k, v in r.items()} for r in read_orders(tmp_path / "o.jsonl")]
    (tmp_path / "none.csv").write_text("side,quantity\n")
    assert list(read_orders(tmp_path / "none.csv")) == []


def test_files_that_are_no_orders(tmp_path: Path) -> None:
    for name, text, words in (
        ("o.csv", "side,size\nbuy,5\n", "unknown size"),
        ("p.csv", "side\nbuy\n", "missing quantity"),
        ("o.txt", "", "allowed: a name that ends in"),
        ("o.parquet", "side,quantity", "no Parquet"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError, match=words):
            read_orders(tmp_path / name)
    (tmp_path / "o.jsonl").write_text('{"side": "buy", "size": 5}\n[1]\n\nno\n')
    found = list(read_orders(tmp_path / "o.jsonl"))
    assert [isinstance(f, str) for f in found] == [True] * 3
    (tmp_path / "long.csv").write_text("side,quantity\nbuy,5,6\nsell,1\n")
    assert [isinstance(f, str) for f in read_orders(tmp_path / "long.csv")] == [True, False]


def test_lines_are_written_as_they_come(pasts: Pasts) -> None:
    stream = io.StringIO()
    write = LineWriter(stream, as_json=True)
    row = {"symbol": "SYNTH", "side": "buy", "quantity": "500"}
    write(as_dict(row, 1, answer(row, 1, None, pasts, 10.0)))
    assert json.loads(stream.getvalue())["id"] == "row-1"


def test_a_portfolio_of_one_symbol(planted_tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("id,side,quantity,horizon\na,buy,2000,10m\nb,sell,1000,10m\n")
    given = ("--orders", str(file), "--portfolio")
    assert run(command(planted_tape, *given, "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    total, orders = found["portfolio"], found["orders"]
    weights = np.array([2.0, 1.0]) / 3.0
    assert total["mean_bps"] == pytest.approx(weights @ [o["slippage_bps"] for o in orders])
    assert total["sd_bps"] < total["independent_sd_bps"]  # one hedges the other
    assert total["cross_impact"] is False
    assert run(command(planted_tape, *given)) == 0
    assert "cross-impact: off" in capsys.readouterr().out.replace("\n", " ")
    assert run(command(planted_tape, *given, "--cross-impact")) == 2
    assert "one order a symbol" in capsys.readouterr().err
    file.write_text("side,quantity\nbuy,2000\nup,5\n")
    assert run(command(planted_tape, *given)) == 2
    assert "row 2" in capsys.readouterr().err


def test_correlation_of_a_symbol_with_itself(past: SymbolPast) -> None:
    assert correlation_between([past, past]).tolist() == [[1.0, 1.0], [1.0, 1.0]]
