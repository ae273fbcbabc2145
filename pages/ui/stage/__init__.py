"""The stage: a network at work on one image, drawn in the browser. Part of the kit: it knows no screen."""
