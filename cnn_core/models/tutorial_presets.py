"""The networks of CNN tutorials, each of which teaches one thing."""

from __future__ import annotations

from cnn_core.models.preset import Layers, NetworkPreset, add, layer, network_presets
from cnn_core.recipe import AugmentSpec, TrainingSpec

add(
    NetworkPreset(
        "simple_cnn",
        "Simple CNN",
        "The classic pattern: convolutions find more and larger patterns while pooling shrinks the maps.",
        "A tutorial on 32×32 colour images (16, 32 and 64 channels), with its training: Adam, flips, turns and jitter.",
        (
            *(layer("conv", channels=16), layer("relu"), layer("max_pool")),
            *(layer("conv", channels=32), layer("relu"), layer("max_pool")),
            *(layer("conv", channels=64), layer("relu"), layer("max_pool")),
            *(layer("flatten"), layer("linear", features=128), layer("relu"), layer("linear")),
        ),
        TrainingSpec(epochs=10, batch_size=32, optimiser="adam", learning_rate=1e-3),
        image_size=32,
        augment=(
            AugmentSpec(kind="horizontal_flip", probability=0.5),
            AugmentSpec(kind="rotation", degrees=15.0),
            AugmentSpec(kind="colour_jitter", brightness=0.1, contrast=0.1, saturation=0.0, hue=0.0),
        ),
        own_augment=True,
    )
)

# The tutorial loads its images at 128×128: there its head for 32×32 does not fit (see faulty_networks), with means over
# 4×4 windows it does.
_simple = network_presets.get("simple_cnn")
_flatten = next(place for place, spec in enumerate(_simple.layers) if spec.kind == "flatten")

add(
    NetworkPreset(
        "simple_cnn_128",
        "Simple CNN at 128 px, repaired",
        "What it takes to see larger images: pooling to a fixed size before the head, which then stays as it was.",
        "The tutorial of simple_cnn on the 128×128 images that it loads itself.",
        (*_simple.layers[:_flatten], layer("adaptive_avg_pool", size=4), *_simple.layers[_flatten:]),
        _simple.training,
        image_size=128,
        augment=_simple.augment,
        own_augment=True,
    )
)

# As the tutorial trains its two convolutions; the repaired network trains the same way, to be compared.
PRINTED = TrainingSpec(epochs=15, batch_size=20, optimiser="sgd", learning_rate=0.04, momentum=0.0, nesterov=False)
PRINTED_VALIDATION = 0.2  # 48,000 of 60,000 images for training, 12,000 for validation


def _two_conv_net(after_conv: Layers, at_end: Layers) -> Layers:
    return (
        *(layer("conv", channels=6, kernel=5, padding=0), *after_conv, layer("max_pool")),
        *(layer("conv", channels=10, kernel=5, padding=0), *after_conv, layer("max_pool")),
        *(layer("flatten"), layer("linear", features=56), layer("relu"), layer("linear"), *at_end),
    )


add(
    NetworkPreset(
        "two_conv_net",
        "Two convolutions, as printed",
        "What a sigmoid before cross-entropy costs: scores between 0 and 1 never reach high confidence.",
        "A beginner's tutorial on 28×28 images, network and training exactly as printed there.",
        _two_conv_net(after_conv=(), at_end=(layer("sigmoid"),)),
        PRINTED,
        image_size=28,
        augment=None,
        validation_fraction=PRINTED_VALIDATION,
    )
)

add(
    NetworkPreset(
        "two_conv_net_repaired",
        "Two convolutions, repaired",
        "The same network with a ReLU after each convolution and plain scores at the end: compare the two curves.",
        "The tutorial network of two_conv_net with its two mistakes corrected, trained as printed.",
        _two_conv_net(after_conv=(layer("relu"),), at_end=()),
        PRINTED,
        image_size=28,
        augment=None,
        validation_fraction=PRINTED_VALIDATION,
    )
)

add(
    NetworkPreset(
        "one_conv_net",
        "One convolution",
        "Where parameters go: one convolution has a few hundred, the linear layer after it nearly 300,000.",
        "A first CNN tutorial on 32×32 colour images (18 channels, 64 hidden units); it prints no training.",
        (
            *(layer("conv", channels=18), layer("relu"), layer("max_pool")),
            *(layer("flatten"), layer("linear", features=64), layer("relu"), layer("linear")),
        ),
        TrainingSpec(epochs=8, batch_size=128, optimiser="adam", learning_rate=1e-3),
        image_size=32,
    )
)

add(
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

add(
    NetworkPreset(
        "mlp",
        "Plain dense network",
        "What is missing without convolutions: every pixel has weights of its own, so a shifted image is a new one.",
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
