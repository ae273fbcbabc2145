"""Marks of those who look at a run: they count for a while, never fail, and go with the run."""

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cnn_core.runs import live
from cnn_core.runs.folder import PLAN, RunFolder
from cnn_core.runs.live import LIVE, MARK, WATCHED_SECONDS, Watched, forget_live, mark_watched
from tests.clock import Clock

RUN = "0123abcd"


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Of a run that has begun and that nobody has looked at."""
    monkeypatch.setattr(live, "_marked", {})
    folder = RunFolder(RUN)
    folder.write_plan({})
    return folder


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mark is written."""
    monkeypatch.setattr(live, "MARK_SECONDS", -1.0)


def test_a_mark_counts_for_a_while(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    watched = Watched(folder.files, clock)
    assert not watched()
    mark_watched(RUN)
    assert watched()
    clock.now = WATCHED_SECONDS - 0.01
    assert watched()
    clock.now = WATCHED_SECONDS
    assert not watched()
    mark_watched(RUN)  # too soon after the first: no new mark
    assert not watched()
    monkeypatch.setattr(live, "MARK_SECONDS", 0.0)
    mark_watched(RUN)
    assert watched()
    forget_live(RUN)
    assert not watched()
    assert folder.files.names() == [PLAN]


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("hours", [-10, 10])
def test_the_clock_of_who_marks_may_be_wrong(folder: RunFolder, hours: int) -> None:
    clock = Clock()
    watched = Watched(folder.files, clock)
    for _ in range(3):
        mark_watched(RUN)
        then = time.time_ns() + hours * 3600 * 10**9
        os.utime(folder.files.open(MARK), ns=(then, then))
        assert watched()
        clock.now += WATCHED_SECONDS
        assert not watched()


def test_a_run_without_files_gets_none(home: Path) -> None:
    mark_watched(RUN)
    assert not RunFolder(RUN).files.folder.exists()  # type: ignore[attr-defined]


def test_a_deleted_run_stays_deleted(folder: RunFolder) -> None:
    folder.delete()
    mark_watched(RUN)
    assert not folder.files.names()


@pytest.mark.usefixtures("often")
def test_many_viewers_of_several_processes_mark_at_once(folder: RunFolder) -> None:
    code = f"from cnn_core.runs import live; live.MARK_SECONDS = -1; [live.mark_watched({RUN!r}) for _ in range(400)]"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    failed: list[Exception] = []

    def mark() -> None:
        try:
            while any(other.poll() is None for other in others):
                mark_watched(RUN)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=mark) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [other.returncode for other in others] == [0, 0]
    assert folder.files.names() == [PLAN, MARK]


def test_a_full_disk_stops_no_page(folder: RunFolder) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3, limits[1]))
    try:
        mark_watched(RUN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert folder.files.names() == [PLAN]


def test_half_a_file_of_a_killed_worker_goes_too(folder: RunFolder) -> None:
    code = (
        "import os, signal; from cnn_core.runs.folder import RunFolder\n"
        "def save(path): path.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
        f"RunFolder({RUN!r}).files.put({LIVE!r}, save)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert folder.files.names() == [PLAN]  # nobody reads it
    assert live.live_version(RUN) is None
    forget_live(RUN)
    assert [path.name for path in folder.files.folder.iterdir()] == [PLAN]  # type: ignore[attr-defined]
