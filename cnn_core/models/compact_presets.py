"""The compact residual family: high accuracy in a given time."""

from __future__ import annotations

from cnn_core.models.preset import Layers, NetworkPreset, add, layer
from cnn_core.recipe import AugmentSpec, LayerSpec, TrainingSpec


def _compact_block(channels: int) -> Layers:
    """conv-pool-BN-ReLU. Pooling first leaves batch norm and ReLU a quarter of the numbers."""
    return layer("conv", channels=channels, bias=False), layer("max_pool"), layer("batch_norm"), layer("relu")


def _compact(first: int, second: int, *residual: LayerSpec) -> Layers:
    """Two blocks, residual blocks, global max pooling and a scaled head."""
    return (
        *_compact_block(first),
        *_compact_block(second),
        *residual,
        *(layer("global_pool", mode="max"), layer("linear", scale=0.125)),
    )


def _training(epochs: int, batch_size: int, learning_rate: float) -> TrainingSpec:
    return TrainingSpec(
        epochs=epochs,
        batch_size=batch_size,
        optimiser="sgd",
        learning_rate=learning_rate,
        weight_decay=5e-4,
        schedule="one_cycle",
        warm_up=0.25,
        label_smoothing=0.1,
    )


SOURCE = "He et al. 2015 (ResNet), in the small and fast form of the DAWNBench and airbench entries for CIFAR-10."
SHIFT = AugmentSpec(kind="shift", pixels=1)

# Chosen on validation images for 20 s of two AVX2 cores on the bundled sample: 91.0% on 10,000 of them and 90.8% on the
# test images, mean of three seeds. In networks next to it and at equal time, a 4×4 stem of stride 2 instead of
# convolve-then-pool lost 0.4 to 0.6 points, an unscaled head 0.4, batches of 256 0.4, and shifts gained nothing.
add(
    NetworkPreset(
        "compact_resnet",
        "Compact ResNet",
        "How batch norm, residual blocks and global pooling reach high accuracy with few parameters in little time.",
        SOURCE,
        _compact(16, 32, layer("residual"), layer("residual", channels=64, stride=2)),
        _training(epochs=10, batch_size=128, learning_rate=0.3),
    )
)

# For a time of training on all of Fashion-MNIST with two AVX2 cores, 5,000 to 7,000 images/s. Chosen on its validation
# images. Short runs gain most from a smaller network and more epochs, and nothing from augmentation.
add(
    NetworkPreset(
        "best_in_one_minute",
        "Best in one minute",
        "What a minute on two processor cores is worth: a few epochs of all of Fashion-MNIST, too few to augment.",
        SOURCE,
        _compact(16, 32, layer("residual", channels=64, stride=2)),
        _training(epochs=7, batch_size=256, learning_rate=0.5),
        augment=None,
    )
)

add(
    NetworkPreset(
        "best_in_three_minutes",
        "Best in three minutes",
        "What three minutes are worth: a second residual block, and images mirrored and shifted against overfitting.",
        SOURCE,
        _compact(16, 32, layer("residual", channels=48, stride=2), layer("residual")),
        _training(epochs=18, batch_size=256, learning_rate=0.5),
        augment=(SHIFT,),
    )
)

add(
    NetworkPreset(
        "best_in_eight_minutes",
        "Best in eight minutes",
        "What eight minutes are worth: wider layers and more epochs of images mirrored and shifted.",
        SOURCE,
        _compact(24, 48, layer("residual", channels=64, stride=2), layer("residual")),
        _training(epochs=28, batch_size=256, learning_rate=0.5),
        augment=(SHIFT,),
    )
)
