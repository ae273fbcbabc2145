"""A registry maps names to things of one kind; data refers to them by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Generic, TypeVar

from cnn_core.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Name -> thing, in the order added. A taken name raises; an unknown one lists the known ones."""

    def __init__(self, what: str):
        self.what = what  # "data set", "layer kind": used in messages
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Register `thing` and return it. Raises ValueError when the name is taken."""
        if name in self._things:
            raise ValueError(f"{self.what} {name!r} is registered twice")
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing called `name`. Raises UnknownNameError with the known names."""
        if name not in self._things:
            close = difflib.get_close_matches(name, self._things, n=1)
            guess = f" Did you mean {close[0]}?" if close else ""
            raise UnknownNameError(f"There is no {self.what} called {name!r}.{guess} Known: {', '.join(self._things)}.")
        return self._things[name]

    def names(self) -> list[str]:
        return list(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __contains__(self, name: str) -> bool:
        return name in self._things
