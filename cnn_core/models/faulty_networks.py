"""Networks of tutorials that cannot run as they are printed: what the doctor finds in them is the lesson."""

from __future__ import annotations

from cnn_core.models.preset import NetworkPreset, layer, network_presets
from cnn_core.registry import Registry

faulty_networks: Registry[NetworkPreset] = Registry("faulty network")

_simple = network_presets.get("simple_cnn")
_head = next(place for place, spec in enumerate(_simple.layers) if spec.kind == "linear")

faulty_networks.add(
    "simple_cnn_128_as_printed",
    NetworkPreset(
        "simple_cnn_128_as_printed",
        "Simple CNN at 128 px, as printed",
        "A head for 32×32 while the images are resized to 128×128: 16,384 numbers meet a layer that expects 1,024.",
        "The tutorial of simple_cnn with the images it loads itself.",
        (
            *_simple.layers[:_head],
            layer("linear", features=128, inputs=1024),
            *_simple.layers[_head + 1 :],
        ),
        _simple.training,
        image_size=128,
        augment=_simple.augment,
        own_augment=True,
    ),
)
