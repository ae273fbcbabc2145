"""Shaping a network: the editor, what the doctor says of it, what it costs, its code, and where it begins."""
