"""Which pixels made a network answer as it does; by captum, on a copy of the network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion, Saliency
from numpy.typing import NDArray
from torch import Tensor, nn

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.guided import guided_gradient
from cnn_core.inspection.outputs import outputs
from cnn_core.models.network import Network

STEPS = 50  # of integrated gradients, captum's default
SAMPLES, NOISE = 24, 0.15  # of SmoothGrad: 10 to 20% of the span of values in Smilkov et al. 2017
TOGETHER = 16  # images computed at once


@dataclass(frozen=True)
class Method:
    """A way to attribute a score to pixels."""

    name: str
    title: str
    help: str
    signed: bool  # whether a pixel can speak against the class
    unit: str = ""  # of the values; "" where they have none
    layered: bool = False  # whether it looks at one convolution


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "grad_cam",
            "Grad-CAM",
            "The maps of one convolution, each weighted by its mean gradient of the score, and what is below zero left "
            "out (Selvaraju et al. 2017). It shows regions, not pixels.",
            signed=False,
            layered=True,
        ),
        Method(
            "guided_grad_cam",
            "Guided Grad-CAM",
            "Grad-CAM times guided backpropagation: fine edges. They look sharp even with random weights, so read the "
            "sanity check.",
            signed=True,
            layered=True,
        ),
        Method(
            "saliency",
            "Saliency",
            "The size of the gradient: how strongly the score reacts to a small change of each pixel (Simonyan et al. "
            "2013). Often noisy.",
            signed=False,
            unit="logits from black to white",
        ),
        Method(
            "integrated_gradients",
            "Integrated gradients",
            "The gradient summed along the way from a black image (Sundararajan et al. 2017). The values add up to the "
            "difference of the two scores.",
            signed=True,
            unit="logits",
        ),
        Method(
            "occlusion",
            "Occlusion",
            "A patch of the mean colour slides over the image; shown is by how much the score falls (Zeiler and Fergus "
            "2014). Slow, but measured.",
            signed=True,
            unit="logits",
        ),
        Method(
            "smooth_grad",
            "SmoothGrad",
            f"The mean saliency of {SAMPLES} copies of the image with noise (Smilkov et al. 2017). Less speckled.",
            signed=False,
            unit="logits from black to white",
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each pixel adds to the score of a class."""

    values: NDArray[np.float32]  # (H, W), finite; signed where the method is, else at least 0
    method: str
    address: str  # of the convolution that was looked at, "" where the method looks at none
    target: int  # the class

    @property
    def signed(self) -> bool:
        return METHODS[self.method].signed


def convolutions(network: Network) -> dict[str, str]:
    """Address -> title of every convolution, in order."""
    return {
        operation.address: operation.title
        for operation in network.operations
        if isinstance(network.get_submodule(operation.address), nn.Conv2d)
    }


def with_places(network: Network) -> dict[str, str]:
    """The `convolutions` whose maps are larger than 1×1: those that Grad-CAM can look at. Takes a forward pass."""
    known = convolutions(network)
    image = torch.zeros((1, *network.input_shape), dtype=torch.uint8, device=network.input.mean.device)
    sizes = outputs(network, image, known, lambda output: output.shape[2] * output.shape[3]) if known else {}
    return {address: title for address, title in known.items() if sizes[address] > 1}


def attribute(network: Network, image: Tensor, target: int, method: str, address: str = "") -> Attribution:
    """What each pixel of `image`, uint8 (1, C, H, W), adds to the logit of class `target`.

    `address`: of the convolution, for the methods that look at one; "" is the last whose maps are larger than 1×1.
    Computed on the CPU. Deterministic, and torch's global random state stays as it is. The network is only read, so any
    number of threads may share it. Raises PlaygroundError for a method, class or layer that is not there, where a
    method means nothing, and where the network gives numbers that are not finite.
    """
    _check(network, target, method, address)
    own = copy.deepcopy(network).cpu().eval()
    pixels = image.detach().cpu().float() / 255
    if METHODS[method].layered:
        address = _address(own, address)
        values = _LAYERED[method](own, address, pixels, target)
    else:
        values = _PLAIN[method](own, pixels, target)
    found = values.detach().float().contiguous().numpy()
    if not np.isfinite(found).all():
        raise PlaygroundError(
            "The network gives numbers that are not finite for this image, so nothing can be attributed to its pixels. "
            "Its training has probably diverged: choose an earlier epoch."
        )
    return Attribution(found, method, address, target)


def _check(network: Network, target: int, method: str, address: str) -> None:
    if method not in METHODS:
        raise PlaygroundError(f"There is no method {method!r}. Known are {', '.join(METHODS)}.")
    if not 0 <= target < network.classes:
        raise PlaygroundError(f"There is no class number {target}: they are counted from 0 to {network.classes - 1}.")
    if address and not METHODS[method].layered:
        raise PlaygroundError(
            f"{METHODS[method].title} looks at the whole network, not at the layer {address!r}. Leave the layer out, "
            "or use grad_cam."
        )


def _address(network: Network, address: str) -> str:
    """The convolution asked for, by default the last that Grad-CAM can look at."""
    known = convolutions(network)
    if not known:
        raise PlaygroundError(
            "This network has no convolution, so it has no maps that Grad-CAM could weight. Use saliency, integrated "
            "gradients or occlusion."
        )
    if address and address not in known:
        raise PlaygroundError(f"There is no convolution at {address!r}. Known are {', '.join(known)}.")
    fitting = with_places(network)
    chosen = address or list(fitting or known)[-1]
    if chosen not in fitting:
        raise PlaygroundError(
            f"The maps of {known[chosen]} at {chosen} are 1×1: one number says nothing about where, so Grad-CAM would "
            f"colour the whole image evenly. Use {'an earlier convolution or ' if fitting else ''}another method."
        )
    return chosen


def _grad_cam(network: Network, address: str, pixels: Tensor, target: int) -> Tensor:
    return _cam(network, address, pixels, target, "bilinear")[0, 0]


def _guided_grad_cam(network: Network, address: str, pixels: Tensor, target: int) -> Tensor:
    """Enlarged with nearest neighbour, as captum does; the channels summed."""
    cam = _cam(network, address, pixels, target, "nearest")
    return (cam * guided_gradient(network, pixels, target))[0].sum(0)


def _cam(network: Network, address: str, pixels: Tensor, target: int, enlarged: str) -> Tensor:
    """(1, 1, H, W), at least 0."""
    grad_cam = LayerGradCam(network, network.get_submodule(address))
    found = grad_cam.attribute(pixels.detach().requires_grad_(), target, relu_attributions=True)
    return LayerAttribution.interpolate(found, tuple(pixels.shape[2:]), enlarged)


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
_LAYERED: Mapping[str, Callable[[Network, str, Tensor, int], Tensor]] = {
    "grad_cam": _grad_cam,
    "guided_grad_cam": _guided_grad_cam,
}
