"""The networks of CNN tutorials, each of which teaches one thing."""

from __future__ import annotations

from cnn_core.models.preset import Layers, NetworkPreset, add, layer
from cnn_core.recipe import TrainingSpec

add(
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


add(
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

add(
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

add(
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
