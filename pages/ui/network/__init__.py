"""The network: shaping one, where to start from, and keeping it under a name."""
