"""A network at work on one image: what the browser needs to draw it."""
