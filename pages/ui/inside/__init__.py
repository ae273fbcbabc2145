"""The screen Inside: what a network computes for one image, why it answers so, and what its filters look for."""
