"""What every place that keeps the files of runs does."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cnn_core.errors import UnknownNameError
from cnn_core.runs.files import LocalRunFiles, RunFiles

Make = Callable[[str], RunFiles]
PLACES = {"local": LocalRunFiles}


@pytest.fixture(params=PLACES.values(), ids=PLACES)
def make(request: pytest.FixtureRequest, home: Path) -> Make:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def files(make: Make) -> RunFiles:
    return make("0123abcd")


def put(files: RunFiles, name: str, text: str) -> None:
    files.put(name, lambda path: path.write_text(text))


def test_nothing_is_there_before_the_first_write(files: RunFiles) -> None:
    assert files.names() == []
    assert files.version("plan.json") is None
    with pytest.raises(FileNotFoundError):
        files.open("plan.json")
    files.delete("plan.json")
    files.delete()


def test_what_is_put_is_read_again_and_its_version_changes(files: RunFiles, make: Make) -> None:
    put(files, "a", "one")
    first = files.version("a")
    assert files.open("a").read_text() == "one"
    put(files, "a", "other")
    assert make("0123abcd").open("a").read_text() == "other"
    assert files.version("a") not in (None, first)
    assert make("0123abcd").version("a") == files.version("a")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_write_that_fails_leaves_the_old_file_and_no_half_one(files: RunFiles, error: BaseException) -> None:
    put(files, "a", "old")

    def half(path: Path) -> None:
        path.write_text("ne")
        raise error

    with pytest.raises(type(error)):
        files.put("a", half)
    assert files.names() == ["a"]
    assert files.open("a").read_text() == "old"


def test_text_is_added_to_the_end(files: RunFiles) -> None:
    files.append("a", "één\n")
    files.append("a", "two\n")
    assert files.open("a").read_text("utf-8") == "één\ntwo\n"


def test_a_new_name_takes_the_place_of_what_had_it(files: RunFiles) -> None:
    put(files, "a", "new")
    put(files, "b", "old")
    files.rename("a", "b")
    assert files.names() == ["b"]
    assert files.open("b").read_text() == "new"
    with pytest.raises(FileNotFoundError):
        files.rename("a", "b")


def test_runs_do_not_share_files_and_are_deleted_alone(files: RunFiles, make: Make) -> None:
    other = make("0123abce")
    for each in (files, other):
        put(each, "a", "text")
        put(each, "b", "text")
    files.delete("a")
    assert files.names() == ["b"]
    files.delete()
    assert files.names() == []
    assert other.names() == ["a", "b"]


@pytest.mark.parametrize("run_id", ["", "..", "../../etc", "0123ABCD", "0123abcd/", "0123abcd\n", "0" * 9])
def test_only_ids_of_runs_are_taken(make: Make, run_id: str) -> None:
    with pytest.raises(UnknownNameError):
        make(run_id)


def test_a_reader_keeps_what_it_has_opened(files: RunFiles) -> None:
    put(files, "a", "old")
    if os.name == "nt":
        pytest.skip("Windows refuses to replace a file that is open")
    with files.open("a").open() as opened:
        put(files, "a", "new")
        assert opened.read() == "old"
