"""Small networks of the known families, each built from its family's blocks."""

from __future__ import annotations

from cnn_core.models.building_blocks import conv_block, inception, separable_block
from cnn_core.models.preset import NetworkPreset, add, layer
from cnn_core.recipe import TrainingSpec

HEAD = (layer("global_pool"), layer("linear"))


def _training(epochs: int) -> TrainingSpec:
    """SGD with a rate that rises and falls, as the compact networks have it; the peak is He et al.'s 0.1."""
    return TrainingSpec(
        epochs=epochs,
        batch_size=128,
        optimiser="sgd",
        learning_rate=0.1,
        weight_decay=5e-4,
        schedule="one_cycle",
        warm_up=0.25,
    )


add(
    NetworkPreset(
        "vgg_small",
        "Small VGG",
        "Two 3×3 convolutions in a row see as far as one 5×5, with fewer weights and one more ReLU.",
        "Simonyan & Zisserman 2014 (https://arxiv.org/abs/1409.1556): three of its stages, with batch norm.",
        (
            *(*conv_block(32), *conv_block(32), layer("max_pool")),
            *(*conv_block(64), *conv_block(64), layer("max_pool")),
            *(*conv_block(128), *conv_block(128), layer("max_pool")),
            *(layer("flatten"), layer("linear", features=128), layer("relu"), layer("dropout"), layer("linear")),
        ),
        _training(epochs=8),
    )
)

add(
    NetworkPreset(
        "resnet_small",
        "ResNet-20",
        "Why depth works: each block only adds a correction, so twenty layers learn as easily as five.",
        "He et al. 2015 (https://arxiv.org/abs/1512.03385), the network of 20 layers for CIFAR-10; 1×1 on the skips.",
        (
            *conv_block(16),
            layer("repeat", times=3, layers=(layer("residual"),)),
            *(layer("residual", channels=32, stride=2), layer("repeat", times=2, layers=(layer("residual"),))),
            *(layer("residual", channels=64, stride=2), layer("repeat", times=2, layers=(layer("residual"),))),
            *HEAD,
        ),
        _training(epochs=8),
    )
)

add(
    NetworkPreset(
        "inception_small",
        "Small Inception",
        "Patterns come in several sizes: kernels of several sizes look side by side, and 1×1 ones keep that cheap.",
        "Szegedy et al. 2014 (https://arxiv.org/abs/1409.4842): a stem and three of its blocks, with batch norm.",
        (
            *(*conv_block(32), layer("max_pool")),
            *(*inception(64), layer("max_pool")),
            *(*inception(96), *inception(128), *HEAD),
        ),
        _training(epochs=8),
    )
)

add(
    NetworkPreset(
        "mobilenet_small",
        "Small MobileNet",
        "A convolution split in two, within each map and then across the maps, does with an eighth of the work.",
        "Howard et al. 2017 (https://arxiv.org/abs/1704.04861): a stem and six of its blocks.",
        (
            *conv_block(16),
            *(*separable_block(32, stride=2), *separable_block(32)),
            *(*separable_block(64, stride=2), layer("repeat", times=2, layers=separable_block(64))),
            *(*separable_block(128, stride=2), *HEAD),
        ),
        _training(epochs=8),
    )
)
