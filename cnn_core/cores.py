"""How many cores this process may use: fewer than the computer has, where it or its container is limited."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

GROUPS, MEMBER = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def usable_cores() -> int:
    """At least 1, at most the cores of its CPU affinity, and at most the whole cores of its Linux CPU quota."""
    quotas = [int(quota) for quota in _quotas()]
    return max(1, min([_scheduled(), *quotas]))


def _scheduled() -> int:
    """Cores this process may be scheduled on. Only some systems can tell them from all cores."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas() -> Iterator[float]:
    """Cores each control group this process is in allows it, in either version of control groups."""
    for folder in _folders():
        values = _words(folder / "cpu.max")  # version 2: "quota period" in µs; quota may be "max"
        if not values:  # version 1: one file each; quota may be -1
            values = _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
        if len(values) == 2 and all(value.isdecimal() for value in values) and int(values[1]):
            yield int(values[0]) / int(values[1])


def _folders() -> Iterator[Path]:
    """The folders of this process's groups and of all groups around them: a quota of any of them counts."""
    for line in _text(MEMBER).splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "cpu") or "cpu" in controllers.split(","):
            top = GROUPS / controllers
            inner = Path(group.lstrip("/"))
            yield from (top / part for part in (inner, *inner.parents))


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # no Linux, no such version, or a group that is not shown inside its container
        return ""
