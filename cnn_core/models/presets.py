"""All networks to start from. Needs no torch."""

from cnn_core.models import compact_presets, family_presets, tutorial_presets
from cnn_core.models.preset import (
    Layers,
    NetworkPreset,
    has_own_layers,
    is_saved,
    layer,
    layers_of,
    network_presets,
    title_of,
)

__all__ = [
    "Layers",
    "NetworkPreset",
    "compact_presets",
    "family_presets",
    "has_own_layers",
    "is_saved",
    "layer",
    "layers_of",
    "network_presets",
    "title_of",
    "tutorial_presets",
]
