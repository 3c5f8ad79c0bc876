import io
import json
import re
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from footprint.app.cli.audit import audit_json, audit_table, summary_line
from footprint.app.cli.main import run
from footprint.data.verdict import Analysis, FileVerdict, Finding

ACCEPTED = FileVerdict(Path("a.zip"), "lobster", "AAPL", counts={"events": 10})
LIMITED = FileVerdict(
    Path("b.csv"),
    "lean",
    "BAC",
    (
        Finding("note", "prints without a side"),
        Finding("gap", "silent for more than 60 s", 1234, voids=(Analysis.QUEUE,)),
    ),
)
REFUSED = FileVerdict(Path("[c].csv"), "b3", "VALE3", (Finding("negative_size", "row 7, found -3", refuses=True),))
IGNORED = FileVerdict(Path("README.txt"), "", "", (Finding("not_recognised", "README.txt: format not recognised"),))


def printed(verdicts):
    out = io.StringIO()
    Console(file=out, width=160).print(audit_table(verdicts))
    return out.getvalue()


def test_the_table_shows_verdict_reasons_and_void_analyses():
    text = printed([ACCEPTED, LIMITED, REFUSED])
    for part in ("accepted", "limited", "refused", "silent for more than 60 s (1,234 times)", "queue position"):
        assert part in text
    assert "[c].csv" in text  # brackets of a file name are not taken for markup


def test_files_are_named_below_the_folder_they_share():
    text = printed([FileVerdict(Path("/tapes/x/a.zip"), "lean", "A"), FileVerdict(Path("/tapes/y/b.zip"), "lean", "B")])
    assert "in /tapes\n" in text.replace(" \n", "\n").replace("  ", "")
    assert "x/a.zip" in text
    assert "y/b.zip" in text


def test_relative_and_absolute_names_share_a_table():
    assert "b.csv" in printed([LIMITED, FileVerdict(Path("/tapes/a.zip"), "lean", "A")])


def test_what_matters_stands_first():
    text = printed([LIMITED])
    assert text.index("silent for more") < text.index("prints without a side")


def test_the_summary_counts_every_verdict():
    assert summary_line([ACCEPTED, LIMITED, LIMITED, REFUSED]) == "4 files: 1 accepted, 2 limited, 1 refused"
    assert summary_line([ACCEPTED]) == "1 file: 1 accepted, 0 limited, 0 refused"


def test_json_carries_the_same_and_more():
    plain = json.loads(json.dumps(audit_json([ACCEPTED, LIMITED, REFUSED])))
    assert plain["summary"] == {"accepted": 1, "limited": 1, "refused": 1}
    assert [f["verdict"] for f in plain["files"]] == ["accepted", "limited", "refused"]
    assert plain["files"][0]["counts"] == {"events": 10}
    assert plain["files"][1]["voids"] == ["queue position"]
    assert plain["files"][2]["findings"][0]["code"] == "negative_size"


def test_a_file_that_a_folder_brought_along_is_ignored_not_accepted():
    assert summary_line([IGNORED]) == "1 file: 0 accepted, 0 limited, 0 refused, 1 ignored"
    assert audit_json([IGNORED])["files"][0]["verdict"] == "ignored"


def test_a_reason_repeats_neither_the_file_nor_a_count_it_holds():
    text = printed([IGNORED, FileVerdict(Path("d"), "lean", "X", (Finding("gap", "3 of 9 rows", 3),))])
    assert text.count("README.txt") == 1
    assert "times" not in text


def test_a_file_of_many_symbols_names_three():
    text = printed([FileVerdict(Path("a.gz"), "frames", ",".join(f"SYM{k}" for k in range(1000)))])
    assert "SYM0, SYM1, SYM2 and" in text
    assert re.search(r"\b997\b", text)
    assert "SYM3" not in text
    assert "accepted" in text


def test_a_narrow_terminal_shows_every_column():
    out = io.StringIO()
    many = replace(LIMITED, symbol=",".join(f"LONG-SYMBOL-{k}" for k in range(1000)))
    Console(file=out, width=80).print(audit_table([many, REFUSED]))
    for part in ("file", "format", "symbol", "limited", "refused", "reasons", "void"):
        assert part in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_of_many_findings_of_a_kind_three_are_shown():
    findings = [Finding("no_trades", f"S{k}: no trades") for k in range(9)] + [Finding("note", "a note")]
    text = printed([FileVerdict(Path("a.gz"), "frames", "S0", tuple(findings))])
    assert text.count(": no trades") == 4
    assert "S3:" not in text
    assert text.index("and 6 more of this kind: no trades") < text.index("a note")


def test_files_of_one_chain_say_the_same_once():
    findings = (Finding("gap", "silent"),)
    first, second = (FileVerdict(Path(n), "frames", "S", findings, chain="C") for n in ("a.gz", "b.gz"))
    text = printed([first, second, replace(second, path=Path("c.gz"), chain="D")])
    assert text.count("silent") == 2
    assert "as a.gz" in text


def test_ignored_files_stand_below_the_table():
    strangers = [replace(IGNORED, path=Path(f"notes{k}.txt")) for k in range(9)]
    text = printed([ACCEPTED, *strangers])
    assert "no known format, ignored: notes0.txt, notes1.txt, notes2.txt and 6 more" in " ".join(text.split())
    assert text.index("accepted") < text.index("notes0.txt")
    assert "notes3.txt" not in text


def test_an_empty_folder_has_no_table(tmp_path, capsys):
    assert run(["audit", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "0 files: 0 accepted, 0 limited, 0 refused\n"


def test_a_refused_file_is_status_3_and_a_missing_one_is_misuse(tmp_path, capsys):
    nonsense = tmp_path / "tape.csv"
    nonsense.write_text("no market data\n")
    assert run(["audit", str(nonsense), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["summary"]["refused"] == 1
    assert run(["audit", str(nonsense)]) == 3
    assert "0 accepted, 0 limited, 1 refused" in capsys.readouterr().out
    assert run(["audit", str(tmp_path / "missing")]) == 2
    assert capsys.readouterr() == ("", f"footprint: no such file or folder: {tmp_path / 'missing'}\n")
