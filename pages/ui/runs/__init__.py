"""Runs: choosing, listing and comparing them."""
