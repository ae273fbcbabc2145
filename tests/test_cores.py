"""The cores a process may use: its affinity, and the quota of the control groups it is in."""

import os
from pathlib import Path

import pytest

from cnn_core import cores


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up tree of control groups, in which this process is in none yet."""
    monkeypatch.setattr(cores, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "MEMBER", tmp_path / "member")
    monkeypatch.setattr(cores, "_scheduled", lambda: 8)
    return tmp_path / "cgroup"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("199999 100000", 1), ("50000 100000", 1), ("1600000 100000", 8)],
)
def test_quota_of_version_2(groups: Path, quota: str, expected: int) -> None:
    write(cores.MEMBER, "0::/app\n")
    write(groups / "app/cpu.max", f"{quota}\n")
    assert cores.usable_cores() == expected


@pytest.mark.parametrize("where", ["cpu.max", "system.slice/cpu.max", "system.slice/app.service/cpu.max"])
def test_the_smallest_quota_of_all_groups_around_counts(groups: Path, where: str) -> None:
    write(cores.MEMBER, "0::/system.slice/app.service\n")
    write(groups / "system.slice/app.service/cpu.max", "500000 100000\n")
    write(groups / where, "300000 100000\n")
    assert cores.usable_cores() == 3


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("250000", 2), ("10000", 1)])
def test_quota_of_version_1(groups: Path, controllers: str, quota: str, expected: int) -> None:
    write(cores.MEMBER, f"9:memory:/other\n4:{controllers}:/docker/0123\n1:cpuset:/\n")
    write(groups / controllers / "cpu.cfs_quota_us", f"{quota}\n")  # a container sees its own group as the top
    write(groups / controllers / "cpu.cfs_period_us", "100000\n")
    assert cores.usable_cores() == expected


@pytest.mark.parametrize("text", ["", "max", "nonsense 100000", "100000 0", "100000"])
def test_what_cannot_be_read_limits_nothing(groups: Path, text: str) -> None:
    write(cores.MEMBER, "0::/\n")
    write(groups / "cpu.max", text)
    assert cores.usable_cores() == 8
    cores.MEMBER.unlink()
    assert cores.usable_cores() == 8


def test_a_system_without_affinity(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(cores, "_quotas", lambda: iter(()))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores.usable_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.usable_cores() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a system with affinity")
def test_affinity_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert cores.usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
