"""Augment: see what training makes of the images, and whether their labels stay true."""

from pages.ui.address.recipe import recipe_now
from pages.ui.augment import lab, label_safety
from pages.ui.frame import layout

layout.title("Augment", "A network never needs to see an image the same way twice. See what your steps make of it.")
lab.lab()
with layout.card(
    "Do the labels stay true?",
    "Every augmentation at four strengths on validation images: how often the "
    "network says something else than for the image as it is.",
):
    label_safety.section(recipe_now(None))
