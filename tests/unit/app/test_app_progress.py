import io

import pytest

from footprint.app.progress import LogProgress, NullProgress, TerminalProgress


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.mark.parametrize("progress", [NullProgress(), TerminalProgress(), LogProgress(io.StringIO())])
def test_items_pass_through_in_order(progress):
    assert list(progress.track(range(5), "counting")) == [0, 1, 2, 3, 4]
    assert list(progress.track(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    with progress.step("thinking"):
        pass


def test_a_log_says_nothing_of_short_work():
    log, clock = io.StringIO(), Clock()
    progress = LogProgress(log, clock)
    for _ in progress.track(range(3), "fitting"):
        clock.now_s += 0.5
    with progress.step("writing"):
        clock.now_s += 1.9
    assert log.getvalue() == ""


def test_a_log_tells_of_long_work_ever_less_often():
    log, clock = io.StringIO(), Clock()
    for _ in LogProgress(log, clock).track(range(12), "fitting"):
        clock.now_s += 1.0
    assert log.getvalue().splitlines() == [
        "fitting: 2 of 12, 2 s",
        "fitting: 4 of 12, 4 s",
        "fitting: 8 of 12, 8 s",
        "fitting: done in 12 s",
    ]


def test_a_log_tells_of_a_long_step():
    log, clock = io.StringIO(), Clock()
    with LogProgress(log, clock).step("auditing"):
        clock.now_s += 3.0
    assert log.getvalue() == "auditing: done in 3 s\n"


def test_bars_go_to_stderr_only(capsys):
    list(TerminalProgress().track(range(2), "counting"))
    assert capsys.readouterr().out == ""
