"""What a run gets right and wrong, from its stored predictions."""
