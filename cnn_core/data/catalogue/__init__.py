"""The data sets on disk: which there are, prepared once each, versions of those that people imported."""
