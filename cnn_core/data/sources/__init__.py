"""Data sets that come with the playground or that torchvision fetches: their files and readers."""
