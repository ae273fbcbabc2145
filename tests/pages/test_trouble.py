"""What goes wrong outside the program is a sentence on the page, never a traceback."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from cnn_core.runs.store import RunStore
from pages.ui.frame import layout
from tests.pages.conftest import Open, errors

PAGES = ("home", "data", "bring", "train", "runs", "classify")
Patch = pytest.MonkeyPatch


def bad_setting(home: Path, patch: Patch) -> None:
    patch.setenv("CNN_PLAYGROUND_UPLOAD_FILES", "0")


def home_is_a_file(home: Path, patch: Patch) -> None:
    home.write_text("not a folder")


def damaged_database(home: Path, patch: Patch) -> None:
    home.mkdir()
    (home / "playground.db").write_bytes(b"SQLite format 3\0" + b"nonsense" * 512)


def locked_database(home: Path, patch: Patch) -> None:
    def locked(self: RunStore) -> None:
        raise OperationalError("BEGIN", None, Exception("database is locked"))

    for name in ("runs", "reap", "workers"):
        patch.setattr(RunStore, name, lambda self, *_, **__: locked(self))


def read_only_home(home: Path, patch: Patch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    patch.setattr(Path, "mkdir", refuse)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("trouble", "part", "needless"),  # pages that need neither a run nor a file
    [
        (bad_setting, "CNN_PLAYGROUND_UPLOAD_FILES is '0'", ()),
        (home_is_a_file, "CNN_PLAYGROUND_HOME", ("bring",)),
        (damaged_database, "is damaged", ("data", "bring")),
        (locked_database, "is locked by another program", ("data", "bring")),
        (read_only_home, "ead-only", ("bring",)),
    ],
)
def test_a_page_says_what_is_wrong(
    open_page: Open,
    home: Path,
    monkeypatch: Patch,
    page: str,
    trouble: Callable[[Path, Patch], None],
    part: str,
    needless: tuple[str, ...],
) -> None:
    trouble(home, monkeypatch)
    monkeypatch.setattr(layout, "_framed", False)  # as in a server that was just started: through app.py
    shown = errors(open_page(page))
    assert part in shown or (shown == "" and page in needless)


@pytest.mark.parametrize("page", ["train", "augmentation"])
def test_brackets_in_an_address(open_page: Open, page: str) -> None:
    assert "augment in the address has more than" in errors(open_page(page, augment="[" * 20_000))
