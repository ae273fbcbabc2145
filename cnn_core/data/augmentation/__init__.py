"""Random changes of training images: typed kinds, the arithmetic on whole batches, sets to start from, previews."""
