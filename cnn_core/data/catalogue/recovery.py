"""A new version of what is left of an imported data set that is damaged."""

from __future__ import annotations

import json

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.rescue import remains
from cnn_core.data.dataset import append_images, finish

CHUNK = 256  # images copied at once


def recover(dataset_id: str) -> versions.About:
    """A new version of the images that are left. Raises DamagedDatasetError when there are none, UnknownNameError."""
    known = versions.about(dataset_id)
    left = remains(versions.folder_of(known), known.shape)
    origins, count = versions.items(left.folder), len(left.labels)
    with versions.drafted() as folder:
        for _ in append_images(folder, left.shape, (left.images[at : at + CHUNK] for at in range(0, count, CHUNK))):
            pass
        finish(folder, versions.id_of(folder), left.labels, left.classes, left.splits, left.fit)
        if len(origins["file"]) >= count:
            kept = {name: values[:count] for name, values in origins.items()}
            (folder / versions.ITEMS).write_text(json.dumps(kept), "utf-8")
        note = f"{count:,} of {known.images:,} images recovered."
        return versions.add(folder, known.name, known.made_by, parent=known.id, note=note)
