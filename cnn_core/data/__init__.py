"""Images in: sources, import, decoding, augmentation, batches, statistics."""
