"""What a person chose becomes a recipe that can be trained, checked before anything starts. Needs no torch."""
