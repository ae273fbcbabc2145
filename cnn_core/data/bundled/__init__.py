"""Data that comes with the playground, and the script that cut it from its original."""
