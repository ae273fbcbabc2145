"""Batches of a split on their way to the network."""
