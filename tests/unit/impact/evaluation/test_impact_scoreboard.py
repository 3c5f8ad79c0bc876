"""From scores to the published rows: fields, figures by hand, and the alarm."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from footprint.impact.evaluation.benchmark import Scored
from footprint.impact.evaluation.job import PINBALLS, SCORES
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.result import Result
from footprint.impact.evaluation.scoreboard import LARGEST, alarm, best_parametric, results
from footprint.impact.evaluation.slices import within_tape_terciles
from footprint.testing.random_rows import random_rows

PROTOCOL = Protocol(bootstrap_draws=100, slice_min_rows=20)
FIELDS = [
    "data", "split", "target", "model", "metric", "value", "low", "high", "n", "blocks", "slice", "information",
    "reference", "seed",
]  # fmt: skip
NO_INTERVAL = ("slices_in_84_96_percent", "diebold_mariano_p_vs_best_parametric", "pit_block_p")
NAN = float("nan")


def scores(rng: np.random.Generator, outcome: np.ndarray, crps: float, mean_error: float) -> np.ndarray:
    """Scores of a model as `benchmark` lays them out; PIT uniform, 92 % and 83 % covered."""
    count = len(outcome)
    columns = {
        "crps": np.full(count, crps),
        "covered_80": np.arange(count) % 100 < 83,
        "covered_90": np.arange(count) % 100 < 92,
        "above_var95": np.arange(count) % 100 < 4,
        "pit": rng.permutation((np.arange(count) + 0.5) / count),
        "brier_10": np.full(count, crps / 100),
        "prob_10": np.full(count, 0.25),
        "interval_90": np.full(count, 5 * crps),
        "above_var99": np.arange(count) % 100 < 2,
        "mean": outcome + mean_error * np.where(np.arange(count) % 2 == 0, 1.0, -1.0),
        "outcome": outcome,
    }
    columns |= {name: np.full(count, crps / 2) for name in PINBALLS}
    return np.column_stack([columns[name] for name in SCORES]).astype(np.float64)


@pytest.fixture(scope="module")
def scored() -> Scored:
    rng = np.random.default_rng(0)
    rows = random_rows(rng, 1_200)
    outcome = rows.outcome("peak")
    return Scored(
        "walk_forward",
        "peak",
        rows,
        {
            "square_root_constant": scores(rng, outcome, 10.0, 4.0),
            "square_root_diffusive": scores(rng, outcome, 8.0, 4.0),
            "linear": scores(rng, outcome, 7.5, 4.0),
            "stack": scores(rng, outcome, 7.2, 3.0),
        },
    )


@pytest.fixture(scope="module")
def figures(scored: Scored) -> list[Result]:
    return list(results(scored, PROTOCOL))


def find(figures: list[Result], **wanted: object) -> Result:
    wanted = {"slice": ""} | wanted
    (found,) = (f for f in figures if all(getattr(f, k) == v for k, v in wanted.items()))
    return found


def test_fields_are_exactly_those_promised(figures: list[Result]) -> None:
    for figure in figures:
        assert list(figure.as_dict()) == FIELDS
        json.dumps(figure.as_dict(), allow_nan=False)
        assert figure.metric in NO_INTERVAL or figure.low <= figure.high


def test_nan_becomes_none() -> None:
    figure = Result("pool", "all", "peak", "m", "x", NAN, float("inf"), 1.0, 2, 3).as_dict()
    assert (figure["value"], figure["low"], figure["high"], figure["n"]) == (None, None, 1.0, 2)


def test_pool_markets_and_tapes_are_all_there(figures: list[Result], scored: Scored) -> None:
    names = {"pool", *map(str, np.unique(scored.rows.market)), *map(str, np.unique(scored.rows.tape))}
    assert {f.data for f in figures} == names
    for name in names:
        coverage = find(figures, data=name, model="stack", metric="coverage_90_percent")
        mine = (scored.rows.tape == name) | (scored.rows.market == name)
        assert coverage.n == (1_200 if name == "pool" else mine.sum())
        assert 1 <= coverage.blocks <= coverage.n


def test_no_figure_twice(figures: list[Result]) -> None:
    keys = [(f.data, f.model, f.metric, f.slice) for f in figures]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("crps_skill_vs_square_root_constant_percent", 28.0),
        ("crps_skill_vs_square_root_diffusive_percent", 10.0),
        ("crps_skill_vs_best_parametric_percent", 4.0),
        ("pooled_crps_skill_vs_square_root_constant_percent", 28.0),
        ("brier_10bps_skill_vs_square_root_diffusive_percent", 10.0),
        ("crps_bps", 7.2),
        ("rmse_bps", 3.0),
        ("mae_bps", 3.0),
        ("interval_score_90_bps", 36.0),
        ("pinball_95_bps", 3.6),
        ("brier_10bps", 0.072),
    ],
)
def test_figures_by_hand(figures: list[Result], metric: str, value: float) -> None:
    figure = find(figures, data="pool", model="stack", metric=metric)
    assert figure.value == pytest.approx(value)
    assert (figure.low, figure.high) == pytest.approx((value, value))  # the same in every block


@pytest.mark.parametrize(
    ("metric", "value"), [("coverage_90_percent", 92.0), ("coverage_80_percent", 83.0), ("above_var95_percent", 4.0)]
)
def test_shares_are_percent_with_every_tape_the_same_weight(
    figures: list[Result], scored: Scored, metric: str, value: float
) -> None:
    figure = find(figures, data="pool", model="stack", metric=metric)
    name = {"coverage_90_percent": "covered_90", "coverage_80_percent": "covered_80"}.get(metric, "above_var95")
    by_tape = [scored.score("stack", name)[scored.rows.tape == t].mean() for t in np.unique(scored.rows.tape)]
    assert figure.value == pytest.approx(100.0 * np.mean(by_tape))
    assert figure.value == pytest.approx(value, abs=3.0)
    assert figure.low < figure.value < figure.high


def test_r2_is_explained_variance(figures: list[Result], scored: Scored) -> None:
    rows = scored.rows
    outcome, weights = rows.outcome("peak"), rows.tape_weights()
    variance = np.average((outcome - np.average(outcome, weights=weights)) ** 2, weights=weights)
    figure = find(figures, data="pool", model="stack", metric="r2_percent")
    assert figure.value == pytest.approx(100.0 * (1.0 - 9.0 / variance))
    assert figure.low < figure.value < figure.high


def test_pit_distance_of_uniform_and_of_one_sided(scored: Scored, figures: list[Result]) -> None:
    uniform = find(figures, data="pool", model="stack", metric="pit_distance")
    assert uniform.value < 0.06
    table = scored.scores["stack"].copy()
    table[:, SCORES.index("pit")] = 0.3
    stuck = list(results(replace(scored, scores={**scored.scores, "stack": table}), PROTOCOL))
    assert find(stuck, data="pool", model="stack", metric="pit_distance").value == pytest.approx(0.7, abs=0.011)


def test_best_parametric_is_named_and_never_scored_against_itself(figures: list[Result], scored: Scored) -> None:
    assert best_parametric(scored) == "linear"
    against = [f for f in figures if f.metric == "crps_skill_vs_best_parametric_percent" and f.data == "pool"]
    assert {f.reference for f in against} == {"linear"}
    assert {f.slice for f in against} == {"", LARGEST}
    assert {f.model for f in against} == {"square_root_constant", "square_root_diffusive", "stack"}


def test_skill_is_the_mean_over_tapes_and_pooled_skill_that_of_their_mean_losses(scored: Scored) -> None:
    big = scored.rows.tape == "AAA 2024-01"
    column = SCORES.index("crps")
    tables = {name: table.copy() for name, table in scored.scores.items()}
    tables["square_root_diffusive"][:, column] = np.where(big, 100.0, 1.0)
    tables["stack"][:, column] = np.where(big, 50.0, 1.0)
    figures = list(results(replace(scored, scores=tables), PROTOCOL))
    skill, pooled = (
        find(figures, data="pool", model="stack", metric=f"{kind}_skill_vs_square_root_diffusive_percent").value
        for kind in ("crps", "pooled_crps")
    )
    assert skill == pytest.approx(50.0 / 4)  # four tapes, one of them twice as good
    assert pooled == pytest.approx(100.0 * 50.0 / 103.0)


def test_best_parametric_is_judged_in_noise_scales(scored: Scored) -> None:
    scale = scored.rows.scale_bps("peak")
    loud = scale > np.median(scale)
    tables = {name: table.copy() for name, table in scored.scores.items()}
    column = SCORES.index("crps")
    tables["linear"][:, column] = scale * np.where(loud, 0.9, 1.2)  # better in bps, worse on most rows
    tables["square_root_diffusive"][:, column] = scale
    tables["square_root_constant"][:, column] = 2.0 * scale
    assert tables["linear"][:, column].mean() < tables["square_root_diffusive"][:, column].mean()
    assert best_parametric(replace(scored, scores=tables)) == "square_root_diffusive"


def test_slices_are_tape_by_size_by_volatility(figures: list[Result]) -> None:
    pooled = [f for f in figures if f.metric == "slice_coverage_90_percent" and f.data == "pool"]
    assert len({f.slice for f in pooled}) == 9
    fine = [f for f in figures if f.metric == "slice_coverage_90_percent" and f.model == "stack" and f.data != "pool"]
    assert all(f.n >= 20 for f in fine)
    share = find(figures, metric="slices_in_84_96_percent", model="stack")
    assert share.n == len(fine) > 10
    assert share.value == pytest.approx(100.0 * np.mean([84 <= f.value <= 96 for f in fine]))
    assert sum(f.n for f in pooled if f.model == "stack") == 1_200


def test_terciles_are_those_of_the_own_tape() -> None:
    rows = random_rows(np.random.default_rng(1), 900)
    values = rows.participation * np.where(rows.tape == "AAA 2024-01", 1_000.0, 1.0)
    tercile = within_tape_terciles(rows, values)
    for name in np.unique(rows.tape):
        mine = rows.tape == name
        shares = np.bincount(tercile[mine], minlength=3) / mine.sum()
        assert shares == pytest.approx([1 / 3] * 3, abs=0.02)
        assert values[mine & (tercile == 0)].max() < values[mine & (tercile == 2)].min()


def skill(value: float, **changes: object) -> Result:
    base = Result(
        "pool", "walk_forward", "peak", "stack", "crps_skill_vs_square_root_diffusive_percent", value, 0.0, 0.0, 1, 1
    )
    return replace(base, **changes)


@pytest.mark.parametrize(
    "figure",
    [
        skill(10.01),
        skill(40.0, model="boosted_quantiles"),
        skill(10.5, metric="r2_percent"),
        skill(12.0, split="strict_calendar"),
    ],
)
def test_alarm_above_ten_percent(figure: Result) -> None:
    assert alarm([skill(3.0), figure]) is not None
    assert f"{figure.value:.1f}" in alarm([figure])
    assert figure.metric in alarm([figure])


@pytest.mark.parametrize(
    "figure",
    [
        skill(10.0),
        skill(-50.0),
        skill(30.0, metric="crps_skill_vs_square_root_constant_percent"),
        skill(30.0, split="random_split"),
        skill(30.0, split="in_flight_50"),
        skill(30.0, target="shortfall"),
        skill(30.0, data="us"),
        skill(30.0, slice=LARGEST),
    ],
)
def test_no_alarm_for_what_can_be_had(figure: Result) -> None:
    assert alarm([figure]) is None
    assert alarm([]) is None


@pytest.mark.parametrize(("crps", "mean_error", "metric"), [(7.0, 60.0, "crps_skill"), (7.5, 3.0, "r2_percent")])
def test_run_that_looks_ahead_sets_off_the_alarm(scored: Scored, crps: float, mean_error: float, metric: str) -> None:
    rng = np.random.default_rng(1)
    outcome = scored.rows.outcome("peak")
    reference = {"square_root_diffusive": scores(rng, outcome, 8.0, 60.0)}
    honest = replace(scored, scores={**reference, "stack": scores(rng, outcome, 7.5, 60.0)})
    assert alarm(list(results(honest, PROTOCOL))) is None
    looks_ahead = replace(scored, scores={**reference, "stack": scores(rng, outcome, crps, mean_error)})
    assert metric in alarm(list(results(looks_ahead, PROTOCOL)))


def test_test_against_the_best_parametric_sees_a_constant_gain_and_no_gain(figures: list[Result]) -> None:
    metric = "diebold_mariano_p_vs_best_parametric"
    assert find(figures, data="pool", model="stack", metric=metric).value < 1e-6
    assert find(figures, data="pool", model="stack", metric=metric).reference == "linear"


def test_shares_of_the_pit_and_of_the_reliability_curve_add_up(figures: list[Result], scored: Scored) -> None:
    shares = [f for f in figures if (f.model, f.metric) == ("stack", "pit_share_percent")]
    assert len(shares) == 20
    assert sum(f.value for f in shares) == pytest.approx(100.0)
    (said,) = (f for f in figures if (f.model, f.metric) == ("stack", "predicted_above_10bps_percent"))
    (came,) = (f for f in figures if (f.model, f.metric) == ("stack", "observed_above_10bps_percent"))
    above = scored.rows.outcome("peak") > 10.0
    assert (said.value, said.slice) == (pytest.approx(25.0), "P 0.2 to 0.3")
    assert came.value == pytest.approx(100.0 * np.average(above, weights=scored.rows.tape_weights()))


def test_the_largest_quarter_is_a_quarter_of_every_tape(figures: list[Result], scored: Scored) -> None:
    metric = "crps_skill_vs_square_root_diffusive_percent"
    largest = find(figures, data="pool", model="stack", metric=metric, slice=LARGEST)
    assert largest.n == pytest.approx(len(scored.rows) / 4, abs=4)


def test_regret_is_what_the_truth_would_have_saved(scored: Scored) -> None:
    outcome = scored.rows.outcome("peak")
    truth = {**scored.scores, "planted_truth": scores(np.random.default_rng(0), outcome, 6.0, 3.0)}
    figures = list(results(replace(scored, scores=truth), PROTOCOL, detailed=False))
    regret = find(figures, data="pool", model="stack", metric="crps_regret_percent")
    assert regret.value == pytest.approx(20.0)  # 7.2 against 6
    assert regret.reference == "planted_truth"
    assert not [f for f in figures if (f.model, f.metric) == ("planted_truth", "crps_regret_percent")]
