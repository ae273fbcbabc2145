"""What works and is unwise."""
