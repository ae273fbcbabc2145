"""Bringing images: how they arrive, what is in them, and their import."""
