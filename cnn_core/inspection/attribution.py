"""Which pixels made a network answer as it does; by captum, on a copy of the network."""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import (
    GuidedGradCam,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from numpy.typing import NDArray
from torch import Tensor, nn

from cnn_core.errors import PlaygroundError
from cnn_core.models.network import Network

STEPS = 50  # of integrated gradients, captum's default
SAMPLES, NOISE = 24, 0.15  # of SmoothGrad: 10 to 20% of the span of values in Smilkov et al. 2017
TOGETHER = 16  # images computed at once
_quiet = threading.Lock()  # what Python warns of is the same for all threads


@dataclass(frozen=True)
class Method:
    """A way to attribute a score to pixels."""

    name: str
    title: str
    help: str
    signed: bool  # whether a pixel can speak against the class
    layered: bool = False  # whether it looks at one convolution


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "grad_cam",
            "Grad-CAM",
            "Maps of one convolution, each weighted by how much the score rises with it. Coarse, and about regions.",
            signed=False,
            layered=True,
        ),
        Method(
            "guided_grad_cam",
            "Guided Grad-CAM",
            "Grad-CAM times a gradient that keeps only what raises: fine edges. It looks sharp even where weights are "
            "random, so see the check.",
            signed=True,
            layered=True,
        ),
        Method(
            "saliency",
            "Saliency",
            "How strongly the score answers to a small change of each pixel. Noisy, and honest.",
            signed=False,
        ),
        Method(
            "integrated_gradients",
            "Integrated gradients",
            "The gradient added up on the way from a black image. The parts sum to the difference of the scores.",
            signed=True,
        ),
        Method(
            "occlusion",
            "Occlusion",
            "A patch of the mean colour slides over the image: how much the score falls. Slow, and easy to believe.",
            signed=True,
        ),
        Method(
            "smooth_grad",
            "SmoothGrad",
            "The mean of the saliency of the image with different noise: less speckled.",
            signed=False,
        ),
    )
}


@dataclass(frozen=True)
class Attribution:
    """What each pixel adds to the score of a class."""

    values: NDArray[np.float32]  # (H, W); signed where the method is
    method: str
    address: str  # of the convolution that was looked at, "" where the method looks at none
    target: int  # the class

    @property
    def signed(self) -> bool:
        return METHODS[self.method].signed


def convolutions(network: Network) -> dict[str, str]:
    """Address -> title of the convolutions that Grad-CAM can look at: those whose maps are larger than 1×1."""
    found = {}
    for operation in network.operations:
        if isinstance(network.get_submodule(operation.address), nn.Conv2d):
            found[operation.address] = operation.title
    return found


def attribute(network: Network, image: Tensor, target: int, method: str, address: str = "") -> Attribution:
    """What each pixel of `image`, uint8 (1, C, H, W), adds to the logit of class `target`.

    `address`: of the convolution, for the methods that look at one; "" is the last whose maps are larger than 1×1.
    Deterministic. The network is only read, so any number of threads may share it. Raises PlaygroundError for a method,
    class or layer that is not there, and where a method means nothing.
    """
    if method not in METHODS:
        raise PlaygroundError(f"There is no method {method!r}. Known are {', '.join(METHODS)}.")
    if not 0 <= target < network.classes:
        raise PlaygroundError(f"There is no class number {target}: they are counted from 0 to {network.classes - 1}.")
    own = copy.deepcopy(network).cpu().eval()
    pixels = image.detach().cpu().float() / 255
    if METHODS[method].layered:
        address = address or _last_of_size(own, pixels)
        layer = _convolution(own, pixels, address)
        values = _layered(method, own, layer, pixels, target)
    else:
        address, values = "", _PLAIN[method](own, pixels, target)
    return Attribution(values.detach().float().contiguous().numpy(), method, address, target)


def _convolution(network: Network, pixels: Tensor, address: str) -> nn.Conv2d:
    known = convolutions(network)
    if not known:
        raise PlaygroundError(
            "This network has no convolution, so it has no maps that Grad-CAM could weight. Use saliency, integrated "
            "gradients or occlusion."
        )
    if address not in known:
        raise PlaygroundError(f"There is no convolution at {address!r}. Known are {', '.join(known)}.")
    if not _has_places(network, pixels, address):
        raise PlaygroundError(
            f"The maps of {known[address]} are 1×1: they have no places, so Grad-CAM would colour the whole image "
            "alike. Choose an earlier convolution, or another method."
        )
    layer = network.get_submodule(address)
    assert isinstance(layer, nn.Conv2d)
    return layer


def _last_of_size(network: Network, pixels: Tensor) -> str:
    known = list(convolutions(network))
    fitting = [address for address in known if _has_places(network, pixels, address)]
    return (fitting or known or [""])[-1]


def _has_places(network: Network, pixels: Tensor, address: str) -> bool:
    sizes: list[int] = []
    layer = network.get_submodule(address)
    hook = layer.register_forward_hook(lambda _module, _inputs, output: sizes.append(output.shape[2] * output.shape[3]))
    with torch.no_grad():
        network(pixels)
    hook.remove()
    return sizes[0] > 1


def _layered(method: str, network: Network, layer: nn.Conv2d, pixels: Tensor, target: int) -> Tensor:
    pixels = pixels.requires_grad_()
    if method == "guided_grad_cam":
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the ReLUs of this copy get hooks
            return GuidedGradCam(network, layer).attribute(pixels, target)[0].sum(0)
    found = LayerGradCam(network, layer).attribute(pixels, target, relu_attributions=True)
    return LayerAttribution.interpolate(found, tuple(pixels.shape[2:]), "bilinear")[0, 0]


def _saliency(network: Network, pixels: Tensor, target: int) -> Tensor:
    """The largest of the channels (Simonyan et al. 2013)."""
    return Saliency(network).attribute(pixels.requires_grad_(), target)[0].amax(0)


def _integrated(network: Network, pixels: Tensor, target: int) -> Tensor:
    method = IntegratedGradients(network)
    return method.attribute(pixels, 0.0, target, n_steps=STEPS, internal_batch_size=TOGETHER)[0].sum(0)


def _occlusion(network: Network, pixels: Tensor, target: int) -> Tensor:
    """A window of a seventh of the image's side, at least 2 pixels, moved by half of itself."""
    window = max(2, round(pixels.shape[2] / 7))
    channels = pixels.shape[1]
    mean = network.input.mean.view(1, -1, 1, 1).expand_as(pixels)
    found = Occlusion(network).attribute(
        pixels,
        (channels, window, window),
        strides=(channels, max(1, window // 2), max(1, window // 2)),
        baselines=mean,
        target=target,
        perturbations_per_eval=TOGETHER,
    )
    return found[0].mean(0)


def _smooth(network: Network, pixels: Tensor, target: int) -> Tensor:
    """As captum's NoiseTunnel does, with noise of a generator of its own: torch's is everybody's."""
    generator, total = torch.Generator().manual_seed(0), torch.zeros_like(pixels[0])
    for start in range(0, SAMPLES, TOGETHER):
        count = min(TOGETHER, SAMPLES - start)
        noise = torch.randn((count, *pixels.shape[1:]), generator=generator) * NOISE
        total += Saliency(network).attribute((pixels + noise).requires_grad_(), target).sum(0)
    return (total / SAMPLES).amax(0)


_PLAIN: Mapping[str, Callable[[Network, Tensor, int], Tensor]] = {
    "saliency": _saliency,
    "integrated_gradients": _integrated,
    "occlusion": _occlusion,
    "smooth_grad": _smooth,
}
