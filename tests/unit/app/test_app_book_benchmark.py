"""The benchmark of the books: every timed run ends at the generator's book, and what is printed is what was timed."""

import json

import numpy as np
import pytest

from footprint.app import book_benchmark
from footprint.app.book_benchmark import OURS, Row, map_ids, match, replay_levels, replay_orders
from footprint.app.book_stream import GROWING, STEADY, make_stream
from footprint.errors import FootprintError

RUNS = (replay_orders, replay_levels, match, map_ids)


@pytest.fixture(scope="module", params=[STEADY, GROWING], ids=["itch", "m70"])
def stream(request):
    return make_stream(request.param, 20_000)


@pytest.mark.parametrize("run", RUNS)
def test_a_run_takes_time_and_ends_at_the_generators_book(stream, run):
    assert run(stream) > 0


@pytest.mark.parametrize("run", RUNS)
def test_a_book_that_differs_fails_the_run(stream, run):
    book = stream.book.copy()
    book[3, 2] += 1
    with pytest.raises(FootprintError, match="differs from the generator's"):
        run(stream._replace(book=book, live_orders=stream.live_orders + 1))


def test_ratios_are_over_our_time_and_halved_for_two_books():
    times = {OURS: iter([9e9, 10.0, 30.0, 20.0]), "hftbacktest L3, x": iter([9e9, 300.0, 500.0, 400.0])}
    systems = {name: (lambda values=values: next(values)) for name, values in times.items()}
    rows = book_benchmark._timed("case", systems, 10, 3)
    assert rows == [Row("case", OURS, 2.0, 1.0, None, 10), Row("case", "hftbacktest L3, x", 40.0, 20.0, 10.0, 10)]


@pytest.fixture
def quick(monkeypatch):
    """The whole benchmark on short streams, without peers and new processes."""
    monkeypatch.setattr(book_benchmark, "MIXES", {"itch-2k": STEADY, "m70": GROWING})
    monkeypatch.setattr(book_benchmark, "STEPS", 2_000)
    monkeypatch.setattr(book_benchmark, "MATCHING_STEPS", {"m70": 2_000})
    monkeypatch.setattr(book_benchmark, "SLOPE_STEPS", (1_000, 2_000))
    monkeypatch.setattr(book_benchmark, "_start_s", lambda: 0.5)
    monkeypatch.setattr(book_benchmark.book_peers, "installed", lambda name: False)


def test_json_has_rows_and_figures(quick, capsys):
    book_benchmark.run(2, as_json=True)
    report = json.loads(capsys.readouterr().out)
    cases = [(row["case"], row["system"]) for row in report["rows"]]
    assert cases[:4] == [
        ("L3 itch-2k", OURS),
        ("L3 itch-2k", f"{OURS}, ids alone"),
        ("L2 itch-2k", OURS),
        ("L3 m70", OURS),
    ]
    assert {"case", "system", "ns_per_row", "ratio"} <= set(report["rows"][0])
    assert set(report["figures"]) == {"queue_length_ratio", "slope", "start_s"}
    assert np.isfinite(list(report["figures"].values())).all()


def test_without_the_peers_one_line_says_how_to_get_them(quick, capsys):
    book_benchmark.run(1, as_json=False)
    text = capsys.readouterr().out
    assert text.count("make install-bench") == 1
    assert "hftbacktest, nautilus_trader" in text


def test_a_new_process_makes_its_first_call():
    assert 0 < book_benchmark._start_s() < 60
