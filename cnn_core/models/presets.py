"""All networks to start from. Needs no torch."""

from cnn_core.models import compact_presets, tutorial_presets
from cnn_core.models.preset import Layers, NetworkPreset, layer, layers_of, network_presets

__all__ = ["Layers", "NetworkPreset", "compact_presets", "layer", "layers_of", "network_presets", "tutorial_presets"]
