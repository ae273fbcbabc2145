"""What was found in images that arrived, before anything is imported."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core.data.dataset import SPLITS
from cnn_core.data.decode import Fit, decode, fit
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.labels.layout import Layout
from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import ImageError
from cnn_core.inspection.montage import enlarge
from pages.ui.frame import words
from pages.ui.frame.errors import plain
from pages.ui.frame.images import strip

SHOWN = 8  # images in the preview


def table(found: Layout) -> None:
    """Classes with their number of images, and what will be left out."""
    counts = Counter((labelled.class_name, labelled.split or "") for labelled in found.files.values())
    classes = sorted({name for name, _ in counts})
    splits = [split for split in ("", *SPLITS) if any(split == other for _, other in counts)]
    with st.container(border=True):
        st.markdown("**Images per class**")
        rows = [
            {"Class": name, **{words.label(split) if split else "Images": counts[name, split] for split in splits}}
            for name in classes
        ]
        most = max(counts.values())
        columns = {
            title: st.column_config.ProgressColumn(title, format="%d", min_value=0, max_value=most, color="primary")
            for title in rows[0]
            if title != "Class"
        }
        st.dataframe(rows, column_config=columns, hide_index=True, height=min(38 * (len(rows) + 1), 360))
        for reason, count in Counter(found.ignored.values()).most_common():
            files = [path for path, other in found.ignored.items() if other == reason]
            named = ", ".join(files[:3]) + (" …" if count > 3 else "")
            st.caption(plain(f"{words.count(count, 'file')} left out: {reason} {named}"))


def preview(upload: Upload, found: Layout, spec: ImportSpec) -> None:
    """A few images in each way of making them square; the chosen way in bold."""
    originals = _originals(upload.token, upload.stamp, found)
    if not originals:
        return
    channels = 1 if spec.colour == "greyscale" else 3
    with st.container(border=True):
        st.markdown(f"**As a network will see them, {spec.size} × {spec.size} pixels**")
        for way in get_args(Fit):
            images = np.stack([fit(image, channels, spec.size, way) for image in originals])
            title = words.option(way)
            name, row = st.columns([1, 7], vertical_alignment="center")
            name.markdown(f"**{title}** :material/check:" if way == spec.fit else title)
            row.image(enlarge(strip(images, SHOWN, gap=1 + spec.size // 16), 720), width="stretch")


@st.cache_data(max_entries=8, show_spinner=False)
def _originals(token: str, stamp: str, _found: Layout) -> list[Image.Image]:
    """An image of each of the first classes, small enough to be kept."""
    upload = Upload(token)
    wanted: dict[str, list[str]] = {}
    for path, labelled in _found.files.items():
        wanted.setdefault(labelled.class_name, []).append(path)
    turns = [path for number in range(SHOWN) for paths in wanted.values() for path in paths[number : number + 1]]
    chosen, images = set(turns[:SHOWN]), []
    for entry, data in upload.files().read(chosen):
        try:
            if isinstance(data, bytes):
                image = decode(data, entry.path)
                image.thumbnail((512, 512))
                images.append(image)
        except ImageError:
            pass  # the report will name it
        if len(images) == len(chosen):
            break
    return images
