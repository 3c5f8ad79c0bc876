import os

import pytest

from footprint.app.files import replacing, replacing_folder
from footprint.errors import UsageError


def interrupt(path, error):
    path.write_text("half")
    raise error


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "out.json"
    with replacing(target) as partial:
        partial.write_text("first")
        assert not target.exists()
        assert partial.parent == tmp_path  # a move within one folder is atomic
    assert target.read_text() == "first"
    assert os.listdir(tmp_path) == ["out.json"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_file_leaves_the_earlier_one(tmp_path, error):
    target = tmp_path / "out.json"
    target.write_text("earlier")
    with pytest.raises(error), replacing(target) as partial:
        interrupt(partial, error)
    assert target.read_text() == "earlier"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_file_needs_its_folder(tmp_path):
    with pytest.raises(UsageError, match=r"folder .*missing does not exist"), replacing(tmp_path / "missing" / "a"):
        pass


def test_a_folder_or_a_device_is_not_replaced_by_a_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be replaced"), replacing(tmp_path):
        pass
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(UsageError, match="cannot be replaced"), replacing(fifo):
        pass


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("earlier")
    link.symlink_to(real)
    with replacing(link) as partial:
        partial.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_folder_appears_whole_and_replaces_an_earlier_result(tmp_path):
    target = tmp_path / "model"
    for generation in ("first", "second"):
        with replacing_folder(target, ("model.json", "first", "second")) as partial:
            (partial / "model.json").write_text(generation)
            (partial / generation).write_text("")
    assert sorted(os.listdir(target)) == ["model.json", "second"]
    assert (target / "model.json").read_text() == "second"
    assert os.listdir(tmp_path) == ["model"]


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "model").mkdir()
    with replacing_folder(tmp_path / "model", ("model.json",)) as partial:
        (partial / "model.json").write_text("x")
    assert os.listdir(tmp_path / "model") == ["model.json"]


def test_somebodys_documents_are_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds thesis\.tex"), replacing_folder(tmp_path, ("model.json",)):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_earlier_result_beside_somebodys_documents_is_not_replaced(tmp_path):
    for name in ("model.json", "thesis.tex"):
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match=r"holds thesis\.tex"), replacing_folder(tmp_path, ("model.json",)):
        pass
    assert sorted(os.listdir(tmp_path)) == ["model.json", "thesis.tex"]


def test_an_interrupted_folder_leaves_the_earlier_one(tmp_path):
    target = tmp_path / "model"
    with replacing_folder(target, ("model.json",)) as partial:
        (partial / "model.json").write_text("earlier")
    with pytest.raises(KeyboardInterrupt), replacing_folder(target, ("model.json",)) as partial:
        interrupt(partial / "model.json", KeyboardInterrupt)
    assert (target / "model.json").read_text() == "earlier"
    assert os.listdir(tmp_path) == ["model"]


def test_a_failed_second_move_puts_the_earlier_folder_back(tmp_path):
    target = tmp_path / "model"
    with replacing_folder(target, ("model.json",)) as partial:
        (partial / "model.json").write_text("earlier")
    with pytest.raises(FileNotFoundError), replacing_folder(target, ("model.json",)) as partial:
        partial.rmdir()  # so that the move of the new folder fails after the old one stepped aside
    assert (target / "model.json").read_text() == "earlier"
    assert os.listdir(tmp_path) == ["model"]
