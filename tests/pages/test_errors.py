"""What strangers write in an address, a name or a message is shown letter for letter."""

import pytest

from pages.ui.errors import plain


@pytest.mark.parametrize("evil", ["![x](http://a.b/c.png)", "[click](http://a.b)", ":red[x]", "<b>x</b>", "$x$", "`x`"])
def test_no_markdown_survives(evil: str) -> None:
    escaped = plain(evil)
    assert escaped.replace("\\", "") == evil
    for letter in "[]()<>`$:!":
        assert escaped.count(letter) == escaped.count(f"\\{letter}")
