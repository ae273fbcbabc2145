"""macOS and Windows lack what only Linux, or only Unix, has; Windows moves nothing that is open."""

import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core import into_place
from tests.data.images import two_classes, write_zip

ROOT = Path(__file__).parents[1]


@pytest.mark.alone
def test_the_core_works_without_what_only_unix_has(home: Path, tmp_path: Path) -> None:
    write_zip(tmp_path / "clothes.zip", two_classes(colour=False))
    command = [sys.executable, "-m", "tests.other_systems", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"status": "finished"' in done.stdout
    assert not list(home.rglob("*.partial"))


def test_windows_is_asked_again_while_a_reader_has_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals, move = [1, 2, 3], into_place.os.replace
    draft, path = tmp_path / "draft", tmp_path / "file"
    pauses: list[float] = []

    def refuse(draft: Path, path: Path) -> None:
        if refusals:
            refusals.pop()
            raise PermissionError(13, "The process cannot access the file")
        move(draft, path)

    draft.write_text("new")
    monkeypatch.setattr(into_place.os, "replace", refuse)
    monkeypatch.setattr(into_place.time, "sleep", pauses.append)
    with pytest.raises(PermissionError):
        into_place.move_into_place(draft, path)  # elsewhere it is no accident
    monkeypatch.setattr(into_place.os, "name", "nt")
    into_place.move_into_place(draft, path)
    monkeypatch.undo()
    assert path.read_text() == "new"
    assert len(pauses) == 2


def test_windows_is_not_asked_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(draft: Path, path: Path) -> None:
        raise PermissionError(13, "The process cannot access the file")

    pauses: list[float] = []
    draft, path = tmp_path / "draft", tmp_path / "file"
    monkeypatch.setattr(into_place.os, "replace", refuse)
    monkeypatch.setattr(into_place.time, "sleep", pauses.append)
    monkeypatch.setattr(into_place.os, "name", "nt")
    with pytest.raises(PermissionError):
        into_place.move_into_place(draft, path)
    monkeypatch.undo()
    assert 0.5 < sum(pauses) < 2
