"""Numbers and names as people read them."""

from __future__ import annotations

import math
import time
from decimal import Decimal

ACRONYMS = {
    "sgd": "SGD",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "ema": "EMA",
    "cpu": "CPU",
    "cuda": "CUDA",
    "mps": "MPS",
}
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def label(name: str, unit: str = "") -> str:
    """A field's name as a label: "training.batch_size" -> "Batch size", "ema_decay" -> "EMA decay"."""
    words = " ".join(ACRONYMS.get(word, word) for word in name.rsplit(".", 1)[-1].split("_"))
    return words[:1].upper() + words[1:] + (f" ({unit})" if unit else "")


def option(value: object) -> str:
    """A value of a choice: "one_cycle" -> "One cycle"."""
    text = str(value)
    return ACRONYMS.get(text, text[:1].upper() + text[1:].replace("_", " "))


def value(choice: object) -> str:
    """A value of a recipe's field."""
    return significant(choice, 6) if isinstance(choice, float) else option(choice)


def significant(number: float, digits: int = 3) -> str:
    """That many significant digits, written out: 263.4 -> "263", 0.00001 -> "0.00001", never "2.6e+02"."""
    return format(Decimal(f"{number:.{digits}g}"), ",f") if math.isfinite(number) else "–"


def compact(number: float) -> str:
    """Three significant digits and a letter: 6830 -> "6.83k"."""
    if not math.isfinite(number):
        return "–"
    rounded = float(f"{number:.3g}")  # first: 999.6 is 1k
    for limit, letter in PREFIXES:
        if abs(rounded) >= limit:
            return f"{significant(rounded / limit)}{letter}"
    return significant(rounded)


def size(count: float) -> str:
    """Bytes: 262_100_000 -> "262 MB"."""
    text = compact(count)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} B"


def points(share: float) -> str:
    """A difference of two shares: 0.012 -> "1.20 points"."""
    return f"{share * 100:.2f} points"


def seconds(value: float) -> str:
    """7.24 -> "7.2 s", 80 -> "1 min 20 s"."""
    return f"{value:.1f} s" if value < 60 else duration(value)


def percent(share: float | None, digits: int = 1) -> str:
    """0.9137 -> "91.4%"; a dash for what is not known yet or not defined (NaN)."""
    return "–" if share is None or math.isnan(share) else f"{share * 100:.{digits}f}%"


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def duration(seconds: float | None) -> str:
    """7.2 -> "7 s", 80 -> "1 min 20 s", 7300 -> "2 h 2 min"; a dash for what is not known yet."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ago(moment: float, now: float | None = None) -> str:
    """A Unix time as "3 min ago"."""
    passed = (time.time() if now is None else now) - moment
    if passed < 60:
        return "just now"
    for size, word in ((86400, "day"), (3600, "hour"), (60, "min")):
        if passed >= size:
            count = int(passed // size)
            return f"{count} {word}{'s' if count > 1 and word != 'min' else ''} ago"
    return "just now"


def shape(sizes: tuple[int, ...]) -> str:
    """(32, 14, 14) -> "32 × 14 × 14"."""
    return " × ".join(f"{size:,}" for size in sizes)


def count(number: int, word: str) -> str:
    """1 -> "1 epoch", 3 -> "3 epochs", 2 -> "2 classes"."""
    return f"{number:,} {word if number == 1 else word + ('es' if word.endswith('s') else 's')}"
