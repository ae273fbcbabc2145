"""The frame of every page: layout, errors, words, colours, images."""
