"""What `python -m cnn_core` does: read arguments, call the core once, print."""
