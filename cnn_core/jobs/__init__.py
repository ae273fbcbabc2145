"""Runs as jobs: submit, command, the pool of warm worker processes."""
