"""Changes of a network's layers: what is asked for changes, everything else stays where it was."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.errors import PlaygroundError
from cnn_core.models import editing
from cnn_core.models.network import build
from cnn_core.models.tree import Layers, at, children, path_of, siblings, walk, with_children
from cnn_core.recipe import LayerSpec, NetworkSpec

A, B, C = (LayerSpec(kind=kind) for kind in ("relu", "tanh", "sigmoid"))
GROUP = LayerSpec(kind="repeat", times=3, layers=(A, B))
BOTH = LayerSpec(kind="branches", branches=((A,), (), (B, C)))

plain = st.builds(lambda kind: LayerSpec(kind=kind), st.sampled_from(["relu", "tanh", "sigmoid", "gelu", "silu"]))
trees = st.recursive(
    st.lists(plain, max_size=4).map(tuple),
    lambda inner: st.lists(
        st.one_of(
            plain,
            inner.map(lambda layers: LayerSpec(kind="repeat", layers=layers)),
            st.lists(inner, min_size=1, max_size=3).map(lambda lists: LayerSpec(kind="branches", branches=lists)),
        ),
        max_size=4,
    ).map(tuple),
    max_leaves=12,
)


def kinds(layers: Layers) -> list[str]:
    return sorted(spec.kind for _, spec in walk(layers))


def ends(layers: Layers) -> list[tuple[int, ...]]:
    """Every path a layer can be put at."""
    found = [(len(layers),), *(path for path, _ in walk(layers))]
    return found + [
        (*path, which, len(inside)) for path, spec in walk(layers) for which, inside in enumerate(children(spec))
    ]


def test_paths_lead_into_groups_and_branches() -> None:
    layers = (A, GROUP, BOTH)
    assert [path for path, _ in walk(layers)] == [
        *[(0,), (1,), (1, 0, 0), (1, 0, 1), (2,), (2, 0, 0), (2, 2, 0), (2, 2, 1)]
    ]
    assert at(layers, (2, 2, 1)) == C
    assert editing.insert(layers, (2, 1, 0), C)[2] == LayerSpec(kind="branches", branches=((A,), (C,), (B, C)))
    assert editing.remove(layers, (1, 0, 0))[1] == LayerSpec(kind="repeat", times=3, layers=(B,))


@pytest.mark.parametrize("path", [(), (3,), (-1,), (0, 0, 0), (1, 1, 0), (1, 0, 2), (1, 0), (2, 3, 0), (2, -1, 0)])
def test_a_path_that_is_not_there_is_a_sentence(path: tuple[int, ...]) -> None:
    with pytest.raises(PlaygroundError, match="no such layer"):
        editing.remove((A, GROUP, BOTH), path)


@settings(max_examples=200, deadline=None)
@given(trees, st.data())
def test_moving_keeps_every_layer(layers: Layers, data: st.DataObject) -> None:
    paths = [path for path, _ in walk(layers)]
    if not paths:
        return
    path, to = data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(ends(layers)))
    moved, there = editing.move(layers, path, to)
    assert kinds(moved) == kinds(layers)
    assert at(moved, there) == at(layers, path)
    if to[: len(path)] == path or to == editing.shifted(path, path):
        assert moved == layers
    else:
        around, place = siblings(moved, there)
        expected = siblings(layers, to)[0][to[-1] : to[-1] + 1]
        inside_it = path[: len(to)] == to  # what follows is the group it came from, now without it
        assert inside_it or around[place + 1 : place + 2] == expected or at(layers, path) in expected


@settings(max_examples=100, deadline=None)
@given(trees, st.data())
def test_wrapped_and_unwrapped_again_is_the_same(layers: Layers, data: st.DataObject) -> None:
    paths = [path for path, _ in walk(layers)]
    if not paths:
        return
    first = data.draw(st.sampled_from(paths))
    last = (*first[:-1], data.draw(st.integers(first[-1], len(siblings(layers, first)[0]) - 1)))
    for group in (editing.wrap(layers, last, first), editing.branch(layers, first, last)):
        assert editing.unwrap(group, first) == layers
    assert editing.remove(editing.duplicate(layers, first), first) == layers
    back, _ = editing.step(*editing.step(layers, first, 1), -1)
    assert back == layers or first[-1] == len(siblings(layers, first)[0]) - 1


def test_layers_of_two_lists_are_not_wrapped() -> None:
    with pytest.raises(PlaygroundError, match="in one list"):
        editing.wrap((A, GROUP), (0,), (1, 0, 0))
    with pytest.raises(PlaygroundError, match="holds no others"):
        editing.unwrap((A,), (0,))


def test_of_operations_to_the_layer_they_belong_to() -> None:
    layers = (A, GROUP, BOTH, LayerSpec(kind="residual"))
    assert path_of("1.2.1", layers) == (1, 0, 1)
    assert path_of("2.2.0", layers) == (2, 2, 0)
    assert path_of("2", layers) == (2,)
    assert path_of("3.conv1", layers) == (3,)


@pytest.mark.parametrize(("channels", "stride"), [(0, 1), (8, 1), (8, 2), (5, 1)])
def test_a_residual_block_written_out_computes_the_same(channels: int, stride: int) -> None:
    block = LayerSpec(kind="residual", channels=channels, stride=stride)
    end = (LayerSpec(kind="global_pool"), LayerSpec(kind="linear"))
    one, other = (
        build((block, *end), (8, 9, 9), 3),
        build((*editing.residual_as_branches(block, 8), *end), (8, 9, 9), 3),
    )
    weights = {name: value for name, value in one.state_dict().items() if not name.startswith("input")}
    theirs = [name for name in other.state_dict() if not name.startswith("input")]
    assert len(theirs) == len(weights)
    other.load_state_dict(dict(zip(theirs, weights.values(), strict=True)), strict=False)
    images = torch.rand(2, 8, 9, 9)
    assert torch.equal(one.eval()(images), other.eval()(images))


def test_written_by_hand_or_read_from_json_it_is_the_same_network() -> None:
    network = NetworkSpec(layers=(with_children(BOTH, ((GROUP,), ())),))
    assert NetworkSpec.model_validate_json(network.model_dump_json()) == network
