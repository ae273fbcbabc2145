"""Networks to start from, each a list of layers that teaches one thing. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnn_core.recipe import LayerSpec, NetworkSpec, TrainingSpec
from cnn_core.registry import Registry

Layers = tuple[LayerSpec, ...]


@dataclass(frozen=True)
class NetworkPreset:
    """A named network with the training that suits it."""

    name: str
    title: str
    teaches: str  # one sentence
    source: str  # where it comes from
    layers: Layers
    training: TrainingSpec  # recommended
    image_size: int = 0  # side in pixels its source works at; 0: any


network_presets: Registry[NetworkPreset] = Registry("network")


def layer(kind: str, **parameters: Any) -> LayerSpec:
    """A layer of a preset, parameters that are not named at the kind's defaults."""
    return LayerSpec(kind=kind, **parameters)


def layers_of(network: NetworkSpec) -> Layers:
    """The network's own layers or, when it has none, its preset's. Raises UnknownNameError."""
    return network.layers or network_presets.get(network.preset).layers


def _add(preset: NetworkPreset) -> None:
    network_presets.add(preset.name, preset)


def _compact_block(channels: int) -> Layers:
    """conv-pool-BN-ReLU. Pooling first leaves batch norm and ReLU a quarter of the numbers."""
    return layer("conv", channels=channels, bias=False), layer("max_pool"), layer("batch_norm"), layer("relu")


# Chosen on validation images for 20 s of two AVX2 cores on the bundled sample: 91.0% on 10,000 of them and 90.8% on the
# test images, mean of three seeds. In networks next to it and at equal time, a 4×4 stem of stride 2 instead of
# convolve-then-pool lost 0.4 to 0.6 points, an unscaled head 0.4, batches of 256 0.4, and shifts gained nothing.
_add(
    NetworkPreset(
        "compact_resnet",
        "Compact ResNet",
        "How batch norm, residual blocks and global pooling reach high accuracy with few parameters in little time.",
        "He et al. 2015 (ResNet), in the small and fast form of the DAWNBench and airbench entries for CIFAR-10.",
        (
            *_compact_block(16),
            *_compact_block(32),
            layer("residual"),
            layer("residual", channels=64, stride=2),
            *(layer("global_pool", mode="max"), layer("linear", scale=0.125)),
        ),
        TrainingSpec(
            epochs=10,
            batch_size=128,
            optimiser="sgd",
            learning_rate=0.3,
            weight_decay=5e-4,
            schedule="one_cycle",
            warm_up=0.25,
            label_smoothing=0.1,
        ),
    )
)

_add(
    NetworkPreset(
        "simple_cnn",
        "Simple CNN",
        "The classic pattern: convolutions find more and larger patterns while pooling shrinks the maps.",
        "Image-classification tutorials on CIFAR-10-sized pictures (16, 32 and 64 channels).",
        (
            *(layer("conv", channels=16), layer("relu"), layer("max_pool")),
            *(layer("conv", channels=32), layer("relu"), layer("max_pool")),
            *(layer("conv", channels=64), layer("relu"), layer("max_pool")),
            *(layer("flatten"), layer("linear", features=128), layer("relu"), layer("linear")),
        ),
        TrainingSpec(epochs=8, batch_size=128, optimiser="adam", learning_rate=1e-3),
    )
)


def _two_conv_net(after_conv: Layers, at_end: Layers) -> Layers:
    return (
        *(layer("conv", channels=6, kernel=5, padding=0), *after_conv, layer("max_pool")),
        *(layer("conv", channels=10, kernel=5, padding=0), *after_conv, layer("max_pool")),
        *(layer("flatten"), layer("linear", features=56), layer("relu"), layer("linear"), *at_end),
    )


_add(
    NetworkPreset(
        "two_conv_net",
        "Two convolutions, as printed",
        "What a sigmoid before cross-entropy costs: scores between 0 and 1 can never be sure, so it learns slowly.",
        "A beginner's tutorial on 28×28 pictures, exactly as printed there.",
        _two_conv_net(after_conv=(), at_end=(layer("sigmoid"),)),
        TrainingSpec(epochs=8, batch_size=64, optimiser="adam", learning_rate=1e-3),
        image_size=28,
    )
)

_add(
    NetworkPreset(
        "two_conv_net_repaired",
        "Two convolutions, repaired",
        "The same network with a ReLU after each convolution and plain scores at the end: compare the two curves.",
        "The tutorial network of two_conv_net with its two mistakes mended.",
        _two_conv_net(after_conv=(layer("relu"),), at_end=()),
        TrainingSpec(epochs=8, batch_size=64, optimiser="adam", learning_rate=1e-3),
        image_size=28,
    )
)

_add(
    NetworkPreset(
        "one_conv_net",
        "One convolution",
        "Where parameters go: one convolution has a few hundred, the linear layer behind it nearly 300,000.",
        "A first CNN tutorial on CIFAR-10 (18 channels, 64 hidden units).",
        (
            *(layer("conv", channels=18), layer("relu"), layer("max_pool")),
            *(layer("flatten"), layer("linear", features=64), layer("relu"), layer("linear")),
        ),
        TrainingSpec(epochs=8, batch_size=128, optimiser="adam", learning_rate=1e-3),
    )
)

_add(
    NetworkPreset(
        "lenet5",
        "LeNet-5",
        "The network that read handwritten cheques: convolution, pooling and tanh, before ReLU and batch norm.",
        "LeCun et al. 1998, Gradient-based learning applied to document recognition, with full connections.",
        (
            *(layer("conv", channels=6, kernel=5, padding=2), layer("tanh"), layer("avg_pool")),
            *(layer("conv", channels=16, kernel=5, padding=0), layer("tanh"), layer("avg_pool")),
            *(
                layer("flatten"),
                layer("linear", features=120),
                layer("tanh"),
                layer("linear", features=84),
                layer("tanh"),
                layer("linear"),
            ),
        ),
        TrainingSpec(epochs=8, batch_size=64, optimiser="adam", learning_rate=1e-3),
        image_size=28,
    )
)

_add(
    NetworkPreset(
        "mlp",
        "Plain dense network",
        "What is missing without convolutions: every pixel has weights of its own, so a shifted picture is a new one.",
        "The dense network that CNN tutorials compare with.",
        (
            layer("flatten"),
            layer("linear", features=128),
            layer("relu"),
            layer("linear", features=64),
            layer("relu"),
            layer("linear"),
        ),
        TrainingSpec(epochs=8, batch_size=128, optimiser="adam", learning_rate=1e-3),
    )
)
