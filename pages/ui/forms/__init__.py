"""Widgets made from typed fields."""
