"""The scorecard's forecast bars: from rows of results.json, and when a finished benchmark run may serve again."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scorecard import benchmark_results, benchmark_time, forecast_calibration, forecast_skill, planted_law, sanity
from scorecard.bar import Reached
from scorecard.benchmark_results import TAPES, figure, rows_of

from footprint.errors import FootprintError


def row(target: str, metric: str, value: float | None, split: str = "walk_forward", data: str = "pool") -> dict:
    low, high = (None, None) if value is None else (value - 0.5, value + 0.5)
    names = {"data": data, "split": split, "target": target, "model": "stack", "metric": metric}
    names |= {"information": "F50" if split == "in_flight_50" else "A", "slice": "", "reference": "istar", "seed": 0}
    return {**names, "value": value, "low": low, "high": high, "n": 500, "blocks": 40}


def results_rows() -> list[dict]:
    """What the bars read, every skill 5 %, every coverage at its nominal value but for two cells and two symbols."""
    rows = [row(s.target, s.metric, 5.0, s.split) for s in forecast_skill._ALL if s.bar.issue == 2]
    for target in ("peak", "shortfall"):
        rows += [
            row(target, "coverage_90_percent", 90.0),
            row(target, "coverage_80_percent", 80.0),
            row(target, "slices_in_84_96_percent", 85.0),
            row(target, "pit_distance", 0.03),
            row(target, "pit_block_p", 0.2),
            row(target, "above_var95_percent", 5.0),
            row(target, "coverage_90_percent", 50.0, data="us"),  # a market is no symbol
        ]
        cells = [84.0, 94.0, *[90.0] * 7]
        symbols = [86.0, 97.0, *[90.0] * (TAPES - 2)]
        rows += [{**row(target, "slice_coverage_90_percent", v), "slice": f"cell {k}"} for k, v in enumerate(cells)] + [
            row(target, "coverage_90_percent", v, data=f"S{k} 2025-04") for k, v in enumerate(symbols)
        ]
    return rows


def by_name(bars: list, issue: int) -> dict:
    return {b.name: b for b in bars if b.issue == issue}


def test_forecast_bars_from_rows() -> None:
    rows = tuple(results_rows())
    bars = forecast_skill.judged(rows)
    assert [(b.issue, b.name) for b in forecast_skill.BARS] == [(b.issue, b.name) for b in bars]
    skills = by_name(bars, 2)
    assert skills["peak: skill vs constant-residual square root"].reached is Reached.MISSED
    assert skills["peak: skill vs diffusive square root"].reached is Reached.AIM
    bars = forecast_calibration.judged(rows)
    assert [(b.issue, b.name) for b in forecast_calibration.BARS] == [(b.issue, b.name) for b in bars]
    calibration = by_name(bars, 2)
    assert calibration["peak: coverage of the 90 % band"].reached is Reached.AIM
    assert calibration["peak: slices whose 90 % band covers 84 to 96 %"].reached is Reached.MUST
    ends = {name.partition(", ")[2]: (b.value, b.reached) for name, b in calibration.items() if name.startswith("peak")}
    assert ends["lowest of nine size x volatility cells"] == (84.0, Reached.MISSED)
    assert ends["highest of nine size x volatility cells"] == (94.0, Reached.MISSED)
    assert ends["lowest symbol"] == (86.0, Reached.AIM)
    assert ends["highest symbol"] == (97.0, Reached.MISSED)
    assert calibration["peak: coverage of the 90 % band, highest symbol"].note.startswith("S1 2025-04")


def test_issue_4_asks_more_of_the_same_figures() -> None:
    rows = tuple(results_rows())
    skills = by_name(forecast_skill.judged(rows), 4)
    assert skills["peak: skill vs diffusive square root"].reached is Reached.AIM
    assert skills["half way in flight, peak: skill vs updated square root"].reached is Reached.MUST
    assert skills["shortfall: Brier skill of P(> 10 bps) vs diffusive square root"].reached is Reached.MISSED
    assert skills["unseen symbol, peak: skill vs best parametric"].note == "40 blocks, best parametric is istar"
    assert skills["peak: skill vs diffusive square root, pooled bps"].must is None
    calibration = by_name(forecast_calibration.judged(rows), 4)
    assert calibration["peak: slices whose 90 % band covers 84 to 96 %"].reached is Reached.MISSED
    assert calibration["peak: PIT distance"].reached is Reached.MUST
    assert calibration["peak: PIT block p"].reached is Reached.AIM
    assert calibration["peak: coverage of the 90 % band, lowest symbol"].reached is Reached.AIM
    assert calibration["peak: above VaR95, distance of its interval from 5 %"].value == 0.0
    away = [{**r, "low": 5.2} if r["metric"] == "above_var95_percent" else r for r in rows]
    calibration = by_name(forecast_calibration.judged(tuple(away)), 4)
    interval = calibration["shortfall: above VaR95, distance of its interval from 5 %"]
    assert (interval.value, interval.reached) == (pytest.approx(0.2), Reached.MISSED)


def test_other_seeds_and_information_sets_are_not_the_headline() -> None:
    rows = results_rows()
    rows += [{**r, "seed": 1, "value": 0.0} for r in results_rows()]
    rows += [{**r, "information": "A0", "value": 0.0} for r in results_rows()]
    assert forecast_skill.judged(tuple(rows)) == forecast_skill.judged(tuple(results_rows()))
    assert forecast_calibration.judged(tuple(rows)) == forecast_calibration.judged(tuple(results_rows()))


def test_time_of_a_whole_run_and_of_a_resumed_one() -> None:
    cost = {"jobs_reused": 0, "wall_s": 1_230.0, "rows_s": 30.0, "cpu_s": 2_000.0, "workers": 2, "peak_memory_mb": 900}
    cost |= {"cpu_s_by_model": {"boosted": 1_500.0}, "jobs": [{}] * 7}
    wall, memory = benchmark_time.judged(cost)
    assert (wall.value, wall.n, wall.reached) == (20.0, 7, Reached.MUST)
    assert memory.value == pytest.approx(0.9)
    with pytest.raises(FootprintError, match="reused 3 jobs"):
        benchmark_time.judged({**cost, "jobs_reused": 3})


def test_the_random_split_is_printed_beside_the_right_one() -> None:
    metric = "crps_skill_vs_square_root_diffusive_percent"
    rows = [{**row("peak", metric, 7.0, "random_split"), "model": "boosted_quantiles"}]
    rows.append({**row("peak", metric, 2.0), "model": "boosted_quantiles"})
    alarms, difference = sanity.judged(tuple(rows))
    assert (alarms.value, difference.value) == (0.0, 5.0)
    assert sanity.judged(tuple(rows[:1]))[1].reached is Reached.MISSED


def test_planted_law_is_judged_by_the_ninth_of_ten() -> None:
    error = np.array([np.linspace(0.001, 0.010, 10), np.full(10, 2.5), np.full(10, 0.01), np.full(10, 0.02)])
    bars = by_name([b for i in (2, 4) for b in planted_law.judged(i, error, ("", "", "", ""))], 4)
    assert bars["planted law: exponent error, 9th of 10"].value == pytest.approx(0.009)
    assert bars["planted law: exponent error, 9th of 10"].reached is Reached.MUST
    assert bars["planted law: seeds with all of these within the must"].value == 10
    assert bars["planted law: seeds with all of these within the aim"].value == 0


def test_a_bound_below_zero_is_missed_however_large_the_skill() -> None:
    rows = results_rows()
    for r in rows:
        r["low"] = -0.1 if r["low"] is not None else None
    reached = {b.name: b.reached for b in forecast_skill.judged(tuple(rows)) if b.issue == 2}
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
    bars = by_name(forecast_skill.judged(tuple(empty)), 2)
    assert bars["half way in flight, peak: skill vs updated square root"].reached is Reached.MISSED


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
    state.value = lambda: benchmark_results.benchmark_document.__wrapped__()["rows"][0]["value"]
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
