"""What a person takes home."""
