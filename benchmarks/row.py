"""One measured figure beside its target."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`figure` is the median of the repeats, `spread` their least and greatest."""

    name: str
    figure: float
    target: float
    unit: str
    spread: tuple[float, float]
    met: bool
    note: str = ""


def at_least(name: str, figures: Sequence[float], target: float, unit: str, note: str = "") -> Row:
    """A row that is met when the median reaches the target."""
    return _row(name, figures, target, unit, note, lambda figure: figure >= target)


def at_most(name: str, figures: Sequence[float], target: float, unit: str, note: str = "") -> Row:
    """A row that is met when the median stays within the target."""
    return _row(name, figures, target, unit, note, lambda figure: figure <= target)


def _row(name: str, figures: Sequence[float], target: float, unit: str, note: str, met: Callable[[float], bool]) -> Row:
    figure = float(statistics.median(figures))
    spread = float(min(figures)), float(max(figures))
    return Row(name, figure, target, unit, spread, bool(met(figure)), note)
