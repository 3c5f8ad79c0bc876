"""The scorecard's forecast bars: from rows of results.json, and when a finished benchmark run may serve again."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from scorecard import benchmark_results, forecast_calibration, forecast_skill
from scorecard.bar import Reached
from scorecard.benchmark_results import TAPES, figure, rows_of

from footprint.errors import FootprintError


def row(target: str, metric: str, value: float | None, split: str = "walk_forward", data: str = "pool") -> dict:
    low, high = (None, None) if value is None else (value - 0.5, value + 0.5)
    names = {"data": data, "split": split, "target": target, "model": "mixture", "metric": metric}
    return {**names, "value": value, "low": low, "high": high, "n": 500, "blocks": 40, "slice": ""}


def results_rows() -> list[dict]:
    """What the bars read, every skill 5 %, every coverage at its nominal value but for two cells and two symbols."""
    rows = [row(s.target, s.metric, 5.0, s.split) for s in forecast_skill._ALL]
    for target in ("peak", "shortfall"):
        rows += [
            row(target, "coverage_90_percent", 90.0),
            row(target, "coverage_80_percent", 80.0),
            row(target, "slices_in_84_96_percent", 85.0),
            row(target, "pit_distance", 0.03),
            row(target, "above_var95_percent", 5.0),
            row(target, "coverage_90_percent", 50.0, data="us"),  # a market is no symbol
        ]
        cells = [84.0, 94.0, *[90.0] * 7]
        symbols = [86.0, 97.0, *[90.0] * (TAPES - 2)]
        rows += [{**row(target, "slice_coverage_90_percent", v), "slice": f"cell {k}"} for k, v in enumerate(cells)] + [
            row(target, "coverage_90_percent", v, data=f"S{k} 2025-04") for k, v in enumerate(symbols)
        ]
    return rows


def test_forecast_bars_from_rows() -> None:
    rows = tuple(results_rows())
    skills = {b.name: b for b in forecast_skill.judged(rows)}
    assert [b.name for b in forecast_skill.BARS] == list(skills)
    assert skills["peak: skill vs constant-residual square root"].reached is Reached.MISSED
    assert skills["peak: skill vs diffusive square root"].reached is Reached.AIM
    calibration = {b.name: b for b in forecast_calibration.judged(rows)}
    assert [b.name for b in forecast_calibration.BARS] == list(calibration)
    assert calibration["peak: coverage of the 90 % band"].reached is Reached.AIM
    assert calibration["peak: slices whose 90 % band covers 84 to 96 %"].reached is Reached.MUST
    ends = {name.partition(", ")[2]: (b.value, b.reached) for name, b in calibration.items() if name.startswith("peak")}
    assert ends["lowest of nine size x volatility cells"] == (84.0, Reached.MISSED)
    assert ends["highest of nine size x volatility cells"] == (94.0, Reached.MISSED)
    assert ends["lowest symbol"] == (86.0, Reached.AIM)
    assert ends["highest symbol"] == (97.0, Reached.MISSED)
    assert calibration["peak: coverage of the 90 % band, highest symbol"].note.startswith("S1 2025-04")


def test_a_bound_below_zero_is_missed_however_large_the_skill() -> None:
    rows = results_rows()
    for r in rows:
        r["low"] = -0.1 if r["low"] is not None else None
    reached = {b.name: b.reached for b in forecast_skill.judged(tuple(rows))}
    assert reached["shortfall: skill vs square root + spread"] is Reached.MISSED
    assert reached["unseen symbol, peak: skill vs best parametric"] is Reached.AIM


def test_missing_rows_cells_and_figures_are_never_passed() -> None:
    rows = results_rows()
    with pytest.raises(FootprintError, match="0 rows in results"):
        figure(tuple(rows), "walk_forward", "peak", "no_such_metric")
    fewer_cells = [r for r in rows if r["slice"] != "cell 3"]
    with pytest.raises(FootprintError, match="8 pooled cells of peak"):
        forecast_calibration.judged(tuple(fewer_cells))
    fewer_tapes = [r for r in rows if r["data"] != "S3 2025-04"]
    with pytest.raises(FootprintError, match="11 tapes of peak"):
        forecast_calibration.judged(tuple(fewer_tapes))
    empty = [{**r, "value": None, "low": None, "high": None} if r["split"] == "in_flight_50" else r for r in rows]
    by_name = {b.name: b for b in forecast_skill.judged(tuple(empty))}
    assert by_name["half way in flight, peak: skill vs updated square root"].reached is Reached.MISSED


def test_a_run_with_an_alarm_or_other_tapes_gives_no_rows() -> None:
    tapes = {f"S{k} 2025-04": {} for k in range(TAPES)}
    document = {"protocol": {"alarm": None, "tapes": tapes}, "rows": [row("peak", "crps_bps", 1.0)]}
    assert len(rows_of(document)) == 1
    with pytest.raises(FootprintError, match="until explained: 12 means look-ahead"):
        rows_of({**document, "protocol": {"alarm": "12 means look-ahead", "tapes": tapes}})
    with pytest.raises(FootprintError, match="this run scored 1: AIG"):
        rows_of({**document, "protocol": {"alarm": None, "tapes": {"AIG 2013-10": {}}}})


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The benchmark with a run that takes no time and counts itself; `inputs` is what it depends on."""
    state = SimpleNamespace(runs=0, inputs={"source_sha256": "a"}, out=tmp_path)
    tapes = {f"S{k} 2025-04": {} for k in range(TAPES)}

    def run_now() -> None:
        state.runs += 1
        document = {"protocol": {"alarm": None, "tapes": tapes}, "rows": [row("peak", "crps_bps", float(state.runs))]}
        (tmp_path / "results.json").write_text(json.dumps(document))

    monkeypatch.setattr(benchmark_results, "OUT", tmp_path)
    monkeypatch.setattr(benchmark_results, "_RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(benchmark_results, "_INPUTS", tmp_path / "inputs.json")
    monkeypatch.setattr(benchmark_results, "_inputs", lambda: dict(state.inputs))
    monkeypatch.setattr(benchmark_results, "_run", run_now)
    state.value = lambda: benchmark_results.benchmark_rows.__wrapped__()[0]["value"]
    return state


def test_a_finished_run_serves_again_only_on_the_same_inputs(benchmark: SimpleNamespace) -> None:
    assert (benchmark.value(), benchmark.value(), benchmark.runs) == (1.0, 1.0, 1)
    benchmark.inputs["source_sha256"] = "b"
    assert (benchmark.value(), benchmark.value(), benchmark.runs) == (2.0, 2.0, 2)


def test_an_interrupted_run_resumes_only_on_the_same_inputs(benchmark: SimpleNamespace) -> None:
    benchmark.value()
    kept = benchmark.out / "results.json.partial" / "fit.npz"
    kept.parent.mkdir()
    kept.touch()
    (benchmark.out / "results.json").unlink()
    assert benchmark.value() == 2.0
    assert kept.exists()
    benchmark.inputs["source_sha256"] = "b"
    assert benchmark.value() == 3.0
    assert not kept.exists()


def test_a_run_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark_results, "OUT", tmp_path)
    monkeypatch.setattr(benchmark_results, "_ARGUMENTS", ("audit", "no/such/folder"))
    with pytest.raises(FootprintError, match=r"exit status 2: footprint: no such file or folder: no/such/folder"):
        benchmark_results._run()


def test_the_inputs_change_with_a_byte_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1")
    before = benchmark_results._digest([file])
    assert benchmark_results._digest([file]) == before
    file.write_text("x = 2")
    assert benchmark_results._digest([file]) != before
