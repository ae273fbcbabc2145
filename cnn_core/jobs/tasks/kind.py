"""What a kind of background work is, and the registry of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from cnn_core.data.catalogue.library import Progress
from cnn_core.registry import Registry

R = TypeVar("R", bound=BaseModel)
Report = Callable[[Progress], None]


@dataclass(frozen=True)
class TaskKind(Generic[R]):
    """`run` gets the request, a function that takes progress, and a folder for files that belong to the result.

    It returns the result as JSON has it, or raises PlaygroundError: what went wrong. Cancelled, it is interrupted by
    KeyboardInterrupt, and leaves nothing half done.
    """

    name: str
    request: type[R]
    run: Callable[[R, Report, Path], dict[str, Any]]


task_kinds: Registry[TaskKind[Any]] = Registry("kind of task")


def register(kind: TaskKind[R]) -> TaskKind[R]:
    task_kinds.add(kind.name, kind)
    return kind
