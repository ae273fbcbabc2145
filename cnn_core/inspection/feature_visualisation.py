"""Images that excite a map, a neuron or a class, found by gradient ascent.

After Olah et al. 2017, Feature visualization (https://distill.pub/2017/feature-visualization): the image is described
by its Fourier coefficients, scaled so that coarse and fine change equally, colours are decorrelated, and each step sees
it a little moved, turned and scaled, so that what excites has to be robust. Plain ascent on the pixels shows why.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.receptive_field import windows
from cnn_core.models.network import Network

Aim = Literal["map", "neuron"]

STEPS = 96
RATE = 0.15  # of Adam: with 0.3 neurons of simple_cnn end a tenth lower
AT_ONCE = 64  # images optimised together
REPORT = 12  # steps between two reports
# Of the side, but at most OF_FIELD of the receptive field: moved by more, a pattern averages away. In the first layer
# of a trained simple_cnn a fourteenth of 32 px ends at 1.0 on average, a seventh of its 3 px at 2.36 of 2.39 possible;
# a fourteenth of the 3 px at 2.38, but with ripples
JITTER, OF_FIELD = 1 / 14, 1 / 7
TURN, ZOOM = 6.0, 0.08  # degrees; as a fraction
START = 0.01  # standard deviation of the coefficients, as in the authors' code
# Correlation of colour channels in ImageNet, from the authors' code (Lucid)
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))


@dataclass(frozen=True)
class Visualised:
    """How far the ascent is."""

    step: int
    objective: NDArray[np.float32]  # (n,): of the images as they are, unmoved
    images: NDArray[np.float32]  # (n, C, H, W), 0..1
    steps: int = STEPS

    @property
    def fraction(self) -> float:
        return self.step / self.steps


def visualise(
    network: Network,
    address: str,
    units: Sequence[int],
    aim: Aim = "neuron",
    plain: bool = False,
    steps: int = STEPS,
    seed: int = 0,
) -> Iterator[Visualised]:
    """For each of `units` of the operation at `address` an image that excites it; the start is step 0, the last the
    result.

    The objective is the value in the middle of the map, with `aim` "map" the mean of the map, and of a unit of a row
    of numbers its value: of the last layer the logit of a class. A map that no image brings above zero can end below
    its start, whose grey is nearly the best there is. `plain`: ascent on the pixels, without any of it. Deterministic;
    torch's global random state and the network stay as they are. Raises PlaygroundError for an address or unit that is
    not there, or more than AT_ONCE units, where no pixel changes the objective of any unit, and where an objective is
    not finite.
    """
    own = _copy(network, address, units)
    generator = torch.Generator().manual_seed(seed)
    shape = (len(units), *network.input_shape)
    parameters, image_of = _pixels(shape, generator) if plain else _spectrum(shape, generator)
    optimiser = torch.optim.Adam([parameters], lr=RATE)
    objective, jitter = _objective(own, address, units, aim), _jitter(own, address)
    start = _report(0, objective, image_of, steps)
    if not np.isfinite(start.objective).all():
        raise PlaygroundError(
            "This output is not a finite number, so there is nothing to climb: the run has diverged. Choose an earlier "
            "epoch."
        )
    yield start
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        images = image_of()
        value = objective(images if plain else _moved(images, jitter, generator)).sum()
        (-value).backward()
        if step == 1 and not bool(parameters.grad.any()):  # type: ignore[union-attr]
            raise PlaygroundError(
                "No pixel changes this output: a ReLU cuts it, or all that comes before it, to zero. Choose the output "
                "of a convolution nearer to the image, before its ReLU."
            )
        optimiser.step()
        if step % REPORT == 0 or step == steps:
            yield _report(step, objective, image_of, steps)


def _copy(network: Network, address: str, units: Sequence[int]) -> Network:
    known = {operation.address for operation in network.operations}
    if address not in known:
        raise PlaygroundError(f"This network has no operation at {address!r}.")
    if not 0 < len(units) <= AT_ONCE:
        raise PlaygroundError(f"{len(units)} images at once are not possible: choose 1 to {AT_ONCE} maps.")
    return copy.deepcopy(network).cpu().float().eval().requires_grad_(False)


def _objective(network: Network, address: str, units: Sequence[int], aim: Aim) -> Callable[[Tensor], Tensor]:
    """Images (n, C, H, W) -> (n,): what image i does to unit i. The copy keeps its hook, nobody else has the copy. The
    layers after the operation are left out."""
    kept: list[Tensor] = []
    network.get_submodule(address).register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    layers = [network.input, *itertools.islice(network, int(address.partition(".")[0]) + 1)]

    def objective(images: Tensor) -> Tensor:
        kept.clear()
        for layer in layers:
            images = layer(images)
        output = kept[0]
        if max(units) >= output.shape[1] or min(units) < 0:
            raise PlaygroundError(f"There is no map {max(units) + 1} here: there are {output.shape[1]}.")
        chosen = output[torch.arange(len(units)), list(units)]
        if chosen.ndim == 1:
            return chosen
        if aim == "neuron":
            return chosen[:, chosen.shape[1] // 2, chosen.shape[2] // 2]
        return chosen.mean((1, 2))

    return objective


@torch.no_grad()
def _report(step: int, objective: Callable[[Tensor], Tensor], image_of: Callable[[], Tensor], steps: int) -> Visualised:
    images = image_of()
    return Visualised(step, objective(images).numpy().copy(), images.numpy().copy(), steps)


def _pixels(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Callable[[], Tensor]]:
    """Every pixel on its own, squeezed into 0..1."""
    values = (START * torch.randn(shape, generator=generator)).requires_grad_()
    return values, lambda: values.sigmoid()


def _spectrum(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Callable[[], Tensor]]:
    """Fourier coefficients over their frequency, colours decorrelated where there are three."""
    count, channels, height, width = shape
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    frequency = (down.square() + across.square()).sqrt().clamp_min(1 / max(height, width))
    scale = math.sqrt(height * width) / frequency / 4
    values = START * torch.randn((count, channels, *frequency.shape, 2), generator=generator)
    values.requires_grad_()
    colours = torch.tensor(COLOURS)
    colours = colours / colours.norm(dim=0).max()

    def image_of() -> Tensor:
        images = torch.fft.irfft2(torch.view_as_complex(values) * scale, s=(height, width))
        if channels == 3:
            images = torch.einsum("nchw,dc->ndhw", images, colours)
        return images.sigmoid()

    return values, image_of


def _jitter(network: Network, address: str) -> float:
    """How far images are moved, as a fraction of their side."""
    window, side = windows(network)[address], min(network.input_shape[1:])
    return min(JITTER, OF_FIELD * window.side / side) if window else JITTER


def _moved(images: Tensor, jitter: float, generator: torch.Generator) -> Tensor:
    """Each image moved, turned and scaled a little, its border mirrored."""

    def draw(most: float) -> Tensor:
        return (torch.rand(len(images), generator=generator) * 2 - 1) * most

    angle, zoom = draw(math.radians(TURN)), 1 + draw(ZOOM)
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    rows = [torch.stack([cos, -sin, draw(2 * jitter)], 1), torch.stack([sin, cos, draw(2 * jitter)], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
