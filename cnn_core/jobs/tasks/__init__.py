"""Work that a page starts and watches, in a process of its own: importing, preparing, trying augmentations."""
