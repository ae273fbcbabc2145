"""A new version of what is left of a brought data set that is damaged."""

from __future__ import annotations

import json

from cnn_core.data.catalogue import shelf
from cnn_core.data.catalogue.rescue import remains
from cnn_core.data.dataset import append_images, finish

CHUNK = 256  # images copied at once


def recover(dataset_id: str) -> shelf.About:
    """A new version of the images that are left. Raises DamagedDatasetError when there are none, UnknownNameError."""
    known = shelf.about(dataset_id)
    left = remains(shelf.folder_of(known), known.shape)
    origins, count = shelf.items(left.folder), len(left.labels)
    with shelf.drafted() as folder:
        for _ in append_images(folder, left.shape, (left.images[at : at + CHUNK] for at in range(0, count, CHUNK))):
            pass
        finish(folder, shelf.id_of(folder), left.labels, left.classes, left.splits, left.fit)
        if len(origins["file"]) >= count:
            kept = {name: values[:count] for name, values in origins.items()}
            (folder / shelf.ITEMS).write_text(json.dumps(kept), "utf-8")
        note = f"{count:,} of {known.images:,} images recovered."
        return shelf.shelve(folder, known.name, known.made_by, parent=known.id, note=note)
