"""The executors there are."""

from __future__ import annotations

from collections.abc import Callable

from cnn_core.jobs.executors.executor import Executor
from cnn_core.jobs.executors.local_pool import LocalPool
from cnn_core.registry import Registry

executors: Registry[Callable[[], Executor]] = Registry("executor")
executors.add(LocalPool.name, LocalPool)
