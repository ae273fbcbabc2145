"""Text columns that refuse nothing a stranger may write."""

from __future__ import annotations

import re

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

REFUSED = re.compile("[\0\ud800-\udfff]")


class PlainString(TypeDecorator[str]):
    """What is no text to every database is U+FFFD in its place, in what is written and in what is looked for: NUL,
    which PostgreSQL refuses, and half a surrogate pair, as in the names of files that are not UTF-8."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else REFUSED.sub("\ufffd", value)


class PlainText(PlainString):
    """Of any length."""

    impl = Text
    cache_ok = True
