"""The parts of the one hardened way from a stranger's bytes to pixels; its door is `cnn_core.data.decode`."""
