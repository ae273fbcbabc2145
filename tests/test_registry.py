import pytest

from cnn_core.errors import UnknownNameError
from cnn_core.registry import Registry


def test_an_unknown_name_lists_the_known_ones_and_guesses() -> None:
    registry: Registry[int] = Registry("layer kind")
    registry.add("conv", 1)
    registry.add("linear", 2)
    with pytest.raises(UnknownNameError, match=r"no layer kind called 'cnov'\. Did you mean conv\? Known: conv, l"):
        registry.get("cnov")
    assert registry.get("linear") == 2
    assert registry.names() == ["conv", "linear"]


def test_a_taken_name_raises() -> None:
    registry: Registry[int] = Registry("thing")
    registry.add("a", 1)
    with pytest.raises(ValueError, match="registered twice"):
        registry.add("a", 2)
