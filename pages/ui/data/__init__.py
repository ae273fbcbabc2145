"""Views of a data set."""
