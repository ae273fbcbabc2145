"""The ranking of a layer's maps, against each map silenced by hooks on a copy."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score
from torch import nn

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.ablation import Ranking, ablate
from cnn_core.models.network import Network, build
from cnn_core.recipe import LayerSpec
from tests.inspection.operable import CASES, CLASSES, PLACES, images_for, network_of, silenced_by_hand

LABELS = np.random.default_rng(0).integers(0, CLASSES - 1, 40)  # the last class is absent


def ranking(network: Network, address: str, count: int = 40) -> Ranking:
    return ablate(network, images_for(network, count).split(25), LABELS[:count], address)


def recalls(predicted: np.ndarray) -> np.ndarray:
    return recall_score(LABELS, predicted, labels=range(CLASSES), average=None, zero_division=np.nan)


@pytest.mark.parametrize(("name", "address"), CASES)
def test_it_is_what_silencing_by_hand_gives(name: str, address: str) -> None:
    network = network_of(name)
    images, found = images_for(network, 40), ranking(network, address)
    with torch.no_grad():
        whole = network(images).numpy().argmax(1)
    maps = len(network.get_submodule(address).weight)
    assert (found.accuracy, found.images) == ((whole == LABELS).mean(), 40)
    np.testing.assert_allclose(found.recall[:-1], recalls(whole)[:-1])
    assert (found.accuracy_fall.shape, found.recall_fall.shape) == ((maps,), (maps, CLASSES))
    assert np.isnan(found.recall[-1])
    assert np.isnan(found.recall_fall[:, -1]).all()
    for unit in {*range(0, maps, max(1, maps // 6)), maps - 1}:
        without = silenced_by_hand(network, images, address, unit, PLACES[name][address]).argmax(1)
        assert found.changed[unit] == (without != whole).sum()
        assert found.accuracy_fall[unit] == pytest.approx(found.accuracy - (without == LABELS).mean())
        np.testing.assert_allclose(found.recall_fall[unit, :-1], (recalls(whole) - recalls(without))[:-1], atol=1e-12)


def test_the_maps_that_matter_most_come_first() -> None:
    found = ranking(network_of("simple_cnn"), "3")
    order = found.order
    assert sorted(order) == list(range(32))
    keys = list(zip(-found.accuracy_fall[order], -found.changed[order], order, strict=True))
    assert keys == sorted(keys)


def test_a_dead_map_changes_nothing() -> None:
    network = network_of("simple_cnn")
    with torch.no_grad():
        network.get_submodule("3").weight[7] = 0
        network.get_submodule("3").bias[7] = -1  # the ReLU behind it lets nothing through
    found = ranking(network, "3")
    assert (found.changed[7], found.accuracy_fall[7]) == (0, 0)
    assert not found.recall_fall[7, :-1].any()


def test_one_image_and_one_class() -> None:
    network = network_of("compact_resnet")
    found = ranking(network, "9.conv2", count=1)
    assert found.images == 1
    assert np.isfinite(found.recall).sum() == 1
    single = build([LayerSpec(kind="conv", channels=1), LayerSpec(kind="global_pool")], (1, 8, 8), 1)
    alone = ablate(single, [images_for(single, 3)], np.zeros(3, np.int64), "0")
    assert alone.recall_fall.tolist() == [[0.0]]


def test_it_can_be_watched_and_ended() -> None:
    network, told = network_of("mlp"), []
    ablate(network, images_for(network, 40).split(25), LABELS, "3", told.append)
    assert told == sorted(told)
    assert (len(told), told[-1]) == (2 * 64, 1.0)

    def cancel(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(network, [images_for(network, 40)], LABELS, "3", cancel)
    assert not any(module._forward_hooks for module in network.modules())


def test_a_limit_of_time_measures_every_map_on_fewer_images() -> None:
    network = network_of("mlp")
    found = ablate(network, images_for(network, 40).split(10), LABELS, "5", lambda _done: time.sleep(0.01), 0.06)
    assert found.images in (10, 20, 30)
    same = ablate(network, [images_for(network, 40)[: found.images]], LABELS[: found.images], "5")
    np.testing.assert_array_equal(found.recall_fall, same.recall_fall)
    assert ablate(network, images_for(network, 40).split(10), LABELS, "5", seconds=0).images == 10


def test_the_network_is_left_as_it_was_and_threads_do_not_meet() -> None:
    network = network_of("compact_resnet").train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    asked = ["9.skip_conv", "0", "11", "8.conv2"] * 2
    expected = [ranking(network, address, 4) for address in asked]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda address: ranking(network, address, 4), asked))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.recall_fall, other.recall_fall)
        np.testing.assert_array_equal(one.changed, other.changed)
    assert network.training
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules() if isinstance(module, nn.Module))


def test_refused_with_a_sentence() -> None:
    network = network_of("simple_cnn")
    with pytest.raises(PlaygroundError, match="at 2 "):
        ranking(network, "2")
    with pytest.raises(ValueError, match="no images"):
        ablate(network, [], LABELS[:0], "0")
