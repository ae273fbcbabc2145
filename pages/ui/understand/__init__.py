"""A trained network on a page: evaluation, feature maps, classification."""
