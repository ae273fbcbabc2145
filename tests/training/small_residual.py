"""A small network of every part that learns: convolution, batch norm, residual block and linear layer."""

LAYERS = [
    {"kind": "conv", "channels": 4},
    {"kind": "batch_norm"},
    {"kind": "relu"},
    {"kind": "max_pool"},
    {"kind": "residual", "channels": 6},
    {"kind": "global_pool"},
    {"kind": "linear"},
]
