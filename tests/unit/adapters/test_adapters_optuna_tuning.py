"""Optuna as a tuner: repeatable, resumable, better than chance, and clear about a file that is none of its."""

from __future__ import annotations

import math

import pytest

from footprint.adapters.optuna_tuning import OptunaTuner
from footprint.errors import UsageError
from footprint.impact.cost import Cost
from footprint.impact.tuning import Choice, Real, SearchSpace, Trial, Whole

SPACE = SearchSpace(
    (("a", Real(0.01, 100.0, log=True)), ("b", Whole(1, 9)), ("c", Choice(("no", "yes"))), ("d", Real(0.0, 1.0)))
)
OWN = {"a": 50.0, "b": 9, "c": "no", "d": 0.9}


def far(setting):
    """0 at a = 1, b = 3, c = yes, d = 0.5."""
    return (
        math.log10(setting["a"]) ** 2
        + 0.05 * (setting["b"] - 3) ** 2
        + (setting["c"] == "no")
        + (setting["d"] - 0.5) ** 2
    )


def search(tuner, key, until):
    while (number := len(tuner.trials(key))) < until:
        setting = tuner.propose(key, SPACE) if number else OWN
        tuner.record(key, SPACE, Trial(setting, far(setting), Cost(1.0, 0.5, 10)))
    return tuner.trials(key)


def test_a_search_that_is_opened_again_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole = search(OptunaTuner(tmp_path / "a.db", seed=1), "k", 13)
    for until in (1, 5, 11):
        search(OptunaTuner(tmp_path / "b.db", seed=1), "k", until)
    # a proposal that was never finished leaves no trace
    OptunaTuner(tmp_path / "b.db", seed=1).propose("k", SPACE)
    assert search(OptunaTuner(tmp_path / "b.db", seed=1), "k", 13) == whole
    assert whole[0] == Trial(OWN, far(OWN), Cost(1.0, 0.5, 10))
    other = search(OptunaTuner(tmp_path / "c.db", seed=2), "k", 3)
    assert other[1].setting != whole[1].setting


def test_searches_are_apart_and_stay_within_their_space(tmp_path):
    tuner = OptunaTuner(tmp_path / "a.db", seed=0)
    found = search(tuner, "one", 12)
    assert tuner.trials("two") == ()
    for trial in found[1:]:
        assert 0.01 <= trial.setting["a"] <= 100.0
        assert trial.setting["b"] in range(1, 10)
        assert trial.setting["c"] in ("no", "yes")


def test_proposals_learn(tmp_path):
    losses = [t.loss for t in search(OptunaTuner(tmp_path / "a.db", seed=0), "k", 30)]
    assert sum(losses[-10:]) < 0.7 * sum(losses[1:11])


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_that_is_no_database_is_named(tmp_path, content):
    file = tmp_path / "x.db"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.db: the trials cannot be kept"):
        OptunaTuner(file, seed=0).trials("k")
