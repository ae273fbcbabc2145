"""From layers to a torch network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor, nn

from cnn_core.models.input_stage import InputStage
from cnn_core.models.layers import Layer, Shape, read_layers
from cnn_core.models.operations import Operation, operations
from cnn_core.models.summary import shapes
from cnn_core.recipe import LayerSpec

INPUT = "input"


class Network(nn.Module):
    """Images (N, C, H, W), uint8 in 0..255 or float in 0..1 -> logits (N, classes).

    Child "input" is the input stage, child "0" the first layer and so on; a layer may contain others, so the address
    of every operation is its dotted name, such as "9.conv1". Iterating gives the layers. `layers`, `input_shape` and
    `classes` say what they are; weights, running statistics and normalisation are in `state_dict()`.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Shape,
        classes: int,
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
    ):
        super().__init__()
        channels = input_shape[0]
        self.input = InputStage(mean or [0.0] * channels, std or [1.0] * channels)
        for position, (layer, shape) in enumerate(zip(layers, shapes(layers, input_shape, classes), strict=False)):
            self.add_module(str(position), layer.build(shape, classes))
        self.layers = tuple(layers)
        self.input_shape = tuple(input_shape)
        self.classes = classes
        self.frozen: tuple[str, ...] = ()  # addresses

    def forward(self, images: Tensor) -> Tensor:
        values = self.input(images)
        for layer in self:
            values = layer(values)
        return values

    def __iter__(self) -> Iterator[nn.Module]:
        return (child for name, child in self.named_children() if name != INPUT)

    def __len__(self) -> int:
        return len(self._modules) - 1

    def __getitem__(self, position: int) -> nn.Module:
        return self.get_submodule(str(position))

    @property
    def operations(self) -> list[Operation]:
        """Every operation with its address, in order."""
        return operations(self.layers, self.input_shape, self.classes)

    def freeze(self, addresses: Iterable[str]) -> None:
        """What lies there no longer learns: its weights take no gradient, and it stays in evaluation mode, so that the
        running statistics of batch norm do not move either. A layer is frozen whole when each of its operations is."""
        frozen = set(addresses)
        learning = {part.position for part in self.operations if part.address not in frozen}
        whole = {str(position) for position in range(len(self)) if position not in learning}
        self.frozen = tuple(sorted(frozen | whole))
        for address in self.frozen:
            self.get_submodule(address).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Network:
        super().train(mode)
        frozen = set(self.frozen)
        for address, module in self.named_modules():  # a view of the network (`divide`, `pool_first`) has not all
            if address in frozen:
                module.eval()
        return self


def build(
    layers: Sequence[LayerSpec],
    input_shape: Shape,
    classes: int,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
) -> Network:
    """The network with fresh weights, drawn by torch's default for each layer from torch's global generator:
    `torch.manual_seed` before it makes them repeatable.

    `mean` and `std` of each channel (0..1) are those of the images it learns from; without them nothing is shifted.
    Raises ShapeError, RecipeError or UnknownNameError.
    """
    return Network(read_layers(layers), input_shape, classes, mean, std)
