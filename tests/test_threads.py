"""Ten viewers at once: what pages ask of the core, from ten threads on one shared network and data set."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cnn_core.data.augmentation import preview
from cnn_core.data.augmentation.preview import draws, stages
from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.duplicates import find_copies
from cnn_core.data.explore.embedding import pixel_features, plane
from cnn_core.data.explore.statistics import class_counts, deviation_images, mean_images, sample
from cnn_core.data.explore.tones import channel_histogram, tones
from cnn_core.evaluation.label_mistakes import label_mistakes
from cnn_core.evaluation.label_safety import label_safety
from cnn_core.evaluation.metrics import evaluate
from cnn_core.evaluation.novelty import Novelty
from cnn_core.inference import Classifier
from cnn_core.inspection.activations import penultimate
from cnn_core.inspection.attribution import attribute
from cnn_core.inspection.exciting import exciting
from cnn_core.inspection.feature_visualisation import visualise
from cnn_core.inspection.filters import filters
from cnn_core.inspection.layer_statistics import layer_statistics
from cnn_core.inspection.montage import montage
from cnn_core.inspection.stage.arithmetic import arithmetic
from cnn_core.inspection.stage.frame import choice_of, frame, look
from cnn_core.inspection.stage.packing import pack
from cnn_core.inspection.surgery import Edit, operate
from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import AugmentSpec
from cnn_core.runs.folder import Predictions

VIEWERS, LOOKS = 10, 2
STEPS = read_steps([AugmentSpec(kind="rotation", degrees=20.0), AugmentSpec(kind="mixup", alpha=1.0)])

Answer = list[np.ndarray]
Ask = Callable[[Classifier, ImageDataset], Answer]


@pytest.fixture
def dataset(home: Path) -> ImageDataset:
    return open_dataset("digits")


@pytest.fixture
def network(dataset: ImageDataset) -> Classifier:
    """As a page holds one; its running statistics have moved."""
    torch.manual_seed(0)
    made = build(network_presets.get("compact_resnet").layers, dataset.shape, 10, dataset.mean, dataset.std)
    for _ in range(3):
        made(torch.rand(64, *dataset.shape))
    return Classifier(made.eval(), dataset.classes, dataset.shape)


def unseen(dataset: ImageDataset, count: int = 64) -> np.ndarray:
    return np.asarray(dataset.images[sample(dataset, "validation", None, count)])


def ask_stage(network: Classifier, dataset: ImageDataset) -> Answer:
    seen = look(network.network, network.tensor(unseen(dataset, 1)))
    packed = pack(frame(seen, choice_of(seen)) | {"close": arithmetic(seen, "8.conv1", 3)})
    return [*(values.numpy() for values in seen.values.values()), np.frombuffer(packed, np.uint8)]


def ask_attribution(network: Classifier, dataset: ImageDataset) -> Answer:
    image = network.tensor(unseen(dataset, 1))
    return [attribute(network.network, image, 3, method).values for method in ("grad_cam", "integrated_gradients")]


def ask_surgery(network: Classifier, dataset: ImageDataset) -> Answer:
    operated = operate(network.network, [Edit("8.conv1", "zero", 2), Edit("0", "shuffle", seed=1)])
    with torch.no_grad():
        return [operated(network.tensor(unseen(dataset, 8))).numpy()]


def ask_exciting(network: Classifier, dataset: ImageDataset) -> Answer:
    found = exciting(network.network, network.batches(unseen(dataset), np.arange(64), 20), ["9.conv2"])["9.conv2"]
    *_, made = visualise(network.network, "0", [1], steps=3)
    return [found.most.images, found.most.values, made.images]


def ask_filters(network: Classifier, dataset: ImageDataset) -> Answer:
    return [found.weights for found in filters(network.network)]


def ask_penultimate(network: Classifier, dataset: ImageDataset) -> Answer:
    return [penultimate(network.network, network.batches(unseen(dataset), np.arange(64), 20))]


def ask_classify(network: Classifier, dataset: ImageDataset) -> Answer:
    images = unseen(dataset)
    return [network.classify(images[:6]), network.classify_many(images, np.arange(64))]


def ask_evaluate(network: Classifier, dataset: ImageDataset) -> Answer:
    tested = dataset.splits["test"]
    predictions = Predictions(tested, dataset.labels[tested], network.classify_many(dataset.images, tested))
    suspects = label_mistakes(predictions.labels, predictions.probabilities)
    return [evaluate(predictions, dataset.classes).confusion, suspects.rows, suspects.margin]


def ask_label_safety(network: Classifier, dataset: ImageDataset) -> Answer:
    chosen = sample(dataset, "validation", None, 64)
    images, labels = np.asarray(dataset.images[chosen]), dataset.labels[chosen]
    result = label_safety(images, labels, 10, network.classify, [STEPS[:1], STEPS])
    return [result.changed, result.per_class, result.changed_images]


def ask_novelty(network: Classifier, dataset: ImageDataset) -> Answer:
    known, held_out, new = (
        layer_statistics(network.network, network.batches(dataset.images, dataset.splits[split][:64]))
        for split in ("train", "validation", "test")
    )
    return [Novelty.fit(known, held_out).distances(new), *new]


def ask_montage(network: Classifier, dataset: ImageDataset) -> Answer:
    return [montage(unseen(dataset)[:, 0], scale=scale) for scale in ("sequential", "diverging")]


def ask_preview(network: Classifier, dataset: ImageDataset) -> Answer:
    images, labels = unseen(dataset, 8), np.arange(8)
    shown, fractions = draws(images, labels, 10, STEPS, 3, epochs=4)
    assert fractions is not None
    return [shown, fractions, stages(images, STEPS, 3)]


def ask_data_views(network: Classifier, dataset: ImageDataset) -> Answer:
    drawn = sample(dataset, "train", None, 200)
    copies = [group.positions for group in find_copies(dataset)]
    return [
        class_counts(dataset).to_numpy(),
        mean_images(dataset),
        deviation_images(dataset),
        channel_histogram(dataset, drawn),
        tones(dataset, drawn).contrast,
        plane(pixel_features(dataset, drawn)).points,
        np.concatenate([np.asarray(positions) for positions in copies]) if copies else np.zeros(0),
    ]


ASKS = (
    ask_stage,
    ask_attribution,
    ask_surgery,
    ask_exciting,
    ask_filters,
    ask_penultimate,
    ask_classify,
    ask_evaluate,
    ask_label_safety,
    ask_novelty,
    ask_montage,
    ask_preview,
    ask_data_views,
)


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each work gives when all begin together, each in a thread of its own; an error is given as it is."""
    start, given = threading.Barrier(len(works)), [None] * len(works)

    def work(number: int) -> None:
        start.wait()
        try:
            given[number] = works[number]()
        except Exception as error:
            given[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def assert_same(answers: object, expected: Answer) -> None:
    assert not isinstance(answers, Exception), repr(answers)
    for answer, right in zip(answers, expected, strict=True):
        np.testing.assert_allclose(answer, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.__name__.removeprefix("ask_"))
def test_ten_viewers_get_what_one_gets(ask: Ask, network: Classifier, dataset: ImageDataset) -> None:
    expected = ask(network, dataset)
    assert sum(values.size for values in expected)
    for _ in range(LOOKS):
        for answer in at_once(*[partial(ask, network, dataset)] * VIEWERS):
            assert_same(answer, expected)


def test_viewers_of_different_pages_do_not_disturb_each_other(network: Classifier, dataset: ImageDataset) -> None:
    expected = [ask(network, dataset) for ask in ASKS]
    modes = [module.training for module in network.network.modules()]
    for answer, right in zip(at_once(*(partial(ask, network, dataset) for ask in ASKS)), expected, strict=True):
        assert_same(answer, right)
    assert [module.training for module in network.network.modules()] == modes
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.network.modules())


def test_maps_of_ten_viewers_are_those_of_torchs_own_hooks(network: Classifier, dataset: ImageDataset) -> None:
    images = [network.tensor(image[None]) for image in unseen(dataset, VIEWERS)]
    expected = [by_hooks(network, image) for image in images]
    answers = at_once(*(partial(look, network.network, image) for image in images))
    layers = enumerate(network.network.layers)
    addresses = [f"{position}.relu2" if layer.kind == "residual" else str(position) for position, layer in layers]
    for seen, right in zip(answers, expected, strict=True):
        found = seen if isinstance(seen, Exception) else [seen.values[address].numpy() for address in addresses]
        assert_same(found, right)


def by_hooks(network: Classifier, image: Tensor) -> Answer:
    kept: Answer = []
    hooks = [
        child.register_forward_hook(lambda _module, _inputs, output: kept.append(output[0].detach().numpy().copy()))
        for child in network.network
    ]
    with torch.no_grad():
        network.network(image)
    for hook in hooks:
        hook.remove()
    return kept


def test_previews_at_once_leave_torch_its_threads(dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit draws each page in a new thread, and a new thread takes over what the process was left with."""
    images = unseen(dataset, 8)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(preview, "THREADS", 2)
    try:
        at_once(*[partial(stages, images, STEPS * 5, 1)] * VIEWERS)
        assert at_once(torch.get_num_threads) == [2]
    finally:
        torch.set_num_threads(before)
