"""The blocks that the known families are made of, written out as layers. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnn_core.models.editing import residual_as_branches
from cnn_core.models.preset import Layers, layer
from cnn_core.registry import Registry


@dataclass(frozen=True)
class BuildingBlock:
    """Layers that belong together, for any number of maps that come in."""

    name: str
    title: str
    help: str
    layers: Callable[[int], Layers]


building_blocks: Registry[BuildingBlock] = Registry("building block")


def conv_block(channels: int, kernel: int = 3, stride: int = 1) -> Layers:
    """Convolution, batch norm, ReLU; the size stays with stride 1."""
    conv = layer("conv", channels=channels, kernel=kernel, stride=stride, padding=kernel // 2, bias=False)
    return conv, layer("batch_norm"), layer("relu")


def pointwise_block(channels: int) -> Layers:
    return layer("pointwise", channels=channels, bias=False), layer("batch_norm"), layer("relu")


def inception(maps: int) -> Layers:
    """1×1, 3×3, two times 3×3 (which see as much as 5×5) and pooling side by side, each with its share of `maps` maps
    (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842; the pair instead of 5×5: 2015, https://arxiv.org/abs/1512.00567)."""
    quarter = max(1, maps // 4)
    pool = layer("max_pool", kernel=3, stride=1, padding=1)
    return (
        layer(
            "branches",
            merge="concatenate",
            branches=(
                pointwise_block(quarter),
                (*pointwise_block(quarter), *conv_block(quarter)),
                (*pointwise_block(quarter), *conv_block(quarter), *conv_block(quarter)),
                (pool, *pointwise_block(quarter)),
            ),
        ),
    )


def separable_block(channels: int, stride: int = 1) -> Layers:
    """Depthwise 3×3, then 1×1, each with batch norm and ReLU (Howard et al. 2017, https://arxiv.org/abs/1704.04861)."""
    depthwise = layer("depthwise", stride=stride, bias=False)
    return depthwise, layer("batch_norm"), layer("relu"), *pointwise_block(channels)


def squeeze_and_excitation(maps: int) -> Layers:
    """Each map times a number from 0 to 1 that the means of all maps decide (Hu et al. 2017,
    https://arxiv.org/abs/1709.01507), squeezed to a sixteenth, at least 4."""
    gate = (
        *(layer("global_pool"), layer("linear", features=max(4, maps // 16)), layer("relu")),
        *(layer("linear", features=maps), layer("sigmoid")),
    )
    return (layer("branches", merge="multiply", branches=((), gate)),)


def dense_layer(maps: int) -> Layers:
    """What comes in, and 12 new maps made of it, concatenated (Huang et al. 2016, https://arxiv.org/abs/1608.06993)."""
    new = (layer("batch_norm"), layer("relu"), layer("conv", channels=12, bias=False))
    return (layer("branches", merge="concatenate", branches=((), new)),)


def residual(maps: int) -> Layers:
    return residual_as_branches(layer("residual"), maps)


for _block in (
    BuildingBlock("conv_block", "Convolution block", "Convolution, batch norm and ReLU.", conv_block),
    BuildingBlock("residual", "Residual block, written out", "A correction is added to what comes in.", residual),
    BuildingBlock("inception", "Inception block", "Kernels of several sizes side by side, concatenated.", inception),
    BuildingBlock("separable_block", "MobileNet block", "Depthwise and 1×1 convolution, each normed.", separable_block),
    BuildingBlock("dense_layer", "Dense layer", "Keeps what comes in and adds new maps, as DenseNet.", dense_layer),
    BuildingBlock(
        "squeeze_and_excitation",
        "Squeeze and excitation",
        "Weighs each map by what all of them hold.",
        squeeze_and_excitation,
    ),
):
    building_blocks.add(_block.name, _block)
