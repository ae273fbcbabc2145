"""What strangers write in an address, a name or a message is shown letter for letter."""

import re

import pytest

from pages.ui.frame.errors import WORD_JOINER, plain, plotly_text
from tests.pages.conftest import as_read
from tests.strangers import NAMES

LIVELY = r":material/|:\w+:|:\w+\[|\w@\w|www\.|https?://|<-|->|--|>=|<=|~="  # what acts in spite of a backslash


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_nothing_acts_and_nothing_is_lost(name: str) -> None:
    shown = plain(name)
    assert re.sub(r"\\(.)", r"\1", shown).replace(WORD_JOINER, "") == name
    assert not re.search(r"(?<!\\)[\[\]()<>`$!*_#&^|~{}]", shown), "a backslash before each sign of markdown"
    assert not re.search(LIVELY, re.sub(r"\\(.)", r"\1", shown), re.IGNORECASE)


def test_ordinary_words_are_left_as_they_are() -> None:
    for words in ("Simple CNN", "a: b", "12 – 14", "naïve 猫"):
        assert as_read(plain(words)) == words
        assert WORD_JOINER not in plain(words)


def test_lines_become_one() -> None:
    assert plain("a\n\n# b") == "a \\# b"


def test_plotly_gets_no_tags_and_no_formulas() -> None:
    assert plotly_text("<b>$x$</b>").replace(WORD_JOINER, "") == "&lt;b&gt;$x$&lt;/b&gt;"
    assert "$x" not in plotly_text("$x$")
