"""What can go wrong around the command line: how to bring it about, what is asked for, and how it has to end."""

from __future__ import annotations

import errno
import io
import os
import resource
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cnn_core.command_line import files as named_files
from cnn_core.recipe import Recipe
from cnn_core.runs import engine
from cnn_core.runs.store import RunStore
from tests.data.images import two_classes, write_zip

LIMIT = 30_000  # bytes a file may grow to: less than any data set or database of these tests has


@dataclass
class World:
    """Where a situation is set up."""

    home: Path  # the data folder, not made yet
    folder: Path  # for files that a person names
    patch: pytest.MonkeyPatch
    after: ExitStack  # undone at the end

    def file(self, name: str, content: bytes | str) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def set(self, name: str, value: str) -> None:
        self.patch.setenv(f"CNN_PLAYGROUND_{name}", value)


@dataclass(frozen=True)
class Situation:
    """`arguments` may come from `set_up`; `part` has to be in the one sentence on standard error."""

    name: str
    arguments: tuple[str, ...]
    part: str
    set_up: Callable[[World], tuple[str, ...] | None] = lambda world: None
    code: int = 2


def setting(name: str, value: str) -> Callable[[World], None]:
    return lambda world: world.set(name, value)


def recipe(content: bytes | str) -> Callable[[World], tuple[str, ...]]:
    return lambda world: ("train", "--recipe", world.file("recipe.json", content))


def pictures(world: World) -> tuple[str, ...]:
    return ("import", str(write_zip(world.folder / "clothes.zip", two_classes())), "--name", "Clothes")


def full_disk(world: World) -> None:
    """Real writes that fail: files of this process cannot grow beyond LIMIT."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    world.after.callback(resource.setrlimit, resource.RLIMIT_FSIZE, before)


def with_run(world: World) -> None:
    runs = RunStore(f"sqlite:///{world.home / 'playground.db'}")
    runs.create(Recipe(), "one")
    runs._engine.dispose()


def then(*steps: Callable[[World], Any]) -> Callable[[World], tuple[str, ...] | None]:
    """One after the other; the arguments are those of the last that has some."""

    def all_of_them(world: World) -> tuple[str, ...] | None:
        return next((found for found in [step(world) for step in steps][::-1] if found), None)

    return all_of_them


def home_is_a_file(world: World) -> None:
    world.home.write_text("not a folder")


def read_only(world: World) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    world.patch.setattr(Path, "mkdir", refuse)


def read_only_database(world: World) -> None:
    with_run(world)
    opened = sqlite3.connect

    def open_to_read(database: str, *_: object, **more: Any) -> sqlite3.Connection:
        return opened(f"file:{database}?mode=ro", uri=True, **(more | {"check_same_thread": False}))

    world.patch.setattr(sqlite3, "connect", open_to_read)
    world.patch.setattr(sqlite3.dbapi2, "connect", open_to_read)  # type: ignore[attr-defined]


def locked(world: World) -> None:
    with_run(world)
    world.patch.setattr(engine, "BUSY_MILLISECONDS", 20)
    other = sqlite3.connect(world.home / "playground.db", isolation_level=None)
    world.after.callback(other.close)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")


def damaged(world: World) -> None:
    world.home.mkdir()
    (world.home / "playground.db").write_bytes(b"no database " * 1000)


def half_damaged(world: World) -> None:
    """The first page is whole, and the others are not: as after a disk fault."""
    with_run(world)
    path = world.home / "playground.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def older(world: World) -> None:
    with_run(world)
    with sqlite3.connect(world.home / "playground.db") as database:
        database.execute("alter table runs drop column number")
    database.close()


def newer(world: World) -> None:
    with_run(world)
    with sqlite3.connect(world.home / "playground.db") as database:
        database.execute("update alembic_version set version_num = '0999'")
    database.close()


def without_revision(world: World) -> None:
    """As left by somebody who mended the database by hand."""
    with_run(world)
    with sqlite3.connect(world.home / "playground.db") as database:
        database.execute("delete from alembic_version")
    database.close()


def may_not_be_read(world: World) -> tuple[str, ...]:
    def refuse(path: str, *_: object) -> io.BytesIO:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    world.patch.setattr(named_files, "open", refuse, raising=False)
    return ("train", "--recipe", world.file("recipe.json", "{}"))


def pipe(world: World) -> tuple[str, ...]:
    os.mkfifo(world.folder / "pipe")
    return ("import", str(world.folder / "pipe"), "--name", "Clothes")


def label_table(content: bytes) -> Callable[[World], tuple[str, ...]]:
    return lambda world: (*pictures(world), "--labels", world.file("labels.csv", content))


def fault(world: World) -> None:
    def broken(self: RunStore, *_: object) -> None:
        raise KeyError("a fault of ours")

    world.patch.setattr(RunStore, "runs", broken)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


DIGITS = ("train", "--dataset", "digits", "--network", "mlp", "--epochs", "1")
UNMET = (
    Situation("no such GPU", DIGITS, "this computer has no cuda:7", setting("DEVICES", "cuda:7")),
    Situation("no such device", (), "this computer has no mps", recipe('{"training": {"device": "mps"}}')),
    Situation("no network, no file: train", ("train", "--dataset", "mnist"), "MNIST could not be downloaded"),
)
SITUATIONS = (
    # Settings
    Situation("threads", ("runs",), "CNN_PLAYGROUND_THREADS is 'abc'", setting("THREADS", "abc")),
    Situation("no upload", ("datasets",), "CNN_PLAYGROUND_UPLOAD_FILES is '0'", setting("UPLOAD_FILES", "0")),
    Situation("folders", DIGITS, "CNN_PLAYGROUND_DATASET_FOLDERS is '/srv'", setting("DATASET_FOLDERS", "/srv")),
    Situation("deep folders", ("runs",), "a JSON list", setting("IMPORT_FOLDERS", "[" * 100_000)),
    Situation("devices", DIGITS, "CNN_PLAYGROUND_DEVICES is 'gpu'", setting("DEVICES", "gpu")),
    Situation("url", ("runs",), "CNN_PLAYGROUND_DATABASE_URL", setting("DATABASE_URL", "nonsense")),
    # The data folder
    Situation("home is a file", ("runs",), "CNN_PLAYGROUND_HOME", home_is_a_file),
    Situation("home is a file: get", ("datasets", "--get", "digits"), "CNN_PLAYGROUND_HOME", home_is_a_file),
    Situation("home is a file: import", (), "CNN_PLAYGROUND_HOME", then(home_is_a_file, pictures)),
    Situation("home is a file: train", DIGITS, "CNN_PLAYGROUND_HOME", home_is_a_file),
    Situation("home in /proc", ("runs",), "CNN_PLAYGROUND_HOME", setting("HOME", "/proc/nowhere")),
    Situation("home in /proc: get", ("datasets", "--get", "digits"), "/proc/nowhere", setting("HOME", "/proc/nowhere")),
    Situation("read-only: runs", ("runs",), "Read-only", read_only),
    Situation("read-only: train", DIGITS, "Read-only", read_only),
    Situation("read-only: get", ("datasets", "--get", "digits"), "Read-only", read_only),
    Situation("read-only: import", (), "disk is read-only", then(pictures, read_only, pictures)),
    Situation("read-only: evaluate", ("evaluate", "0123abcd"), "Read-only", read_only),
    # The disk
    Situation("full: get", ("datasets", "--get", "digits"), "could not be written", full_disk),
    Situation("full: import", (), "CNN_PLAYGROUND_HOME", then(pictures, full_disk)),
    Situation("full: train", DIGITS, "CNN_PLAYGROUND_HOME", full_disk),
    Situation("full: evaluate", ("evaluate", "0123abcd"), "CNN_PLAYGROUND_HOME", full_disk),
    # The database
    Situation("locked: runs", ("runs",), "is locked by another program", locked),
    Situation("locked: train", DIGITS, "is locked by another program", locked),
    Situation("locked: evaluate", ("evaluate", "0123abcd"), "is locked by another program", locked),
    Situation("damaged", ("runs",), "is damaged", damaged),
    Situation("half damaged", ("runs",), "is damaged", half_damaged),
    Situation("half damaged: train", DIGITS, "is damaged", half_damaged),
    Situation("read-only database", DIGITS, "cannot be written", read_only_database),
    Situation("of another version", ("runs",), "was made by another version", older),
    Situation("of a newer version", ("runs",), "was made by a newer version", newer),
    Situation("without a revision", ("runs",), "was made by another version", without_revision),
    Situation("no server", ("runs",), "does not answer", setting("DATABASE_URL", "postgresql://u@/x?host=/nowhere")),
    # Recipes
    Situation("deep", (), "more than 24 brackets", recipe("[" * 100_000)),
    Situation("deep objects", (), "more than 24 brackets", recipe('{"a":' * 100_000)),
    Situation("deep and whole", (), "more than 24 brackets", recipe(f'{{"augment": {nested(900)}}}')),
    Situation("digits", (), "a number has 5,000 digits", recipe('{"seed": ' + "9" * 5000 + "}")),
    Situation("infinite", (), "seed: input should be a finite number", recipe('{"seed": 1e999}')),
    Situation("too large", (), "training.epochs: input should be less", recipe('{"training": {"epochs": 1000000}}')),
    Situation("binary", (), "not text in UTF-8", recipe(bytes(range(128, 256)))),
    Situation("empty recipe", (), "not valid JSON", recipe("")),
    Situation("unknown field", (), "training.optimizer is not a known field", recipe('{"training": {"optimizer": 1}}')),
    Situation(
        "a folder as recipe",
        (),
        "cannot be read: Is a directory",
        lambda world: ("train", "--recipe", str(world.folder)),
    ),
    Situation("no recipe", ("train", "--recipe", ""), "cannot be read"),
    Situation("a zero byte", ("train", "--recipe", "a\0b"), "cannot be read"),
    Situation("missing recipe", ("train", "--recipe", "nowhere.json"), "nowhere.json cannot be read"),
    Situation("endless recipe", ("train", "--recipe", "/dev/zero"), "more than 1 MB"),
    Situation("permission", (), "Permission denied", may_not_be_read),
    Situation("a missing recipe to check", ("check", "nowhere.json"), "The recipe nowhere.json cannot be read"),
    Situation("no recipe to check", (), "not valid JSON", lambda world: ("check", world.file("a.json", "["))),
    # What training takes
    *UNMET,
    # Names
    Situation("data set", ("train", "--dataset", "mnits"), "Did you mean mnist?"),
    Situation("network", ("train", "--network", "resnet"), "Known: "),
    Situation("network \\ud800", (), "There is no network", recipe('{"network": {"preset": "\\ud800"}}')),
    Situation("epochs", ("train", "--epochs", "0"), "training.epochs: input should be greater"),
    Situation("resume", ("train", "--resume", "ffffffff"), "There is no run 'ffffffff'"),
    Situation("resume nothing", ("train", "--resume", ""), "There is no run ''"),
    Situation("evaluate", ("evaluate", "../../etc"), "There is no run"),
    Situation("predict", ("predict", "ffffffff", "a.png"), "There is no run"),
    Situation("get", ("datasets", "--get", "nothing"), "There is no data set"),
    Situation("size", ("datasets", "--get", "digits", "--size", "100000"), "image_size"),
    Situation("no network, no file", ("datasets", "--get", "mnist"), "MNIST could not be downloaded"),
    # Imports
    Situation("missing archive", ("import", "nowhere.zip", "--name", "A"), "nowhere.zip cannot be read"),
    Situation("pipe", (), "neither a file nor a folder", pipe),
    Situation("device", ("import", "/dev/zero", "--name", "A"), "neither a file nor a folder"),
    Situation(
        "no archive",
        (),
        "damaged or cut short",
        lambda world: ("import", world.file("a.zip", b"PK\3\4" + b"x" * 99), "--name", "A"),
    ),
    Situation("binary labels", (), "only one column", label_table(bytes(range(128, 256)) * 40)),
    Situation("deep labels", (), "only one column", label_table(b"[" * 100_000)),
    Situation(
        "missing labels",
        (),
        "labels.csv cannot be read",
        lambda world: (*pictures(world), "--labels", str(world.folder / "labels.csv")),
    ),
    Situation(
        "add to nothing", (), "There is no data set", lambda world: (*pictures(world), "--add-to", "own-0123abcd")
    ),
    Situation("unnamed", (), "1 to 80 visible characters", lambda world: (*pictures(world)[:-1], "\n")),
    # Ours
    Situation("a fault of the program", ("runs",), "command-line.log", fault, code=1),
)
