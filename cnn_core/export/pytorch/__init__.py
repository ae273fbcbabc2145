"""A network and its training as PyTorch code that a person would write."""

from cnn_core.export.pytorch.network_code import names, network_code
from cnn_core.export.pytorch.training_code import training_code

__all__ = ["names", "network_code", "training_code"]
